"""Lessons as pages for instructors and staff: the list with its bulk actions, the form, the video and what may be done with it.

What an action means, and which lesson a user may change, is decided in the domain. Each page answers twice: whole, and
as the fragment that an open page asks for.
"""

from lessonadmin.views.lessons import bulk, editing, files, overview, preview, tray, video
from lessonadmin.views.lessons.blueprint import bp

__all__ = ["bp", "bulk", "editing", "files", "overview", "preview", "tray", "video"]
