"""The JSON API under `/api`: each call reads, asks the domain once and answers. `audit_log` is the door that all go through."""

from lessonadmin.views.api import courses, documentation, lessons, playback, uploads, videos
from lessonadmin.views.api.calls import bp

__all__ = ["bp", "courses", "documentation", "lessons", "playback", "uploads", "videos"]
