"""The lists of the support panel: one module a table."""
