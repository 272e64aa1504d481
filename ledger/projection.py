"""From recorded events to the book: names found, state read under locks, events written in order of time, changes
saved.

Works in the caller's transaction. ``ToldTooLate`` leaves nothing written but new names; the caller replays
(``ledger.replay``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import book_store, name_store, private_classes, result_store
from ledger.book_store import Loaded
from ledger.codes import KeyRing, numbers_for_foreign, numbers_of_serials
from ledger.custody import Custody
from ledger.epcis.identifiers import Kind, Name, NameList
from ledger.epcis.master_data import MasterDataTold
from ledger.epcis.told import Told
from ledger.model import LOT_NOT_TOLD
from ledger.naming import Names, NewUnit, Results, UnitNamed, has_one_lot_code, lot_code_of
from ledger.runs import Run, intervals_of
from ledger.units import Unit

_PLANT_STEPS: Final = frozenset({"commissioning", "creating_class_instance", "assembling"})
_STORE_STEPS: Final = frozenset({"retail_selling", "dispensing"})
_CONTAINMENT: Final = frozenset({"AggregationEvent", "AssociationEvent"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event with its id in the ledger."""

    event_id: int
    told: Told


@dataclass(frozen=True, slots=True)
class Scope:
    """The lots and units that a replay writes; what else its events name is left alone."""

    lots: frozenset[int]
    units: frozenset[int]


async def find_names(
    conn: AsyncConnection,
    batch: Sequence[Recorded],
    keys: KeyRing,
    master_data: MasterDataTold | None = None,
    *,
    units_later: bool = False,
) -> Names:
    """What the names in these events stand for; what is unknown is put on record.

    ``units_later``: units only get an id, and ``project`` writes each once, as the events leave it. When somebody else
    put one of them on record meanwhile, that ends with a violation of ``UNIT_KEYS``, and the transaction is tried
    again.
    """
    header = master_data or MasterDataTold()
    events = [recorded.told for recorded in batch]
    await private_classes.give_keys(conn, events)
    owners = {uri for told in events for uri in (told.source_owner, told.destination_owner) if uri is not None}
    owners |= {title.owner_uri for title in header.places.values() if title.owner_uri is not None}
    party_by_uri = await name_store.ensure_parties(conn, owners, header.parties)
    place_by_uri, party_by_place = await name_store.ensure_places(conn, _places(events), header.places)
    number_by_serial = await _numbers(conn, events, keys)
    numbers = [number for numbers in number_by_serial.values() for number in numbers.values()]
    numbers += [lo for told in events for lo, _ in told.numbers]
    lot_by_number, ended_at_by_number = await name_store.lots_of_numbers(conn, numbers)
    names = Names(number_by_serial=number_by_serial, lot_by_number=lot_by_number)
    classes = _classes(events, names)
    lot_by_class = await _lots(conn, classes, header)
    unit_by_uri, new_units = await _units(conn, events, names)
    if new_units and not units_later:
        await name_store.add_units(conn, new_units)
        unit_by_uri |= await name_store.units_on_record(conn, (unit.uri for unit in new_units))
        new_units = []
    return replace(
        names,
        lot_by_class=lot_by_class,
        ended_at_by_number=ended_at_by_number,
        unit_by_uri=unit_by_uri,
        new_units=new_units,
        place_by_uri=place_by_uri,
        party_by_uri=party_by_uri,
        party_by_place=party_by_place,
    )


async def _lots(
    conn: AsyncConnection, classes: set[tuple[str, str]], header: MasterDataTold
) -> dict[tuple[str, str], int]:
    """The lots of these classes; most captures name what is on record, and one question finds it."""
    if not classes and not header.products:
        return {}
    if classes and not header.products:
        found = await name_store.lots_on_record(conn, classes)
        if len(found) == len(classes):
            return found
    product_by_gtin = await name_store.ensure_products(conn, {gtin for gtin, _ in classes}, header.products)
    return await name_store.ensure_lots(conn, classes, product_by_gtin)


async def project(
    conn: AsyncConnection,
    batch: Sequence[Recorded],
    names: Names,
    *,
    scope: Scope | None = None,
) -> Results:
    """Write the events into the book, in order of event time.

    Raises ``ToldTooLate``, ``UnitInsideItself``, ``ContentsTooLarge``.
    """
    if scope is not None:
        names = replace(names, scope_lots=scope.lots, scope_units=scope.units)
    ordered = sorted(batch, key=lambda recorded: (recorded.told.at, recorded.event_id))
    loaded = await _load(conn, ordered, names)
    custody = Custody(names, loaded.book, loaded.marks)
    for recorded in ordered:
        custody.write(recorded.event_id, recorded.told)
    results = custody.results
    await book_store.write_book(conn, loaded, names.new_units)
    await result_store.write_results(conn, results)
    await name_store.fill_lots(conn, results.made, results.received, _dates(ordered, names))
    return results


