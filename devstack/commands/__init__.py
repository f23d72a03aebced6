"""What the scripts in bin/ do once everything is installed; one module a script."""
