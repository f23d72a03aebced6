"""Notices for people: as rows in the app, and as mail."""