def seeds_of(names: Names, batch: Sequence[Recorded]) -> Scope:
    """All lots and units that these events can touch."""
    lots = {*names.lot_by_class.values(), *names.lot_by_number.values()}
    return Scope(frozenset(lots), frozenset(names.unit_by_uri.values()))


async def _load(conn: AsyncConnection, batch: Sequence[Recorded], names: Names) -> Loaded:
    """Read the state that these events touch, under locks.

    What is in a unit, and what a unit is in, is only known once it is read; when that brings new lots, they are locked
    and all is read again.
    """
    events = [recorded.told for recorded in batch]
    named = [number for numbers in names.number_by_serial.values() for number in numbers.values()]
    numbers = [*zip(*intervals_of(named), strict=True), *sorted({run for told in events for run in told.numbers})]
    lots = {*names.lot_by_class.values(), *names.lot_by_number.values()}
    locked: set[int] = set()
    runs: list[Run] = []
    units: list[Unit] = []
    while not locked or lots - locked:
        await name_store.lock_lots(conn, lots - locked)
        locked |= lots
        runs, units = await _load_things(conn, events, names, numbers)
        lots |= {run.lot_id for run in runs} | {lot_id for unit in units for lot_id in _lots_in(unit)}
        if not lots:
            break
    classes = {(q.name.gtin, q.name.lot or LOT_NOT_TOLD) for told in events for q in told.all_quantities}
    taken = {names.lot_by_class[gtin, code] for gtin, code in classes if gtin is not None}
    has_words = any(told.persistent_set or told.persistent_unset for told in events)
    marks = await book_store.read_marks(conn, lots, only_nameless=not has_words)
    return book_store.loaded_of(
        runs,
        units,
        await book_store.read_balance(conn, lots, taken),
        marks,
        nameless=await name_store.nameless_lots(conn, lots | {mark.lot_id for mark in marks.marks}),
    )


async def _load_things(
    conn: AsyncConnection, events: Sequence[Told], names: Names, numbers: Sequence[tuple[int, int]]
) -> tuple[list[Run], list[Unit]]:
    """The runs of these numbers, the units that are named with all in them, and what any of these is in."""
    new = [Unit(unit.unit_id, unit.uri, unit.number, None) for unit in names.new_units]
    named = frozenset(unit_id for unit_id in names.unit_by_uri.values() if names.has_unit(unit_id))
    named -= {unit.unit_id for unit in new}
    units = await book_store.read_units(conn, await book_store.lock_units(conn, named), named) if named else []
    runs = await book_store.read_runs(conn, numbers, _opened(events, names, [*units, *new]))
    around = {run.unit_id for run in runs if run.unit_id is not None} - {unit.unit_id for unit in units}
    if around:
        units = await book_store.read_units(conn, await book_store.lock_units(conn, named | around), named)
    return runs, [*units, *new]


def _opened(events: Iterable[Told], names: Names, units: Sequence[Unit]) -> set[int]:
    """The units whose items are needed one by one: emptied, used up, or marked as a whole."""
    emptied: set[int] = set()
    for told in events:
        takes_all = told.type == "TransformationEvent" or told.persistent_set or told.persistent_unset
        if takes_all and any(name.uri in names.unit_by_uri for name in told.all_epcs):
            # What is packed in this batch and then used up may come from any unit of the batch.
            return {unit.unit_id for unit in units}
        is_unpacking = told.type in _CONTAINMENT and told.action == "DELETE"
        if is_unpacking and told.parent is not None and not told.epcs and not told.quantities:
            emptied.add(names.unit_by_uri[told.parent.uri])
    return emptied


def _lots_in(unit: Unit) -> set[int]:
    return {*unit.items, *(lot_id for lot_id, _ in unit.quantities)}


async def _numbers(conn: AsyncConnection, events: Iterable[Told], keys: KeyRing) -> dict[str, dict[str, int]]:
    """The numbers of all items, by GTIN and serial; unknown ones are given."""
    wanted: dict[str, dict[str, None]] = {}
    for told in events:
        for epcs in _lists(told):
            if isinstance(epcs, NameList) and epcs.serials is not None:
                wanted.setdefault(epcs.gtin, {}).update(dict.fromkeys(epcs.serials))
                continue
            for name in epcs:
                if name.kind is Kind.ITEM:
                    wanted.setdefault(name.gtin or "", {})[name.serial or ""] = None
    found = await numbers_of_serials(conn, wanted, keys)
    fresh = [
        (gtin, serial)
        for gtin, serials in wanted.items()
        if len(found[gtin]) < len(serials)
        for serial in serials
        if serial not in found[gtin]
    ]
    for (gtin, serial), number in (await numbers_for_foreign(conn, fresh)).items():
        found[gtin][serial] = number
    return found


