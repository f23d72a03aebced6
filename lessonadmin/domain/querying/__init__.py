"""Queries that stay fast over a million rows: full-text search and counts with a ceiling."""
