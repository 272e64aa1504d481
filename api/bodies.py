"""JSON in and out: bodies read into models with every fault placed, answers written as the contract says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from api.operations import JSON
from runtime.refusals import Fault, Invalid, TooMany

RECORDS_MAX: Final = 10_000
"""Most records in one body; a longer list is a file for the import."""

M = TypeVar("M", bound=BaseModel)


class BodyNotJson(Invalid):
    """The body is not JSON: {problem}."""


class BodyNotUsable(Invalid):
    """The body cannot be used; {count} place(s) in it need mending, the first is {where}: {what}."""


class TooManyRecords(TooMany):
    """The body has {records} records; at most {records_max} are taken at once. Send them in parts, or as a file."""


class QueryNotUsable(Invalid):
    """The query parameter {name} cannot be used: {problem}."""


def read_json(body: bytes) -> Any:
    """The value in the body; raises ``BodyNotJson`` with the place."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BodyNotJson(problem=f"{error.msg} (line {error.lineno}, column {error.colno})") from error
    where = _nul(value, "") if b"\\u0000" in body else None
    if where is not None:
        raise BodyNotJson(problem=f"the text at {where or '/'} holds the character U+0000, which no text may hold")
    return value


def read_one(model: type[M], body: bytes) -> M:
    """One record; raises ``BodyNotJson`` or ``BodyNotUsable`` with a fault for each place (a JSON pointer)."""
    return _records(model, [read_json(body)], single=True)[0]


def read_many(model: type[M], body: bytes) -> list[M]:
    """One record or a list of them; as ``read_one``, and raises ``TooManyRecords``."""
    value = read_json(body)
    if not isinstance(value, list):
        return _records(model, [value], single=True)
    if len(value) > RECORDS_MAX:
        raise TooManyRecords(records=len(value), records_max=RECORDS_MAX)
    return _records(model, value, single=False)


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None, media_type: str = JSON) -> Response:
    """``value`` as JSON: instants in UTC with ``Z``, whole quantities as integers. Never cached: it was for one key."""
    return Response(as_json(value), status, {"Cache-Control": "no-store", **(headers or {})}, media_type)


def as_json(value: Any) -> bytes:
    """Models, dataclasses, instants, dates and decimals as the contract writes them."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def boolean(name: str, text: str | None, default: bool) -> bool:
    """A query parameter that is ``true`` or ``false``."""
    if text is None:
        return default
    if text not in ("true", "false"):
        raise QueryNotUsable(name=name, problem=f"{text!r} is neither true nor false")
    return text == "true"


def _records(model: type[M], values: Sequence[Any], *, single: bool) -> list[M]:
    records: list[M] = []
    faults: list[Fault] = []
    for index, value in enumerate(values):
        prefix = "" if single else f"/{index}"
        try:
            records.append(model.model_validate_json(orjson.dumps(value)))
        except ValidationError as error:
            faults += [Fault(prefix + _pointer(e["loc"]), _what(e)) for e in error.errors(include_url=False)]
    if faults:
        raise BodyNotUsable(count=len(faults), where=faults[0].where or "/", what=faults[0].what, faults=faults)
    return records


def _nul(value: Any, where: str) -> str | None:
    """Where the first U+0000 stands: PostgreSQL keeps no text that holds one."""
    if isinstance(value, str):
        return where if "\x00" in value else None
    if isinstance(value, dict):
        pairs = [(key, where) for key in value] + [(inner, f"{where}/{key}") for key, inner in value.items()]
    else:
        pairs = [(inner, f"{where}/{index}") for index, inner in enumerate(value)] if isinstance(value, list) else []
    return next((found for inner, place in pairs if (found := _nul(inner, place)) is not None), None)


def _pointer(location: tuple[int | str, ...]) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in location)


def _what(error: Any) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    return "no such key; leave it out" if error["type"] == "extra_forbidden" else message


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)
