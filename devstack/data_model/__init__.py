"""`docs/data-model.md`: tables and relations from the models, writers from the syntax trees, triggers from a migrated database.

page      the page as text
tables    tables, columns and diagrams
writers   which modules write which table and column
triggers  what the database does by itself
"""
