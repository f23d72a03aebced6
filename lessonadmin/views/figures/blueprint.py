"""The blueprint of figures, and what their addresses ask for: whose figures, and of which days."""

from flask import Blueprint, request

from lessonadmin import auth
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.figures import scope
from lessonadmin.domain.figures.scope import Scope, Span
from lessonadmin.domain.models import User
from lessonadmin.text.ids import as_id

bp = Blueprint("figures", __name__, url_prefix="/figures")


def asked() -> tuple[Scope, User | None]:
    typed = request.args.get("instructor", "")
    instructor_id = as_id(typed)
    if typed and instructor_id is None:
        raise Missing
    return scope.of_user(auth.current_user(), instructor_id)


def span_asked() -> Span:
    return scope.read_span(request.args.get("span", ""))
