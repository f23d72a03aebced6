"""The checks of `flask doctor` and its page: each reads, none repairs."""
