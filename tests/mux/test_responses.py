"""Which of the four kinds an answer is: every status and body over HTTP, and the words that staff read."""

import time
from email.utils import formatdate

import pytest

from lessonadmin import mux
from lessonadmin.mux import transport
from tests.cases import each_of
from tests.mux.calls import BY_ID, CALLS, DELETIONS, create, fails, kind
from tests.mux.fake_server import FakeServer, answer, error, send_bytes

PLAN = "Free plan is limited to 10 assets, you cannot create direct uploads while exceeding this limit"
HTML = b"<html><body>upstream error</body></html>"


@each_of("operation", CALLS)
@each_of(
    ("status", "expected"),
    [
        (400, ("refused", "unknown")),
        (401, ("refused", "auth_error")),
        (402, ("refused", "quota")),
        (408, ("later", "timeout")),
        (422, ("refused", "unknown")),
        (429, ("later", "rate_limit")),
        (500, ("later", "server_error")),
        (501, ("later", "server_error")),
        (502, ("later", "server_error")),
        (503, ("later", "server_error")),
        (504, ("later", "server_error")),
        (599, ("later", "server_error")),
    ],
)
def test_a_status_is_the_same_kind_whatever_was_asked(
    fake: FakeServer, operation: str, status: int, expected: tuple[str, str]
) -> None:
    fake.asked.clear()
    fake.script(error(status, "Mux's own words."))
    problem = fails(operation)
    assert (problem.kind, problem.category, problem.status) == (*expected, status)
    assert problem.message.endswith("Mux says: Mux's own words.")
    assert len(fake.asked) == 1


@each_of("operation", CALLS)
@each_of("status", [401, 403, 422, 500, 502, 503])
@each_of(
    "body",
    [
        HTML,
        b"",
        b"\xff\xfe\x00",
        b'{"error"',
        b"[]",
        b"null",
        b"[" * 5000,
        b'{"error": 3}',
        b'{"error": {"messages": {}}}',
    ],
)
def test_an_odd_body_of_an_error_changes_nothing_about_its_kind(
    fake: FakeServer, operation: str, status: int, body: bytes
) -> None:
    fake.script(error(status))
    clean = kind(operation)
    fake.script(answer(body, status))
    assert kind(operation) == clean


@each_of("operation", BY_ID)
def test_only_muxs_own_not_found_is_gone(fake: FakeServer, operation: str) -> None:
    fake.script(
        error(
            404,
            "The requested resource either doesn't exist or you don't have access to it.",
            kind="not_found",
        )
    )
    assert kind(operation) == ("gone", "not_found", 404)
    fake.script(error(404, kind="not_found"))
    assert kind(operation) == ("gone", "not_found", 404)


@each_of("operation", BY_ID)
@each_of(
    "body",
    [
        HTML,
        b"",
        b"404 page not found",
        b"\xff",
        b"[]",
        b"{}",
        b'{"message":"no Route matched"}',
        b'{"error":"not found"}',
    ],
)
def test_the_404_of_another_server_clears_nothing(fake: FakeServer, operation: str, body: bytes) -> None:
    fake.script(answer(body, 404))
    assert kind(operation) == ("nonsense", "unknown", 404)


@each_of("operation", sorted(set(CALLS) - set(BY_ID)))
def test_a_list_or_a_creation_cannot_be_gone(fake: FakeServer, operation: str) -> None:
    fake.script(error(404, "No such path.", kind="not_found"))
    assert kind(operation) == ("refused", "not_found", 404)


@each_of("operation", BY_ID)
def test_an_id_that_mux_cannot_read_is_not_gone(fake: FakeServer, operation: str) -> None:
    fake.script(error(400, "Failed to parse ID", kind="invalid_parameters"))
    assert kind(operation) == ("refused", "not_found", 400)


def test_the_plans_limit_is_told_in_muxs_own_words(fake: FakeServer) -> None:
    fake.script(error(400, PLAN, kind="invalid_parameters"))
    problem = fails("create_upload")
    assert (problem.kind, problem.category) == ("refused", "quota")
    assert PLAN in problem.message


