"""The description of the API in OpenAPI 3.1, made from the operations and their models: it cannot fall behind them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from api import models
from api.operations import Operation, Parameter

VERSION: Final = "1.0.0"
_REF: Final = "#/components/schemas/{model}"
_CONVERTER = re.compile(r"\{(\w+):\w+\}")
_INTRODUCTION: Final = (
    "Keys go in `Authorization: Bearer tmk_live_…`; nothing is readable without a right. Every POST takes an "
    "`Idempotency-Key`: a repetition is answered as the first one was, and does nothing. Lists are paged by cursor. "
    "Errors are `application/problem+json` (RFC 9457). Instants are RFC 3339 in UTC, dates ISO 8601, identifiers text."
)


def document(operations: Iterable[Operation], base_url: str) -> dict[str, Any]:
    """The whole description. ``base_url`` is the public address of this installation."""
    listed = tuple(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in listed:
        paths.setdefault(shown_path(operation.path), {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tracemark", "version": VERSION, "description": _INTRODUCTION},
        "servers": [{"url": base_url}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(listed),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "an API key"}},
            "responses": {"problem": _problem()},
        },
    }


def shown_path(path: str) -> str:
    """``/events/{event_id:path}`` as OpenAPI writes it: ``/events/{event_id}``."""
    return _CONVERTER.sub(r"{\1}", path)


def statuses(operation: Operation) -> tuple[int, ...]:
    """Every status with which an operation answers on purpose, without those of our own failures."""
    common = (401, 403) if operation.acts else (401,)
    keyed = (400, 409) if operation.keeps_answers else ()  # an Idempotency-Key that is none, or is in use
    return (operation.status, *sorted({*common, *keyed, *operation.refuses}))


def _operation(operation: Operation) -> dict[str, Any]:
    refused = {str(status): {"$ref": "#/components/responses/problem"} for status in statuses(operation)[1:]}
    described: dict[str, Any] = {
        "operationId": operation.work.__name__ + ("_" + _slug(operation.path) if operation.method == "OPTIONS" else ""),
        "summary": operation.summary,
        "description": _description(operation),
        "tags": [_tag(operation.path)],
        "responses": {
            str(operation.status): _answer(operation),
            **refused,
            "503": {"$ref": "#/components/responses/problem"},
        },
        "x-rights": [act.value for act in operation.acts],
    }
    parameters = [_parameter(parameter) for parameter in operation.parameters]
    if operation.method == "POST":
        parameters.append(_parameter(_IDEMPOTENCY))
    if parameters:
        described["parameters"] = parameters
    if operation.takes is not None:
        described["requestBody"] = {
            "required": True,
            "content": {media: {"schema": _body(operation, model)} for media, model in operation.takes.items()},
        }
    return described


_IDEMPOTENCY: Final = Parameter(
    "Idempotency-Key", "the same key is the same request, for seven days", where="header", schema={"maxLength": 128}
)


def _answer(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.status != HTTPStatus.NO_CONTENT:
        schema = {"$ref": _REF.format(model=operation.answers.__name__)} if operation.answers else {}
        described["content"] = {operation.answer_media: {"schema": schema}}
    return described


def _body(operation: Operation, model: type[BaseModel] | None) -> dict[str, Any]:
    if model is None:
        return {}
    one = {"$ref": _REF.format(model=model.__name__)}
    return {"oneOf": [one, {"type": "array", "items": one}]} if operation.body_is_list else one


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.required,
        "description": parameter.meaning,
        "schema": {"type": "string", **(parameter.schema or {})},
    }


def _problem() -> dict[str, Any]:
    schema = {"$ref": _REF.format(model=models.ProblemDocument.__name__)}
    return {"description": "A problem (RFC 9457)", "content": {"application/problem+json": {"schema": schema}}}


def _schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    taken: set[type[BaseModel]] = set()
    given: set[type[BaseModel]] = {models.ProblemDocument}
    for operation in operations:
        taken.update(model for model in (operation.takes or {}).values() if model is not None)
        given.update({operation.answers} if operation.answers else ())
    pairs: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in sorted(taken, key=_name)]
    pairs += [(model, "serialization") for model in sorted(given, key=_name)]
    _, schema = models_json_schema(pairs, ref_template=_REF)
    found: dict[str, Any] = schema["$defs"]
    return found


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _description(operation: Operation) -> str:
    rights = " or ".join(f"`{act.value}`" for act in operation.acts) or "any valid key"
    return f"{(operation.work.__doc__ or operation.summary).split(chr(10))[0]} Right: {rights}."


def _tag(path: str) -> str:
    return path.split("/")[1] if path.startswith("/epcis") else path.split("/")[2]


def _slug(path: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", shown_path(path)).strip("_")
