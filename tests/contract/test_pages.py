"""Section 4: the addresses, who is sent where, the forms, the data-testids, health; cookies and policies of section 2."""

import gzip
import re
import socket
import uuid
from urllib.parse import urlsplit

import pytest

from tests.contract.callers import Answer, Browser, Caller
from tests.contract.stack import PASSWORD, Stack
from tests.contract.test_lessons import ready_lesson


@pytest.fixture(scope="module")
def instructors(stack: Stack) -> Browser:
    return stack.browser("instructor")


@pytest.fixture(scope="module")
def students(stack: Stack) -> Browser:
    return stack.browser("student")


@pytest.fixture(scope="module")
def supports(stack: Stack) -> Browser:
    return stack.browser("support")


@pytest.fixture(scope="module")
def admins(stack: Stack) -> Browser:
    return stack.browser("admin")


def marked(page: str) -> set[str]:
    return set(re.findall(r'data-testid="([^"]+)"', page))


def fields(page: str) -> set[str]:
    return set(re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', page))


@pytest.mark.parametrize(
    "path",
    ["/", "/lessons", "/lessons/new", "/courses", "/catalog", "/notifications", "/account", "/admin/"],
)
def test_who_is_not_signed_in_goes_to_the_sign_in_page(stack: Stack, path: str) -> None:
    answer = stack.stranger.get(path)
    assert answer.status in (302, 303)
    assert answer.location == "/login"


def test_signing_in_and_out(stack: Stack) -> None:
    browser = Browser(stack.url)
    assert {"email", "password", "csrf_token"} <= fields(browser.get("/login").expect(200).text)
    wrong = browser.sign_in(stack.who("instructor").email, "not the password")
    assert wrong.status in (200, 400, 401)
    assert browser.get("/lessons").status in (302, 303)
    right = browser.sign_in(stack.who("instructor").email, PASSWORD)
    assert right.status in (302, 303)
    browser.get("/lessons").expect(200)
    out = browser.post("/logout", [])
    assert out.status in (302, 303)
    assert browser.get("/lessons").status in (302, 303)


def test_home_goes_by_role(
    instructors: Browser, students: Browser, supports: Browser, admins: Browser
) -> None:
    assert instructors.get("/").location == "/lessons"
    assert students.get("/").location == "/catalog"
    assert supports.get("/").location == "/admin/"
    assert admins.get("/").location == "/admin/"


def test_pages_of_an_instructor(instructors: Browser, instructor: Caller) -> None:
    lesson_id, course_id = instructor.lesson()["id"], instructor.course()["id"]
    for path in (
        "/lessons", "/lessons/new", f"/lessons/{lesson_id}/edit", "/courses", "/courses/new",
        f"/courses/{course_id}/edit", "/catalog", "/notifications", "/account",
    ):  # fmt: skip
        page = instructors.get(path).expect(200)
        assert page.headers["Content-Type"].startswith("text/html")
        assert 'name="csrf-token"' in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/lessons/8a4b1f7e-0000-4000-8000-000000000001/edit",
        "/courses/8a4b1f7e-0000-4000-8000-000000000001/edit",
        "/admin/",
        "/admin/lesson/",
        "/admin/user/",
    ],
)
def test_what_is_not_there_for_an_instructor(instructors: Browser, path: str) -> None:
    instructors.get(path).expect(404)


def test_pages_of_a_student(stack: Stack, students: Browser, instructor: Caller) -> None:
    for path in ("/lessons", "/courses", "/lessons/new"):
        assert students.get(path).location == "/catalog"
    free, _ = ready_lesson(stack, instructor)
    draft = instructor.lesson()["id"]
    students.get("/catalog").expect(200)
    students.get(f"/catalog/{free}").expect(200)
    students.get(f"/catalog/{draft}").expect(404)
    students.get("/admin/").expect(404)
    students.post("/lessons/new", [("title", "x")]).expect(403)
    students.post(f"/lessons/{free}/edit", [("title", "x")]).expect(403)


def test_accounts_are_for_admins(supports: Browser, admins: Browser) -> None:
    assert supports.get("/admin/user/").status in (403, 404)
    admins.get("/admin/user/").expect(200)


