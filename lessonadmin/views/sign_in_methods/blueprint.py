"""The blueprint of sign-in methods, and what its pages share."""

import uuid

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.domain.second_factor import methods

bp = Blueprint("sign_in_methods", __name__, url_prefix="/account/security")


@bp.errorhandler(methods.ProofNeeded)
def proof_needed(_: methods.ProofNeeded) -> Response:
    flash("Confirm your password first, then choose again what to change.", "warning")
    return redirect(url_for("sign_in_methods.show"))


def session_id() -> uuid.UUID:
    found = auth.identity()
    if found is None or found.session_id is None:
        raise auth.NotSignedIn
    return found.session_id


def after_adding(codes: list[str], said: str) -> Response:
    """The first factor of an account brings recovery codes, which are shown this once."""
    flash(said, "success")
    return codes_page(codes) if codes else redirect(url_for("sign_in_methods.show"))


def codes_page(codes: list[str]) -> Response:
    return make_response(render_template("account/security/recovery_codes.html", codes=codes))
