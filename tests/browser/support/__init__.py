"""What support does in the panel, in a real browser: a unit of its own, so that another worker may run it."""
