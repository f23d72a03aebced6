"""What the pages of lessons and of courses show of a video and let people do about it: one card, one set of routes."""
