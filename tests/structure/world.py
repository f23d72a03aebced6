"""A small school for the tests that ask what every role may do: one of everything, of known people, in one statement.

`insert` writes it anew with other ids, as often as a request has changed something. People are told apart by the column of
the table of `matrix`; everything that can be owned is Ada's (`own`). `CANARY` stands in every text that is hers: none of it
may reach a person who has no right to it.
"""

import uuid
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from flask import Flask
from sqlalchemy import text

from lessonadmin.db import db
from lessonadmin.domain.accounts import passwords
from lessonadmin.domain.accounts.sessions import hashed
from lessonadmin.domain.captions import text_address
from lessonadmin.security import csrf_mask
from tests.factories import PASSWORD

CANARY = "canary"
ROLES = {
    "student": "student",
    "own": "instructor",
    "foreign": "instructor",
    "support": "support",
    "admin": "admin",
    "disabled": "instructor",
    "temporary": "instructor",
    "subject": "instructor",  # whom support and admins do something to
}
TOKENS = {"read": ("own", "read"), "write": ("own", "write"), "staff": ("admin", "write"), "ended": ("disabled", "write")}  # fmt: skip
CSRF = "c" * 40
# No request writes that it was seen, and no session has to prove again who it is, however long a test takes.
LATER = "now() + interval '1 hour'"

