"""All of Mux compared with all of our rows: the inventory, the differences, and the fix for each kind."""
