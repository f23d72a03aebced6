"""Captions of videos: what Mux makes of the speech, and what is brought."""
