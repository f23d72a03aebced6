"""Asking Mux about uploads, one or a hundred at a time, and applying the answers as observations."""