def _lists(told: Told) -> tuple[Iterable[Name], NameList, NameList]:
    """All single things that an event names, list by list."""
    return () if told.parent is None else (told.parent,), told.epcs, told.output_epcs


def _classes(events: Iterable[Told], names: Names) -> set[tuple[str, str]]:
    """The classes that are named, and the nameless lot of products with items whose lot nobody told yet."""
    found = _Classes(names)
    for told in sorted(events, key=lambda told: told.at):
        for quantity in told.all_quantities:
            if quantity.name.gtin is not None:
                found.classes.add((quantity.name.gtin, quantity.name.lot or LOT_NOT_TOLD))
        for epcs in _lists(told):
            if isinstance(epcs, NameList) and epcs.serials is not None and has_one_lot_code(told, epcs):
                found.see(epcs.gtin, names.numbers(epcs), told.lot_code)
                continue
            for name in epcs:
                if name.kind is Kind.ITEM:
                    found.see(name.gtin or "", [names.number(name)], lot_code_of(told, name))
    return found.classes


class _Classes:
    """Goes through items in the order in which they are told, and notes the classes that may turn out to be theirs."""

    def __init__(self, names: Names) -> None:
        self.classes: set[tuple[str, str]] = set()
        self._on_record = names.lot_by_number
        self._known = set(names.lot_by_number)
        self._codes: dict[int, str] = {}

    def see(self, gtin: str, numbers: Sequence[int], code: str | None) -> None:
        """Items are told, with a lot or without one."""
        if code is not None:
            self.classes.add((gtin, code))
            if any(n in self._on_record or self._codes.setdefault(n, code) != code for n in numbers):
                self.classes.add((gtin, LOT_NOT_TOLD))  # in case the lots differ
        elif not self._known.issuperset(numbers):
            self.classes.add((gtin, LOT_NOT_TOLD))
        self._known.update(numbers)


async def _units(conn: AsyncConnection, events: Sequence[Told], names: Names) -> tuple[dict[str, int], list[NewUnit]]:
    """Everything that has no GTIN, the parents of containment events, and items that are units already; and which of
    these are not on record."""
    wanted: set[UnitNamed] = set()
    for told in events:
        for epcs in _lists(told):
            if isinstance(epcs, NameList) and epcs.serials is not None:
                continue
            for name in epcs:
                if name.kind is Kind.UNIT:
                    wanted.add((name.uri, name.sscc, None))
                elif name.kind is Kind.ITEM and told.type in _CONTAINMENT and name == told.parent:
                    wanted.add((name.uri, None, names.number(name)))
    numbers = [number for numbers in names.number_by_serial.values() for number in numbers.values()]
    found: dict[str, int] = {}
    if by_number := await name_store.units_of_numbers(conn, numbers):
        items = (name for told in events for name in told.all_epcs if name.kind is Kind.ITEM)
        found = {name.uri: by_number[n] for name in items if (n := names.number(name)) in by_number}
    if not wanted:
        return found, []
    on_record, new = await name_store.find_units(conn, wanted, min(told.at for told in events))
    found |= on_record
    return found | {unit.uri: unit.unit_id for unit in new}, new


def _places(events: Iterable[Told]) -> dict[str, str]:
    """The places named, each with the kind that the event lets one suppose."""
    kinds: dict[str, str] = {}
    for told in events:
        kind = "other"
        if told.type == "TransformationEvent" or told.step in _PLANT_STEPS:
            kind = "plant"
        elif told.step in _STORE_STEPS:
            kind = "store"
        for uri in (told.biz_location, told.read_point):
            if uri is not None and kinds.get(uri, "other") == "other":
                kinds[uri] = kind
        for uri in (told.source_place, told.destination_place):
            if uri is not None:
                kinds.setdefault(uri, "other")
    return kinds


def _dates(batch: Iterable[Recorded], names: Names) -> dict[int, tuple[date | None, date | None]]:
    """Made on and best before, of lots, as the events tell."""
    dates: dict[int, tuple[date | None, date | None]] = {}
    for told in (recorded.told for recorded in batch):
        if told.made_on is None and told.best_before_on is None:
            continue
        made = told.output_epcs or told.epcs
        classes = {(name.gtin or "", lot_code_of(told, name) or LOT_NOT_TOLD) for name in made}
        quantities = told.output_quantities if told.type == "TransformationEvent" else told.quantities
        classes |= {(quantity.name.gtin or "", quantity.name.lot or LOT_NOT_TOLD) for quantity in quantities}
        for each in classes:
            if each in names.lot_by_class:
                dates.setdefault(names.lot_by_class[each], (told.made_on, told.best_before_on))
    return dates
