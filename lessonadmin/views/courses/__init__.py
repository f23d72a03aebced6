"""Courses as pages for instructors and staff: the list, the form, the order of the lessons, their sections, the preview video.

What an action means, and which course a user may change, is decided in the domain. The preview is the same part of a
page as a lesson's video.
"""

from lessonadmin.views.courses import editing, ordering, overview, sections, tray, video
from lessonadmin.views.courses.blueprint import bp

__all__ = ["bp", "editing", "ordering", "overview", "sections", "tray", "video"]
