"""People: accounts, passwords, sign-in, sessions, tokens, rate limits, and the change of owner."""
