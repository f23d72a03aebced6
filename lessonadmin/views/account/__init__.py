"""Pages of users about their own account: password, sessions, bearer tokens.

What a change means and what it ends is decided in the domain; an address in here changes the account of the signed-in
user and no other.
"""

from lessonadmin.views.account import page, password, sessions, tokens
from lessonadmin.views.account.page import bp

__all__ = ["bp", "page", "password", "sessions", "tokens"]
