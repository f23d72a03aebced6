"""Secrets that are planted wherever one enters are found nowhere: in no log, table, Redis key, page, report, metric or command line.

The product runs as in production, with two faults built in (`planted_app.py`): an error and a failed job carry every secret of the settings
in their words and in their variables. Hashes and sealed values are no plain text, and so are not found.
"""

import base64
import gzip
import re
import secrets
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from devstack.servers.for_tests import Servers
from tests import postbox, provider
from tests.certificates import self_signed
from tests.contract.callers import Browser, send, sign
from tests.factories import code_now
from tests.flows import places
from tests.flows.processes import Stack, request, wait_for
from tests.postbox import Postbox, Received
from tests.provider import Provider

pytestmark = pytest.mark.timeout(150)

SINGLE_SIGN_ON, BREAKS = "/login/single-sign-on", "/catalog/courses"


class Reports(BaseHTTPRequestHandler):
    """Takes what is reported as Sentry does."""

    heard: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        packed = self.headers.get("Content-Encoding") == "gzip"
        self.heard.append((gzip.decompress(body) if packed else body).decode(errors="replace"))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


def new(what: str) -> str:
    return f"planted-{what}-{secrets.token_hex(12)}"


@dataclass
class School:
    """Everything that runs, and the secrets that have been planted so far, each in all its spellings."""

    stack: Stack
    box: Postbox
    provider: Provider
    planted: dict[str, set[str]] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    admin: Browser = field(init=False)

    def plant(self, what: str, secret: str) -> str:
        self.planted[what] = places.spellings(secret)
        return secret

    def user(self, name: str, role: str) -> Browser:
        """An account whose password is planted, signed in."""
        password = self.passwords[name] = self.plant(f"password of {name}", new("password"))
        self.emails[name] = f"{name}@school.example"
        script = f"from app import app; app.test_cli_runner().invoke(args=['users', 'create', {self.emails[name]!r}, '--role', {role!r}, '--password', {password!r}])"
        subprocess.run([sys.executable, "-c", script], env=self.stack.environment, check=True)
        browser = Browser(self.stack.url)
        assert browser.sign_in(self.emails[name], password).status == 302
        self.plant(f"session of {name}", browser.cookies["session"])
        return browser

    def everything(self) -> dict[str, dict[str, str]]:
        """The text of every place, by kind."""
        stack = self.stack
        bearer = {"Authorization": f"Bearer {stack.environment['METRICS_TOKEN']}"}
        return {
            "pages": dict(
                places.pages(
                    self.admin, "/", "/admin/", "/account", "/account/security", "/api/docs", "/catalog"
                )
            ),
            "commands": dict(places.commands(stack, ("doctor",), ("users", "data", self.emails["admin"]))),
            "metrics": {"all": str(request("GET", f"{stack.url}/metrics", headers=bearer).body)},
            "reports": {str(number): one for number, one in enumerate(Reports.heard)},
            "mails": {
                str(number): f"{one.raw.decode()}\n{one.text}" for number, one in enumerate(self.box.received)
            },
            "redis": dict(places.redis_keys(stack)),
            "tables": dict(places.tables(stack)),
            "logs": dict(places.logs(stack)),
            "command lines": dict(places.command_lines(stack)),
        }


def signing_key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return base64.b64encode(pem).decode()


def settings(box: Postbox, issuer: str, certificate: Path, reports: int) -> dict[str, str]:
    planted = {
        "SECRET_KEY": new("secret-key"),
        "SECRET_KEY_FALLBACKS": new("former-key"),
        "MUX_TOKEN_SECRET": new("mux-token"),
        "MUX_WORKER_TOKEN_SECRET": new("mux-worker-token"),
        "MUX_WEBHOOK_SECRETS": new("webhook"),
        "MUX_SIGNING_PRIVATE_KEY": signing_key(),
        "METRICS_TOKEN": new("metrics"),
        "OIDC_CLIENT_SECRET": new("client"),
    }
    mail = new("mail")
    box.password = "PLAIN " + base64.b64encode(f"\0school\0{mail}".encode()).decode()
    return {
        **planted,
        "MUX_SIGNING_KEY_ID": "the-signing-key",
        "MAIL_URL": f"smtp://school:{mail}@127.0.0.1:{box.port}",
        "SSL_CERT_FILE": str(certificate),
        "OIDC_ISSUER": issuer,
        "OIDC_CLIENT_ID": provider.CLIENT,
        "SENTRY_DSN": f"http://key@127.0.0.1:{reports}/1",
        "SWEEP_EVERY_SECONDS": "1",
        "RECHECK_AFTER_SECONDS": "1",
        "PLANTED_SECRETS": " ".join([*planted.values(), mail]),
    }


