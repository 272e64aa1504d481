"""The affected set: everything that follows from a scope, at one revision of the ledger.

Not a verb: it reads in the caller's transaction and writes nothing. The same scope at the same revision gives the same
set and the same hash, whatever the order in which anything was told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import genealogy
from ledger.genealogy import Reached, Start
from ledger.intervals import merged as merged_runs
from ledger.intervals import overlaps
from ledger.trace import ledger_revision
from recall import reach
from recall.intervals import Runs
from recall.reach import LotFacts
from recall.refusals import (
    ExclusionNeedsSerials,
    ItemWithoutLot,
    NothingInside,
    NothingInWindow,
    ProductWithoutLots,
    UnknownLot,
    UnknownPlace,
)
from recall.scope import (
    WHOLE,
    Area,
    Cover,
    ItemLine,
    LotLine,
    ProductLine,
    RangeLine,
    Scope,
    ScopeLine,
    UnitLine,
    WindowLine,
    as_json,
    broken_lots,
    merged,
    without,
)


@dataclass(frozen=True, slots=True)
class AffectedLot:
    """A lot in the set: all of it (``whole``) or the numbers in ``runs``; ``reached`` says how, and how surely."""

    reached: Reached
    facts: LotFacts

    @property
    def lot_id(self) -> int:
        return self.reached.lot_id

    @property
    def whole(self) -> bool:
        return self.reached.whole

    @property
    def runs(self) -> Runs:
        return self.reached.runs

    @property
    def best_before_on(self) -> date | None:
        return self.facts.best_before_on


@dataclass(frozen=True, slots=True)
class AffectedSet:
    """``lots`` sorted by GTIN and lot code. ``possible``: what only an unproved way reaches, and is not in the set."""

    scope: Scope
    ledger_event: int
    lots: tuple[AffectedLot, ...]
    possible: tuple[AffectedLot, ...]
    hash: str

    @property
    def area(self) -> Area:
        return {lot.lot_id: Cover(lot.whole, lot.runs) for lot in self.lots}


async def trace(conn: AsyncConnection, scope: Scope) -> AffectedSet:
    """Work out the affected set of ``scope`` now.

    What an exclusion names is taken out of the answer. Whole lots are taken out of the starts as well: what was made
    of them is then reached only by another way. Single items are not, because what a lot became cannot be told from
    the items that were left over; so excluding items never loses a product that was made from their lot.

    Raises ``ClosureTooLarge`` (never cut short), ``ExclusionNeedsSerials``, and the refusals of ``area_of``.
    """
    revision = await ledger_revision(conn)
    named = await area_of(conn, scope.include)
    removed = await area_of(conn, (exclusion.line for exclusion in scope.exclude))
    starts = {lot_id: cover for lot_id, cover in named.items() if not removed.get(lot_id, _NOTHING).whole}
    reached = await genealogy.downstream(conn, _starts(starts)) if starts else ()
    if scope.include_possible:
        reached = tuple(lot.widest() for lot in reached)
    sure = [lot for lot in reached if scope.include_possible or lot.basis != "possible"]
    doubtful = [] if scope.include_possible else [wide for lot in reached if (wide := _doubtful(lot)) is not None]
    facts = await reach.lot_facts(conn, (lot.lot_id for lot in reached))
    lots = _described(await _without(conn, sure, removed, facts), facts)
    possible = _described(await _without(conn, doubtful, removed, facts), facts)
    return AffectedSet(scope, revision, lots, possible, seal(scope, revision, lots))


def seal(scope: Scope, ledger_event: int, lots: Iterable[AffectedLot]) -> str:
    """SHA-256 in hexadecimal over the scope, the ledger's revision, and every lot with its runs, in canonical JSON."""
    told = as_json(scope)
    for side in ("include", "exclude"):  # the order in which lines were named is nothing that affects anybody
        told[side].sort(key=lambda line: json.dumps(line, sort_keys=True))
    value = {
        "scope": told,
        "ledger_event": ledger_event,
        "lots": [[lot.facts.gtin, lot.facts.code, lot.whole, lot.reached.basis, list(lot.runs)] for lot in lots],
    }
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


async def area_of(conn: AsyncConnection, lines: Iterable[ScopeLine]) -> Area:
    """What lines name, as lots and runs of numbers. Refuses a line that names nothing: none is ever lost silently."""
    by_kind: dict[type[Any], list[Any]] = {}
    for line in lines:
        by_kind.setdefault(type(line), []).append(line)
    areas = [
        await _of_lots(conn, by_kind.get(LotLine, [])),
        await _of_products(conn, by_kind.get(ProductLine, [])),
        await _of_units(conn, by_kind.get(UnitLine, [])),
        await _of_items(conn, by_kind.get(ItemLine, [])),
        await _of_ranges(conn, by_kind.get(RangeLine, [])),
    ]
    areas += [await _of_window(conn, line) for line in by_kind.get(WindowLine, [])]
    return merged(areas)


