"""The truth about a world, from its goods alone, and the marks that an answer of the ledger gets against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.genealogy import Reached
from ledger.holders import Holding, holdings
from load_tests.world.cohorts import LotName, World
from load_tests.world.recording import serial_of
from recall import affected, reach
from recall.scope import LotLine, Scope

_K = TypeVar("_K")

Item = tuple[str, str]
"""GTIN and serial."""
Row = tuple[LotName, str, str, str, str]
"""Lot, name of the place, name of the owner, disposition, unit of measure."""
Stock = tuple[LotName, str]
"""Lot, unit of measure."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is affected, and where it is. ``items`` are those that ever were, of lots that have serials.

    ``stock`` says of every lot of the world, affected or not, how much of it there is.
    """

    lots: frozenset[LotName]
    items: frozenset[Item]
    held: Mapping[Row, int]
    stock: Mapping[Stock, int]

    @property
    def all_lots(self) -> frozenset[LotName]:
        """The lots whose stock is told."""
        return frozenset(lot for lot, _uom in self.stock)


@dataclass(frozen=True, slots=True)
class Score:
    """An answer against the key. Amounts are of affected goods: ``missed`` is in the key only, ``extra`` never was."""

    missed_lots: frozenset[LotName]
    extra_lots: frozenset[LotName]
    missed_items: frozenset[Item]
    extra_items: frozenset[Item]
    missed: int
    extra: int
    over_recall: float
    """Affected goods in the answer, as a share of those in the key, above 1."""
    count_error_by_owner: Mapping[str, int]
    balance_error_by_lot: Mapping[LotName, int]

    @property
    def is_exact(self) -> bool:
        """Nothing missed, nothing extra, every owner's count right and every lot's balance."""
        differs = (
            self.missed_lots, self.extra_lots, self.missed_items, self.extra_items, self.missed, self.extra,
            self.count_error_by_owner, self.balance_error_by_lot,
        )  # fmt: skip
        return not any(differs)


def key_of(world: World, starts: Iterable[LotName]) -> Answer:
    """What really is affected by these lots: the goods that they are in, wherever those are by now."""
    wanted = frozenset(starts)
    living = list(world.living)
    bad = [cohort for cohort in (*living, *world.ended) if cohort.sources & wanted]
    held: Counter[Row] = Counter()
    stock: Counter[Stock] = Counter()
    for cohort in world.ended:
        stock[cohort.lot, cohort.uom] += 0  # used up: there is none left, and that can be wrong too
    for cohort in living:
        stock[cohort.lot, cohort.uom] += cohort.amount
        if cohort.sources & wanted:
            held[cohort.lot, cohort.site.name, cohort.owner.name, cohort.disposition, cohort.uom] += cohort.amount
    return Answer(
        lots=frozenset(cohort.lot for cohort in bad),
        items=frozenset((c.lot.gtin, serial_of(c.lot, ordinal)) for c in bad for ordinal in c.items),
        held=dict(held),
        stock=dict(stock),
    )


def sources_of(world: World, lot: LotName) -> frozenset[LotName]:
    """The lots that are in any of the goods of this lot, itself included."""
    cohorts = [cohort for cohort in (*world.living, *world.ended) if cohort.lot == lot]
    return frozenset[LotName]().union(*(cohort.sources for cohort in cohorts))


async def ask(
    conn: AsyncConnection, starts: Iterable[LotName], counted: Iterable[LotName], *, include_possible: bool = False
) -> Answer:
    """What the ledger says is affected by these lots: the set that a recall of them would freeze, and its holders.

    ``counted``: the lots whose stock is told beside it.
    """
    scope = Scope(tuple(LotLine(lot.gtin, lot.code) for lot in sorted(starts)), include_possible=include_possible)
    return await ask_about(conn, scope, counted)


async def ask_about(conn: AsyncConnection, scope: Scope, counted: Iterable[LotName]) -> Answer:
    """The same for any scope that a recall can have."""
    found = await affected.trace(conn, scope)
    reached = [lot.reached for lot in found.lots]
    lot_by_id = {lot.lot_id: LotName(lot.facts.gtin, lot.facts.code) for lot in found.lots}
    whole = await reach.numbers_of_lots(conn, [lot.lot_id for lot in found.lots if lot.whole])
    numbers = [run for runs in (*whole.values(), *(lot.runs for lot in found.lots)) for run in runs]
    serials = await reach.foreign_serials(conn, tuple(numbers)) if numbers else {}
    return Answer(
        lots=frozenset(lot_by_id.values()),
        items=frozenset(serials.values()),
        held=await _held(conn, await holdings(conn, reached), lot_by_id),
        stock=await _stock(conn, counted),
    )


def score(key: Answer, answer: Answer) -> Score:
    """Mark an answer. A row below zero holds nothing: what it lacks shows in the balance of its lot."""
    told = {row: amount for row, amount in answer.held.items() if amount > 0}
    missed, extra = _beyond(key.held, told), _beyond(told, key.held)
    by_owner = Counter[str]()
    for rows, sign in ((extra, 1), (missed, -1)):
        for (_lot, _place, owner, _disposition, _uom), amount in rows.items():
            by_owner[owner] += sign * amount
    balance = Counter[LotName]()
    for rows_of_stock in (_beyond(key.stock, answer.stock), _beyond(answer.stock, key.stock)):
        for (lot, _uom), amount in rows_of_stock.items():
            balance[lot] += amount
    total = sum(key.held.values())
    return Score(
        missed_lots=key.lots - answer.lots,
        extra_lots=answer.lots - key.lots,
        missed_items=key.items - answer.items,
        extra_items=answer.items - key.items,
        missed=sum(missed.values()),
        extra=sum(extra.values()),
        over_recall=max(0.0, sum(told.values()) / total - 1) if total else 0.0,
        count_error_by_owner={owner: amount for owner, amount in by_owner.items() if amount},
        balance_error_by_lot=dict(balance),
    )


def _beyond(these: Mapping[_K, int], those: Mapping[_K, int]) -> dict[_K, int]:
    """By how much each of these is more than of those."""
    return {row: amount - those.get(row, 0) for row, amount in these.items() if amount > those.get(row, 0)}


async def _held(conn: AsyncConnection, found: Iterable[Holding], lot_by_id: Mapping[int, LotName]) -> dict[Row, int]:
    found = [holding for holding in found if holding.quantity]
    sites = await reach.sites(conn, {holding.place_id for holding in found})
    owners = await reach.owners(conn, {holding.owner_id for holding in found})
    held: Counter[Row] = Counter()
    for h in found:
        row = (lot_by_id[h.lot_id], sites[h.place_id].name, owners[h.owner_id].name, h.disposition, h.uom)
        held[row] += int(h.quantity)
    return dict(held)


async def _stock(conn: AsyncConnection, lots: Iterable[LotName]) -> dict[Stock, int]:
    lot_ids = await reach.lots_by_code(conn, [(lot.gtin, lot.code) for lot in sorted(lots)])
    lot_by_id = {lot_id: LotName(*name) for name, lot_id in lot_ids.items()}
    everything = [Reached(lot_id, True, (), None, "scope") for lot_id in lot_by_id]
    stock: Counter[Stock] = Counter()
    for holding in await holdings(conn, everything):
        stock[lot_by_id[holding.lot_id], holding.uom] += int(holding.quantity)
    return dict(stock)
