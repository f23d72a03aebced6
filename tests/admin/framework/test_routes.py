"""`expose`: a method of a view gets its address and its methods, GET alone unless others are named."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_admin import Admin, BaseView

from lessonadmin.admin.framework.routes import expose


class Two(BaseView):  # type: ignore[misc]  # Flask-Admin's types are partial
    @expose("/")
    def index(self) -> str:
        return "read"

    @expose("/change", methods=(method for method in ("POST", "DELETE")))
    def change(self) -> str:
        return "changed"


@pytest.fixture
def caller() -> FlaskClient:
    application = Flask(__name__)
    Admin(application).add_view(Two(name="Two", endpoint="two", url="/two"))
    return application.test_client()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/two/", 200),
        ("POST", "/two/", 405),
        ("POST", "/two/change", 200),
        ("DELETE", "/two/change", 200),
        ("GET", "/two/change", 405),
        ("PUT", "/two/change", 405),
    ],
)
def test_a_method_answers_what_it_names_and_nothing_else(
    caller: FlaskClient, method: str, path: str, status: int
) -> None:
    assert caller.open(path, method=method).status_code == status
