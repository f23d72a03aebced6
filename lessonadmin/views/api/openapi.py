"""The API described as OpenAPI 3.1, made from the endpoints and the schemas that they really use."""

import re
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from lessonadmin.views.api.endpoints import ENDPOINTS, Endpoint
from lessonadmin.views.api.responses import ProblemResponse

Doc = dict[str, Any]
TAGS = ("Lessons", "Courses", "Uploads", "Videos", "Captions", "Files", "Playing and buying")
ABOUT = """Lessons that are published automatically when their video is ready.

Send `Authorization: Bearer TOKEN`, or be signed in and send the header `X-CSRFToken`. Create a token on your account page,
with your password: one that may only read, or one that may also change things. It lives for 90 days, opens `/api/` and
`/metrics` and nothing else, and ends when the password or the role of the account changes.
Ids are UUIDs, times are ISO 8601 in UTC, keys are snake_case; `lessonId`, `courseId`, `uploadId`, `muxUploadId`,
`tempAssetId`, `muxAssetId` and `muxPlaybackId` are understood as well. Unknown keys, and a key given twice, are refused.
What is not yours answers 404."""
WEBHOOK_PATHS = ("/api/webhooks/mux", "/api/mux/webhook")
WEBHOOK_TAG = "Events from Mux"
WEBHOOK_ANSWERS = {
    204: "Stored, whatever it says: new, repeated, of an unknown type, about something unknown.",
    400: "Not a JSON object, or `id` or `type` is missing or no text.",
    401: "The signature is missing, wrong, or more than five minutes old or ahead.",
    413: "More than 1 MiB.",
    503: "It could not be stored; Mux sends it again.",
}
BEARER = """A token from the account page. One with the scope `read` is taken for GET and HEAD alone, and not for those of them
that say that they change something: they answer 403 with `insufficient_scope`. One that is unknown, revoked or past its
date, or whose account is disabled, answers 401."""
NEEDS_WRITE = "An API token needs the scope `write`."
WHO = {
    "anyone": "Anyone signed in.",
    "teaching": "Instructors, for what is their own, and staff.",
    "students": "Students.",
    "staff": "Staff.",
}
REASONS = {
    200: "Done.",
    201: "Created.",
    202: "Accepted; it is finished later.",
    204: "Done. The answer has no body.",
    400: "The input is wrong; `fields` says where.",
    401: "Not signed in.",
    403: "This account has no access; `insufficient_scope`: this token has none.",
    404: "Not found, or not yours.",
    409: "Not possible in the current state.",
    413: "Too large.",
    415: "Not JSON, or a file type that is not accepted.",
    429: "Rate limited.",
    503: "The database or Mux does not answer.",
}


