"""Pages of users about their own account: name and address, password, sessions, bearer tokens, its data and its end.

What a change means and what it ends is decided in the domain; an address in here changes the account of the signed-in
user and no other.
"""

from lessonadmin.views.account import identity, leaving, page, password, sessions, tokens
from lessonadmin.views.account.page import bp

__all__ = ["bp", "identity", "leaving", "page", "password", "sessions", "tokens"]