@pytest.mark.parametrize(
    "words",
    [
        "passthrough exceeds the limit of 255 characters",
        "cors_origin is required",
        "limit must be at most 100",
    ],
)
def test_our_own_mistakes_are_not_taken_for_the_plans_limit(fake: FakeServer, words: str) -> None:
    fake.script(error(400, words))
    assert fails("create_upload").category == "unknown"


def test_cancelling_too_late_is_no_matter_of_tokens(fake: FakeServer) -> None:
    fake.script(error(403, "The direct upload can no longer be cancelled."))
    assert kind("cancel_upload") == ("refused", "unknown", 403)
    assert kind("get_upload") == ("refused", "auth_error", 403)


@pytest.mark.parametrize("status", [400, 409, 422])
def test_an_asset_that_is_still_prepared_can_be_deleted_later(fake: FakeServer, status: int) -> None:
    fake.script(error(status, "The asset is still preparing and cannot be deleted yet."))
    assert kind("delete_asset") == ("later", "preparing", status)
    assert kind("get_asset")[0] == "refused"


def test_a_wrong_token_is_told_by_the_name_of_its_setting(fake: FakeServer) -> None:
    fake.script(error(401, "Unauthorized request"))
    assert "MUX_TOKEN_ID" in fails("create_upload").message
    assert "MUX_WORKER_TOKEN_ID" in fails("get_asset").message


def test_a_missing_permission_looks_like_a_wrong_token_and_both_are_named(fake: FakeServer) -> None:
    fake.script(error(401, "Unauthorized request", kind="unauthorized"))
    said = fails("get_asset").message
    assert "does not accept the access token, or the token lacks this permission" in said
    assert said.endswith("Mux says: Unauthorized request.")


@each_of(
    ("body", "words"),
    [
        ({"errors": ["Too many requests, retry later."]}, " Mux says: Too many requests, retry later."),
        ({"errors": ["One.", "Two."]}, " Mux says: One.; Two."),
        ({"error": {"type": "too_many_requests", "messages": ["Old form."]}}, " Mux says: Old form."),
        ({"errors": []}, ""),
        ({"errors": [{"a": 1}, None]}, ""),
        ({"errors": "no list"}, ""),
        ([], ""),
        (HTML, ""),
    ],
)
def test_the_words_of_a_429_are_read_in_its_own_form(fake: FakeServer, body: object, words: str) -> None:
    fake.script(answer(body, 429))
    assert kind("get_asset") == ("later", "rate_limit", 429)
    assert fails("get_asset").message == f"Mux asks for fewer calls.{words}"


def test_the_form_of_a_429_makes_no_404_muxs_own(fake: FakeServer) -> None:
    fake.script(answer({"errors": ["Not found"]}, 404))
    assert kind("get_asset") == ("nonsense", "unknown", 404)