@pytest.mark.parametrize(
    "page",
    [
        "",
        "lesson/",
        "course/",
        "tracking/",
        "event/",
        "deletion/",
        "batch/",
        "purchase/",
        "audit/",
        "jobs/",
        "doctor/",
    ],
)
def test_lists_of_the_panel(supports: Browser, stack: Stack, page: str) -> None:
    supports.get(f"/admin/{page}").expect(200)
    stack.stranger.get(f"/admin/{page}").expect(302)


def test_the_lesson_form(stack: Stack, instructors: Browser, instructor: Caller) -> None:
    page = instructors.get("/lessons/new").expect(200).text
    assert {"title", "description", "price", "course_id", "status", "csrf_token"} <= fields(page)
    title = f"By form {uuid.uuid4().hex[:6]}"
    form = [
        ("title", title),
        ("description", "Words"),
        ("price", "9.99"),
        ("course_id", ""),
        ("status", "published"),
    ]
    made = instructors.post("/lessons/new", form)
    assert made.status in (302, 303), made.text[:500]
    row = stack.one("SELECT * FROM lessons WHERE title = %s", title)
    assert (row["price_cents"], row["description"], row["publish_on_ready"]) == (999, "Words", True)
    assert (str(row["creator_id"]), row["status"]) == (instructor.id, "draft")
    path = f"/lessons/{row['id']}/edit"
    assert {"title", "description", "price", "course_id", "csrf_token"} <= fields(
        instructors.get(path).expect(200).text
    )
    changed = [
        ("title", f"{title} more"),
        ("description", "Words"),
        ("price", "10"),
        ("course_id", ""),
        ("status", "draft"),
    ]
    assert instructors.post(path, changed).status in (200, 302, 303)
    row = stack.lesson(str(row["id"]))
    assert (row["title"], row["price_cents"], row["publish_on_ready"]) == (f"{title} more", 1000, False)
    instructors.post("/lessons/new", [("title", "x")], csrf="").expect(400)


@pytest.mark.parametrize("price", ["-1", "abc", "9.999"])
def test_a_wrong_price_keeps_what_was_typed(instructors: Browser, price: str) -> None:
    bad = instructors.post("/lessons/new", [("title", "Kept words"), ("price", price), ("status", "draft")])
    assert bad.status in (200, 400, 422)
    assert "Kept words" in bad.text


def test_the_course_form(stack: Stack, instructors: Browser, instructor: Caller) -> None:
    assert {"title", "description", "csrf_token"} <= fields(instructors.get("/courses/new").expect(200).text)
    title = f"Course {uuid.uuid4().hex[:6]}"
    made = instructors.post("/courses/new", [("title", title), ("description", "d")])
    assert made.status in (302, 303)
    row = stack.one("SELECT * FROM courses WHERE title = %s", title)
    assert str(row["instructor_id"]) == instructor.id


def test_testids(stack: Stack, instructors: Browser, instructor: Caller) -> None:
    lesson_id, asset = ready_lesson(stack, instructor)
    page = instructors.get(f"/lessons/{lesson_id}/edit").expect(200).text
    assert {"lesson-status", "video-status", "mux-playback-id"} <= marked(page)
    assert asset["playback_ids"][0]["id"] in page
    assert "manual-publish-control" not in marked(page)
    waiting = instructor.lesson()["id"]
    ticket = instructor.upload(lesson_id=waiting)
    asset = stack.mux.asset_of(ticket["upload_id"])
    stack.hook.asset("created", asset).expect(204)
    page = instructors.get(f"/lessons/{waiting}/edit").expect(200).text
    assert {"lesson-status", "video-status", "video-progress"} <= marked(page)
    stack.sql(
        "UPDATE mux_asset_tracking SET created_at = now() - interval '40 minutes' WHERE lesson_id = %s",
        waiting,
    )
    page = instructors.get(f"/lessons/{waiting}/edit").expect(200).text
    assert {"manual-publish-control", "manual-publish-button"} <= marked(page)


def test_alive_and_ready(stack: Stack) -> None:
    stack.stranger.get("/healthz").expect(200)
    ready = stack.stranger.get("/readyz").expect(200)
    said = ready.text
    assert all(word in said for word in ("database", "redis", "worker", "clock", "migrations"))
    assert ready.json


