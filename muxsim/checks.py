"""Checks what callers send. Everything ends in values of the right type or in Mux's 400."""

import json
import math
import re
from typing import Any

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from muxsim.errors import PARSE_ID, MuxError, invalid, not_found
from muxsim.ids import is_well_formed
from muxsim.store import Doc

MAX_BODY_BYTES = 1_000_000
MAX_NUMBER = 1e12  # seconds: beyond every date
MAX_DEPTH = 50
POLICIES = ("public", "signed", "drm")
QUALITIES = ("basic", "plus", "premium")
OLD_TIERS = {"baseline": "basic", "smart": "plus", "premium": "premium"}
TIERS = ("1080p", "1440p", "2160p")
META = {"title": 512, "creator_id": 128, "external_id": 128}
LANGUAGES = (
    "en", "es", "it", "pt", "de", "fr", "pl", "ru", "nl", "ca", "tr", "sv", "uk", "no", "fi", "sk", "el", "cs", "hr", "da",
    "ro", "bg",
)  # fmt: skip
"""What speech can be recognised in; besides, ``auto`` leaves it to Mux to find out."""
AUTO = "auto"
LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z")
RENDITIONS = (
    "highest", "audio-only", "2160p", "1440p", "1080p", "720p", "540p", "480p", "360p", "270p",
)  # fmt: skip


def json_body(request: Request, *, optional: bool = False, largest: int = MAX_BODY_BYTES) -> Doc:
    raw = whole_body(request, largest)
    if not raw.strip() and optional:
        return {}
    try:
        body = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise invalid("The request body is not valid JSON.") from error
    if not isinstance(body, dict):
        raise invalid("The request body must be a JSON object.")
    if not _encodable(body, MAX_DEPTH):
        raise invalid("The request body contains text that is not Unicode, or is nested too deeply.")
    return body


def whole_body(request: Request, largest: int = MAX_BODY_BYTES) -> bytes:
    request.max_content_length = largest
    try:
        return request.get_data()
    except RequestEntityTooLarge:
        raise MuxError(413, "The request body is too large.") from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _encodable(value: Any, depth: int) -> bool:
    if depth == 0:
        return False
    if isinstance(value, str):
        return not any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, dict):
        return all(_encodable(key, depth) and _encodable(inner, depth - 1) for key, inner in value.items())
    if isinstance(value, list):
        return all(_encodable(inner, depth - 1) for inner in value)
    return not (isinstance(value, float) and value in (float("inf"), float("-inf")))


def an_id(text: str, bad_id_status: int = 400) -> str:
    if is_well_formed(text):
        return text
    if bad_id_status == 404:
        raise not_found()
    raise invalid(PARSE_ID)


def whole(value: Any, name: str, *, least: int, most: int, default: int) -> int:
    """A whole number from JSON or from a query string."""
    if value is None:
        return default
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise invalid(f"Invalid integer value for {name}: must be between {least} and {most}.")
    return value


def number(value: Any, name: str, *, default: float = 0.0) -> float:
    """A number from JSON, such as a duration in seconds."""
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > MAX_NUMBER:
        raise invalid(f"Invalid value for {name}: must be a number.")
    return float(value)


def flag(value: Any, name: str) -> bool:
    if value is None:
        return False
    if not isinstance(value, bool):
        raise invalid(f"Invalid boolean value for {name}.")
    return value


def text(value: Any, name: str, *, most: int) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise invalid(f"Invalid string value for {name}.")
    if len(value) > most:
        raise invalid(f"{name} must be at most {most} characters long.")
    return value


