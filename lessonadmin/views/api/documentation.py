"""The API's description: for programs at `/api/openapi.json`, for people at `/api/docs`, both from one document."""

import json
from typing import Any

from flask import Response, jsonify, render_template

from lessonadmin.views.api import openapi
from lessonadmin.views.api.calls import bp

Doc = dict[str, Any]
KINDS = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "nothing"}


@bp.get("/openapi.json")
def openapi_json() -> Response:
    return jsonify(openapi.document())


@bp.get("/docs")
def docs() -> str:
    return render_template("api/docs.html", about=openapi.ABOUT, groups=groups())


def groups() -> list[tuple[str, list[Doc]]]:
    """The calls as the page shows them: by subject, in the order of the description."""
    document = openapi.document()
    found: dict[str, list[Doc]] = {tag["name"]: [] for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if operation["operationId"].endswith("_also"):
                continue
            found[operation["tags"][0]].append(_call(path, method, operation, document))
    return list(found.items())


def _call(path: str, method: str, operation: Doc, document: Doc) -> Doc:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    also = [
        other
        for other, operations in document["paths"].items()
        if operations.get(method, {}).get("operationId") == f"{operation['operationId']}_also"
    ]
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "also": also,
        "summary": operation["summary"],
        "description": operation["description"],
        "query": [_row(one["name"], one["schema"], one, document) for one in _in(operation, "query")],
        "body": _fields(body, document) if body else [],
        "answers": [_answer(status, said, document) for status, said in operation["responses"].items()],
    }


def _in(operation: Doc, place: str) -> list[Doc]:
    return [one for one in operation["parameters"] if one["in"] == place]


def _resolved(schema: Doc, document: Doc) -> Doc:
    if "$ref" in schema:
        found: Doc = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return found
    return schema


def _fields(schema: Doc, document: Doc) -> list[Doc]:
    found = _resolved(schema, document)
    required = found.get("required", [])
    return [
        _row(name, one, {"required": name in required, **one}, document)
        for name, one in found.get("properties", {}).items()
    ]


def _row(name: str, schema: Doc, more: Doc, document: Doc) -> Doc:
    return {
        "name": name,
        "kind": kind_of(schema, document),
        "required": bool(more.get("required")),
        "description": more.get("description", ""),
    }


def kind_of(schema: Doc, document: Doc) -> str:
    """A type in a few words: `text, at most 200`, `whole number from 0`, `"draft" or "published"`."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(kind_of(choice, document) for choice in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(json.dumps(value) for value in schema["enum"])
    if schema.get("format") in ("uuid", "date-time"):
        return {"uuid": "id", "date-time": "time"}[schema["format"]]
    if schema.get("type") == "array":
        return f"list of {kind_of(schema['items'], document)}"
    kind = str(schema.get("type", "anything"))
    return KINDS.get(kind, kind) + _bounds(schema)


def _bounds(schema: Doc) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    longest = schema.get("maxLength")
    told = [f"from {least}"] if least is not None else []
    told += [f"to {most}"] if most is not None else []
    text = " " + " ".join(told) if told else ""
    return text + (f", at most {longest:,} characters" if longest is not None else "")


def _answer(status: str, said: Doc, document: Doc) -> Doc:
    schema = said.get("content", {}).get("application/json", {}).get("schema")
    return {
        "status": status,
        "description": said["description"],
        "kind": kind_of(schema, document) if schema else "",
        "good": status < "400",
    }
