"""The jobs in Redis: which there are, how they are stored, and how Redis has to be reached."""