ROWS = """
INSERT INTO courses (id, instructor_id, title, description, version) VALUES
  ('{course}', '{own}', '{canary} course', '{canary} words', 1),
  ('{open_course}', '{own}', 'Open course', '', 1),
  ('{their_course}', '{foreign}', 'Their course', '', 1);
INSERT INTO course_sections (id, course_id, title, position) VALUES ('{section}', '{course}', '{canary} section', 1);
INSERT INTO lessons (id, creator_id, course_id, title, description, price_cents, status, published_at, publish_on_ready,
    video_processing_status, mux_asset_id, mux_playback_id, playback_policy, video_duration, version) VALUES
  ('{draft}', '{own}', '{course}', '{canary} draft', '{canary} words', 900, 'draft', NULL, false,
    'ready', '{asset}', '{playback}', 'public', 61, 1),
  ('{sold}', '{own}', '{open_course}', 'Sold lesson', '', 900, 'published', now(), true,
    'ready', '{asset_sold}', '{playback_sold}', 'public', 61, 1),
  ('{free}', '{own}', NULL, 'Free lesson', '', 0, 'published', now(), true,
    'ready', '{asset_free}', '{playback_free}', 'public', 61, 1),
  ('{sending}', '{own}', NULL, '{canary} sending', '{canary} words', 0, 'draft', NULL, false,
    'uploading', NULL, NULL, NULL, NULL, 1),
  ('{their_lesson}', '{foreign}', NULL, 'Their lesson', '', 0, 'draft', NULL, false, 'none', NULL, NULL, NULL, NULL, 1);
INSERT INTO courses (id, instructor_id, title, version, deleted_at, deleted_by) VALUES
  ('{thrown_course}', '{own}', '{canary} thrown course', 1, now(), '{own}');
INSERT INTO lessons (id, creator_id, title, description, publish_on_ready, version, deleted_at, deleted_by) VALUES
  ('{thrown}', '{own}', '{canary} thrown lesson', '{canary} words', false, 1, now(), '{own}');
INSERT INTO mux_asset_tracking (id, lesson_id, course_id, owner_id, upload_id, mux_asset_id, mux_playback_id, playback_policy, status,
    filename, error_message, ready_at, duration, last_answer, last_answer_at, next_check_at) VALUES
  ('{upload}', '{draft}', NULL, '{own}', '{mux_upload}', '{asset}', '{playback}', 'public', 'ready', '{canary}.mp4', NULL, now(), 61, NULL, NULL, NULL),
  ('{upload_sold}', '{sold}', NULL, '{own}', '{mux_upload_sold}', '{asset_sold}', '{playback_sold}', 'public', 'ready', 'sold.mp4', NULL, now(), 61, NULL, NULL, NULL),
  ('{upload_open}', '{sending}', NULL, '{own}', '{mux_upload_open}', NULL, NULL, NULL, 'uploading', '{canary}.mov', NULL, NULL, NULL, 'upload_waiting', now(), now() + interval '1 day');
UPDATE mux_asset_tracking SET captions = 'ready', captions_language = 'en' WHERE id = '{upload}';
INSERT INTO caption_tracks (id, tracking_id, mux_track_id, source, state, language, label) VALUES
  ('{captions}', '{upload}', '{canary} track', 'generated', 'ready', 'en', '{canary} captions');
INSERT INTO caption_tracks (id, tracking_id, source, state, language, label, webvtt, warning) VALUES
  ('{captions_own}', '{upload_sold}', 'own', 'asked', 'en', 'English', 'WEBVTT', 'Look at line 1.');
INSERT INTO caption_tracks (id, tracking_id, mux_track_id, source, state, language, label, transcribed_at) VALUES
  ('{captions_sold}', '{upload_sold}', '{captions_sold}', 'generated', 'ready', 'en', 'English', now());
UPDATE caption_tracks SET transcribed_at = now() WHERE id = '{captions}';
INSERT INTO transcripts (track_id, lesson_id, mux_asset_id, is_own, language, lines, words) VALUES
  ('{captions}', '{draft}', '{asset}', false, 'en', '[[1000, "{canary} said"]]', '{canary} said'),
  ('{captions_sold}', '{sold}', '{asset_sold}', false, 'en', '[[1000, "{canary} sold words"]]', '{canary} sold words');
INSERT INTO purchases (id, lesson_id, user_id, owner_id, price_cents) VALUES ('{purchase}', '{sold}', '{subject}', '{own}', 900);
INSERT INTO staff_notes (lesson_id, author_id, text) VALUES ('{draft}', '{support}', '{canary} note');
INSERT INTO notifications (id, user_id, kind, message, lesson_id) VALUES
  ('{notice}', '{own}', 'video_failed', '{canary} notice', '{draft}');
INSERT INTO preview_links (id, lesson_id, made_by, secret_hash, expires_at) VALUES
  ('{preview_link}', '{draft}', '{own}', encode(sha256('{preview_secret}'), 'hex'), now() + interval '1 day');
INSERT INTO lesson_files (id, lesson_id, name, size, finished_at, removed_at) VALUES
  ('{file}', '{draft}', '{canary} plan.pdf', 3, now(), NULL), ('{file_removed}', '{draft}', '{canary} old.pdf', 3, now(), now()),
  ('{file_open}', '{draft}', '{canary} half.pdf', 3, NULL, NULL), ('{file_sold}', '{sold}', 'sold.pdf', 3, now(), NULL), ('{file_free}', '{free}', 'free.pdf', 3, now(), NULL);
INSERT INTO lesson_file_parts (file_id, number, data) SELECT id, 0, 'abc'::bytea FROM lesson_files WHERE finished_at IS NOT NULL;
INSERT INTO user_sessions (id, user_id, secret_hash, address, user_agent) VALUES
  ('{session}', '{own}', '{session}', '203.0.113.77', '{canary} browser');
INSERT INTO api_tokens (id, user_id, name, secret_hash) VALUES ('{token}', '{own}', '{canary} script', '{token}');
INSERT INTO passkeys (id, user_id, credential_id, public_key, user_handle, name) VALUES
  ('{passkey}', '{own}', '{passkey}', 'key', '{own}', '{canary} phone');
INSERT INTO saved_filters (id, user_id, list_slug, name, query) VALUES
  ('{filter}', '{own}', 'lesson', '{canary} filter', 'search={canary}');
INSERT INTO batches (id, action, target_type, status, total, done, failed, reason, created_by, finished_at) VALUES
  ('{batch}', 'unpublish', 'lesson', 'done', 2, 1, 1, '{canary} reason', '{own}', now());
INSERT INTO batches (id, action, target_type, status, total, options, created_by) VALUES
  ('{own_batch}', 'unpublish', 'lesson', 'open', 1, '{{"own": "{own}"}}', '{own}');
INSERT INTO batch_items (id, batch_id, target_id, status, error, before, finished_at) VALUES
  ('{item}', '{batch}', '{sending}', 'failed', '{canary} error', NULL, now()),
  ('{item_done}', '{batch}', '{draft}', 'done', NULL, '{{"status": "published"}}', now());
INSERT INTO mux_events (id, mux_event_id, type, object_id, asset_id, target_type, target_id, outcome, processed_at, error, payload) VALUES
  ('{event}', '{mux_event}', 'video.asset.errored', '{asset}', '{asset}', 'lesson', '{draft}', 'failed', now(), '{canary} error', '{{"type": "video.asset.errored", "data": {{"id": "{canary}"}}}}');
INSERT INTO asset_deletions (id, mux_asset_id, reason, target_type, target_id, requested_by, last_error) VALUES
  ('{deletion}', '{asset_gone}', 'replaced', 'lesson', '{draft}', '{own}', '{canary} error');
INSERT INTO audit_log (id, actor_type, actor_id, action, target_type, target_id, detail) VALUES
  ('{audit}', 'user', '{own}', 'lesson.updated', 'lesson', '{draft}', '{{"before": {{"title": "{canary} before"}}, "after": {{"title": "x"}}}}');
"""
# What stands in an address or a form: ids of rows, and names at Mux.
IDS = (
    "course", "section", "open_course", "draft", "sold", "free", "sending", "thrown", "thrown_course", "their_course", "their_lesson", "upload", "upload_sold", "upload_open", "captions", "captions_own", "captions_sold", "purchase", "preview_link", "preview_secret", "file", "file_removed", "file_open", "file_sold", "file_free", "notice", "session", "token", "passkey",
    "filter", "batch", "own_batch", "item", "item_done", "event", "deletion", "audit",
)  # fmt: skip
AT_MUX = (
    "asset", "asset_sold", "asset_free", "asset_gone", "playback", "playback_sold", "playback_free", "mux_upload", "mux_upload_sold", "mux_upload_open", "mux_event",
)  # fmt: skip
OPEN = ("asset_free", "playback_free")  # of a lesson that everyone may play