def choice(value: Any, name: str, allowed: tuple[str, ...]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in allowed:
        raise invalid(f"Invalid value for {name}: must be one of {', '.join(allowed)}.")
    return value


def objects(value: Any, name: str, *, most: int = 20) -> list[Doc]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > most or not all(isinstance(one, dict) for one in value):
        raise invalid(f"{name} must be a list of at most {most} objects.")
    return value


def policies(value: Any, name: str = "playback_policies") -> list[str]:
    wanted = [value] if isinstance(value, str) else value
    if wanted is None:
        return []
    if not isinstance(wanted, list) or len(wanted) > 10:
        raise invalid(f"{name} must be a list of playback policies.")
    return [choice(one, name, POLICIES) or "public" for one in wanted]


def meta(value: Any) -> Doc | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise invalid("meta must be an object.")
    checked = {name: text(value.get(name), f"meta.{name}", most=most) for name, most in META.items()}
    return {name: given for name, given in checked.items() if given is not None}


def seconds(value: Any, name: str, *, most: float) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise invalid(f"Invalid number value for {name}.")
    if not 0 <= value <= most:
        raise invalid(f"{name} must be between 0 and {most:g}.")
    return float(value)


def language_tag(value: Any) -> str | None:
    tag = text(value, "language_code", most=40)
    if tag is not None and not LANGUAGE_TAG.match(tag):
        raise invalid("language_code must be a BCP 47 language code.")
    return tag


def captions(value: Any) -> list[Doc]:
    """Captions that Mux is to generate."""
    checked = []
    for one in objects(value, "generated_subtitles", most=10):
        entry = {
            "language_code": choice(one.get("language_code"), "language_code", (*LANGUAGES, AUTO)) or "en",
            "name": text(one.get("name"), "name", most=255),
            "passthrough": text(one.get("passthrough"), "passthrough", most=255),
        }
        checked.append({name: given for name, given in entry.items() if given is not None})
    return checked


def inputs(value: Any, *, urls: bool) -> list[Doc]:
    checked = []
    for one in objects(value, "inputs"):
        entry: Doc = {"generated_subtitles": captions(one.get("generated_subtitles"))}
        for name in ("url", "type", "text_type", "language_code", "name", "passthrough"):
            given = text(one.get(name), f"inputs.{name}", most=2000)
            if given is not None:
                entry[name] = given
        checked.append(entry)
    if urls and not any("url" in one for one in checked):
        raise invalid("inputs: at least one input with a url is required.")
    return checked


def asset_settings(given: Any, *, urls: bool = False) -> Doc:
    """``new_asset_settings`` of an upload or the body of an asset, normalised as Mux echoes it."""
    given = {} if given is None else given
    if not isinstance(given, dict):
        raise invalid("new_asset_settings must be an object.")
    quality = choice(given.get("video_quality"), "video_quality", QUALITIES)
    old = choice(given.get("encoding_tier"), "encoding_tier", tuple(OLD_TIERS))
    asked = given.get("playback_policies", given.get("playback_policy"))
    settings: Doc = {
        "playback_policies": policies(asked),
        "video_quality": quality or (OLD_TIERS[old] if old else "basic"),
        "passthrough": text(given.get("passthrough"), "passthrough", most=255),
        "max_resolution_tier": choice(given.get("max_resolution_tier"), "max_resolution_tier", TIERS),
        "meta": meta(given.get("meta")),
        "master_access": choice(given.get("master_access"), "master_access", ("none", "temporary")),
        "mp4_support": choice(given.get("mp4_support"), "mp4_support", ("none", "standard", "capped-1080p")),
    }
    settings = {name: value for name, value in settings.items() if value not in (None, [])}
    advanced = objects(given.get("advanced_playback_policies"), "advanced_playback_policies")
    if advanced:
        settings["advanced_playback_policies"] = [
            {"policy": policies(one.get("policy", "public"))[0]} for one in advanced
        ]
    for name in ("normalize_audio", "test", "copy_overlays"):
        if flag(given.get(name), name):
            settings[name] = True
    if given.get("inputs") is not None or urls:
        settings["inputs"] = inputs(given.get("inputs", given.get("input") if urls else None), urls=urls)
    renditions = objects(given.get("static_renditions"), "static_renditions")
    if renditions and settings.get("mp4_support", "none") != "none":
        raise invalid("static_renditions cannot be used together with mp4_support.")
    if renditions:
        settings["static_renditions"] = [
            {"resolution": choice(one.get("resolution"), "resolution", RENDITIONS) or "highest"}
            for one in renditions
        ]
    return settings


def cors_origin(value: Any, *, required: bool) -> str | None:
    origin = text(value, "cors_origin", most=500)
    if not origin:
        if required:
            raise invalid("cors_origin is required.")
        return None
    if origin != "*" and (not origin.isprintable() or not origin.isascii() or " " in origin):
        raise invalid("cors_origin must be an origin or *.")
    return origin
