"""``/openapi.json`` and ``/docs``: the description for machines, and the same as a page for people.

Open without a key: what an installation can do is in its handbook; what it knows is not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from api import openapi
from api.operations import Operation
from web.templates import environment

TEMPLATES: Final = Path(__file__).parent / "templates"
_CACHE: Final = {"Cache-Control": "public, max-age=300"}


@dataclass(frozen=True, slots=True)
class Section:
    """The operations under one heading."""

    name: str
    operations: tuple[Mapping[str, Any], ...]


def routes(operations: Iterable[Operation], base_url: str) -> list[Route]:
    """Both addresses, written once when the process starts."""
    document = openapi.document(operations, base_url)
    as_json = orjson.dumps(document)
    page = (
        environment(TEMPLATES)
        .get_template("reference.html")
        .render(info=document["info"], sections=_sections(document), schemas=_schemas(document), base_url=base_url)
    )

    async def for_machines(_request: Request) -> Response:
        return Response(as_json, media_type="application/json", headers=_CACHE)

    async def for_people(_request: Request) -> Response:
        return HTMLResponse(page, headers=_CACHE)

    return [Route("/openapi.json", for_machines), Route("/docs", for_people)]


def _sections(document: Mapping[str, Any]) -> list[Section]:
    listed = [
        {"method": method.upper(), "path": path, "statuses": _statuses(operation), **operation}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    listed.sort(key=lambda entry: entry["tags"][0])
    return [Section(tag, tuple(entries)) for tag, entries in groupby(listed, key=lambda entry: entry["tags"][0])]


def _statuses(operation: Mapping[str, Any]) -> list[str]:
    return [f"{status} {HTTPStatus(int(status)).phrase}" for status in operation["responses"]]


def _schemas(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Each model as rows of (key, type, needed, meaning), by name."""
    return [
        {
            "name": name,
            "meaning": schema.get("description", ""),
            "rows": [
                {"key": key, "type": _type(value), "needed": key in schema.get("required", ())}
                for key, value in schema.get("properties", {}).items()
            ],
        }
        for name, schema in sorted(document["components"]["schemas"].items())
    ]


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[1]
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_type(option) for option in schema[several]))
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "any")
