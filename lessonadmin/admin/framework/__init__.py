"""Flask-Admin with its traps closed: base views, tables of many rows, filters, bulk actions, CSV files."""
