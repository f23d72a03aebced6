"""What protects the school: addresses of clients, hidden secrets, strong secrets, and refused requests.

The modules here hold rules and count; who may do what is in `auth` and `domain.permissions`.
"""
