"""What the lines of a scope come to: lots and runs of numbers, put together by the rules of sets.

Reads in the caller's transaction and writes nothing. A line that names nothing is refused: none is ever lost silently.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.intervals import merged as merged_runs
from ledger.intervals import overlaps
from recall import reach
from recall.refusals import (
    ExclusionNeedsSerials,
    ItemWithoutLot,
    NothingInside,
    NothingInWindow,
    NothingNamed,
    ProductWithoutLots,
    UnknownLot,
    UnknownPlace,
)
from recall.scope import (
    WHOLE,
    Area,
    ItemLine,
    LotLine,
    OperationLine,
    PartLine,
    ProductLine,
    RangeLine,
    Rule,
    ScopeLine,
    SupplierLine,
    UnitLine,
    WindowLine,
    broken_lots,
    describe,
    merged,
    shared,
    without,
)


async def area_of(conn: AsyncConnection, lines: Iterable[ScopeLine]) -> Area:
    """What lines name together. Refuses each line that names nothing, and what is unknown, by name."""
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
    areas += [await _of_supplier(conn, line) for line in by_kind.get(SupplierLine, [])]
    areas += [await _of_operations(conn, line) for line in by_kind.get(OperationLine, [])]
    areas += [await _of_part(conn, line) for line in by_kind.get(PartLine, [])]
    return merged(areas)


async def less(conn: AsyncConnection, area: Area, removed: Area) -> Area:
    """``area`` without ``removed``. Refuses (``ExclusionNeedsSerials``) items of a lot that is not all in serials."""
    broken = broken_lots(area, removed)
    if not broken:
        return without(area, removed, {})
    without_serials = await reach.lots_with_quantities_by_class(conn, broken)
    if without_serials:
        lot = (await reach.lot_facts(conn, without_serials))[min(without_serials)]
        raise ExclusionNeedsSerials(gtin=lot.gtin, lot=lot.code)
    return without(area, removed, await reach.numbers_of_lots(conn, broken))


async def _of_part(conn: AsyncConnection, part: PartLine) -> Area:
    first, *others = [await area_of(conn, [line]) for line in part.parts]
    area = first
    for other in others:
        if part.rule is Rule.ANY:
            area = merged([area, other])
        elif part.rule is Rule.ALL:
            area = shared(area, other)
        else:
            area = await less(conn, area, other)
    if not area:
        raise NothingNamed(what=describe(part))
    return area


async def _of_lots(conn: AsyncConnection, lines: list[LotLine]) -> Area:
    lots = [(line.gtin, line.lot) for line in lines]
    found = await reach.lots_by_code(conn, lots) if lots else {}
    for gtin, code in lots:
        if (gtin, code) not in found:
            raise UnknownLot(gtin=gtin, lot=code)
    return dict.fromkeys(found.values(), WHOLE)


async def _of_items(conn: AsyncConnection, lines: list[ItemLine]) -> Area:
    """The items, and what is in those that hold others: a case with a serial is named with all that is in it."""
    if not lines:
        return {}
    area = await reach.lots_of_runs(conn, ((line.number, 1) for line in lines))
    inside = await reach.case_contents(conn, (line.number for line in lines))
    known = merged_runs(run for cover in area.values() for run in cover.runs)
    for line in lines:
        if line.number not in inside and not overlaps(known, line.number, 1):
            raise ItemWithoutLot(gtin=line.gtin, serial=line.serial)
    return merged([area, *inside.values()])


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
    window = {
        "place_id": await _place_id(conn, line.place_uri), "line": line.line, "from_at": line.from_at,
        "until_at": line.until_at,
    }  # fmt: skip
    area = await reach.window_contents(conn, window)
    if not area:
        where = " ".join(filter(None, (line.place_uri, line.line and f"line {line.line}")))
        raise NothingInWindow(where=where, from_at=line.from_at.isoformat(), until_at=line.until_at.isoformat())
    return area


async def _of_supplier(conn: AsyncConnection, line: SupplierLine) -> Area:
    area = await reach.lots_from_supplier(conn, line.party_uri, line.gtin)
    if not area:
        raise NothingNamed(what=describe(line))
    return area


async def _of_operations(conn: AsyncConnection, line: OperationLine) -> Area:
    facts = asdict(line)
    facts["place_id"] = await _place_id(conn, facts.pop("place_uri"))
    facts["number"] = number_of(line.limit)
    area = await reach.made_by_operations(conn, facts)
    if not area:
        raise NothingNamed(what=describe(line))
    return area


async def _place_id(conn: AsyncConnection, place_uri: str | None) -> int | None:
    if place_uri is None:
        return None
    place = await reach.place_by_uri(conn, place_uri)
    if place is None:
        raise UnknownPlace(place=place_uri)
    return place[0]


def number_of(limit: str | None) -> Decimal | None:
    """The limit of a parameter as a number; None when it is a word."""
    try:
        number = None if limit is None else Decimal(limit)
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None
