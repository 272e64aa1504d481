"""The affected set: everything that follows from a scope, at one revision of the ledger.

Not a verb: it reads in the caller's transaction and writes nothing. The same scope at the same revision gives the same
set and the same hash, whatever the order in which anything was told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import genealogy
from ledger.genealogy import Closure, Reached, Start
from ledger.trace import ledger_revision
from recall import algebra, reach
from recall.intervals import Runs
from recall.reach import LotFacts
from recall.scope import Area, Cover, Scope, as_json


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
    """``lots`` sorted by GTIN and lot code. ``possible``: what only an unproved way reaches, and is not in the set.

    ``starts`` and ``closure`` are what it was worked out from, before anything was taken out.
    """

    scope: Scope
    ledger_event: int
    lots: tuple[AffectedLot, ...]
    possible: tuple[AffectedLot, ...]
    hash: str
    starts: tuple[Start, ...]
    closure: Closure

    @property
    def area(self) -> Area:
        return {lot.lot_id: Cover(lot.whole, lot.runs) for lot in self.lots}


async def trace(conn: AsyncConnection, scope: Scope, *, with_steps: bool = True) -> AffectedSet:
    """Work out the affected set of ``scope`` now.

    What an exclusion names is taken out of the answer. Whole lots are taken out of the starts as well: what was made
    of them is then reached only by another way. Single items are not, because what a lot became cannot be told from
    the items that were left over; so excluding items never loses a product that was made from their lot.

    ``with_steps`` False leaves out the step that shows how each lot was reached, and is sooner: for what is not kept.
    Raises ``ClosureTooLarge`` (never cut short), ``ExclusionNeedsSerials``, and the refusals of ``area_of``.
    """
    revision = await ledger_revision(conn)
    begun, removed = await starts_of(conn, scope)
    closing = genealogy.downstream_closure if with_steps else genealogy.downstream_extent
    closure = await closing(conn, begun) if begun else Closure((), ())
    reached = closure.lots
    if scope.include_possible:
        reached = tuple(lot.widest() for lot in reached)
    sure = [lot for lot in reached if scope.include_possible or lot.basis != "possible"]
    doubtful = [] if scope.include_possible else [wide for lot in reached if (wide := _doubtful(lot)) is not None]
    facts = await reach.lot_facts(conn, (lot.lot_id for lot in reached))
    lots = _described(await _without(conn, sure, removed), facts)
    possible = _described(await _without(conn, doubtful, removed), facts)
    return AffectedSet(scope, revision, lots, possible, seal(scope, revision, lots), begun, closure)


async def starts_of(conn: AsyncConnection, scope: Scope) -> tuple[tuple[Start, ...], Area]:
    """What the closure of ``scope`` starts from, and what is taken out of it afterwards."""
    named = await algebra.area_of(conn, scope.include)
    removed = await algebra.area_of(conn, (exclusion.line for exclusion in scope.exclude))
    starts = {lot_id: cover for lot_id, cover in named.items() if not removed.get(lot_id, _NOTHING).whole}
    return tuple(_starts(starts)), removed


def seal(scope: Scope, ledger_event: int, lots: Iterable[AffectedLot]) -> str:
    """The hash of a set: see ``seal_of``."""
    rows = ([lot.facts.gtin, lot.facts.code, lot.whole, lot.reached.basis, list(lot.runs)] for lot in lots)
    return seal_of(scope, ledger_event, list(rows))


def seal_of(scope: Scope, ledger_event: int, lots: Sequence[Sequence[Any]]) -> str:
    """SHA-256 in hexadecimal over the scope, the ledger's revision, and every lot with its runs, in canonical JSON.

    ``lots`` are GTIN, code, whole, basis and runs, sorted by GTIN and code.
    """
    told = as_json(scope)
    for side in ("include", "exclude"):  # the order in which lines were named is nothing that affects anybody
        told[side].sort(key=lambda line: json.dumps(line, sort_keys=True))
    value = {"scope": told, "ledger_event": ledger_event, "lots": lots}
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


_NOTHING = Cover(whole=False)


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


async def _without(conn: AsyncConnection, reached: list[Reached], removed: Area) -> list[Reached]:
    if not removed:
        return reached
    left = await algebra.less(conn, {lot.lot_id: Cover(lot.whole, lot.runs) for lot in reached}, removed)
    return [
        replace(lot, whole=left[lot.lot_id].whole, runs=left[lot.lot_id].runs) for lot in reached if lot.lot_id in left
    ]


def _described(reached: Iterable[Reached], facts: Mapping[int, LotFacts]) -> tuple[AffectedLot, ...]:
    lots = (AffectedLot(lot, facts[lot.lot_id]) for lot in reached)
    return tuple(sorted(lots, key=lambda lot: (lot.facts.gtin, lot.facts.code, lot.lot_id)))
