"""The book that a batch of events writes: runs of items, units and counts, and the simple things that happen to them.

Pure. Each thing stands here once. An item that is packed is counted at its outermost unit. Naming a thing begins a new
spell of it and the one before becomes history, so the history of a thing is the list of the events that named it. An
event that is earlier than the spell of a thing it names cannot be written after it: ``ToldTooLate``, and the caller
replays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from ledger.balance import Balance, ToldTooLate
from ledger.model import UNKNOWN_ID
from ledger.movement import IN_TRANSIT, SHIPPING, UNKNOWN, VOID_SHIPPING, Movement, Shipment, Void, Where
from ledger.runs import Run, RunMap
from ledger.sources import rank_of
from ledger.units import Spell, Unit, UnitMap

PIECES: Final = ""
"""Unit of measure in which items are counted."""


@dataclass(slots=True)
class Book:
    """The state that a batch touches. ``nameless`` are the lots of items whose lot nobody told."""

    runs: RunMap
    units: UnitMap
    balance: Balance
    nameless: frozenset[int] = frozenset()
    run_history: list[tuple[Run, datetime]] = field(default_factory=list)
    shipments: dict[tuple[int, str, int, int], Shipment] = field(default_factory=dict)
    """Of the event that is being written, by lot, unit of measure, new owner and place."""
    voids: list[Void] = field(default_factory=list)
    """What the event that is being written says was not shipped after all."""
    touched_lots: set[int] = field(default_factory=set)
    """Lots that the event touches beside those it names."""
    named_lots: list[tuple[int, int, int]] = field(default_factory=list)
    """(lot, lo, n) of items whose lot is known since the event that is being written."""
    doubts: list[str] = field(default_factory=list)
    """What is odd about the event that is being written."""

    # Where things are -------------------------------------------------------------------------------------------------

    def where_of_unit(self, unit: Unit) -> Where:
        """Where a unit and all in it is counted."""
        return self.units.outermost(unit).where

    def where_of_run(self, run: Run) -> Where:
        """Where a run is counted."""
        if run.unit_id is None:
            return Where(run.place_id, run.owner_id, run.disposition or "")
        return self.where_of_unit(self.units[run.unit_id])

    # Items ------------------------------------------------------------------------------------------------------------

    def make_items(
        self, lot_id: int, lo: int, n: int, where: Where, movement: Movement, *, labelled: bool = False
    ) -> None:
        """Items come into being, loose. Ones that exist already are only moved, and that is a doubt.

        ``labelled``: by labels of ours, which go onto pieces that may have been told by quantity before.
        """
        for start, length, run in self.runs.cut(lo, n):
            if run is not None:
                self.doubts.append(f"{length} items are commissioned a second time; they are counted once")
                self._move_run(run, lot_id, movement)
                continue
            self._begin_run(start, length, lot_id, unit_id=None, where=where, movement=movement)
            add = self.balance.label if labelled else self.balance.enter_unit
            add((lot_id, where, PIECES), Decimal(length), movement.at)

    def move_items(self, lot_id: int, lo: int, n: int, movement: Movement) -> None:
        """Items are where the event says; ones never seen before come out of the unknown."""
        for start, length, run in self.runs.cut(lo, n):
            if run is None:
                where = movement.from_(UNKNOWN)
                self._begin_run(start, length, lot_id, unit_id=None, where=where, movement=movement)
                self.balance.appear((lot_id, where, PIECES), Decimal(length), movement.at)
                self._note_shipment(lot_id, PIECES, Decimal(length), before=UNKNOWN, after=where, movement=movement)
            else:
                self._move_run(run, lot_id, movement)

    def pack_items(self, lot_id: int, lo: int, n: int, into: Unit, movement: Movement) -> None:
        """Items are in a unit now, wherever they were before."""
        for start, length, run in self.runs.cut(lo, n):
            where = self.where_of_unit(into)
            if run is None:
                self._begin_run(start, length, lot_id, unit_id=into.unit_id, where=where, movement=movement)
                into.count(lot_id, length)
                self.balance.appear((lot_id, where, PIECES), Decimal(length), movement.at)
                continue
            own = self._own_unit(run)
            if own is not None:
                self.pack_unit(own, into, movement)
                continue
            self._pack_run(self._relabelled(run, lot_id, movement), into, movement)

    def unpack_items(self, lot_id: int, lo: int, n: int, out_of: Unit, movement: Movement) -> None:
        """Items are no longer in a unit; ones that were not in it are moved."""
        for start, length, run in self.runs.cut(lo, n):
            if run is None or run.unit_id != out_of.unit_id or self._own_unit(run) is not None:
                self.move_items(lot_id, start, length, movement)
            else:
                self.take_out(self._relabelled(run, lot_id, movement), movement)

    def take_out(self, run: Run, movement: Movement) -> None:
        """A packed run is loose now."""
        self.check_run(run, movement)
        before = self.where_of_run(run)
        after = movement.from_(before)
        self._leave_unit(run, movement, touch=True)
        self._change(run, None, after, movement)
        self.balance.transfer((run.lot_id, before, PIECES), after, Decimal(run.n), movement.at)

    def end_run(self, run: Run, movement: Movement) -> None:
        """Items are used up: they are in the history only."""
        self.check_run(run, movement)
        self.balance.end((run.lot_id, self.where_of_run(run), PIECES), Decimal(run.n), movement.at)
        self._leave_unit(run, movement, touch=False)
        self.run_history.append((run, movement.at))
        self.runs.remove(run)

    def end_unseen(self, lot_id: int, lo: int, n: int, movement: Movement) -> None:
        """Items are used up that nobody told of before."""
        run = self._run(lo, n, lot_id, unit_id=None, where=movement.from_(UNKNOWN), movement=movement)
        self.run_history.append((run, movement.at))
        self.balance.put_loose((lot_id, UNKNOWN, PIECES), Decimal(-n), movement.at)

    # Units ------------------------------------------------------------------------------------------------------------

    def begin_unit(self, unit: Unit, where: Where, movement: Movement) -> None:
        """The first that is told of a unit. One that is itself an item is from now on in its own unit, alone."""
        run = None if unit.number is None else self.runs.at(unit.number)
        parent_id: int | None = None
        if run is not None and unit.number is not None:
            self.check_run(run, movement)
            ((_, _, run),) = self.runs.cut(unit.number, 1)
            assert run is not None
            parent_id, where = run.unit_id, self.where_of_run(run)
            if parent_id is not None:
                self.units[parent_id].count(run.lot_id, -1)
        self.units.set(unit, self._spell(parent_id, where, movement))
        if run is not None:
            self._change(run, unit.unit_id, where, movement)
            unit.count(run.lot_id, 1)

    def move_unit(self, unit: Unit, movement: Movement) -> None:
        """A unit with all in it is where the event says; it leaves a unit that is elsewhere."""
        if not unit.is_known:
            self.begin_unit(unit, movement.from_(UNKNOWN), movement)
            return
        self.check_content(unit, movement)
        before = self.where_of_unit(unit)
        if unit.parent_id is not None and not movement.takes_out(before):
            self.units.set(unit, self._spell(unit.parent_id, before, movement))
            return
        if unit.parent_id is not None:
            self.touch_unit(self.units[unit.parent_id], movement)
        after = movement.from_(before)
        content = self.units.content(unit)
        self.units.set(unit, self._spell(None, after, movement))
        self._transfer_content(content, before, after, movement)
        for (lot_id, uom), quantity in content.items():
            self._note_shipment(lot_id, uom, quantity, before=before, after=after, movement=movement, thing=unit)

    def pack_unit(self, unit: Unit, into: Unit, movement: Movement) -> None:
        """A unit is in another one now, with all in it. The caller has made sure that ``into`` is not inside it."""
        after = self.where_of_unit(into)
        if not unit.is_known:
            self.begin_unit(unit, after, movement)
        self.check_content(unit, movement)
        before = self.where_of_unit(unit)
        if unit.parent_id is not None and unit.parent_id != into.unit_id:
            self.touch_unit(self.units[unit.parent_id], movement)
        content = self.units.content(unit)
        self.units.set(unit, self._spell(into.unit_id, after, movement))
        self._transfer_content(content, before, after, movement)

    def unpack_unit(self, unit: Unit, out_of: Unit, movement: Movement) -> None:
        """A unit is no longer in another one; one that was not in it is moved."""
        if not unit.is_known or unit.parent_id != out_of.unit_id:
            self.move_unit(unit, movement)
            return
        self.check_content(unit, movement)
        before = self.where_of_unit(unit)
        after = movement.from_(before)
        self.touch_unit(out_of, movement)
        content = self.units.content(unit)
        self.units.set(unit, self._spell(None, after, movement))
        self._transfer_content(content, before, after, movement)

    def settle_unit(self, unit: Unit, where: Where, movement: Movement) -> None:
        """Put an outermost unit and all in it somewhere, without a movement being told."""
        self.check_content(unit, movement)
        before = unit.where
        content = self.units.content(unit)
        self.units.set(unit, self._spell(None, where, movement))
        self._transfer_content(content, before, where, movement)

    # Quantities -------------------------------------------------------------------------------------------------------

    def move_quantity(self, lot_id: int, uom: str, quantity: Decimal, movement: Movement) -> None:
        """A quantity of a lot is where the event says, taken from where it most likely was."""
        for before, part in self.take(lot_id, uom, quantity, movement):
            after = movement.from_(before)
            self.balance.put_loose((lot_id, after, uom), part, movement.at)
            self._note_shipment(lot_id, uom, part, before=before, after=after, movement=movement)

    def note_unmeasured(self, lot_id: int, uom: str, movement: Movement) -> None:
        """An amount that was not told of a lot is where the event says: counts stay, but who got it is on record."""
        after = movement.from_(UNKNOWN)
        self._note_shipment(lot_id, uom, Decimal(0), before=UNKNOWN, after=after, movement=movement)

    def pack_quantity(self, lot_id: int, uom: str, quantity: Decimal, into: Unit, movement: Movement) -> None:
        """A quantity of a lot is in a unit now."""
        self.take(lot_id, uom, quantity, movement)
        into.hold(lot_id, uom, quantity)
        self.units.note(into)
        self.balance.enter_unit((lot_id, self.where_of_unit(into), uom), quantity, movement.at)

    def unpack_quantity(self, lot_id: int, uom: str, quantity: Decimal, out_of: Unit, movement: Movement) -> None:
        """A quantity comes out of a unit; more than was known to be in it comes out of the unknown."""
        where = self.where_of_unit(out_of)
        after = movement.from_(where)
        there = min(quantity, out_of.quantities.get((lot_id, uom), Decimal(0)))
        if there:
            out_of.hold(lot_id, uom, -there)
            self.units.note(out_of)
            self.balance.leave_unit((lot_id, where, uom), after, there, movement.at)
        if quantity > there:
            self.balance.put_loose((lot_id, UNKNOWN, uom), there - quantity, movement.at)
            self.balance.put_loose((lot_id, after, uom), quantity - there, movement.at)

    def take(self, lot_id: int, uom: str, quantity: Decimal, movement: Movement) -> list[tuple[Where, Decimal]]:
        """Take a quantity from where it most likely is."""
        return self.balance.take(lot_id, uom, quantity, movement.at, rank_of(movement, self.balance, lot_id, uom))

    # ------------------------------------------------------------------------------------------------------------------

    def check_run(self, run: Run, movement: Movement) -> None:
        """Refuse to write before what is on record of these items."""
        path = () if run.unit_id is None else self.units.path_up(self.units[run.unit_id])
        self._check((run.since,), path, movement)

    def check_unit(self, unit: Unit, movement: Movement) -> None:
        """Refuse to write before what is on record of this unit."""
        self._check((), self.units.path_up(unit), movement)

    def check_content(self, unit: Unit, movement: Movement) -> None:
        """Refuse to move a unit before what is on record of anything in it."""
        self.check_unit(unit, movement)
        inside = self.units.inside(unit)
        self._check((each.items_since for each in inside if each.items_since is not None), inside, movement)

    def _check(self, instants: Iterable[datetime], path: Iterable[Unit], movement: Movement) -> None:
        latest = max((*instants, *(unit.spell.since for unit in path if unit.spell is not None)), default=movement.at)
        if latest > movement.at:
            raise ToldTooLate

    def _move_run(self, run: Run, lot_id: int, movement: Movement) -> None:
        own = self._own_unit(run)
        if own is not None:
            self.move_unit(own, movement)
            return
        self.check_run(run, movement)
        run = self._relabelled(run, lot_id, movement)
        before = self.where_of_run(run)
        if run.unit_id is not None and not movement.takes_out(before):
            self._change(run, run.unit_id, before, movement)
            return
        after = movement.from_(before)
        self._leave_unit(run, movement, touch=True)
        self._change(run, None, after, movement)
        self.balance.transfer((run.lot_id, before, PIECES), after, Decimal(run.n), movement.at)
        self._note_shipment(
            run.lot_id, PIECES, Decimal(run.n), before=before, after=after, movement=movement, thing=run
        )

    def _pack_run(self, run: Run, into: Unit, movement: Movement) -> None:
        self.check_run(run, movement)
        before, after = self.where_of_run(run), self.where_of_unit(into)
        self._leave_unit(run, movement, touch=run.unit_id != into.unit_id)
        self._change(run, into.unit_id, after, movement)
        into.count(run.lot_id, run.n)
        self.balance.transfer((run.lot_id, before, PIECES), after, Decimal(run.n), movement.at)

    def _own_unit(self, run: Run) -> Unit | None:
        """The unit that this item itself is."""
        if run.unit_id is None or run.n != 1:
            return None
        unit = self.units[run.unit_id]
        return unit if unit.number == run.lo else None

    def _relabelled(self, run: Run, lot_id: int, movement: Movement) -> Run:
        """The run under the lot that the event tells, when its lot was not told before."""
        if lot_id == run.lot_id or lot_id in self.nameless:
            return run
        if run.lot_id not in self.nameless:
            return run
        where = self.where_of_run(run)
        self.balance.end((run.lot_id, where, PIECES), Decimal(run.n), movement.at)
        self.balance.enter_unit((lot_id, where, PIECES), Decimal(run.n), movement.at)
        if run.unit_id is not None:
            unit = self.units[run.unit_id]
            unit.count(run.lot_id, -run.n)
            unit.count(lot_id, run.n)
        told = run._replace(lot_id=lot_id)
        self.runs.replace(run, told)
        self.touched_lots |= {run.lot_id, lot_id}
        self.named_lots.append((lot_id, run.lo, run.n))
        return told

    def _leave_unit(self, run: Run, movement: Movement, *, touch: bool) -> None:
        if run.unit_id is not None:
            unit = self.units[run.unit_id]
            unit.count(run.lot_id, -run.n)
            if touch:
                self.touch_unit(unit, movement)

    def touch_unit(self, unit: Unit, movement: Movement) -> None:
        """What is in a unit changed: nothing earlier may be written to it any more."""
        spell = unit.spell
        if spell is not None and (spell.since, spell.event_id) != (movement.at, movement.event_id):
            self.units.set(unit, spell._replace(since=max(spell.since, movement.at), event_id=movement.event_id))

    def _change(self, run: Run, unit_id: int | None, where: Where, movement: Movement) -> None:
        after = self._run(run.lo, run.n, run.lot_id, unit_id=unit_id, where=where, movement=movement)
        if (run.since, run.event_id) != (after.since, after.event_id):
            self.run_history.append((run, movement.at))
        self.runs.replace(run, after)
        self._name_items(unit_id, movement)

    def _transfer_content(
        self, content: dict[tuple[int, str], Decimal], before: Where, after: Where, movement: Movement
    ) -> None:
        for (lot_id, uom), quantity in content.items():
            self.balance.transfer((lot_id, before, uom), after, quantity, movement.at)

    def _note_shipment(
        self,
        lot_id: int,
        uom: str,
        quantity: Decimal,
        *,
        before: Where,
        after: Where,
        movement: Movement,
        thing: Run | Unit | None = None,
    ) -> None:
        """Goods were sent, or came to another owner without anybody having told that they were sent; or were not sent
        after all."""
        if movement.step == VOID_SHIPPING:
            self._note_void(lot_id, uom, quantity, thing)
            return
        ends = movement.ends
        shipped = movement.step in SHIPPING
        announced = before.disposition == IN_TRANSIT and before.place_id == after.place_id
        from_owner_id = ends.source_owner_id or before.owner_id
        changes_hands = after.owner_id not in (UNKNOWN_ID, from_owner_id) and from_owner_id != UNKNOWN_ID
        if not shipped and (announced or not changes_hands):
            return
        to_place_id = (ends.destination_place_id or UNKNOWN_ID) if shipped else after.place_id
        to_owner_id = ends.destination_owner_id or (movement.party_of_destination_id if shipped else after.owner_id)
        from_place_id = ends.source_place_id or before.place_id
        from_place_id = from_place_id or ((ends.biz_location_id or UNKNOWN_ID) if shipped else UNKNOWN_ID)
        to = (lot_id, uom, to_owner_id, to_place_id)
        shipment = self.shipments.setdefault(to, Shipment(lot_id, uom, to_owner_id, to_place_id))
        shipment.add(from_owner_id, from_place_id, quantity)

    def _note_void(self, lot_id: int, uom: str, quantity: Decimal, thing: Run | Unit | None) -> None:
        lo, n = (thing.lo, thing.n) if isinstance(thing, Run) else (None, None)
        unit_id = thing.unit_id if thing is not None else None
        path = () if unit_id is None else tuple(unit.unit_id for unit in self.units.path_up(self.units[unit_id]))
        self.voids.append(Void(lot_id, uom, quantity, path, lo, n))

    def _begin_run(
        self, lo: int, n: int, lot_id: int, *, unit_id: int | None, where: Where, movement: Movement
    ) -> None:
        self.runs.add(self._run(lo, n, lot_id, unit_id=unit_id, where=where, movement=movement))
        self.named_lots.append((lot_id, lo, n))
        self._name_items(unit_id, movement)

    def _name_items(self, unit_id: int | None, movement: Movement) -> None:
        if unit_id is not None:
            unit = self.units[unit_id]
            unit.items_since = max(movement.at, unit.items_since or movement.at)

    def _run(self, lo: int, n: int, lot_id: int, *, unit_id: int | None, where: Where, movement: Movement) -> Run:
        disposition = where.disposition or None
        return Run(lo, n, lot_id, unit_id, movement.at, movement.event_id, where.place_id, where.owner_id, disposition)

    def _spell(self, parent_id: int | None, where: Where, movement: Movement) -> Spell:
        disposition = where.disposition or None
        return Spell(parent_id, movement.at, movement.event_id, where.place_id, where.owner_id, disposition)
