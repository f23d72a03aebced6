"""Set-up of a clone: Python packages, npm packages, Chromium; only what changed is installed again."""