@pytest.fixture(scope="module")
def school(real_servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    certificate = self_signed("127.0.0.1", tmp_path_factory.mktemp("tls"))
    reports = ThreadingHTTPServer(("127.0.0.1", 0), Reports)
    threading.Thread(target=reports.serve_forever, daemon=True).start()
    with postbox.running() as box, provider.running() as signs_in, pytest.MonkeyPatch.context() as patch:
        box.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        box.tls.load_cert_chain(certificate)
        given = settings(box, signs_in.url, certificate, reports.server_port)
        patch.setattr(provider, "SECRET", given["OIDC_CLIENT_SECRET"])
        stack = Stack(looked_at=True, **given)
        school = School(stack, box, signs_in)
        _plant_settings(school, given)
        try:
            stack.begin()
            school.admin = school.user("admin", "admin")
            yield school
        finally:
            stack.end()
            reports.shutdown()
            reports.server_close()


def _plant_settings(school: School, given: dict[str, str]) -> None:
    """PostgreSQL trusts whom its socket lets in, so it takes a password of any kind."""
    stack, database = school.stack, new("database")
    stack.environment["DATABASE_URL"] = stack.environment["DATABASE_URL"].replace("@/", f":{database}@/", 1)
    stack.environment["PLANTED_SECRETS"] += f" {database} {stack.redis.password}"
    for name in ("web", "worker", "clock"):
        stack.commands[name] = (
            stack.commands[name]
            .replace("app:app", "tests.flows.planted_app:app")
            .replace("--app app", "--app tests.flows.planted_app")
        )
    for secret in stack.environment["PLANTED_SECRETS"].split():
        school.plant(next((name for name, value in given.items() if value == secret), secret[:20]), secret)


# what users do


def sets_up_an_app(school: School, browser: Browser, password: str) -> None:
    browser.post("/account/security/confirm", [("password", password)]).expect(302)
    browser.post("/account/security/app", []).expect(302)
    shown = re.search(r'data-copy="([A-Z2-7 ]+)"', browser.get("/account/security/app").text)
    assert shown is not None
    typed = shown[1].replace(" ", "")
    secret = base64.b32decode(typed + "=" * (-len(typed) % 8))
    school.planted["key of the app"] = {shown[1], typed, secret.hex(), base64.b64encode(secret).decode()}
    codes = browser.post("/account/security/app/confirm", [("code", code_now(secret))]).expect(200)
    found = re.findall(r"<li><code>([^<]+)</code>", codes.text)
    assert len(found) == 10
    for number, code in enumerate(found):
        school.planted[f"recovery code {number}"] = {code, code.replace("-", "")}


def makes_a_token(school: School, browser: Browser, password: str) -> str:
    page = browser.post("/account/tokens", [("name", "script"), ("scope", "write"), ("password", password)])
    token = re.search(r'copy__value--whole">([^<]+)<', page.expect(200).text)
    assert token is not None
    return school.plant("API token", token[1])


def forgets_the_password(school: School) -> None:
    """A link by mail, opened and used."""
    before = len(school.box.received)
    browser = Browser(school.stack.url)
    browser.post(
        "/forgot-password", [("email", school.emails["instructor"])], csrf=browser.csrf("/forgot-password")
    )
    wait_for(lambda: _link_in(school.box, before), seconds=20, what="the mail with the link")
    link = _link_in(school.box, before)
    school.planted["link"] = places.spellings(link.rsplit("/", 1)[1])
    chosen = school.plant("chosen password", new("chosen"))
    form = [("new_password", chosen), ("repeat_password", chosen)]
    assert browser.post(link, form, csrf=browser.csrf(link)).status in (200, 302, 303)


def _link_in(box: Postbox, before: int) -> str:
    found = [re.search(r"http://[^/]+(/reset-password/\S+)", one.text) for one in box.received[before:]]
    return next((one[1] for one in found if one is not None), "")


def uploads(school: School, token: str) -> None:
    """A file that arrives and is published, one whose URL is only handed out, one that Mux refuses with the token in its words."""
    stack = school.stack
    headers = {"Authorization": f"Bearer {token}"}

    def ask(path: str, body: dict[str, Any]) -> Any:
        return request("POST", f"{stack.url}{path}", body, headers=headers).body

    for number, title in enumerate(("Arrives", "Is awaited", "Is refused")):
        if title == "Is refused":
            said = f"not with {stack.environment['MUX_TOKEN_SECRET']}, nor {stack.environment['MUX_WORKER_TOKEN_SECRET']}"
            stack.mux.fault("api", "status", status=400, message=said)
        lesson = ask("/api/lessons", {"title": title})["id"]
        ticket = ask("/api/mux/upload-url", {"lesson_id": lesson, "filename": "a.mp4", "size": 1000})
        if "upload_url" in ticket:
            school.planted[f"upload URL {number}"] = {ticket["upload_url"].rsplit("/", 1)[1]}
        if title == "Arrives":
            assert stack.mux.upload_file(ticket["upload_id"]) == 200
            query = "SELECT status FROM lessons WHERE id = %s"
            wait_for(lambda: stack.database.one(query, lesson) == "published", seconds=20, what="the lesson")  # noqa: B023 - asked at once
    stack.mux.clear_faults()


def mux_tells_too_much(school: School) -> None:
    """A webhook with keys in it, and one whose signature is forged."""
    keys = {
        "stream_key": school.plant("stream key", new("stream")),
        "signing_secret": school.plant("key in a webhook", new("inside")),
    }
    envelope = {
        "type": "video.live_stream.created",
        "id": "planted-event",
        "object": {"type": "live", "id": "x"},
        "data": {"id": "x", **keys},
    }
    body = str(envelope).replace("'", '"').encode()
    for secret, status in ((school.stack.environment["MUX_WEBHOOK_SECRETS"], 204), ("another secret", 401)):
        signature = sign(secret, body)
        headers = {"Content-Type": "application/json", "Mux-Signature": signature}
        assert (
            send(school.stack.url, "POST", "/api/webhooks/mux", body=body, headers=headers).status == status
        )
        school.planted[f"signature answered {status}"] = {signature.partition("v1=")[2]}


def signs_in_wrongly(school: School) -> None:
    """People type passwords into the field for the address."""
    browser = Browser(school.stack.url)
    browser.sign_in(school.emails["instructor"], school.plant("wrong password", new("wrong")))
    browser.sign_in(school.plant("password as an address", new("slip")), "anything")
    Browser(school.stack.url).get(f"/lessons?token={school.plant('query', new('query'))}")
    school.planted["wrong token"] = places.spellings(wrong := new("bearer"))
    request("GET", f"{school.stack.url}/api/lessons", headers={"Authorization": f"Bearer {wrong}"})


def signs_in_at_the_provider(school: School) -> None:
    school.provider.person["email"] = school.emails["instructor"]
    for trouble in ("", "400"):
        browser = Browser(school.stack.url)
        sent = browser.get(SINGLE_SIGN_ON).expect(302)
        school.provider.trouble = {"/token": trouble}
        answer = school.provider.signs_in(sent.headers["Location"])
        school.planted[f"code of the provider {trouble}"] = places.spellings(answer["code"])
        browser.get(f"{SINGLE_SIGN_ON}/answer?state={answer['state']}&code={answer['code']}")
    school.provider.trouble = {}


def is_reported(said: str, *, since: int) -> bool:
    return any(said in one for one in Reports.heard[since:])


def breaks(school: School) -> None:
    """An error page and a failed job, each with every secret of the settings in its words."""
    before = len(Reports.heard)
    answer = school.admin.get(f"{BREAKS}?break=1")
    assert answer.status == 500
    assert "planted-" not in answer.text
    for said in ("unexpected error", "the job lessonadmin.jobs.events.replay_event failed"):
        wait_for(partial(is_reported, said, since=before), seconds=20, what=f"the report of “{said}”")
    worker = (school.stack.home / "worker.log").read_text()
    assert "a job was refused" not in worker, "what reports errors writes nothing into jobs"


def leaves_a_mark(school: School) -> str:
    """What is no secret, and is written on purpose wherever the product writes."""
    mark, stack, before = new("mark"), school.stack, len(Reports.heard)
    school.admin.post("/account/name", [("display_name", mark)]).expect(302)
    school.admin.get(f"{BREAKS}?mark={mark}").expect(500)
    wait_for(partial(is_reported, mark, since=before), seconds=20, what="the report")
    sleeping = [sys.executable, "-c", "import time; time.sleep(120)", mark]
    stack.processes["marked"] = subprocess.Popen(sleeping)
    school.box.received.append(Received("", [], mark.encode()))
    return mark


@pytest.fixture(scope="module")
def texts(school: School) -> tuple[dict[str, dict[str, str]], str]:
    """What stands everywhere after all that users, Mux and faults have done, and the mark that was left."""
    admin, password = school.admin, school.passwords["admin"]
    sets_up_an_app(school, admin, password)
    school.user("instructor", "instructor")
    uploads(school, makes_a_token(school, admin, password))
    forgets_the_password(school)
    mux_tells_too_much(school)
    signs_in_wrongly(school)
    signs_in_at_the_provider(school)
    breaks(school)
    mark = leaves_a_mark(school)
    time.sleep(1.5)  # one more sweep, and what it writes
    return school.everything(), mark


def test_they_are_found_nowhere(school: School, texts: tuple[dict[str, dict[str, str]], str]) -> None:
    found, _ = texts
    assert len(school.planted) >= 35
    assert len(found["pages"]) >= 80
    shown = places.search(found, school.planted)
    assert {(kind, secret) for kind, _, secret in shown} == {("mails", "link")}, shown


def test_of_the_test_what_is_put_into_each_kind_of_place_is_found(
    texts: tuple[dict[str, dict[str, str]], str],
) -> None:
    """The control: the same search finds the mark in every kind of place."""
    found, mark = texts
    kinds = {kind for kind, _, _ in places.search(found, {"mark": places.spellings(mark)})}
    assert kinds == found.keys()
