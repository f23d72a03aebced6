"""What workers do: each job loads by id and calls the domain; it decides nothing and is safe to run twice at once."""
