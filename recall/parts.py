"""Named parts of a scope as an author writes them: sets of codes, lots, windows and facts, put together by rules.

A part is one of these objects, and parts may hold parts::

    {"code": "…"}    {"lot": "GTIN:LOT"}    {"range": ["first code", "last code"]}
    {"window": {"from_at": "…", "until_at": "…", "place": "…", "line": "…"}}
    {"supplier": "GLN or URI", "gtin": "…"}
    {"operation": {"line": "…", "team": "…", "operator": "…", "equipment": "…", "parameter": "held_s < 15"}}
    {"name": "…", "any": […]}    {"name": "…", "all": […]}    {"name": "…", "but": [this, not these…]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.codes import KeyRing
from recall import naming
from recall.algebra import area_of
from recall.model import OperationDraft, SupplierDraft, WindowDraft
from recall.refusals import PartNotUsable, ScopeTooLarge
from recall.scope import DEPTH_MAX, PartLine, Rule, ScopeLine

PARTS_MAX: Final = 1_000
"""Most parts that are read for one case, parts of parts counted."""
_WORDS: Final = ("code", "lot", "range", "window", "supplier", "operation")
_INSTANTS: Final = ("from_at", "until_at")


async def read(conn: AsyncConnection, keys: KeyRing, told: Sequence[Mapping[str, Any]]) -> tuple[ScopeLine, ...]:
    """A line for each part, in order. Refuses what cannot be read (``PartNotUsable``), is unknown, or names nothing."""
    count = _counted(told, 1)
    if count > PARTS_MAX:
        raise ScopeTooLarge(count=count, what="parts", count_max=PARTS_MAX)
    lines = tuple([await _read(conn, keys, part) for part in told])
    await area_of(conn, lines)  # refuses what names nothing, before anything is written
    return lines


def _counted(told: object, depth: int) -> int:
    """How many parts there are in all; read before anything is looked up, so that depth and number are bounded."""
    if not isinstance(told, Sequence) or isinstance(told, str) or not all(isinstance(part, Mapping) for part in told):
        raise PartNotUsable(name=str(told)[:100], problem="parts are a list of objects")
    if depth > DEPTH_MAX:
        raise PartNotUsable(name="…", problem=f"parts lie more than {DEPTH_MAX} deep in each other")
    inner = (part[rule.value] for part in told for rule in Rule if rule.value in part)
    return len(told) + sum(_counted(parts, depth + 1) for parts in inner)


async def _read(conn: AsyncConnection, keys: KeyRing, part: Mapping[str, Any]) -> ScopeLine:
    rules = [rule for rule in Rule if rule.value in part]
    if rules:
        return await _set(conn, keys, part, rules[0])
    words = [word for word in _WORDS if word in part]
    known = {*words, "gtin"} if words == ["supplier"] else {*words}
    if len(words) != 1 or set(part) - known:
        raise PartNotUsable(name=str(dict(part))[:100], problem=f"say one of {', '.join(_WORDS)}, any, all, but")
    try:
        (line,) = await naming.scope_lines(conn, keys, **_draft(words[0], part))
    except (TypeError, ValueError, AttributeError) as error:
        raise PartNotUsable(name=words[0], problem=str(error)) from error
    return line


async def _set(conn: AsyncConnection, keys: KeyRing, part: Mapping[str, Any], rule: Rule) -> PartLine:
    name = part.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > naming.NAME_CHARACTERS_MAX:
        raise PartNotUsable(
            name=str(name)[:100], problem=f"give a name of 1 to {naming.NAME_CHARACTERS_MAX} characters"
        )
    if set(part) != {"name", rule.value}:
        raise PartNotUsable(name=name, problem="it has one rule: any, all or but")
    if len(part[rule.value]) < 2:
        raise PartNotUsable(name=name, problem=f"{rule.value} needs two parts or more")
    return PartLine(name.strip(), rule, tuple([await _read(conn, keys, inner) for inner in part[rule.value]]))


def _draft(word: str, part: Mapping[str, Any]) -> dict[str, Any]:
    told = part[word]
    if word == "code":
        return {"codes": [_text(told)]}
    if word == "lot":
        gtin, _, lot = _text(told).partition(":")
        return {"lots": [(gtin, lot)]}
    if word == "range":
        first, last = told
        return {"ranges": [(_text(first), _text(last))]}
    if word == "supplier":
        return {"suppliers": [SupplierDraft(_text(told), part.get("gtin"))]}
    facts = {name: _instant(_text(value)) if name in _INSTANTS else _text(value) for name, value in told.items()}
    return {"windows": [WindowDraft(**facts)]} if word == "window" else {"operations": [OperationDraft(**facts)]}  # type: ignore[arg-type]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
