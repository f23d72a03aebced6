"""Mux's events: stored once, matched to an upload, applied; and the requests that were refused."""
