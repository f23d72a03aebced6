"""Read a request and check it against a schema: everything that is wrong is said at once, in words.

Keys are snake_case; the camelCase names that older browsers' scripts send are understood as well.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError

from lessonadmin.domain.errors import Invalid, WrongType

Model = TypeVar("Model", bound=BaseModel)

ALSO_CALLED = {
    "lessonId": "lesson_id",
    "courseId": "course_id",
    "uploadId": "upload_id",
    "muxUploadId": "upload_id",
    "tempAssetId": "temp_asset_id",
    "muxAssetId": "mux_asset_id",
    "muxPlaybackId": "mux_playback_id",
}
SENTENCES = {
    "missing": "This is required.",
    "extra_forbidden": "There is no such field.",
    "string_type": "This must be text.",
    "string_unicode": "This text has characters that cannot be stored.",
    "string_too_short": "This must not be empty.",
    "string_too_long": "This may have {max_length} characters at most.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "int_parsing_size": "This number is too large.",
    "int_from_float": "This must be a whole number.",
    "float_type": "This must be a number.",
    "float_parsing": "This must be a number.",
    "finite_number": "This number is too large or too small.",
    "bool_type": "This must be true or false.",
    "base64_decode": "This is not base64.",
    "greater_than": "This must be more than {gt}.",
    "greater_than_equal": "This must be {ge} or more.",
    "less_than_equal": "This must be {le} or less.",
    "literal_error": "This must be {expected}.",
    "list_type": "This must be a list.",
    "too_long": "This may have {max_length} entries at most.",
    "model_type": "This must be an object.",
    "uuid_type": "This is not an id.",
    "uuid_parsing": "This is not an id.",
    "value_error": "{error}",
}
MAX_FIELDS = 50
VERSION = re.compile("[0-9]{1,9}")
NO_VERSION = -1
MAX_KEY_LENGTH = 100


def body(model: type[Model], *, or_query: bool = False) -> Model:
    """The JSON body; with `or_query` the query string is taken too, and the body wins."""
    given = _named(_json_object())
    if or_query:
        given = _arguments() | given
    return _checked(model, given)


def query(model: type[Model]) -> Model:
    """The query string; an argument without a value counts as left out."""
    return _checked(model, _arguments())


def version() -> int | None:
    """The version that `If-Match` names, if it does; one that no answer had is no version of anything."""
    if "If-Match" not in request.headers or request.if_match.star_tag:
        return None
    (tag, *_more) = [*request.if_match.as_set(include_weak=True), ""]
    found = VERSION.fullmatch(tag)
    return int(found[0]) if found else NO_VERSION


def no_body() -> None:
    """This endpoint takes nothing; an empty object is nothing."""
    given = _json_object()
    if given:
        raise _invalid({str(key)[:MAX_KEY_LENGTH]: SENTENCES["extra_forbidden"] for key in given})


def _json_object() -> dict[str, Any]:
    raw = request.get_data(cache=True)
    # a form may have been read already, and then leaves no bytes
    if not request.is_json and (raw.strip() or request.form or request.files):
        raise WrongType("unsupported_media_type", "Send JSON with Content-Type: application/json.")
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw, parse_constant=_no_number, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        raise Invalid("invalid_json", "The body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise Invalid("invalid_json", "The body must be a JSON object.")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, at any depth. A key that is given twice, under any of its names, is refused: the API does not guess which
    value was meant."""
    _given_once(key for key, _ in pairs)
    return dict(pairs)


def _no_number(_text: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


def _arguments() -> dict[str, Any]:
    given = {}
    for name, values in request.args.lists():
        filled = [value for value in values if value != ""]
        if len(filled) > 1:
            raise _twice([name])
        if filled:
            given[name] = filled[0]
    return _named(given)


def _named(given: dict[str, Any]) -> dict[str, Any]:
    """The same under the snake_case names; one thing under two of its names is refused."""
    _given_once(given)
    return {ALSO_CALLED.get(key, key): value for key, value in given.items()}


def _given_once(keys: Iterable[str]) -> None:
    times = Counter(ALSO_CALLED.get(key, key) for key in keys)
    twice = [name for name, count in times.items() if count > 1]
    if twice:
        raise _twice(twice)


def _twice(names: Iterable[str]) -> Invalid:
    return _invalid(
        {name[:MAX_KEY_LENGTH]: "This is given more than once." for name in list(names)[:MAX_FIELDS]}
    )


def _checked(model: type[Model], given: dict[str, Any]) -> Model:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _invalid(_fields(error.errors(include_url=False, include_input=False))) from None


def _fields(errors: Iterable[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for error in errors:
        name = ".".join(str(part) for part in error["loc"])[:MAX_KEY_LENGTH]
        if len(found) < MAX_FIELDS:
            found.setdefault(name, _sentence(error))
    return found


def _sentence(error: Any) -> str:
    sentence = SENTENCES.get(error["type"])
    if sentence is None:
        return f"{error['msg']}."
    return sentence.format(**{name: _plain(value) for name, value in error.get("ctx", {}).items()})


def _plain(bound: object) -> object:
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _invalid(fields: dict[str, str]) -> Invalid:
    name, sentence = next(iter(fields.items()))
    return Invalid("invalid_input", f"{name}: {sentence}" if name else sentence, fields=fields)
