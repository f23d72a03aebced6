"""What each bulk action does with one row, and the same verdict as SQL for its preview."""
