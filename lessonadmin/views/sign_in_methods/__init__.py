"""Sign-in methods of the user's own account, and the proof that each change of them asks for."""

from lessonadmin.views.sign_in_methods import authenticator_app, overview, passkeys
from lessonadmin.views.sign_in_methods.blueprint import bp

__all__ = ["authenticator_app", "bp", "overview", "passkeys"]
