"""What each type of event does to runs, units, counts and genealogy. Pure.

The rules of place, owner and disposition stand in ``ledger.movement``; what happens to one thing, in ``ledger.book``.

- ADD and the outputs of a transformation make things; OBSERVE and TransactionEvents move them; DELETE of an ObjectEvent
  takes them out of service (they stay on record, inactive or destroyed).
- AggregationEvent and AssociationEvent: ADD and OBSERVE pack, DELETE unpacks, without children everything.
- Moving a unit moves all in it. Of things named together, what is in a named unit moves with it.
- A single thing that an event shows elsewhere, with another owner, sold or destroyed, has left its unit, told or not.
- Inputs of a transformation are used up: items are history from then on, quantities are taken from where they most
  likely were. A unit as input is used up with all in it.
- A persistent disposition on a unit is one on the items in it now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from ledger.book import PIECES, Book
from ledger.epcis.identifiers import Kind, Name
from ledger.epcis.told import Quantity, Told
from ledger.marks import Mark, Marks
from ledger.model import UNKNOWN_ID
from ledger.movement import RECEIVING, UNKNOWN, Movement, Where, making_of, movement_of
from ledger.naming import Made, Names, Operation, Part, Results, joined
from ledger.refusals import UnitInsideItself
from ledger.things import Things
from ledger.units import Unit

_NOTHING_INSIDE: Final = (
    "{uri} is used up, and nobody told what was in it: nothing is traced to it. "
    "If it is a kind of goods, name it in inputQuantityList"
)


class Custody:
    """Writes events into a book, in order of time.

    Raises ``ToldTooLate`` and ``UnitInsideItself``; the book is void then.
    """

    def __init__(self, names: Names, book: Book, marks: Marks) -> None:
        self._names = names
        self._book = book
        self._marks = marks
        self.results = Results()
        self._things = Things(names, book)
        self._by_type: Final[Mapping[str, Callable[[Told, Movement], None]]] = {
            "ObjectEvent": self._object,
            "TransactionEvent": self._transaction,
            "AggregationEvent": self._containment,
            "AssociationEvent": self._containment,
            "TransformationEvent": self._transformation,
        }

    def write(self, event_id: int, told: Told) -> None:
        """Write one event."""
        deletes = told.type == "ObjectEvent" and told.action == "DELETE"
        names, things = self._names, self._things
        movement = movement_of(told, event_id, names.ends(told), names.party_by_place, deletes=deletes)
        self._by_type[told.type](told, movement)
        if told.persistent_set or told.persistent_unset:
            self._mark(told, movement)
        if told.step in RECEIVING and movement.ends.source_owner_id is not None:
            owner_id = movement.ends.source_owner_id
            self.results.received += [Made(lot, UNKNOWN_ID, owner_id) for lot in sorted(self._things.lots_inside(told))]
        for lot_id, lo, n in self._book.named_lots:
            self._marks.belong(lot_id, lo, n, self._book.nameless)
        self._book.named_lots = []
        shipments = self._book.shipments.values()
        self.results.shipments += [(event_id, told.at, told.documents, shipment) for shipment in shipments]
        self._book.shipments = {}
        self.results.voids += [(event_id, told.at, void) for void in self._book.voids]
        self._book.voids = []
        self.results.doubts += [(event_id, doubt) for doubt in self._book.doubts]
        self._book.doubts = []
        lots, units = self.results.things.setdefault(event_id, (set(), set()))
        lots |= things.touched_lots | self._book.touched_lots | names.lots_named(told)
        units |= things.touched_units
        things.touched_lots, things.touched_units, self._book.touched_lots = set(), set(), set()

    # Types of event ---------------------------------------------------------------------------------------------------

    def _object(self, told: Told, movement: Movement) -> None:
        if told.action == "ADD":
            self._make(told, told.epcs, told.quantities, movement)
            return
        if movement.says_nothing and (told.persistent_set or told.persistent_unset):
            # Marks only: what is named by itself is seen, but a lot and a range of our numbers (a recall) are not
            # counted.
            told = replace(told, quantities=(), numbers=())
        self._move(told, told.epcs, told.quantities, movement)

    def _transaction(self, told: Told, movement: Movement) -> None:
        self.results.has_documents = True
        if movement.says_nothing:
            told = replace(told, quantities=())  # papers only: the units are named, and no quantity of a lot moves
        epcs = told.epcs if told.parent is None else (told.parent, *told.epcs)
        self._move(told, epcs, told.quantities, movement)

    def _containment(self, told: Told, movement: Movement) -> None:
        if told.parent is None:
            # An OBSERVE without a parent says that the children are together, nothing about a unit (EPCIS 2.0, 7.4.3).
            self._move(told, told.epcs, told.quantities, movement)
        elif told.action == "DELETE":
            self._unpack(told, told.parent, movement)
        else:
            self._pack(told, told.parent, movement)

    def _transformation(self, told: Told, movement: Movement) -> None:
        inputs = self._use_up(told, movement)
        made = self._make(told, told.output_epcs, told.output_quantities, movement)
        place_id = movement.place_id if movement.place_id is not None else UNKNOWN_ID
        self.results.operations.append(
            Operation(
                movement.event_id, told.at, told.transformation_id, place_id, told.line, told.team, told.operator,
                told.equipment, told.parameters, tuple(inputs), tuple(made),
            )
        )  # fmt: skip

    # What they do -----------------------------------------------------------------------------------------------------

    def _make(self, told: Told, epcs: Iterable[Name], quantities: Iterable[Quantity], movement: Movement) -> list[Part]:
        where = making_of(movement)
        parts: list[Part] = []
        for unit in self._things.units(epcs):
            if unit.is_known:
                self._book.move_unit(unit, movement)
            else:
                self._book.begin_unit(unit, where, movement)
        for lot_id, lo, n in self._things.items(told, epcs, told.numbers):
            self._book.make_items(lot_id, lo, n, where, movement, labelled=bool(told.numbers))
            parts.append(Part(lot_id, Decimal(n), PIECES, lo, n))
        # Where our own jobs tell the numbers, the quantity beside them only says how many they are.
        for lot_id, quantity in () if told.numbers else self._things.quantities(quantities):
            if quantity.amount:
                self._book.balance.make((lot_id, where, quantity.uom), quantity.amount, movement.at)
            parts.append(Part(lot_id, quantity.amount, quantity.uom))
        lots = dict.fromkeys(part.lot_id for part in parts)
        self.results.made += [Made(lot_id, where.place_id, where.owner_id) for lot_id in lots]
        return parts

    def _move(self, told: Told, epcs: Iterable[Name], quantities: Iterable[Quantity], movement: Movement) -> None:
        for unit in self._outer_first(self._things.units(epcs)):
            self._book.move_unit(unit, movement)
        for lot_id, lo, n in self._things.items(told, epcs, told.numbers):
            self._book.move_items(lot_id, lo, n, movement)
        for lot_id, quantity in () if told.numbers else self._things.quantities(quantities):
            if quantity.amount is None:
                self._book.note_unmeasured(lot_id, quantity.uom, movement)
            elif quantity.amount:
                self._book.move_quantity(lot_id, quantity.uom, quantity.amount, movement)

    def _pack(self, told: Told, parent: Name, movement: Movement) -> None:
        children = self._things.units(told.epcs)
        items = self._things.items(told, told.epcs)
        into = self._parent(told, parent, movement)
        if into is None:
            return
        path = {unit.unit_id for unit in self._book.units.path_up(into)}
        for unit in children:
            if unit.unit_id in path:
                raise UnitInsideItself(where=told.where, uri=unit.uri)
            self._book.pack_unit(unit, into, movement)
        for lot_id, lo, n in items:
            run = self._book.runs.at(into.number) if into.number is not None else None
            if run is not None and lo <= run.lo < lo + n:
                raise UnitInsideItself(where=told.where, uri=into.uri)
            self._book.pack_items(lot_id, lo, n, into, movement)
        for lot_id, quantity in self._things.quantities(told.quantities):
            if quantity.amount:
                self._book.pack_quantity(lot_id, quantity.uom, quantity.amount, into, movement)

    def _unpack(self, told: Told, parent: Name, movement: Movement) -> None:
        out_of = self._parent(told, parent, movement)
        if out_of is None:
            return
        children, items, quantities = (
            self._things.units(told.epcs),
            self._things.items(told, told.epcs),
            told.quantities,
        )
        if not told.epcs and not quantities:
            self._unpack_all(out_of, movement)
            return
        for unit in children:
            self._book.unpack_unit(unit, out_of, movement)
        for lot_id, lo, n in items:
            self._book.unpack_items(lot_id, lo, n, out_of, movement)
        for lot_id, quantity in self._things.quantities(quantities):
            if quantity.amount:
                self._book.unpack_quantity(lot_id, quantity.uom, quantity.amount, out_of, movement)

    def _unpack_all(self, out_of: Unit, movement: Movement) -> None:
        for child in sorted(out_of.children):
            self._book.unpack_unit(self._book.units[child], out_of, movement)
        for run in self._book.runs.inside(out_of.unit_id):
            if run.lo != out_of.number:
                self._book.take_out(run, movement)
        for (lot_id, uom), quantity in sorted(out_of.quantities.items()):
            self._book.unpack_quantity(lot_id, uom, quantity, out_of, movement)

    def _use_up(self, told: Told, movement: Movement) -> list[Part]:
        parts: list[Part] = []
        for unit in self._outer_first(self._things.units(told.epcs)):
            parts += self._use_up_unit(unit, movement)
        for lot_id, lo, n in self._things.items(told, told.epcs):
            for start, length, run in self._book.runs.cut(lo, n):
                if run is None:
                    self._book.end_unseen(lot_id, start, length, movement)
                    parts.append(Part(lot_id, Decimal(length), PIECES, start, length))
                    continue
                parts.append(Part(run.lot_id, Decimal(length), PIECES, start, length))
                self._book.end_run(run, movement)
        for lot_id, quantity in self._things.quantities(told.quantities):
            if quantity.amount:
                self._book.take(lot_id, quantity.uom, quantity.amount, movement)
            parts.append(Part(lot_id, quantity.amount, quantity.uom))
        return joined(parts)

    def _use_up_unit(self, unit: Unit, movement: Movement) -> list[Part]:
        if not unit.is_known:
            self._book.begin_unit(unit, movement.from_(UNKNOWN), movement)
            self._book.doubts.append(_NOTHING_INSIDE.format(uri=unit.uri))
            return []
        self._book.check_content(unit, movement)
        parts: list[Part] = []
        for each in self._book.units.inside(unit):
            where = self._book.where_of_unit(each)
            for run in self._book.runs.inside(each.unit_id):
                parts.append(Part(run.lot_id, Decimal(run.n), PIECES, run.lo, run.n))
                self._book.end_run(run, movement)
            for (lot_id, uom), quantity in sorted(each.quantities.items()):
                parts.append(Part(lot_id, quantity, uom))
                self._book.balance.end((lot_id, where, uom), quantity, movement.at)
                each.hold(lot_id, uom, -quantity)
            self._book.units.note(each)
        self._book.move_unit(unit, movement)
        return parts

    def _mark(self, told: Told, movement: Movement) -> None:
        targets: list[tuple[int, int | None, int | None]] = [
            *self._things.items(told, (*told.epcs, *told.output_epcs), told.numbers)
        ]
        classes = () if told.numbers else told.all_quantities
        targets += [(lot_id, None, None) for lot_id, _ in self._things.quantities(classes)]
        parent = () if told.parent is None else (told.parent,)
        for unit in self._things.units((*parent, *told.epcs, *told.output_epcs)):
            if not unit.is_known:
                self._book.begin_unit(unit, movement.from_(UNKNOWN), movement)
            self._book.check_unit(unit, movement)
            for each in self._book.units.inside(unit):
                self._book.touch_unit(each, movement)
                targets += [(run.lot_id, run.lo, run.n) for run in self._book.runs.inside(each.unit_id)]
                if each.quantities:
                    self._book.doubts.append(
                        f"{each.uri} holds lots told by quantity; a persistent disposition on it does not mark them"
                    )
        for word in told.persistent_unset:
            for lot_id, lo, n in targets:
                if not self._marks.unset(Mark(lot_id, lo, n, word, movement.event_id, movement.at)):
                    self._book.doubts.append(f"{word} was set on the whole lot and can be unset for the whole lot only")
        for word in told.persistent_set:
            for lot_id, lo, n in targets:
                self._marks.set(Mark(lot_id, lo, n, word, movement.event_id, movement.at))

    # Names ------------------------------------------------------------------------------------------------------------

    def _parent(self, told: Told, parent: Name, movement: Movement) -> Unit | None:
        """The unit that a containment event names, where the event says; None when it is out of scope."""
        unit_id = self._names.unit_by_uri[parent.uri]
        if not self._names.has_unit(unit_id):
            return None
        unit = self._book.units[unit_id]
        self._things.touched_units.add(unit_id)
        if unit.is_known:
            self._book.move_unit(unit, movement)
        elif parent.kind is Kind.ITEM:
            ((lot_id, lo, n),) = self._things.items(told, (parent,), as_parent=True)
            self._book.move_items(lot_id, lo, n, movement)
            self._book.begin_unit(unit, UNKNOWN, movement)
        else:
            self._book.begin_unit(unit, movement.from_(UNKNOWN), movement)
        self._adopt(told, unit, movement)
        return unit

    def _adopt(self, told: Told, unit: Unit, movement: Movement) -> None:
        """An outermost unit of which place, owner or disposition is not told is where its first known child was."""
        if told.action == "DELETE" or unit.parent_id is not None or all(unit.where):
            return
        first = next((where for name in told.epcs if (where := self._where(name)) is not None), None)
        if first is not None:
            mine = unit.where
            adopted = mine._replace(
                place_id=mine.place_id or first.place_id,
                owner_id=mine.owner_id or first.owner_id,
                disposition=mine.disposition or first.disposition,
            )
            if adopted != mine:
                self._book.settle_unit(unit, adopted, movement)

    def _where(self, name: Name) -> Where | None:
        """Where a thing is counted; None when nobody told of it so far."""
        if name.kind is Kind.ITEM:
            run = self._book.runs.at(self._names.number(name))
            return None if run is None else self._book.where_of_run(run)
        unit_id = self._names.unit_by_uri.get(name.uri)
        if unit_id is None or not self._names.has_unit(unit_id) or not self._book.units[unit_id].is_known:
            return None
        return self._book.where_of_unit(self._book.units[unit_id])

    def _outer_first(self, units: list[Unit]) -> list[Unit]:
        """So that what is in a named unit is found moved already, and stays in it."""
        return sorted(units, key=lambda unit: len(self._book.units.path_up(unit)) if unit.is_known else 0)
