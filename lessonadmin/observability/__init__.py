"""What operators read: log lines, reports of errors, and traces that quote no data."""
