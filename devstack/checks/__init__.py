"""Checks of `bin/check` that no tool has: templates compile, promises are kept and proved."""
