"""What the webhooks are measured beside: the same lessons made published by other programs, each in one small file."""
