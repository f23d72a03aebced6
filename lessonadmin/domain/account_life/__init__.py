"""How an account begins, is found again and ends: invitations, forgotten passwords, new addresses, one's data, deletion."""