_NOTHING = Cover(whole=False)


async def _of_lots(conn: AsyncConnection, lines: list[LotLine]) -> Area:
    lots = [(line.gtin, line.lot) for line in lines]
    found = await reach.lots_by_code(conn, lots) if lots else {}
    for gtin, code in lots:
        if (gtin, code) not in found:
            raise UnknownLot(gtin=gtin, lot=code)
    return dict.fromkeys(found.values(), WHOLE)


async def _of_items(conn: AsyncConnection, lines: list[ItemLine]) -> Area:
    if not lines:
        return {}
    area = await reach.lots_of_runs(conn, ((line.number, 1) for line in lines))
    known = merged_runs(run for cover in area.values() for run in cover.runs)
    for line in lines:
        if not overlaps(known, line.number, 1):
            raise ItemWithoutLot(gtin=line.gtin, serial=line.serial)
    return area


async def _of_ranges(conn: AsyncConnection, lines: list[RangeLine]) -> Area:
    if not lines:
        return {}
    return await reach.lots_of_runs(conn, ((line.first, line.last - line.first + 1) for line in lines))


async def _of_products(conn: AsyncConnection, lines: list[ProductLine]) -> Area:
    gtins = [line.gtin for line in lines]
    found = await reach.lots_of_products(conn, gtins) if gtins else {}
    for gtin in gtins:
        if not found.get(gtin):
            raise ProductWithoutLots(gtin=gtin)
    return {lot_id: WHOLE for lots in found.values() for lot_id in lots}


async def _of_units(conn: AsyncConnection, lines: list[UnitLine]) -> Area:
    ssccs = [line.sscc for line in lines]
    found = await reach.unit_contents(conn, ssccs) if ssccs else {}
    for sscc in ssccs:
        if not found.get(sscc):
            raise NothingInside(sscc=sscc)
    return merged(found.values())


async def _of_window(conn: AsyncConnection, line: WindowLine) -> Area:
    place_id = None
    if line.place_uri is not None:
        place = await reach.place_by_uri(conn, line.place_uri)
        if place is None:
            raise UnknownPlace(place=line.place_uri)
        place_id = place[0]
    window = {"place_id": place_id, "line": line.line, "from_at": line.from_at, "until_at": line.until_at}
    area = await reach.window_contents(conn, window)
    if not area:
        where = " ".join(filter(None, (line.place_uri, line.line and f"line {line.line}")))
        raise NothingInWindow(where=where, from_at=line.from_at.isoformat(), until_at=line.until_at.isoformat())
    return area


def _starts(area: Area) -> Iterator[Start]:
    for lot_id, cover in sorted(area.items()):
        if cover.whole:
            yield Start(lot_id)
        else:
            yield from (Start(lot_id, lo, n) for lo, n in cover.runs)


def _doubtful(lot: Reached) -> Reached | None:
    """What is possible of a lot beyond what is sure; the whole of it when it is not reached surely at all."""
    if lot.basis == "possible":
        return lot.widest()
    return replace(lot.widest(), basis="possible") if lot.possibly_whole or lot.possible_runs else None


async def _without(
    conn: AsyncConnection, reached: list[Reached], removed: Area, facts: Mapping[int, LotFacts]
) -> list[Reached]:
    if not removed:
        return reached
    area = {lot.lot_id: Cover(lot.whole, lot.runs) for lot in reached}
    broken = broken_lots(area, removed)
    for lot_id in await reach.lots_with_quantities_by_class(conn, broken) if broken else ():
        raise ExclusionNeedsSerials(gtin=facts[lot_id].gtin, lot=facts[lot_id].code)
    left = without(area, removed, await reach.numbers_of_lots(conn, broken) if broken else {})
    return [
        replace(lot, whole=left[lot.lot_id].whole, runs=left[lot.lot_id].runs) for lot in reached if lot.lot_id in left
    ]


def _described(reached: Iterable[Reached], facts: Mapping[int, LotFacts]) -> tuple[AffectedLot, ...]:
    lots = (AffectedLot(lot, facts[lot.lot_id]) for lot in reached)
    return tuple(sorted(lots, key=lambda lot: (lot.facts.gtin, lot.facts.code, lot.lot_id)))