class _Plain(GenerateJsonSchema):
    """Without titles: "Course Id" says no more than `course_id`."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


@cache
def document() -> Doc:
    """The whole description."""
    schemas = _schemas()
    queries = {one.query.__name__ for one in ENDPOINTS if one.query is not None}  # they stand as parameters
    paths: dict[str, Doc] = {}
    for one in ENDPOINTS:
        for address in (one.path, *one.also):
            paths.setdefault(plain_path(address), {})[one.method.lower()] = _operation(one, address, schemas)
    for number, address in enumerate(WEBHOOK_PATHS):
        paths[address] = {"post": _webhook("receive_event" + "_also" * number)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lessonadmin", "version": "1", "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"session": []}],
        "tags": [{"name": tag} for tag in (*TAGS, WEBHOOK_TAG)],
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in schemas.items() if name not in queries},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": BEARER},
                "session": {"type": "apiKey", "in": "cookie", "name": "session"},
            },
        },
    }


def _schemas() -> Doc:
    wanted: dict[type[BaseModel], JsonSchemaMode] = {ProblemResponse: "serialization"}
    for one in ENDPOINTS:
        wanted |= {model: "validation" for model in (one.body, one.query) if model is not None}
        wanted |= {model: "serialization" for model in one.answers.values() if model is not None}
    _, found = models_json_schema(list(wanted.items()), schema_generator=_Plain)
    return {plain_name(name): _renamed(schema) for name, schema in found["$defs"].items()}


def plain_name(model: str) -> str:
    """`Lesson` for `LessonResponse`: the names outside are shorter."""
    return model.removesuffix("Response")


def _renamed(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: _ref(value.rpartition("/")[2]) if key == "$ref" else _renamed(value)
            for key, value in schema.items()
            if not (key == "title" and isinstance(value, str))
        }
    return [_renamed(one) for one in schema] if isinstance(schema, list) else schema


def _ref(model: str) -> str:
    return f"#/components/schemas/{plain_name(model)}"


def plain_path(address: str) -> str:
    """`/api/lessons/{lesson_id}` for `/lessons/<uuid:lesson_id>`."""
    return "/api" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", address)


def _operation(one: Endpoint, address: str, schemas: Doc) -> Doc:
    operation: Doc = {
        "operationId": one.name_of(address),
        "tags": [one.tag],
        "summary": one.summary,
        "description": f"{one.description}\n\n{WHO[one.who]} {NEEDS_WRITE if one.changes else ''}".strip(),
        "parameters": [*_path_parameters(address), *_query_parameters(one, schemas)],
        "responses": _responses(one),
    }
    if one.body is not None:
        schema = {"$ref": _ref(one.body.__name__)}
        operation["requestBody"] = {
            "required": not one.body_or_query,
            "content": {"application/json": {"schema": schema}},
        }
    return operation


def _webhook(name: str) -> Doc:
    """The one address that Mux itself calls; it is no endpoint of this API, so it stands here."""
    signature = {"name": "Mux-Signature", "in": "header", "required": True, "schema": {"type": "string"}}
    return {
        "operationId": name,
        "tags": [WEBHOOK_TAG],
        "summary": "Deliver an event",
        "description": "Signed with one of MUX_WEBHOOK_SECRETS. No answer has a body.",
        "security": [{}],
        "parameters": [signature],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        "responses": {str(status): {"description": said} for status, said in WEBHOOK_ANSWERS.items()},
    }


def _path_parameters(address: str) -> list[Doc]:
    found = []
    for kind, name in re.findall(r"<(?:(\w+):)?(\w+)>", address):
        schema: Doc = {"type": "string", "minLength": 1} | ({"format": "uuid"} if kind == "uuid" else {})
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    return found


def _query_parameters(one: Endpoint, schemas: Doc) -> list[Doc]:
    model = one.query or (one.body if one.body_or_query else None)
    if model is None:
        return []
    known = schemas[plain_name(model.__name__)]
    # what may stand in the body instead is required in neither place
    required = [] if one.body_or_query else known.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            **({"description": schema["description"]} if "description" in schema else {}),
            "schema": _without_null(schema),
        }
        for name, schema in known["properties"].items()
    ]


def _without_null(schema: Doc) -> Doc:
    """A query string has no null: what is left out is left out."""
    kept = {key: value for key, value in schema.items() if key not in ("description", "title", "anyOf")}
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        kept |= choices[0]
    elif choices:
        kept["anyOf"] = choices
    if kept.get("default", ...) is None:
        del kept["default"]
    return kept


def _responses(one: Endpoint) -> Doc:
    found = {str(status): _response(REASONS[status], model) for status, model in one.answers.items()}
    for status in _problems(one):
        said = one.problems.get(status, REASONS[status])
        found[str(status)] = _response(said, ProblemResponse)
    if "429" in found:
        found["429"]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return dict(sorted(found.items()))


def _problems(one: Endpoint) -> list[int]:
    takes = one.method != "GET"
    reads = takes or one.query is not None
    always = (
        [400] * reads
        + [401]
        + [403] * (one.who != "anyone" or one.changes)
        + [404]
        + [413, 415] * takes
        + [503]
    )
    return sorted({*always, *one.problems})


def _response(said: str, model: type[BaseModel] | None) -> Doc:
    if model is None:
        return {"description": said}
    schema = {"$ref": _ref(model.__name__)}
    return {"description": said, "content": {"application/json": {"schema": schema}}}
