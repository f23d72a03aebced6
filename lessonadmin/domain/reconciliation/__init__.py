"""All of Mux compared with all local rows: the inventory, the differences, and the fix for each kind."""
