"""The doctor's look at Mux: both tokens, whether they belong together, Mux's clock, the signing key. Reads only."""

import time

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from lessonadmin import mux
from lessonadmin.domain.examination import Line, Room, fail, ok, warn
from lessonadmin.domain.models import Lesson, Tracking

SKEW_SECONDS, WEBHOOKS_FAIL_AT = 30.0, 240.0
NAMES: dict[mux.Priority, str] = {"high": "token of the web", "low": "token of the workers"}
SETTINGS: dict[mux.Priority, str] = {
    "high": "MUX_TOKEN_ID and MUX_TOKEN_SECRET",
    "low": "MUX_WORKER_TOKEN_ID and MUX_WORKER_TOKEN_SECRET",
}


def tokens(room: Room) -> list[Line]:
    """A small question with each token; what both see tells whether they are of one environment."""
    pings: dict[mux.Priority, mux.Ping] = {}
    lines = []
    for priority, name in NAMES.items():
        try:
            pings[priority] = mux.ping(priority=priority)
            lines.append(_opens(room, priority, name))
        except mux.MuxError as error:
            lines.append(_closed(priority, name, error))
    if len(pings) == len(NAMES):
        lines.append(_same_environment(room, pings["high"], pings["low"]))
    if pings:
        lines += _clock(next(iter(pings.values())))
    return lines


def _opens(room: Room, priority: mux.Priority, name: str) -> Line:
    left = mux.rate_left(priority)
    said = f"It may read; {left.remaining} of {left.limit} calls are left." if left else "It may read."
    settings = room.settings
    if priority == "low" and settings.mux_worker_token_id == settings.mux_token_id:
        return warn(
            name,
            f"{said} It is the web's token, so background work can use up what people wait for.",
            f"Make a low-priority token in the Mux dashboard and set {SETTINGS['low']}.",
        )
    return ok(name, said)


def _closed(priority: mux.Priority, name: str, error: mux.MuxError) -> Line:
    if error.category == "auth_error":
        return fail(
            name, error.message, f"Correct {SETTINGS[priority]}: a token with Mux Video read and write."
        )
    if error.category == "rate_limit":
        return warn(
            name, error.message, "Wait a minute; if it stays so, another program uses this token too."
        )
    return fail(
        name, error.message, "See https://status.mux.com, MUX_API_URL and this machine's way to the network."
    )


def _same_environment(room: Room, web: mux.Ping, workers: mux.Ping) -> Line:
    if web.asset_ids and workers.asset_ids and not set(web.asset_ids) & set(workers.asset_ids):
        return fail(
            "tokens' environment",
            "The two tokens see different videos: they belong to two Mux environments.",
            "Make both tokens in the same environment of the Mux dashboard.",
        )
    seen = set(web.asset_ids) | set(workers.asset_ids)
    if bool(web.asset_ids) != bool(workers.asset_ids):
        return fail(
            "tokens' environment",
            "One token sees videos and the other none: they belong to two Mux environments.",
            "Make both tokens in the same environment of the Mux dashboard.",
        )
    try:
        return _ours(room, seen)
    except SQLAlchemyError:
        return warn(
            "tokens' environment",
            "Not compared with our videos, since the database did not answer.",
            "See the line about the database.",
        )


def _ours(room: Room, seen: set[str]) -> Line:
    """Videos that play here must be among what the tokens see."""
    with room.connection() as connection:
        playing = connection.scalar(
            select(func.count()).select_from(select(Tracking.id).where(Tracking.plays).limit(20).subquery())
        )
        known = connection.scalar(select(Tracking.id).where(Tracking.mux_asset_id.in_(seen)).limit(1))
    if playing and not seen:
        return fail(
            "tokens' environment",
            "Videos are ready here, and Mux shows none at all to our tokens.",
            "The tokens belong to another environment than the videos: use those of the right one.",
        )
    if playing and known is None:
        return warn(
            "tokens' environment",
            "None of the newest videos at Mux is one of ours.",
            "Is it the right environment? If another program shares it, this may be as it should; flask reconcile tells more.",
        )
    return ok("tokens' environment", "Both tokens see the same videos.")


def _clock(ping: mux.Ping) -> list[Line]:
    if ping.clock is None:
        return []
    skew = abs(time.time() - ping.clock.timestamp())
    said = f"This machine's clock differs from Mux's by {skew:.0f} s."
    todo = "Set this machine's clock by NTP: webhooks older or newer than 300 s are refused."
    if skew >= WEBHOOKS_FAIL_AT:
        return [fail("clock skew", said, todo)]
    return [ok("clock skew", said) if skew < SKEW_SECONDS else warn("clock skew", said, todo)]


def signing_keys(room: Room) -> list[Line]:
    """Can we sign, does Mux know the key, and is anything sold that anybody could watch?"""
    settings = room.settings
    if not settings.signs_playback:
        return [_unsigned(room)]
    try:
        mux.check_signing_key()
    except mux.BadSigningKey as error:
        return [
            fail(
                "signing keys",
                str(error),
                "Make a new signing key in the Mux dashboard and set both settings from it.",
            )
        ]
    try:
        known = {key.id for key in mux.list_signing_keys(priority="high")}
    except mux.MuxError as error:
        why = "the token lacks the System permission" if error.category == "auth_error" else error.message
        return [ok("signing keys", f"The key can sign; whether Mux knows it could not be asked ({why}).")]
    if settings.mux_signing_key_id not in known:
        return [
            fail(
                "signing keys",
                "Mux does not list the key MUX_SIGNING_KEY_ID: signed videos will not play.",
                "Make a new signing key in this environment and set MUX_SIGNING_KEY_ID and MUX_SIGNING_PRIVATE_KEY.",
            )
        ]
    return [ok("signing keys", "The key can sign, and Mux knows it.")]


def _unsigned(room: Room) -> Line:
    with room.connection() as connection:
        sold = connection.scalar(
            select(Lesson.id).where(Lesson.price_cents > 0, Lesson.status == "published").limit(1)
        )
    if sold is not None:
        return warn(
            "signing keys",
            "None is set, and lessons are sold: whoever has a playback id can watch without buying.",
            "Make a signing key in the Mux dashboard; set MUX_SIGNING_KEY_ID and MUX_SIGNING_PRIVATE_KEY.",
        )
    return ok("signing keys", "None is set: new videos are public for whoever has their playback id.")
