"""Figures as pages and files: of one lesson, of an instructor's lessons, and for staff of any instructor and of the school.

What is counted and who may see it is decided in the domain.
"""

from lessonadmin.views.figures import files, pages
from lessonadmin.views.figures.blueprint import bp

__all__ = ["bp", "files", "pages"]