def rules_of(policy: str) -> dict[str, list[str]]:
    return {rule.split()[0]: rule.split()[1:] for rule in policy.split(";") if rule.strip()}


def test_cookies_and_policies(stack: Stack, instructors: Browser, instructor: Caller) -> None:
    browser = Browser(stack.url)
    answer = browser.get("/login")
    cookies = answer.headers.get_all("Set-Cookie") or []
    assert cookies
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in cookies)
    assert not any("Secure" in cookie or "__Host-" in cookie for cookie in cookies)
    lesson_id = instructor.lesson()["id"]
    page = instructors.get(f"/lessons/{lesson_id}/edit")
    rules = rules_of(page.headers["Content-Security-Policy"])
    for origin in (stack.mux.url, "https://*.mux.com", "https://storage.googleapis.com"):
        assert origin in rules["connect-src"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/login", "/account", "/notifications"])
def test_a_page_without_videos_reaches_no_address_but_ours(
    stack: Stack, instructors: Browser, path: str
) -> None:
    policy = instructors.get(path).headers["Content-Security-Policy"]
    assert "default-src " in policy
    assert not [one for one in (stack.mux.url, "mux.com", "googleapis.com", "https:") if one in policy]


def test_a_list_reaches_the_pictures_of_videos_only(stack: Stack, instructors: Browser) -> None:
    lists = rules_of(instructors.get("/lessons").headers["Content-Security-Policy"])
    assert stack.mux.url in lists["img-src"]
    assert lists["connect-src"] == ["'self'"]


def test_another_web_behind_https(stack: Stack, instructor: Caller) -> None:
    """Settings that change what is seen: https, signed playback, narrow limits."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()
    url = stack.web(
        "https", PUBLIC_URL="https://lessons.example.org", MUX_SIGNING_KEY_ID="key1", MUX_SIGNING_PRIVATE_KEY=pem,
        UPLOADS_PER_HOUR="1", ASKS_PER_MINUTE="1", UPLOAD_MAX_MB="1", UPLOAD_TIMEOUT_SECONDS="600",
        UPLOAD_TYPES="video/mp4",
    )  # fmt: skip
    cookies = Browser(url).get("/login").headers.get_all("Set-Cookie") or []
    assert cookies
    assert all("Secure" in one and one.startswith("__Host-") for one in cookies)
    owner = Caller(url, stack.who("colleague").token)
    lesson_id = owner.lesson(price_cents=100)["id"]
    asked = {"lesson_id": lesson_id, "filename": "a.mp4"}
    owner.post("/api/mux/upload-url", {**asked, "size": 1024 * 1024 + 1}).expect(413)
    owner.post("/api/mux/upload-url", {**asked, "filename": "a.mov"}).expect(415)
    ticket = owner.post("/api/mux/upload-url", asked).expect(201).json
    body = stack.mux.bodies[-1]
    assert (body["cors_origin"], body["timeout"]) == ("https://lessons.example.org", 600)
    assert body["new_asset_settings"]["playback_policies"] == ["signed"]
    later = owner.post("/api/mux/upload-url", asked).expect(429)
    assert int(later.headers["Retry-After"]) > 0
    assert later.json["error"]["type"]
    ids = [{"id": "Ppublic", "policy": "public"}, {"id": f"P{uuid.uuid4().hex}", "policy": "signed"}]
    asset = stack.mux.asset_of(ticket["upload_id"], "ready", playback_ids=ids)
    owner.get("/api/mux/check-upload-status", lesson_id=lesson_id).expect(200)
    limited = owner.get("/api/mux/check-upload-status", lesson_id=lesson_id).expect(429)
    assert int(limited.headers["Retry-After"]) > 0
    source = owner.get(f"/api/lessons/{lesson_id}/playback").expect(200).json
    assert (source["playback_id"], source["policy"]) == (ids[1]["id"], "signed")
    assert source["token"]
    assert source["thumbnail_token"]
    assert asset["id"]


def raw(stack: Stack, path: str, *lines: str) -> tuple[str, str]:
    """Status line and everything after it, of a request that no library has tidied up."""
    host = urlsplit(stack.url)
    head = "\r\n".join((f"GET {path} HTTP/1.1", *lines, "Connection: close", "", ""))
    with socket.create_connection((host.hostname, host.port), timeout=20) as connection:
        connection.sendall(head.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    status, _, rest = answer.partition("\r\n")
    return status, rest


CLAIMS = ("SCRIPT_NAME: /evil", "PATH_INFO: /healthz", "X-Forwarded-Proto: https", "X-Forwarded-Ssl: off")


@pytest.mark.parametrize("lines", [CLAIMS[:1], CLAIMS[1:2], CLAIMS[2:], CLAIMS])
def test_the_server_believes_no_header_about_itself(stack: Stack, lines: tuple[str, ...]) -> None:
    status, page = raw(stack, "/login", f"Host: {urlsplit(stack.url).netloc}", *lines)
    assert status == "HTTP/1.1 200 OK"
    assert 'action="/login"' in page
    assert "/evil" not in page


@pytest.mark.parametrize("path", ["/login", "/admin/lesson", "/lessons"])
def test_another_host_gets_no_page_and_no_redirect(stack: Stack, path: str) -> None:
    status, answer = raw(stack, path, "Host: evil.example")
    assert status == "HTTP/1.1 400 BAD REQUEST"
    assert "evil" not in answer
    assert "\r\nlocation:" not in answer.lower()


def test_health_is_told_to_any_host_and_a_redirect_stays_on_the_host(stack: Stack) -> None:
    assert raw(stack, "/healthz", "Host: 10.1.2.3")[0] == "HTTP/1.1 200 OK"
    status, answer = raw(stack, "/admin/lesson", f"Host: {urlsplit(stack.url).netloc}")
    assert status.startswith("HTTP/1.1 308")
    assert "\r\nlocation: /admin/lesson/\r\n" in answer.lower()


def test_a_page_is_compressed_for_its_own_site_alone_and_its_token_is_masked_anew(
    instructors: Browser,
) -> None:
    def page(site: str) -> Answer:
        return instructors.send(
            "GET", "/lessons", headers={"Accept-Encoding": "gzip", "Sec-Fetch-Site": site}
        )

    own, foreign = page("same-origin"), page("cross-site")
    assert own.headers["Content-Encoding"] == "gzip"
    assert foreign.headers["Content-Encoding"] is None
    read = gzip.decompress(own.body).decode()
    tokens = [re.findall(r'name="csrf-token" content="([^"]+)"', text)[0] for text in (read, foreign.text)]
    assert tokens[0] != tokens[1]
    for token in tokens:
        assert instructors.post("/lessons/new", [("title", "")], csrf=token).status in (200, 400)
        assert "open for too long" not in instructors.post("/lessons/new", [("title", "")], csrf=token).text


def test_a_search_finds_parts_of_words_wrong_letters_and_instructors(stack: Stack, students: Browser) -> None:
    course = (
        stack.who("instructor")
        .post("/api/courses", {"title": "Marquetry for beginners"})
        .expect(201)
        .json["id"]
    )
    ready_lesson(stack, stack.who("instructor"), title="Fretsawing", course_id=course)
    for typed in ("sawing", "fretsawimg", "MARQUETRY", "marquettry"):
        assert "Fretsawing" in students.get(f"/catalog?q={typed}").expect(200).text, typed
    assert "Fretsawing" not in students.get("/catalog?q=nothing-like-it").text
    assert "1 course matches" in students.get("/catalog?q=marquetry").text


def test_the_reference_of_an_error_leads_support_to_it(
    stack: Stack, students: Browser, supports: Browser
) -> None:
    stack.sql("ALTER TABLE purchases RENAME TO purchases_away")
    try:
        page = students.get("/catalog/mine").expect(500)
    finally:
        stack.sql("ALTER TABLE purchases_away RENAME TO purchases")
    reference = page.headers["X-Request-Id"]
    assert "Reference for support" in page.text
    assert reference in page.text
    found = supports.get(f"/admin/search/?q={reference}").expect(200).text
    assert "ProgrammingError at GET /catalog/mine" in found
    assert stack.who("student").email in found
