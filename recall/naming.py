"""From what an author gives (codes, lots, ranges, windows) to the lines of a scope. Each names exactly what it says.

Whatever is unknown is refused by name before anything is written: a case that leaves out one of the codes it was opened
for would be a false all-clear.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gs1 import gtin as gtins
from gs1 import scan_data
from gs1.errors import GS1Error
from gs1.identifier import Granularity, Identifier
from ledger import codes as ledger_codes
from ledger.codes import KeyRing
from recall import reach
from recall.algebra import area_of, number_of
from recall.model import OperationDraft, SupplierDraft, WindowDraft
from recall.refusals import (
    CodeNotForRecall,
    CodeNotReadable,
    ItemNotIssued,
    PartNotUsable,
    ProductWithoutLots,
    RangeNotUsable,
    ScopeEmpty,
    ScopeTooLarge,
    UnknownLogisticUnit,
    UnknownLot,
    UnknownParty,
    UnknownPlace,
    UnknownProduct,
)
from recall.scope import (
    LINES_MAX,
    ItemLine,
    LotLine,
    OperationLine,
    ProductLine,
    RangeLine,
    ScopeLine,
    SupplierLine,
    UnitLine,
    WindowLine,
)

NAME_CHARACTERS_MAX: Final = 200
"""Most characters of the name of a part."""


async def scope_lines(
    conn: AsyncConnection,
    keys: KeyRing,
    *,
    codes: Sequence[str] = (),
    lots: Sequence[tuple[str, str]] = (),
    ranges: Sequence[tuple[str, str]] = (),
    windows: Sequence[WindowDraft] = (),
    suppliers: Sequence[SupplierDraft] = (),
    operations: Sequence[OperationDraft] = (),
    whole_lot: bool = False,
) -> tuple[ScopeLine, ...]:
    """The lines, each once, in the order given. Refuses an empty scope, and each thing that is unknown, by name."""
    asked = sum(map(len, (codes, lots, ranges, windows, suppliers, operations)))
    if not asked:
        raise ScopeEmpty
    if asked > LINES_MAX:
        raise ScopeTooLarge(count=asked, what="codes", count_max=LINES_MAX)
    named = [read_code(code) for code in codes]
    lines: list[ScopeLine] = []
    lines += await _items(conn, keys, [i for i in named if i.granularity is Granularity.ITEM], whole_lot=whole_lot)
    by_lot = [(i.gtin or "", i.lot or "") for i in named if i.granularity is Granularity.LOT]
    lines += await _lots(conn, [*by_lot, *((_gtin(number), code) for number, code in lots)])
    lines += await _products(conn, [i.gtin or "" for i in named if i.granularity is Granularity.PRODUCT])
    lines += await _units(conn, [i.sscc or "" for i in named if i.granularity is Granularity.LOGISTIC_UNIT])
    lines += [await _range(conn, keys, first, last) for first, last in ranges]
    lines += [await _window(conn, window) for window in windows]
    lines += [await _supplier(conn, supplier) for supplier in suppliers]
    lines += [await _operation(conn, operation) for operation in operations]
    named_lines = tuple(dict.fromkeys(lines))
    await area_of(conn, named_lines)  # refuses what names nothing (an empty unit, a window in which nothing was made)
    return named_lines


def read_code(code: str) -> Identifier:
    """What a code names. Refuses what cannot be read and what a case cannot start from (a place, a document)."""
    try:
        identifier = scan_data.read(code)
    except GS1Error as error:
        raise CodeNotReadable(code=code, reason=str(error)) from error
    if identifier.granularity not in _STARTS:
        raise CodeNotForRecall(code=code, granularity=identifier.granularity.value.replace("_", " "))
    return identifier


_STARTS = frozenset({Granularity.ITEM, Granularity.LOT, Granularity.PRODUCT, Granularity.LOGISTIC_UNIT})


async def _items(
    conn: AsyncConnection, keys: KeyRing, identifiers: Sequence[Identifier], *, whole_lot: bool
) -> list[ScopeLine]:
    items = [(identifier.gtin or "", identifier.serial or "") for identifier in identifiers]
    if not items:
        return []
    numbers = await ledger_codes.numbers_of(conn, items, keys)
    for gtin, serial in items:
        if (gtin, serial) not in numbers:
            raise ItemNotIssued(gtin=gtin, serial=serial)
    if not whole_lot:
        return [ItemLine(gtin, serial, numbers[gtin, serial]) for gtin, serial in items]
    return [await _lot_of(conn, gtin, serial, numbers[gtin, serial]) for gtin, serial in items]


async def _lot_of(conn: AsyncConnection, gtin: str, serial: str, number: int) -> LotLine:
    area = await reach.lots_of_runs(conn, [(number, 1)])
    facts = await reach.lot_facts(conn, area)
    if not facts:
        raise ItemNotIssued(gtin=gtin, serial=serial)
    lot = facts[min(facts)]
    return LotLine(lot.gtin, lot.code, widened_from=serial)


async def _lots(conn: AsyncConnection, lots: Sequence[tuple[str, str]]) -> list[ScopeLine]:
    if not lots:
        return []
    found = await reach.lots_by_code(conn, lots)
    for gtin, code in lots:
        if (gtin, code) not in found:
            raise UnknownLot(gtin=gtin, lot=code)
    return [LotLine(gtin, code) for gtin, code in lots]


async def _products(conn: AsyncConnection, numbers: Sequence[str]) -> list[ScopeLine]:
    if not numbers:
        return []
    found = await reach.lots_of_products(conn, numbers)
    for gtin in numbers:
        if gtin not in found:
            raise UnknownProduct(gtin=gtin)
        if not found[gtin]:
            raise ProductWithoutLots(gtin=gtin)
    return [ProductLine(gtin) for gtin in numbers]


async def _units(conn: AsyncConnection, ssccs: Sequence[str]) -> list[ScopeLine]:
    if not ssccs:
        return []
    known = await reach.known_units(conn, ssccs)
    for sscc in ssccs:
        if sscc not in known:
            raise UnknownLogisticUnit(sscc=sscc)
    return [UnitLine(sscc) for sscc in ssccs]


async def _range(conn: AsyncConnection, keys: KeyRing, first: str, last: str) -> RangeLine:
    ends = [read_code(first), read_code(last)]
    if any(end.granularity is not Granularity.ITEM for end in ends):
        raise RangeNotUsable(first=first, last=last, reason="both ends must be codes of single items")
    if ends[0].gtin != ends[1].gtin:
        raise RangeNotUsable(first=first, last=last, reason="the ends are items of different products")
    lines = [line for end in ends for line in await _items(conn, keys, [end], whole_lot=False)]
    from_number, until_number = (line.number for line in lines if isinstance(line, ItemLine))
    if until_number < from_number:
        raise RangeNotUsable(first=first, last=last, reason="the first label comes after the last one; swap them")
    if len(await reach.blocks_of_numbers(conn, ((from_number, until_number - from_number + 1),))) != 1:
        raise RangeNotUsable(
            first=first, last=last, reason="the ends are of different label jobs; give a range for each"
        )
    return RangeLine(ends[0].gtin or "", ends[0].serial or "", ends[1].serial or "", from_number, until_number)


async def _window(conn: AsyncConnection, window: WindowDraft) -> WindowLine:
    where = window.line or window.place or ""
    if not where:
        raise RangeNotUsable(first=window.from_at, last=window.until_at, reason="a time window needs a place or a line")
    for instant in (window.from_at, window.until_at):
        if instant.tzinfo is None:
            raise RangeNotUsable(first=window.from_at, last=window.until_at, reason=f"{instant} has no time zone")
    if window.until_at <= window.from_at:
        raise RangeNotUsable(first=window.from_at, last=window.until_at, reason="it ends before it begins")
    if window.place is None:
        return WindowLine(window.from_at, window.until_at, None, window.line)
    place = await reach.place_by_uri(conn, window.place)
    if place is None:
        raise UnknownPlace(place=window.place)
    return WindowLine(window.from_at, window.until_at, place[1], window.line)


async def _supplier(conn: AsyncConnection, supplier: SupplierDraft) -> SupplierLine:
    uri = await reach.party_by_uri(conn, supplier.party)
    if uri is None:
        raise UnknownParty(party=supplier.party)
    return SupplierLine(uri, None if supplier.gtin is None else _gtin(supplier.gtin))


async def _operation(conn: AsyncConnection, told: OperationDraft) -> OperationLine:
    if not any((told.line, told.team, told.operator, told.equipment, told.parameter)):
        raise PartNotUsable(name="operation", problem="name a line, team, operator, equipment or parameter")
    instants = [instant for instant in (told.from_at, told.until_at) if instant is not None]
    if any(instant.tzinfo is None for instant in instants):
        raise PartNotUsable(name="operation", problem="an instant has no time zone")
    if instants != sorted(instants):
        raise PartNotUsable(name="operation", problem="it ends before it begins")
    place = None if told.place is None else await reach.place_by_uri(conn, told.place)
    if told.place is not None and place is None:
        raise UnknownPlace(place=told.place)
    return OperationLine(
        told.line, told.team, told.operator, told.equipment, None if place is None else place[1], told.from_at,
        told.until_at, *_parameter(told.parameter),
    )  # fmt: skip


def _parameter(test: str | None) -> tuple[str | None, str | None, str | None]:
    if test is None:
        return None, None, None
    match = _PARAMETER.fullmatch(test.strip())
    if match is None:
        raise PartNotUsable(name=test[:100], problem="write a test such as held_s < 15; < <= = >= > are known")
    name, comparison, limit = match["name"].strip(), match["comparison"], match["limit"].strip()
    if comparison != "=" and number_of(limit) is None:
        raise PartNotUsable(name=test[:100], problem=f"{limit} is not a number; words can only be compared by =")
    return name, comparison, limit


_PARAMETER = re.compile(r"(?P<name>[^<>=]{1,100})(?P<comparison><=|>=|<|>|=)(?P<limit>[^<>=]{1,100})")


def _gtin(number: str) -> str:
    try:
        return gtins.validate(number)
    except GS1Error as error:
        raise CodeNotReadable(code=number, reason=str(error)) from error
