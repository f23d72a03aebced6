"""The doctor's look at Mux: both tokens, whether they belong together, Mux's clock, the signing key. Reads only.

Mux is asked whose each token is and what it may do; where it does not say, that is concluded from what the token sees.
"""

import time
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from lessonadmin import mux
from lessonadmin.domain.health.doctor.examination import DoctorContext, Line, fail, ok, warn
from lessonadmin.domain.models import Lesson
from lessonadmin.domain.polling import environment
from lessonadmin.domain.querying import bounded_count

MAX_COUNTED = 1_000
SKEW_SECONDS, WEBHOOKS_FAIL_AT = 30.0, 240.0
NAMES: dict[mux.Priority, str] = {"high": "web token", "low": "worker token"}
TOGETHER = "tokens' environment"
CONCLUDED = "Mux does not say whose the tokens are; this is inferred from the videos they can see."
# What a token is needed for, and what it is only good for.
NEEDED = {
    "video:read": "to ask about uploads and videos",
    "video:write": "to make uploads and to delete videos",
}
USEFUL = {
    "system:read": "to ask whether Mux knows the signing key",
    "data:read": "to read figures of Mux Data",
}


@dataclass(frozen=True)
class Opened:
    """What one token brought: who Mux says that it is, or else what it sees."""

    identity: mux.Identity | None
    ping: mux.Ping | None

    @property
    def clock(self) -> datetime | None:
        return self.identity.clock if self.identity is not None else self.ping.clock if self.ping else None


def tokens(context: DoctorContext) -> list[Line]:
    """A small question or two with each token, and whether both belong to the environment of the school's videos."""
    opened: dict[mux.Priority, Opened] = {}
    lines = []
    for priority, name in NAMES.items():
        try:
            opened[priority] = _open(priority)
            lines.append(_opens(context, priority, name, opened[priority].identity))
        except mux.MuxError as error:
            lines.append(_closed(priority, name, error))
    if len(opened) == len(NAMES):
        lines.append(_same_environment(context, opened["high"], opened["low"]))
    if opened:
        lines += _clock(next(iter(opened.values())).clock)
    return lines


def _open(priority: mux.Priority) -> Opened:
    try:
        identity = mux.whoami(priority=priority)
        if identity.permissions & (NEEDED.keys() | USEFUL.keys()):
            return Opened(identity, None)
    except mux.Later:
        raise
    except mux.MuxError:
        identity = None  # an older Mux, or a wrong token: what it may do is tried
    return Opened(identity, mux.ping(priority=priority))


def _opens(context: DoctorContext, priority: mux.Priority, name: str, identity: mux.Identity | None) -> Line:
    held = identity.permissions if identity is not None else frozenset()
    known = bool(held & (NEEDED.keys() | USEFUL.keys()))
    missing = [f"{one} ({why})" for one, why in NEEDED.items() if known and one not in held]
    if missing:
        return fail(
            name,
            f"It lacks a permission: {', '.join(missing)}.",
            f"Make a token with Mux Video read and write in the Mux dashboard and set {mux.TOKEN_NAMES[priority]}.",
        )
    said = "It may read and write videos" if known else "It may read"
    without = [f"{one} ({why})" for one, why in USEFUL.items() if known and one not in held]
    said += f", without {', '.join(without)}" if without else ""
    left = mux.rate_left(priority)
    said += f"; {left.remaining} of {left.limit} calls are left." if left else "."
    if priority == "low" and context.settings.mux_worker_token_id == context.settings.mux_token_id:
        return warn(
            name,
            f"{said} It is also the web token, so background work can use up the calls that people wait for.",
            f"Make a low-priority token in the Mux dashboard and set {mux.TOKEN_NAMES['low']}.",
        )
    return ok(name, said)


def _closed(priority: mux.Priority, name: str, error: mux.MuxError) -> Line:
    if error.category == "auth_error":
        return fail(
            name,
            error.message,
            f"Correct {mux.TOKEN_NAMES[priority]}: a token with Mux Video read and write.",
        )
    if error.category == "busy":
        return warn(name, error.message, "Check again in a moment; if it stays like this, Mux is very slow.")
    if error.category == "rate_limit":
        return warn(
            name, error.message, "Wait a minute; if it stays like this, another program uses this token too."
        )
    return fail(name, error.message, "Check https://status.mux.com, MUX_API_URL and this machine's network.")


def _same_environment(context: DoctorContext, web: Opened, workers: Opened) -> Line:
    try:
        if web.identity is not None and workers.identity is not None:
            return _by_their_word(context, web.identity, workers.identity)
        return _by_what_they_see(context, {"high": web, "low": workers})
    except SQLAlchemyError:
        return warn(
            TOGETHER,
            "Not compared with the videos here: the database did not answer.",
            "See the line about the database.",
        )
    except mux.MuxError as error:
        return warn(TOGETHER, f"Not known: {error.message}", "Run flask doctor again in a minute.")


def _named(identity: mux.Identity) -> str:
    return f"“{identity.environment_name}” ({identity.environment_id})"


