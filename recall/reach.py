"""What the recall room asks of the record: what a scope line means, who the parties are, which serials numbers are.

Reads only, in the caller's transaction. The statements stand in ``reach.sql``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.intervals import Run, merged
from ledger.statements import named_statements
from recall.intervals import Runs
from recall.notices import Owner, Person, Site
from recall.scope import WHOLE, Area, area_of_runs
from recall.scope import merged as merged_areas

_SQL = named_statements(Path(__file__).with_name("reach.sql"))


@dataclass(frozen=True, slots=True)
class LotFacts:
    """What a notice says of a lot."""

    gtin: str
    product: str
    code: str
    best_before_on: date | None


@dataclass(frozen=True, slots=True)
class Block:
    """A block of numbers as reserved; ``skipped`` were never issued. ``key_epoch`` is None for foreign serials."""

    lo: int
    n: int
    kind: str
    gtin: str | None
    key_epoch: int | None
    skipped: tuple[int, ...]


async def lots_by_code(conn: AsyncConnection, lots: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """lot_id by (GTIN, lot code); a pair that nobody knows is left out."""
    rows = await conn.execute(_SQL["lots_by_code"], {"gtins": [g for g, _ in lots], "codes": [c for _, c in lots]})
    return {(row.gtin, row.code): row.lot_id for row in rows}


async def lots_of_products(conn: AsyncConnection, gtins: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """All lots by GTIN; a product without lots has none, one that nobody knows is left out."""
    found: dict[str, list[int]] = {}
    for row in await conn.execute(_SQL["lots_of_products"], {"gtins": sorted(set(gtins))}):
        found.setdefault(row.gtin, []).extend(() if row.lot_id is None else (row.lot_id,))
    return {gtin: tuple(sorted(lots)) for gtin, lots in found.items()}


async def lots_of_runs(conn: AsyncConnection, runs: Iterable[Run]) -> Area:
    """The lots that these numbers belong to, with the numbers of each."""
    rows = await conn.execute(_SQL["lots_of_runs"], _columns(merged(runs)))
    return area_of_runs((row.lot_id, row.lo, row.n) for row in rows)


async def known_units(conn: AsyncConnection, ssccs: Iterable[str]) -> frozenset[str]:
    """Those logistic units that were ever seen."""
    return frozenset((await conn.execute(_SQL["known_units"], {"ssccs": sorted(set(ssccs))})).scalars())


async def unit_contents(conn: AsyncConnection, ssccs: Iterable[str]) -> dict[str, Area]:
    """What is in each logistic unit now and was when it was shipped; a quantity by class stands for its whole lot."""
    found: dict[str, list[Any]] = {}
    for row in await conn.execute(_SQL["unit_contents"], {"ssccs": sorted(set(ssccs))}):
        found.setdefault(row.sscc, []).append(row)
    return {sscc: _area(rows) for sscc, rows in found.items()}


async def place_by_uri(conn: AsyncConnection, place: str) -> tuple[int, str] | None:
    """(place_id, URI) of a place known by this URI or GLN."""
    row = (await conn.execute(_SQL["place_by_uri"], {"place": place})).one_or_none()
    return None if row is None else (row.place_id, row.uri)


async def window_contents(conn: AsyncConnection, window: Mapping[str, Any]) -> Area:
    """What was made or kept in a window: ``place_id``, ``line`` (either may be None), ``from_at``, ``until_at``."""
    areas = [_area((await conn.execute(_SQL["made_in_window"], dict(window))).all())]
    if window["line"] is None:
        kept = {name: value for name, value in window.items() if name != "line"}
        areas.append(_area((await conn.execute(_SQL["kept_in_window"], kept)).all()))
    return merged_areas(areas)


async def made_by_operations(conn: AsyncConnection, facts: Mapping[str, Any]) -> Area:
    """What operations made; ``facts`` are the parameters of the statement, None for each that is not asked for."""
    return _area((await conn.execute(_SQL["made_by_operations"], dict(facts))).all())


async def party_by_uri(conn: AsyncConnection, party: str) -> str | None:
    """The URI of a party known by this URI or GLN."""
    found: str | None = (await conn.execute(_SQL["party_by_uri"], {"party": party})).scalar_one_or_none()
    return found


async def lots_from_supplier(conn: AsyncConnection, party_uri: str, gtin: str | None) -> Area:
    """The lots that came from a party, whole."""
    rows = await conn.execute(_SQL["lots_from_supplier"], {"party": party_uri, "gtin": gtin})
    return dict.fromkeys(rows.scalars(), WHOLE)


async def case_contents(conn: AsyncConnection, numbers: Iterable[int]) -> dict[int, Area]:
    """By number, what is or ever was in those of these items that hold others."""
    found: dict[int, list[Any]] = {}
    for row in await conn.execute(_SQL["case_contents"], {"numbers": sorted(set(numbers))}):
        found.setdefault(row.number, []).append(row)
    return {number: _area(rows) for number, rows in found.items()}


async def numbers_of_lots(conn: AsyncConnection, lots: Iterable[int]) -> dict[int, Runs]:
    """All numbers reserved for or seen of each lot."""
    found: dict[int, list[Run]] = {lot_id: [] for lot_id in lots}
    for row in await conn.execute(_SQL["numbers_of_lots"], {"lots": sorted(found)}):
        found[row.lot_id].append((row.lo, row.n))
    return {lot_id: merged(runs) for lot_id, runs in found.items()}


async def lots_with_quantities_by_class(conn: AsyncConnection, lots: Iterable[int]) -> frozenset[int]:
    """Those lots of which more is held than their serialized items."""
    return frozenset((await conn.execute(_SQL["lots_with_quantities_by_class"], {"lots": sorted(lots)})).scalars())


async def lot_facts(conn: AsyncConnection, lots: Iterable[int]) -> dict[int, LotFacts]:
    """What notices say of these lots."""
    rows = await conn.execute(_SQL["lot_facts"], {"lots": sorted(set(lots))})
    return {row.lot_id: LotFacts(row.gtin, row.name, row.code, row.best_before_on) for row in rows}


async def lots_in_order(conn: AsyncConnection, lots: Iterable[int]) -> list[tuple[int, str, str]]:
    """(lot_id, GTIN, lot code) of these lots in the order of a sealed set."""
    row = (await conn.execute(_SQL["lots_in_order"], {"lots": sorted(lots)})).one()
    return list(zip(row.lots or (), row.gtins or (), row.codes or (), strict=True))


async def are_shipped(conn: AsyncConnection, lots: Iterable[int]) -> bool:
    """Whether any shipment of these lots is on record."""
    return bool((await conn.execute(_SQL["are_shipped"], {"lots": sorted(lots)})).scalar_one())


async def below_zero(conn: AsyncConnection, lots: Iterable[int], *, rows_max: int) -> tuple[list[Any], int]:
    """The first holdings of these lots below zero (gtin, code, quantity, uom), and how many there are."""
    values = {"lots": sorted(lots), "rows_max": rows_max}
    rows = (await conn.execute(_SQL["below_zero"], values)).all()
    return list(rows), rows[0].holdings if rows else 0


async def products(conn: AsyncConnection, product_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """GTIN and name of these products."""
    rows = await conn.execute(_SQL["products"], {"products": sorted(set(product_ids))})
    return {row.product_id: (row.gtin, row.name) for row in rows}


async def owners(conn: AsyncConnection, parties: Iterable[int]) -> dict[int, Owner]:
    """These parties with their contacts."""
    wanted = {"parties": sorted(set(parties))}
    contacts: dict[int, dict[str, Person]] = {}
    for row in (await conn.execute(_SQL["contacts"], wanted)).all():  # at once: one by one costs the most
        person = Person(row.name, row.phone or "", row.email or "")
        contacts.setdefault(row.party_id, {})[row.kind] = person
    rows = (await conn.execute(_SQL["parties"], wanted)).all()
    return {r.party_id: Owner(r.name, r.gln, r.role, r.channel, contacts.get(r.party_id, {})) for r in rows}


async def sites(conn: AsyncConnection, places: Iterable[int]) -> dict[int, Site]:
    """These places, each with the role of the party whose place it is."""
    rows = (await conn.execute(_SQL["places"], {"places": sorted(set(places))})).all()
    return {row.place_id: Site(row.name, row.gln, row.kind, row.party_role) for row in rows}


async def past_holders(conn: AsyncConnection, parts: Mapping[int, Runs]) -> frozenset[tuple[int, int]]:
    """(lot_id, party_id) of everyone who has or ever had the very items of these parts of lots."""
    if not parts:
        return frozenset()
    flat = [(lot_id, lo, n) for lot_id, runs in parts.items() for lo, n in runs]
    values = {"lots": [x[0] for x in flat], "los": [x[1] for x in flat], "ns": [x[2] for x in flat]}
    return frozenset((row.lot_id, row.owner_id) for row in await conn.execute(_SQL["past_holders"], values))


async def blocks_of_numbers(conn: AsyncConnection, runs: Runs) -> tuple[Block, ...]:
    """The blocks that these numbers are of, by number."""
    rows = await conn.execute(_SQL["blocks_of_numbers"], _columns(runs))
    return tuple(Block(r.lo, r.n, r.kind, r.gtin, r.key_epoch, tuple(r.skipped)) for r in rows)


async def foreign_serials(conn: AsyncConnection, runs: Runs) -> dict[int, tuple[str, str]]:
    """(GTIN, serial) by number, for the numbers whose serials came from outside."""
    rows = await conn.execute(_SQL["foreign_serials"], _columns(runs))
    return {row.number: (row.gtin, row.serial) for row in rows}


async def inputs_of(conn: AsyncConnection, lot_id: int) -> frozenset[int]:
    """The lots that a lot was made of, one step up."""
    return frozenset((await conn.execute(_SQL["inputs_of_lot"], {"lot": lot_id})).scalars())


async def operations(conn: AsyncConnection, operation_ids: Iterable[int]) -> dict[int, Any]:
    """Rows (event_id, at, place, line) of operations, by operation_id."""
    rows = await conn.execute(_SQL["operations"], {"operations": sorted(set(operation_ids))})
    return {row.operation_id: row for row in rows}


async def covered_by_others(conn: AsyncConnection, case_id: int, lots: Iterable[int]) -> Area:
    """What other recalls that are public name of these lots."""
    rows = (await conn.execute(_SQL["covered_by_others"], {"case_id": case_id, "lots": sorted(set(lots))})).all()
    return _area(rows)


def _area(rows: Sequence[Any]) -> Area:
    """Rows with lot_id, lo, n, where lo is None for the whole lot."""
    whole = {row.lot_id: WHOLE for row in rows if row.lo is None}
    return merged_areas([whole, area_of_runs((row.lot_id, row.lo, row.n) for row in rows if row.lo is not None)])


def _columns(runs: Runs) -> dict[str, list[int]]:
    return {"los": [lo for lo, _ in runs], "ns": [n for _, n in runs]}
