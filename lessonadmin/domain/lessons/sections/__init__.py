"""Sections of a course: what stands where (`places`), and how sections are made, renamed and removed (`editing`)."""
