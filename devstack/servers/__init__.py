"""Real PostgreSQL and Redis from installed packages, for `bin/run` and for tests."""
