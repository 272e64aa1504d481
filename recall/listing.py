"""From an affected set to its notice list: who holds it, who was sent it, whom to call, and what nobody knows.

Reads in the caller's transaction and writes nothing; the grouping itself is pure and stands in ``notices``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import ceil
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import holders
from ledger.bounds import Bounds, bounds_of
from ledger.codes import KeyRing
from ledger.holders import Holding, Shipment
from ledger.intervals import merged
from ledger.model import UNKNOWN_ID
from ledger.states import STATES, state_of
from ledger.trace_quantities import NOTHING, Amount, whole_pieces
from recall import notice_totals, notices, reach, wording
from recall.affected import AffectedLot, AffectedSet
from recall.document_numbers import document_number
from recall.model import Case, Gap, Possible
from recall.notices import PIECES, BoundsOfPart, Header, Held, Line, LotOnNotice, Owner, Sent, Site, World
from recall.serial_words import SerialWords

LINES_MAX: Final = 1_000_000
"""Most lines of one notice list. Beyond it a case is previewed and not published: publish it in parts."""
LOTS_LISTED_MAX: Final = 2_000
"""Beyond so many lots the totals are not told by lot (``by_lot_left_out`` says how many): the lines have them."""
NO_HEADER: Final = Header("", 0, "", "", "")
"""For lines that are only counted."""
GAPS_MAX: Final = 200
"""So many gaps are told one by one; how many more there are is said in the last one."""


@dataclass(frozen=True, slots=True)
class NoticeDraft:
    """A notice list before it is frozen. ``totals`` add up over the lines and count each unit once."""

    lines: tuple[Line, ...]
    totals: dict[str, Any]
    gaps: tuple[Gap, ...]

    @property
    def items(self) -> int:
        return int(self.totals["items"])

    @property
    def owners(self) -> int:
        return int(self.totals["owners"])


async def compile_list(
    conn: AsyncConnection, case: Case, version: int, affected: AffectedSet, keys: KeyRing | None
) -> NoticeDraft:
    """The notice lines of ``affected``, their totals, and the gaps. Without ``keys`` single items are told by label."""
    action = wording.owner_action(case.kind, case.remedy)
    header = Header(case.number, version, case.kind.value, affected.hash, action, case.deadline_on)
    bounds = await bounds_of(conn, affected.closure, affected.starts)
    told = await _told(conn, affected.lots, keys, bounds.part)
    lines = notices.group(told.held, told.sent, told.world, header, lines_max=LINES_MAX)
    held, world = told.held, told.world
    totals = {**notice_totals.totals(lines), "lots": len(affected.lots), "by_state": _by_state(held)}
    if len(totals["by_lot"]) > LOTS_LISTED_MAX:
        totals |= {"by_lot": [], "by_lot_left_out": len(totals["by_lot"])}
    totals["bounds"] = _in_all(bounds, told.holdings)
    gaps = [*_gaps(lines, held, world)]
    return NoticeDraft(lines, totals, limited(gaps, len(gaps)))


@dataclass(frozen=True, slots=True)
class _Told:
    """What notice lines are made of."""

    holdings: Sequence[Holding]
    held: list[Held]
    sent: list[Sent]
    world: World


async def _told(
    conn: AsyncConnection, lots: Sequence[AffectedLot], keys: KeyRing | None, bounds: BoundsOfPart | None = None
) -> _Told:
    holdings = await holders.holdings(conn, (lot.reached for lot in lots))
    shipments = await holders.shipments(conn, (lot.lot_id for lot in lots))
    past = await reach.past_holders(conn, {lot.lot_id: lot.runs for lot in lots if not lot.whole})
    world = replace(await _world(conn, lots, holdings, shipments, keys), bounds=bounds)
    sent = [_sent(shipment, (shipment.lot_id, shipment.to_owner_id) in past) for shipment in shipments]
    return _Told(holdings, [_held(holding, world) for holding in holdings], sent, world)


async def lines_of(
    conn: AsyncConnection, lots: Sequence[AffectedLot], header: Header, keys: KeyRing | None
) -> tuple[tuple[Line, ...], list[Held]]:
    """The notice lines of these lots, and what they were made of."""
    if not lots:
        return (), []
    told = await _told(conn, lots, keys)
    return notices.group(told.held, told.sent, told.world, header), told.held


def _in_all(bounds: Bounds, holdings: Iterable[Holding]) -> list[int]:
    """Pieces affected at least, most likely and at most, of those that are listed."""
    by_lot = bounds.of(holdings, lambda held: (held.lot_id, held.uom))
    parts = [amount for (_lot, uom), amount in by_lot.items() if uom == holders.PIECES]
    return whole_pieces(Amount(*(sum(column) for column in zip(NOTHING, *parts, strict=True))))


async def count_possible(conn: AsyncConnection, affected: AffectedSet) -> tuple[Possible, ...]:
    """The lots that are possible and not included, with the pieces that are held of each."""
    counts: dict[int, Decimal] = {}
    for holding in await holders.holdings(conn, (lot.reached for lot in affected.possible)):
        if holding.quantity > 0 and holding.uom in PIECES:
            counts[holding.lot_id] = counts.get(holding.lot_id, Decimal(0)) + holding.quantity
    return tuple(
        Possible(lot.facts.gtin, lot.facts.product, lot.facts.code, ceil(counts.get(lot.lot_id, 0)))
        for lot in affected.possible
    )


async def _world(
    conn: AsyncConnection,
    lots: Sequence[AffectedLot],
    holdings: Iterable[Holding],
    shipments: Iterable[Shipment],
    keys: KeyRing | None,
) -> World:
    parties = {UNKNOWN_ID, *(h.owner_id for h in holdings), *(s.to_owner_id for s in shipments)}
    places = {UNKNOWN_ID, *(h.place_id for h in holdings), *(s.to_place_id for s in shipments)}
    on_notice = {
        lot.lot_id: LotOnNotice(
            lot.lot_id, lot.facts.gtin, lot.facts.product, lot.facts.code, lot.whole, lot.reached.basis,
            lot.best_before_on,
        )
        for lot in lots
    }  # fmt: skip
    return World(
        on_notice, await reach.owners(conn, parties), await reach.sites(conn, places), await _words(conn, lots, keys)
    )


async def _words(conn: AsyncConnection, lots: Iterable[AffectedLot], keys: KeyRing | None) -> SerialWords:
    runs = merged(run for lot in lots if not lot.whole for run in lot.runs)
    if not runs:
        return SerialWords((), {})
    blocks = await reach.blocks_of_numbers(conn, runs)
    foreign = {number: serial for number, (_, serial) in (await reach.foreign_serials(conn, runs)).items()}
    if keys is None:
        return SerialWords(blocks, foreign)
    ring = keys
    return SerialWords(blocks, foreign, lambda epoch, gtin, number: ring.cipher(epoch, gtin).serial(number))


def _held(holding: Holding, world: World) -> Held:
    place, owner = world.places[holding.place_id], world.owners[holding.owner_id]
    state = state_of(holding.disposition, place.kind, place.party_role or owner.role)
    return Held(
        holding.lot_id, holding.place_id, holding.owner_id, state, holding.uom, holding.quantity, tuple(holding.runs)
    )


def _sent(shipment: Shipment, proved: bool) -> Sent:
    return Sent(
        shipment.lot_id, shipment.to_owner_id, shipment.to_place_id, shipment.uom, shipment.quantity, shipment.at,
        tuple(map(document_number, shipment.documents)), proved,
    )  # fmt: skip


def _by_state(held: Iterable[Held]) -> dict[str, int]:
    counts = {str(state): Decimal(0) for state in STATES}
    for holding in held:
        if holding.quantity > 0 and holding.uom in PIECES:
            counts[holding.state] += holding.quantity
    return {state: ceil(count) for state, count in counts.items()}


def _gaps(lines: Iterable[Line], held: Iterable[Held], world: World) -> Iterator[Gap]:
    told: set[int] = set()
    for line in lines:
        if line.owner_id not in told:
            told.add(line.owner_id)
            yield from gaps_of_owner(line.owner_id, world.owners, world.places[line.place_id])
    for holding in held:
        if holding.quantity < 0:
            lot = world.lots[holding.lot_id]
            yield gap_below_zero(-holding.quantity, holding.uom, lot.code, lot.gtin)


def gaps_of_owner(owner_id: int, owners: Mapping[int, Owner], place: Site | None = None) -> Iterator[Gap]:
    """What is not known of an owner of affected goods; ``place`` is where they are, for when nobody is known."""
    owner = owners[owner_id]
    if owner_id == UNKNOWN_ID:
        yield Gap("the owner is not known", _named(owner, place))
        return
    if owner.recall_contact is None:
        yield Gap("nobody is named to call", _named(owner, None))
    if owner.route == "unknown":
        yield Gap("the channel is not known", _named(owner, None))


def gap_below_zero(missing: Decimal, uom: str, code: str, gtin: str) -> Gap:
    """More of a lot went out than ever came in."""
    amount = f"{notices.number_text(missing)}{' ' + uom if uom else ''}"
    return Gap(f"{amount} more went out than ever came in", f"lot {code} of {gtin}")


def _named(owner: Owner, place: Site | None) -> str:
    text = f"{owner.name} ({owner.gln})" if owner.gln else owner.name
    return f"{text} at {place.name}" if place is not None else text


def limited(gaps: Sequence[Gap], count: int) -> tuple[Gap, ...]:
    """The first gaps, and how many more of all there are."""
    if count <= GAPS_MAX:
        return tuple(gaps)
    return (*gaps[:GAPS_MAX], Gap(f"and {count - GAPS_MAX} more", "the notice list has them all"))
