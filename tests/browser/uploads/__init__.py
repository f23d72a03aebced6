"""Files on their way, in a real browser: a unit of its own, so that another worker may run it."""