@each_of(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("-3", 0.0),
        ("9999999999", 86400.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("Mon, 99 Foo 2024", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
    ],
)
@each_of("status", [429, 503])
def test_retry_after_is_told_and_not_obeyed_inside_the_call(
    fake: FakeServer, status: int, header: str, seconds: float | None
) -> None:
    fake.asked.clear()
    fake.script(error(status, Retry_After=header))
    began = time.monotonic()
    assert fails("get_asset").retry_after == seconds
    assert time.monotonic() - began < 2
    assert len(fake.asked) == 1


def test_retry_after_may_be_a_date(fake: FakeServer) -> None:
    fake.script(error(429, Retry_After=formatdate(time.time() + 30, usegmt=True)))
    wait = fails("get_asset").retry_after
    assert wait is not None
    assert 25 < wait <= 30


@each_of("operation", CALLS)
@each_of("status", [200, 201, 202, 206])
@each_of(
    "body",
    [
        HTML,
        b'{"data": {"id": "a1", "sta',
        b'{"data": "\xff\xfe\xc3\x28"}',
        b"null",
        b"[]",
        b"{}",
        b'"data"',
        b"7",
        b'{"data": ' + b"[" * 3000,
        b'{"error": {"type": "x"}}',
        b'\xef\xbb\xbf{"data": {}}',
    ],
)
def test_a_success_that_cannot_be_understood_is_nonsense(
    fake: FakeServer, operation: str, status: int, body: bytes
) -> None:
    fake.script(answer(body, status))
    assert kind(operation) == ("nonsense", "unknown", status)


@each_of("operation", CALLS)
@each_of("status", [204, 205])
def test_an_empty_success_is_done_for_a_deletion_only(fake: FakeServer, operation: str, status: int) -> None:
    fake.script(answer(b"", status))
    if operation in DELETIONS:
        CALLS[operation]()
    else:
        assert kind(operation)[0] == "nonsense"


@pytest.mark.parametrize("url", [None, "", "javascript:alert(1)", 5])
def test_an_upload_without_an_address_is_nonsense(fake: FakeServer, url: object) -> None:
    fake.script(answer({"data": {"id": "u1", "status": "waiting", "url": url}}, 201))
    assert kind("create_upload")[:2] == ("nonsense", "unknown")


@each_of("operation", CALLS)
@each_of("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_not_followed(fake: FakeServer, operation: str, status: int) -> None:
    fake.asked.clear()
    elsewhere = FakeServer()
    elsewhere.script(answer({"data": {"id": "a1"}}))
    fake.script(answer(b"", status, Location=f"{elsewhere.url}/video/v1/assets/a1"))
    assert kind(operation) == ("nonsense", "unknown", status)
    elsewhere.close()
    assert elsewhere.asked == []
    assert len(fake.asked) == 1


@pytest.mark.parametrize("status", [b"099", b"600", b"999", b"abc", b"-1", b""])
def test_a_status_that_does_not_exist_is_a_failure_of_one_of_the_kinds(
    fake: FakeServer, status: bytes
) -> None:
    fake.script(send_bytes(b"HTTP/1.1 " + status + b" X\r\nContent-Length: 2\r\n\r\n{}", close=True))
    assert fails("get_asset").kind in {"later", "nonsense"}


@each_of("operation", CALLS)
def test_the_words_of_mux_are_cleaned_before_anyone_reads_them(fake: FakeServer, operation: str) -> None:
    hostile = "line\none\r\n\x1b[31m\u202e token=abc123 see https://u.example/up?token=SECRET " + "x" * 5000
    fake.script(error(400, hostile, hostile))
    message = fails(operation).message
    assert message.isprintable()
    assert len(message) <= 500
    assert "SECRET" not in message
    assert "abc123" not in message
    assert "line one" in message


def test_an_unknown_value_in_an_answer_is_no_failure(fake: FakeServer) -> None:
    # The SDK's models raise ValueError for each of these.
    fake.script(
        answer(
            {
                "data": {
                    "id": "a1",
                    "status": "reticulating",
                    "resolution_tier": "8640p",
                    "video_quality": "ultra",
                    "meta": {"title": "x" * 2000},
                    "tracks": [{"id": "t", "status": "new", "type": "smell"}],
                    "static_renditions": {"status": "unheard of"},
                    "brand_new": True,
                }
            }
        )
    )
    asset = mux.get_asset("a1", priority="low")
    assert (asset.status, asset.resolution_tier) == ("unknown", "8640p")


def test_a_creation_answered_200_is_a_creation(fake: FakeServer) -> None:
    # The SDK returns None for it.
    fake.script(answer({"data": {"id": "u1", "status": "waiting", "url": "https://x.example/u1"}}, 200))
    assert create().id == "u1"


@pytest.mark.usefixtures("quick")
def test_a_body_longer_than_any_of_muxs_is_nonsense_and_not_read_on(fake: FakeServer) -> None:
    whole = b'{"data": {"id": "a1"}}'
    fake.script(
        answer(whole + b" " * (transport.LIMITS.body - len(whole))),
        answer(b" " * (transport.LIMITS.body + 1)),
    )
    assert mux.get_asset("a1", priority="low").id == "a1"
    assert kind("get_asset")[:2] == ("nonsense", "unknown")


@pytest.mark.usefixtures("quick")
def test_a_long_error_is_bounded_too(fake: FakeServer) -> None:
    fake.script(answer(b" " * (transport.LIMITS.body + 1), 500))
    assert fails("get_asset").kind == "nonsense"
