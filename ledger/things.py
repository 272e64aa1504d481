"""Which lots, items and units the names of an event mean, as the book stands when it is written. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from ledger.balance import ToldTooLate
from ledger.book import Book
from ledger.epcis.identifiers import Kind, Name, NameList
from ledger.epcis.told import Quantity, Runs, Told
from ledger.model import LOT_NOT_TOLD
from ledger.naming import Names, has_one_lot_code, lot_code_of
from ledger.runs import intervals
from ledger.units import Unit

Items = list[tuple[int, int, int]]
"""(lot, lo, n)."""


class Things:
    """Finds what is named, and notes which lots and units an event touches by naming them."""

    def __init__(self, names: Names, book: Book) -> None:
        self._names = names
        self._book = book
        self._lot_seen: dict[int, int] = {}
        self.touched_lots: set[int] = set()
        self.touched_units: set[int] = set()

    def units(self, epcs: Iterable[Name]) -> list[Unit]:
        """The units among these names: what has no GTIN, and items that are units by now."""
        if isinstance(epcs, NameList) and self._are_no_units(epcs):
            return []
        found: dict[int, Unit] = {}
        for name in epcs:
            unit_id = self._names.unit_by_uri.get(name.uri)
            if unit_id is None or not self._names.has_unit(unit_id):
                continue
            unit = self._book.units[unit_id]
            if name.kind is not Kind.ITEM or unit.is_known:
                found[unit_id] = unit
        self.touched_units.update(found)
        return list(found.values())

    def lots_inside(self, told: Told) -> set[int]:
        """The lots of all that a movement names, also in units."""
        lots = {lot_id for lot_id, _, _ in self.items(told, told.epcs)}
        lots |= {lot_id for lot_id, _ in self.quantities(told.quantities)}
        for unit in self.units(told.epcs):
            lots |= {lot_id for lot_id, _ in self._book.units.content(unit)}
        return lots

    def items(self, told: Told, epcs: Iterable[Name], own: Runs = (), *, as_parent: bool = False) -> Items:
        """The items among these names, and our ``own`` numbers, as runs of numbers of one lot."""
        items = self._items_of_one_lot(told, epcs) if isinstance(epcs, NameList) else None
        if items is None:
            items = self._items_one_by_one(told, epcs, as_parent=as_parent)
        items += [(self._lot_of_number(lo, told), lo, n) for lo, n in own]
        items = [item for item in items if self._names.has_lot(item[0])]
        self.touched_lots.update(lot_id for lot_id, _, _ in items)
        return items

    def _are_no_units(self, epcs: NameList) -> bool:
        """Whether these are items, none of which is a unit itself."""
        units = self._book.units.numbers
        return epcs.serials is not None and (not units or units.isdisjoint(self._names.numbers(epcs)))

    def _items_of_one_lot(self, told: Told, epcs: NameList) -> Items | None:
        """As ``_items_one_by_one``, for the usual list: items of one lot, of which nothing is in doubt. None for any
        other."""
        names = self._names
        if not (has_one_lot_code(told, epcs) and self._are_no_units(epcs)):
            return None
        numbers = names.numbers(epcs)
        if names.ended_at_by_number and not names.ended_at_by_number.keys().isdisjoint(numbers):
            return None
        runs = intervals(numbers)
        lots: set[int | None] = set()
        for lo, n in runs:
            for start, length, run in self._book.runs.meeting(lo, n):
                lots |= {run.lot_id} if run is not None else self._lots_remembered(start, length)
        if None in lots:
            told_lot = names.lot_by_class[epcs.gtin, told.lot_code or LOT_NOT_TOLD]
            lots = {told_lot if lot_id is None else lot_id for lot_id in lots}
        (lot_id, *others) = lots
        assert lot_id is not None
        if others or (told.lot_code is not None and lot_id != names.lot_by_class[epcs.gtin, told.lot_code]):
            return None
        self._lot_seen.update(dict.fromkeys(numbers, lot_id))
        return [(lot_id, lo, n) for lo, n in runs]

    def _lots_remembered(self, lo: int, n: int) -> set[int | None]:
        """The lots of numbers that have no run."""
        by_number = self._names.lot_by_number
        return {self._lot_seen.get(number, by_number.get(number)) for number in range(lo, lo + n)}

    def _items_one_by_one(self, told: Told, epcs: Iterable[Name], *, as_parent: bool) -> Items:
        numbers: defaultdict[int, list[int]] = defaultdict(list)
        for name in epcs:
            if name.kind is not Kind.ITEM:
                continue
            number = self._names.number(name)
            if self._book.units.of_number(number) is not None and not as_parent:
                continue
            lot_id = self._lot_of_item(told, name, number)
            if not self._names.has_lot(lot_id):
                continue
            if self._names.ended_at_by_number.get(number, told.at) > told.at:
                raise ToldTooLate
            numbers[lot_id].append(number)
        return [(lot_id, lo, n) for lot_id, these in numbers.items() for lo, n in intervals(these)]

    def _lot_of_item(self, told: Told, name: Name, number: int) -> int:
        code, gtin = lot_code_of(told, name), name.gtin or ""
        known = self._lot_on_record(number)
        if code is None:
            return self._seen(number, self._names.lot_by_class[gtin, LOT_NOT_TOLD] if known is None else known)
        told_lot = self._names.lot_by_class[gtin, code]
        if known is None or known == told_lot:
            return self._seen(number, told_lot)
        if known in self._book.nameless:
            self.touched_lots |= {known, told_lot}
            return self._seen(number, told_lot)
        # Two lots for one item: the first stays. All lots that can turn out to be the item's depend on each other,
        # which touching the nameless lot says.
        self._book.doubts.append("an item is on record with another lot; the lot on record stays")
        self.touched_lots |= {told_lot, self._names.lot_by_class[gtin, LOT_NOT_TOLD]}
        return known

    def _seen(self, number: int, lot_id: int) -> int:
        self._lot_seen[number] = lot_id
        return lot_id

    def _lot_of_number(self, number: int, told: Told) -> int:
        known = self._lot_on_record(number)
        return known if known is not None else self._lot(told.quantities[0].name)

    def _lot_on_record(self, number: int) -> int | None:
        run = self._book.runs.at(number)
        return run.lot_id if run is not None else self._lot_seen.get(number, self._names.lot_by_number.get(number))

    def quantities(self, quantities: Iterable[Quantity]) -> list[tuple[int, Quantity]]:
        """The lots that are named with a quantity, each once in each unit of measure."""
        total: dict[tuple[int, str, bool], Quantity] = {}
        for each in quantities:
            lot_id = self._lot(each.name)
            if not self._names.has_lot(lot_id):
                continue
            key = (lot_id, each.uom, each.amount is None)
            before = total[key].amount if key in total else None
            amount = each.amount if before is None or each.amount is None else before + each.amount
            total[key] = replace(each, amount=amount)
            self.touched_lots.add(lot_id)
        return [(lot_id, quantity) for (lot_id, _, _), quantity in total.items()]

    def _lot(self, name: Name) -> int:
        return self._names.lot_by_class[name.gtin or "", name.lot or LOT_NOT_TOLD]