@dataclass
class World:
    """Ids by name, and how each person proves who they are. Names at Mux hold the canary as well."""

    ids: dict[str, str] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.ids[name]

    def fill(self, value: Any) -> Any:
        """`{draft}` becomes the id of that lesson, at any depth."""
        if isinstance(value, str):
            return value.format_map(self.ids) if "{" in value else value
        if isinstance(value, dict):
            return {name: self.fill(one) for name, one in value.items()}
        return [self.fill(one) for one in value] if isinstance(value, list) else value

    def sign_in(self, app: Flask, who: str) -> None:
        """One more session, after those that were there have ended."""
        secret = uuid.uuid4().hex
        with app.app_context(), db.engine.begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO user_sessions (user_id, secret_hash) VALUES (%s, %s)",
                (self[who], hashed(secret)),
            )
        self.headers[who] = self.headers[who] | {"Cookie": f"session={_cookie(app, secret)}"}


def insert(app: Flask) -> World:
    """All of it, committed."""
    world = World()
    world.ids = {name: str(uuid.uuid4()) for name in (*IDS, *ROLES)}
    world.ids |= {name: f"{'' if name in OPEN else CANARY}{uuid.uuid4().hex}" for name in AT_MUX}
    world.ids |= {"canary": CANARY, "password": PASSWORD}
    statements = [_people(world), ROWS.format_map(world.ids)]
    with app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("\n".join(statements).replace("%", "%%"))
        world.ids["captions_signed"] = text_address.of(uuid.UUID(world["captions_own"])).rpartition("/")[2]
    token = _csrf(app)
    for who in ROLES:
        cookie = _cookie(app, f"of {world[who]}")
        world.headers[who] = {"Cookie": f"session={cookie}", "X-CSRFToken": token}
    for name, (who, _) in TOKENS.items():
        world.headers[name] = {"Authorization": f"Bearer {name} of {world[who]}"}
    world.headers["anonymous"] = {}
    world.headers["no_factor"] = world.headers["admin"]
    world.headers["no_csrf"] = {"Cookie": world.headers["admin"]["Cookie"]}
    return world


@cache
def quick_hash() -> str:
    """Of PASSWORD, by a hasher that costs next to nothing: what a real one costs is measured elsewhere."""
    return passwords.hashed(PASSWORD)


def _people(world: World) -> str:
    users, sessions, tokens = [], [], []
    for who, role in ROLES.items():
        hers = CANARY if who == "own" else who
        world.ids[f"{who}_email"] = f"{hers}-{world[who][:8]}@school.example"
        until = "now() + interval '1 hour'" if who == "temporary" else "NULL"
        users.append(f"('{world[who]}', '{world[f'{who}_email']}', '{who.title()}', '{role}', {who != 'disabled'}, '{quick_hash()}', {until})")  # fmt: skip
        sessions.append(f"('{world[who]}', '{hashed(f'of {world[who]}')}', {LATER}, {LATER})")
    for name, (who, scope) in TOKENS.items():
        tokens.append(f"('{world[who]}', '{scope}', '{hashed(f'{name} of {world[who]}')}', {LATER})")
    return "\n".join(
        f"INSERT INTO {into} VALUES {', '.join(rows)};"  # noqa: S608 - made of ids and names above
        for into, rows in (
            ("users (id, email, name, role, active, password_hash, password_temporary_until)", users),
            ("user_sessions (user_id, secret_hash, last_seen_at, proved_at)", sessions),
            ("api_tokens (user_id, scope, secret_hash, last_used_at)", tokens),
        )
    )


def _cookie(app: Flask, secret: str) -> str:
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]  # Flask's own
    return str(signer.dumps({"secret": secret, "csrf_token": CSRF, "_permanent": True}))


def _csrf(app: Flask) -> str:
    """The token that belongs to the text in every cookie of `insert`."""
    from flask import session
    from flask_wtf.csrf import generate_csrf

    with app.test_request_context():
        session["csrf_token"] = CSRF
        return csrf_mask.masked(generate_csrf())


NOT_COMPARED = {"user_sessions": "last_seen_at", "api_tokens": "last_used_at"}


def state() -> dict[str, str]:
    """Of each table a hash of all its rows; the application's own clock hands of sessions and tokens left out."""
    with db.engine.connect() as connection:
        tables = connection.execute(text(TABLES)).scalars().all()
        parts = []
        for table in tables:
            row = "to_jsonb(t)"
            if table in NOT_COMPARED:
                row += f" - '{NOT_COMPARED[table]}' - '{NOT_COMPARED[table].replace('_at', '_address')}'"
            parts.append(f"SELECT '{table}', coalesce(md5(string_agg(md5(({row})::text), '' ORDER BY md5(({row})::text))), '') FROM {table} t")  # noqa: S608 - names out of the catalogue  # fmt: skip
        return {str(name): str(found) for name, found in connection.execute(text(" UNION ALL ".join(parts)))}


TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1"
