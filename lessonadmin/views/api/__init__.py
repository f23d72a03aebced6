"""The JSON API under `/api`: each endpoint reads, calls the domain once and answers. All of them pass `endpoints`."""

from lessonadmin.views.api import captions, courses, docs_page, files, lessons, playback, uploads, videos
from lessonadmin.views.api.endpoints import bp

__all__ = ["bp", "captions", "courses", "docs_page", "files", "lessons", "playback", "uploads", "videos"]
