"""The API's description: for programs at `/api/openapi.json`, for people at `/api/docs`, both from one document."""

import json
import re
from typing import Any

from flask import Response, jsonify, render_template
from markupsafe import Markup, escape

from lessonadmin import config
from lessonadmin.views.api import openapi
from lessonadmin.views.api.endpoints import bp

Doc = dict[str, Any]
MAX_ENUM_SHOWN = 8
KINDS = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "null"}


@bp.get("/openapi.json")
def openapi_json() -> Response:
    return jsonify(openapi.document())


@bp.get("/docs")
def docs() -> str:
    return render_template(
        "api/docs.html",
        about=openapi.ABOUT.split("\n\n"),
        groups=groups(),
        objects=objects(),
        usual=sorted(openapi.REASONS.items()),
        public_url=config.current().public_url,
        in_code=in_code,
    )


def in_code(text: str) -> Markup:
    """What stands between backticks, as code."""
    parts = re.split(r"`([^`]+)`", text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )


def groups() -> list[tuple[str, list[Doc]]]:
    """The endpoints as the page shows them: by subject, in the order of the description."""
    document = openapi.document()
    found: dict[str, list[Doc]] = {tag["name"]: [] for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not operation["operationId"].endswith("_also"):
                found[operation["tags"][0]].append(_call(path, method, operation, document))
    return list(found.items())


def objects() -> list[Doc]:
    """What endpoints answer with, field by field."""
    document = openapi.document()
    asked = {
        operation["requestBody"]["content"]["application/json"]["schema"].get("$ref", "").rpartition("/")[2]
        for operations in document["paths"].values()
        for operation in operations.values()
        if "requestBody" in operation
    }
    return [
        {"name": name, "description": schema.get("description", ""), "fields": _fields(schema)}
        for name, schema in document["components"]["schemas"].items()
        if name not in asked and "additionalProperties" not in schema
    ]


def _call(path: str, method: str, operation: Doc, document: Doc) -> Doc:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" in body:
        body = document["components"]["schemas"][body["$ref"].rpartition("/")[2]]
    also = [
        other
        for other, operations in document["paths"].items()
        if operations.get(method, {}).get("operationId") == f"{operation['operationId']}_also"
    ]
    answers = [_answer(int(status), said) for status, said in operation["responses"].items()]
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "also": also,
        "summary": operation["summary"],
        "description": operation["description"].split("\n\n"),
        "query": [
            _row(one["name"], one["schema"], one) for one in operation["parameters"] if one["in"] == "query"
        ],
        "body": _fields(body),
        # what every call may answer stands once at the top of the page
        "answers": [one for one in answers if one["good"] or one["said"] != openapi.REASONS[one["status"]]],
    }


def _fields(schema: Doc) -> list[Doc]:
    required = schema.get("required", [])
    return [
        _row(name, one, {"required": name in required, **one})
        for name, one in schema.get("properties", {}).items()
    ]


def _row(name: str, schema: Doc, more: Doc) -> Doc:
    return {
        "name": name,
        "kind": kind_of(schema),
        "required": bool(more.get("required")),
        "said": more.get("description", ""),
    }


def kind_of(schema: Doc) -> Markup:
    """A type in a few words: `text, at most 200 characters`, `id or null`; objects are links."""
    if "$ref" in schema:
        return Markup('<a href="#{0}">{0}</a>').format(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return Markup(" or ").join(map(kind_of, schema["anyOf"]))
    if len(schema.get("enum", [])) > MAX_ENUM_SHOWN:
        return escape("one of " + ", ".join(schema["enum"]))
    if "enum" in schema:
        return escape(" or ".join(json.dumps(value) for value in schema["enum"]))
    if schema.get("format") in ("uuid", "date-time"):
        return escape({"uuid": "id", "date-time": "time"}[schema["format"]])
    if schema.get("type") == "array":
        return Markup("list of {}").format(kind_of(schema["items"]))
    kind = str(schema.get("type", "anything"))
    return escape(KINDS.get(kind, kind) + _bounds(schema))


def _bounds(schema: Doc) -> str:
    told = [
        f"{word} {schema[key]:,}" for word, key in (("from", "minimum"), ("to", "maximum")) if key in schema
    ]
    text = " " + " ".join(told) if told else ""
    return text + (f", at most {schema['maxLength']:,} characters" if "maxLength" in schema else "")


def _answer(status: int, said: Doc) -> Doc:
    schema = said.get("content", {}).get("application/json", {}).get("schema")
    return {
        "status": status,
        "said": said["description"],
        "kind": kind_of(schema) if schema else "",
        "good": status < 400,
    }
