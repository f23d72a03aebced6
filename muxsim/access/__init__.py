"""Who may do what: access tokens, rate limits, signing keys, playback tokens."""
