"""The form in which a case is opened: what was typed, kept as it is to be shown again, and the draft that it says.

A scope is told in rows, each with a rule of sets: *or* adds, *and* keeps only what is also in it, *not* takes out again
with a reason. Instants are UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from starlette.datastructures import FormData

from console.desk import text_of
from console.fields import FieldNotUsable, Numbers
from recall.model import CaseDraft, Depth, ExclusionDraft, Kind, Remedy, Text
from recall.refusals import ScopeEmpty
from runtime.refusals import Invalid, TooMany

RULES: Final = ("or", "and", "not")
STARTS: Final = (
    "code", "lot", "range", "supplier", "line", "team", "operator", "equipment", "parameter", "place",
)  # fmt: skip
"""What a row may name. ``place`` is everything that was there in a time; from ``line`` on, what operations made."""
KINDS: Final = ("recall", "withdrawal", "drill")
CLASSES: Final = ("1", "2", "3")
ROWS_MAX: Final = 30
ROWS_AT_FIRST: Final = 3
UNSAID: Final = "…"
"""Stands for a title or hazard that is not written yet, so that the reach can be seen before the words are found."""
_OPERATIONS: Final = frozenset({"line", "team", "operator", "equipment", "parameter"})
_CONTACT: Final = ("name", "phone", "email", "url")


class ChoiceUnknown(Invalid):
    """{value!r} is not one of the choices of {field}."""


class LotsUnreadable(Invalid):
    """{text} is not a lot. Write one a line, as GTIN:LOT."""


class RangeUnreadable(Invalid):
    """{text} is not a range. Write the code of the first item and that of the last one, with a space between them."""


class TimesMissing(Invalid):
    """Say from when until when: what was at {place} without a time cannot be told."""


class WholeLotsNotShared(Invalid):
    """Items cannot stand for their whole lots where only what is also in something else is meant. Name the lots."""


class TooManyRows(TooMany):
    """The form has more than {rows_max} rows; put codes and lots into the fields for many of them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was typed."""

    rule: str = "or"
    kind: str = "lot"
    value: str = ""
    from_at: str = ""
    until_at: str = ""
    reason: str = ""


def rows_of(form: FormData) -> list[Row]:
    """The rows of the form, empty ones too, to be shown again; ``draft_of`` refuses more than ``ROWS_MAX``."""
    rows: list[Row] = []
    while f"value{len(rows)}" in form and len(rows) < ROWS_MAX:
        told = {name: text_of(form, f"{name}{len(rows)}").strip() for name in Row.__dataclass_fields__}
        rows.append(Row(**told))
    return rows or [Row() for _ in range(ROWS_AT_FIRST)]


def draft_of(form: FormData, *, is_trial: bool = False) -> CaseDraft:
    """The draft that the form says. A trial may be without title and hazard yet (``UNSAID``)."""
    unsaid = UNSAID if is_trial else ""
    return CaseDraft(
        title=_said(form, "title") or unsaid, hazard=_said(form, "hazard") or unsaid,
        hazard_class=int(_choice(form, "hazard_class", CLASSES)), kind=Kind(_choice(form, "kind", KINDS)),
        remedy=Remedy(_choice(form, "remedy", tuple(Remedy))), depth=Depth(_choice(form, "depth", tuple(Depth))),
        texts=_texts(form, unsaid), contact={name: _said(form, f"contact_{name}") for name in _CONTACT},
        deadline_on=Numbers(form).day("deadline_on"), profile=_said(form, "profile"),
        include_possible=_said(form, "include_possible") == "yes", **_scope(form),
    )  # fmt: skip


def check_rows(form: FormData, more: int = 0) -> None:
    """Refuses (``TooManyRows``) a form with more than ``ROWS_MAX`` rows, or that would have them with ``more``."""
    if f"value{ROWS_MAX - more}" in form:
        raise TooManyRows(rows_max=ROWS_MAX)


def _scope(form: FormData) -> dict[str, Any]:
    check_rows(form)
    rows = [row for row in rows_of(form) if row.value]
    parts = {rule: [_part(row) for row in rows if row.rule == rule] for rule in RULES}
    if len(rows) != sum(map(len, parts.values())):
        raise ChoiceUnknown(value=next(row.rule for row in rows if row.rule not in RULES)[:50], field="rule")
    codes, lots = lines_of(form, "codes"), [lot_of(line) for line in lines_of(form, "lots")]
    whole_lot = _said(form, "whole_lot") == "yes"
    exclude = [ExclusionDraft(_part(row), row.reason) for row in rows if row.rule == "not"]
    if not parts["and"]:
        return {
            "codes": tuple(codes), "lots": tuple(lots), "parts": tuple(parts["or"]), "exclude": tuple(exclude),
            "whole_lot": whole_lot,
        }  # fmt: skip
    if whole_lot:
        raise WholeLotsNotShared
    named = [{"code": code} for code in codes] + [{"lot": f"{gtin}:{lot}"} for gtin, lot in lots] + parts["or"]
    if not named:
        raise ScopeEmpty
    first = named[0] if len(named) == 1 else {"name": "any of these", "any": named}
    return {"parts": ({"name": "all of these", "all": [first, *parts["and"]]},), "exclude": tuple(exclude)}


def _part(row: Row) -> Mapping[str, Any]:
    times = {
        name: f"{instant.isoformat()}"
        for name in ("from_at", "until_at")
        if (instant := _instant(row, name)) is not None
    }
    if row.kind in _OPERATIONS:
        return {"operation": {row.kind: row.value, **times}}
    if row.kind == "place":
        if len(times) < 2:
            raise TimesMissing(place=row.value[:100])
        return {"window": {"place": row.value, **times}}
    words = row.value.split()
    if row.kind == "range":
        if len(words) != 2:
            raise RangeUnreadable(text=row.value[:100])
        return {"range": words}
    if row.kind == "supplier":
        return {"supplier": words[0], **({"gtin": words[1]} if len(words) > 1 else {})}
    if row.kind == "lot":
        gtin, lot = lot_of(row.value)
        return {"lot": f"{gtin}:{lot}"}
    if row.kind != "code":
        raise ChoiceUnknown(value=row.kind[:50], field="kind")
    return {"code": row.value}


def _instant(row: Row, name: str) -> datetime | None:
    told = getattr(row, name)
    if not told:
        return None
    try:
        return datetime.fromisoformat(told).replace(tzinfo=UTC)
    except ValueError:
        raise FieldNotUsable(field=name, value=told[:40], wanted="an instant like 2026-11-20T08:30") from None


def _texts(form: FormData, unsaid: str) -> dict[str, Text]:
    """Both languages as they were written; Chinese only where it was told apart. Standard steps fill what is left."""
    english = Text(
        _said(form, "title") or unsaid,
        _said(form, "hazard") or unsaid,
        lines_of(form, "actions"),
        lines_of(form, "remedies"),
    )
    if not _said(form, "title_zh"):
        return {"en": english} if english.actions or english.remedies else {}
    chinese = Text(
        _said(form, "title_zh"), _said(form, "hazard_zh"), lines_of(form, "actions_zh"), lines_of(form, "remedies_zh")
    )
    return {"en": english, "zh": chinese}


def _said(form: FormData, name: str) -> str:
    return text_of(form, name).strip()


def lines_of(form: FormData, name: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in _said(form, name).splitlines() if line.strip())


def lot_of(text: str) -> tuple[str, str]:
    gtin, colon, lot = text.partition(":")
    if not colon or not lot.strip():
        raise LotsUnreadable(text=text[:100])
    return gtin.strip(), lot.strip()


def _choice(form: FormData, field: str, choices: tuple[str, ...]) -> str:
    value = _said(form, field)
    if value not in choices:
        raise ChoiceUnknown(value=value[:50], field=field)
    return value
