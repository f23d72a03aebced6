"""Where an answer may lead: to a path of the product, whatever a request asks for and whatever a view answers."""

import pytest
from flask import Flask, Response, redirect
from flask.testing import FlaskClient

from lessonadmin.web import redirects
from tests.admin.samples import LISTS, one_of_each
from tests.cases import each_of
from tests.factories import make_user, signed_in
from tests.pages import csrf_of

AWAY = [
    "http:evil.example",
    "https:evil.example",
    "http:/evil.example",
    "https:///evil.example",
    "http://evil.example/",
    "https://evil.example/admin/",
    "HTTP:evil.example",
    "ht\ttp:evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "//localhost@evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "/\x0b/evil.example",
    "/\x7f/evil.example",
    "/\x85/evil.example",
    " //evil.example",
    "\u00a0//evil.example",
    "/x\r\nSet-Cookie: a=b",
    "/..//evil.example",
    "/.//evil.example",
    "/account//evil.example",
    "javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "ftp://evil.example",
    "evil.example",
    "?url=//evil.example",
    "#//evil.example",
    "@evil.example",
    ":80@evil.example/",
    ".evil.example/",
    "//[",
    "//\uff0fevil.example",
    "\uff0f\uff0fevil.example",
    "http://localhost.evil.example/",
    "http://localhost@evil.example/",
    "http://localhost\\@evil.example/",
    "http://localhost//evil.example/",
    "",
]
OWN = [
    "/",
    "/account",
    "/%09/evil.example",  # a browser leaves it as it is: a path of the product that is not there
    "/%2f/evil.example",
    "/%5cevil.example",
    "/\uff0fevil.example",
    "/lessons?q=a%2Fb&page=2",
    "/lessons?next=https://evil.example",
    "/admin/lesson/?search=é&flt0_status_equals=draft#row",
    "/catalog#//x",
]


@each_of("text", AWAY)
def test_what_leads_away_is_no_target(text: str) -> None:
    assert redirects.own(text) is None


@each_of("text", OWN)
def test_a_path_of_ours_is_one(text: str) -> None:
    assert redirects.own(text) == text


def leads_to(app: Flask, location: str) -> str | None:
    """What the product makes of an answer that some view gave."""
    with app.test_request_context("/account"):
        answer = Response(status=302)
        answer.headers.add("Location", location.replace("\r", "").replace("\n", ""))
        return app.process_response(answer).headers["Location"]


def test_no_answer_leads_elsewhere_whichever_view_gave_it(app: Flask) -> None:
    # line ends cannot stand in a header at all
    followed = {text: leads_to(app, text) for text in AWAY if not {"\r", "\n"} & set(text)}
    assert {text: found for text, found in followed.items() if found != "/"} == {}
    assert {text: leads_to(app, text) for text in OWN} == {text: text for text in OWN}
    assert leads_to(app, "http://localhost/account?x=1") == "/account?x=1", "our own, written in full"


def test_the_words_of_a_held_back_answer_do_not_name_where_it_led(app: Flask) -> None:
    with app.test_request_context("/account"):
        answer = app.process_response(redirect("https://evil.example/"))  # type: ignore[arg-type]  # Flask's own class
    assert (answer.status_code, answer.location) == (302, "/")
    assert "evil" not in answer.get_data(as_text=True)


# The two that follow `url` at all are asked everything; the others have no route that does, and lead nowhere.
FOLLOWING = {"lesson": "action/", "deletion": "retry"}


@pytest.mark.parametrize("name", LISTS)
def test_no_list_of_the_panel_leads_elsewhere(app: Flask, name: str) -> None:
    row = one_of_each()[name]
    admin = signed_in(make_user(role="admin"))
    token = csrf_of(admin, "/account")
    base, found = f"/admin/{name}/", {}
    for text in AWAY if name in FOLLOWING else AWAY[:3]:
        query = {"url": text, "next": text, "id": str(row.id) if row else ""}
        form = {**query, "csrf_token": token, "action": "recheck"}
        answers = [admin.post(base + FOLLOWING.get(name, "action/"), data=form)]
        if text in AWAY[:3]:
            answers += [admin.get(base + path, query_string=query) for path in ("new/", "edit/", "export/x/")]
        found |= {(text, one.request.path): one.location for one in answers if one.location}
    assert name not in FOLLOWING or len(found) == len(AWAY), "it does lead somewhere"
    assert {key: where for key, where in found.items() if where != base} == {}


def test_the_panel_leads_back_to_where_one_was(app: Flask) -> None:
    """The other half of the test before: the list does follow what is the product's own."""
    one_of_each()
    support = signed_in(make_user(role="support"))
    form = {
        "url": "/admin/lesson/?view=stuck",
        "csrf_token": csrf_of(support, "/account"),
        "action": "recheck",
    }
    assert support.post("/admin/lesson/action/", data=form).location == "/admin/lesson/?view=stuck"


@pytest.mark.parametrize("path", ["/admin/lesson", "/admin/lesson?search=x%2F%2Fy", "/admin"])
def test_routing_leads_on_without_naming_a_host(app: Flask, path: str) -> None:
    answer = signed_in(make_user(role="support")).get(path)
    before, _, query = path.partition("?")
    assert answer.status_code == 308
    assert answer.location == f"{before}/" + (f"?{query}" if query else "")
    assert "localhost" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("path", ["//evil.example/..", "//evil.example//account", "/account//"])
def test_doubled_slashes_lead_to_a_path_of_the_product(client: FlaskClient, path: str) -> None:
    answer = client.get("http://localhost" + path)
    assert (answer.location or "/").startswith("/")
    assert not (answer.location or "/").startswith("//")


def test_only_the_marked_address_of_the_provider_leaves_the_site(app: Flask) -> None:
    with app.test_request_context():
        marked = redirects.to_provider("https://login.school.example/authorize?x=1")
        assert redirects._hold(marked).headers["Location"] == "https://login.school.example/authorize?x=1"
        other = redirects._hold(redirect("https://login.school.example/authorize?x=2"))
        assert other.headers["Location"] == "/"
