"""Why a thing is affected by a case, or which fact keeps it out. Reads only; works the case out as it stands now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import genealogy
from ledger.closure import Reached
from ledger.codes import KeyRing
from ledger.intervals import overlaps
from recall import affected as affecting
from recall import algebra, naming, reach, store
from recall.model import Case
from recall.reach import LotFacts
from recall.refusals import CodeNotOnRecord, TooManyCodes
from recall.scope import Area, Cover, Exclusion, describe
from runtime.database import transaction

CODES_MAX: Final = 200
"""Most codes that one question names: each is looked up by itself, while the case is worked out once for all."""
INPUTS_TOLD_MAX: Final = 200
"""So many lots that a lot was made of are told one by one; ``inputs_left_out`` says how many more there are."""


class Standing(StrEnum):
    """How a thing stands to a case."""

    AFFECTED = "affected"
    EXCLUDED = "excluded"
    POSSIBLE = "possible"
    NOT_AFFECTED = "not_affected"


@dataclass(frozen=True, slots=True)
class Fact:
    """One recorded step: the event that told it, and the lots as (GTIN, lot code)."""

    event_id: int
    at: datetime | None
    from_lot: tuple[str, str]
    to_lot: tuple[str, str]
    place: str
    line: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """``why`` says it in a sentence; ``path`` are the facts from what the case names; ``inputs`` what it was made of.

    ``frozen``: whether the last published version covers it; None when there is none.
    """

    code: str
    gtin: str
    lot: str
    standing: Standing
    because: str
    why: str
    basis: str | None
    path: tuple[Fact, ...]
    inputs: tuple[tuple[str, str], ...]
    inputs_left_out: int
    frozen: bool | None
    ledger_event: int


async def explain(conn: AsyncConnection, number: str, code: str, *, keys: KeyRing) -> tuple[Explanation, ...]:
    """As ``explain_all``, of one code."""
    return await explain_all(conn, number, (code,), keys=keys)


async def explain_all(
    conn: AsyncConnection, number: str, codes: Sequence[str], *, keys: KeyRing
) -> tuple[Explanation, ...]:
    """For each lot that each code names, in their order: how it stands to the case, and the facts for it.

    Changes nothing. Raises ``NoSuchCase``, ``CodeNotOnRecord``, ``TooManyCodes`` and what ``naming`` says of a code
    that cannot be read; one that is refused refuses the question, so that no answer is taken for an answer to all.
    """
    if len(codes) > CODES_MAX:
        raise TooManyCodes(codes=len(codes), codes_max=CODES_MAX)
    async with transaction(conn):
        await conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        case = await store.find_case(conn, number)
        asked = {code: await _asked(conn, code, keys) for code in dict.fromkeys(codes)}
        affected = await affecting.trace(conn, case.scope)
        sure = {lot.lot_id: lot.reached for lot in affected.lots}
        possible = {lot.lot_id: lot.reached for lot in affected.possible}
        excluded, frozen = await _excluded(conn, case), await _frozen(conn, case)
        told = _Told(affected.ledger_event, sure, possible, excluded, frozen, {**possible, **sure})
        return tuple(
            [
                await _explained(conn, told, code, lot_id, cover)
                for code, area in asked.items()
                for lot_id, cover in sorted(area.items())
            ]
        )


def taken_out(exclusion: Exclusion) -> str:
    """The ``why`` of what this exclusion takes out."""
    return f"{describe(exclusion.line)} was taken out by {exclusion.by}: {exclusion.reason}"


@dataclass(frozen=True, slots=True)
class _Told:
    """The case worked out once, for all that is asked; ``reached`` are the ``sure`` and the ``possible``, by lot."""

    ledger_event: int
    sure: Mapping[int, Reached]
    possible: Mapping[int, Reached]
    excluded: Sequence[tuple[Area, str]]
    frozen: Area | None
    reached: Mapping[int, Reached]


async def _asked(conn: AsyncConnection, code: str, keys: KeyRing) -> Area:
    area = await algebra.area_of(conn, await naming.scope_lines(conn, keys, codes=[code]))
    if not area:
        raise CodeNotOnRecord(code=code)
    return area


async def _frozen(conn: AsyncConnection, case: Case) -> Area | None:
    if not case.version:
        return None
    return await store.frozen_area(conn, (await store.frozen_set(conn, case)).affected_set_id)


async def _excluded(conn: AsyncConnection, case: Case) -> list[tuple[Area, str]]:
    return [(await algebra.area_of(conn, [x.line]), taken_out(x)) for x in case.scope.exclude]


async def _explained(conn: AsyncConnection, told: _Told, code: str, lot_id: int, cover: Cover) -> Explanation:
    steps = genealogy.path(told.reached, lot_id)
    made_of = await reach.inputs_of(conn, lot_id)
    lots = {lot_id, *(step.from_lot_id for step in steps), *(step.lot_id for step in steps), *made_of}
    facts = await reach.lot_facts(conn, lots)
    standing, because, why = _standing(told, lot_id, cover, made_of)
    is_reached = standing in (Standing.AFFECTED, Standing.POSSIBLE)
    reached = told.reached.get(lot_id)
    return Explanation(
        code=code, gtin=facts[lot_id].gtin, lot=facts[lot_id].code, standing=standing, because=because, why=why,
        basis=reached.basis if reached is not None and is_reached else None,
        path=await _facts(conn, steps, facts) if is_reached else (),
        inputs=tuple((facts[x].gtin, facts[x].code) for x in sorted(made_of)[:INPUTS_TOLD_MAX]),
        inputs_left_out=max(0, len(made_of) - INPUTS_TOLD_MAX),
        frozen=None if told.frozen is None else _meets(told.frozen.get(lot_id), cover),
        ledger_event=told.ledger_event,
    )  # fmt: skip


def _standing(told: _Told, lot_id: int, cover: Cover, made_of: Iterable[int]) -> tuple[Standing, str, str]:
    """How it stands, which fact says so (``because``), and that fact in a sentence."""
    sure, possible = told.sure, told.possible
    if lot_id in sure and _meets(_cover(sure[lot_id]), cover):
        return _said(Standing.AFFECTED, sure[lot_id].basis)
    for area, reason in told.excluded:
        if _meets(area.get(lot_id), cover):
            return Standing.EXCLUDED, "taken_out", reason
    if lot_id in possible and _meets(_cover(possible[lot_id]), cover):
        return _said(Standing.POSSIBLE, "only_possible")
    if lot_id in sure:
        return _said(Standing.NOT_AFFECTED, "other_items")
    if not made_of:
        return _said(Standing.NOT_AFFECTED, "no_inputs")
    if not any(lot in sure or lot in possible for lot in made_of):
        return _said(Standing.NOT_AFFECTED, "clean_inputs")
    return _said(Standing.NOT_AFFECTED, "clean_items")


_WHY: Final = {
    "scope": "the case names it",
    "proved": "it was made of what is affected, as the recorded steps show",
    "possible": "it may have been made of what is affected, and the case takes in what is possible",
    "only_possible": "only if the recorded order in time is not believed, or by a quantity without serials",
    "other_items": "only other items of its lot are affected; this one is not among their numbers",
    "no_inputs": "the case does not name it, and nothing is recorded of what it was made of",
    "clean_inputs": "the case does not name it, and no lot that it was made of is affected",
    "clean_items": "only items that are not affected went into it",
}


def _said(standing: Standing, because: str) -> tuple[Standing, str, str]:
    return standing, because, _WHY[because]


def _cover(lot: Reached) -> Cover:
    return Cover(lot.whole, lot.runs)


def _meets(cover: Cover | None, asked: Cover) -> bool:
    if cover is None or cover.is_empty:
        return False
    if cover.whole or asked.whole:
        return True
    return any(overlaps(cover.runs, lo, n) for lo, n in asked.runs)


async def _facts(
    conn: AsyncConnection, steps: Sequence[genealogy.Step], facts: Mapping[int, LotFacts]
) -> tuple[Fact, ...]:
    row_by_operation = await reach.operations(conn, (step.operation_id for step in steps))
    return tuple(
        Fact(
            row.event_id, row.at, (facts[step.from_lot_id].gtin, facts[step.from_lot_id].code),
            (facts[step.lot_id].gtin, facts[step.lot_id].code), row.place, row.line,
        )
        for step in steps
        for row in [row_by_operation[step.operation_id]]
    )  # fmt: skip
