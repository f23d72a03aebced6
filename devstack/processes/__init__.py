"""Starting programs, watching them, stopping them, and finding what a killed manager left running."""