def _by_their_word(context: DoctorContext, web: mux.Identity, workers: mux.Identity) -> Line:
    if web.environment_id != workers.environment_id:
        return fail(
            TOGETHER,
            f"The web token is of the Mux environment {_named(web)}, the worker token of {_named(workers)}.",
            "Make both tokens in the same environment of the Mux dashboard.",
        )
    with context.connection() as connection:
        ours = environment.newest_environment(connection)
    if ours is None:
        line = _ours(context, {*mux.ping(priority="high").asset_ids})
        said = f"Both tokens are of the Mux environment {_named(web)}; no event has arrived yet to compare with. "
        return Line(line.level, TOGETHER, said + line.says, line.todo)
    if ours != web.environment_id:
        return fail(
            TOGETHER,
            f"Both tokens are of the Mux environment {_named(web)}, and the events about the videos here come from {ours}.",
            "Use tokens of the environment the videos are in; in another one, Mux reports all of them as missing.",
        )
    return ok(TOGETHER, f"Both tokens are of the Mux environment {_named(web)}, where the events come from.")


def _by_what_they_see(context: DoctorContext, opened: dict[mux.Priority, Opened]) -> Line:
    web, workers = (
        {*(one.ping or mux.ping(priority=priority)).asset_ids} for priority, one in opened.items()
    )
    if web and workers and not web & workers:
        return fail(
            TOGETHER,
            f"The two tokens see different videos: they belong to two Mux environments. {CONCLUDED}",
            "Make both tokens in the same environment of the Mux dashboard.",
        )
    if bool(web) != bool(workers):
        return fail(
            TOGETHER,
            f"One token sees videos and the other none: they belong to two Mux environments. {CONCLUDED}",
            "Make both tokens in the same environment of the Mux dashboard.",
        )
    line = _ours(context, web | workers)
    said = "Both tokens see the same videos." if line.level == "ok" else line.says
    return Line(line.level, TOGETHER, f"{said} {CONCLUDED}", line.todo)


def _ours(context: DoctorContext, seen: set[str]) -> Line:
    """Videos that play here must be among what the tokens see."""
    with context.connection() as connection:
        shown = environment.lists_known_asset(connection, seen)
    if shown is False and not seen:
        return fail(
            TOGETHER,
            "Videos are ready here, and Mux shows none of them to these tokens.",
            "The tokens belong to another environment than the videos: use the right ones.",
        )
    if shown is False:
        return warn(
            TOGETHER,
            "None of the newest videos at Mux belongs to this school.",
            "Is it the right environment? If another program shares it, this may be as it should; flask reconcile tells more.",
        )
    return ok(TOGETHER, "The videos are there, as far as this check can see.")


def _clock(theirs: datetime | None) -> list[Line]:
    if theirs is None:
        return []
    skew = abs(time.time() - theirs.timestamp())
    said = f"This machine's clock differs from Mux's by {skew:.0f} s."
    todo = "Set this machine's clock by NTP: webhooks older or newer than 300 s are refused."
    if skew >= WEBHOOKS_FAIL_AT:
        return [fail("clock skew", said, todo)]
    return [ok("clock skew", said) if skew < SKEW_SECONDS else warn("clock skew", said, todo)]


def signing_keys(context: DoctorContext) -> list[Line]:
    """Can the app sign, does Mux know the key, and is anything on sale that can be watched without buying?"""
    sold = _sold_in_the_open(context)
    if not context.settings.signs_playback:
        return [_unsigned(sold)]
    line = _key(context.settings.mux_signing_key_id)
    if not sold:
        return [line]
    todo = "Run flask reconcile: it makes signed ids for them and closes the public ones at Mux."
    return [line, warn("paid lessons", f"{sold}.", todo)]


def _key(key_id: str | None) -> Line:
    try:
        mux.check_signing_key()
    except mux.BadSigningKey as error:
        return fail(
            "signing keys",
            str(error),
            "Make a new signing key in the Mux dashboard and set both settings from it.",
        )
    try:
        known = {key.id for key in mux.list_signing_keys(priority="high")}
    except mux.MuxError as error:
        why = "the token lacks the System permission" if error.category == "auth_error" else error.message
        return ok("signing keys", f"The key can sign; whether Mux knows it could not be asked ({why}).")
    if key_id not in known:
        return fail(
            "signing keys",
            "Mux does not list the key MUX_SIGNING_KEY_ID: signed videos will not play.",
            "Make a new signing key in this environment and set MUX_SIGNING_KEY_ID and MUX_SIGNING_PRIVATE_KEY.",
        )
    return ok("signing keys", "The key can sign, and Mux knows it.")


def _sold_in_the_open(context: DoctorContext) -> str:
    """How many published lessons cost something and play by a public id, in words; "" if there is none."""
    with context.connection() as connection:
        open_ = select(Lesson.id).where(
            Lesson.price_cents > 0, Lesson.status == "published", Lesson.playback_policy == "public"
        )
        found = bounded_count.count_rows(open_, MAX_COUNTED, on=connection)
    if not found.number:
        return ""
    many = (
        f"{'More than ' if found.more else ''}{found.number} lessons that cost something play by a public id"
    )
    one = "1 lesson that costs something plays by a public id"
    said = one if found.number == 1 else many
    return f"{said}: anyone who has the id can watch without buying, and share it"


def _unsigned(sold: str) -> Line:
    if sold:
        return warn(
            "signing keys",
            f"None is set. {sold}.",
            "Make a signing key in the Mux dashboard; set MUX_SIGNING_KEY_ID and MUX_SIGNING_PRIVATE_KEY. Then run "
            "flask reconcile: it makes signed ids for them and closes the public ones at Mux.",
        )
    return ok("signing keys", "None is set: new videos are public to anyone who has the playback id.")
