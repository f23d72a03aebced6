"""Uploads, assets and tracks: what they are, and how they get from created to ready, errored or deleted."""
