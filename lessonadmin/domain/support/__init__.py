"""What support staff read and write about one lesson: its timeline, notes, and the search for any id."""
