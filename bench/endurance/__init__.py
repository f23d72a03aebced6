"""A school at work while things break: its load, its faults, and the comparison of what it was promised with what became of it."""
