"""Units and what is in them: logistic units, serialized cases, returnable crates. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from ledger.movement import Where

Content = dict[tuple[int, str], Decimal]
"""Quantity by lot and unit of measure ("" = pieces)."""


class Spell(NamedTuple):
    """How a unit was for a time: in what, where, whose; from ``since`` by one event."""

    parent_id: int | None
    since: datetime
    event_id: int
    place_id: int
    owner_id: int
    disposition: str | None


@dataclass(slots=True)
class Unit:
    """A unit now. ``spell`` is None until an event tells of it; ``number`` when it is itself a serialized item."""

    unit_id: int
    uri: str
    number: int | None
    spell: Spell | None
    items: dict[int, int] = field(default_factory=dict)
    """How many items of each lot are directly in it."""
    quantities: Content = field(default_factory=dict)
    """What is directly in it by lot and quantity."""
    children: set[int] = field(default_factory=set)
    items_since: datetime | None = None
    """When an item directly in it was named last."""

    @property
    def is_known(self) -> bool:
        """Whether any event told of it so far."""
        return self.spell is not None

    @property
    def parent_id(self) -> int | None:
        """The unit that it is in."""
        return None if self.spell is None else self.spell.parent_id

    @property
    def where(self) -> Where:
        """Its own place, owner and disposition: those of its contents when it is in nothing."""
        assert self.spell is not None
        return Where(self.spell.place_id, self.spell.owner_id, self.spell.disposition or "")

    @property
    def has_content(self) -> bool:
        """Whether anything is in it."""
        return bool(self.children or self.quantities or any(self.items.values()))

    def count(self, lot_id: int, n: int) -> None:
        """Put ``n`` items of a lot in (or take them out, below zero)."""
        self.items[lot_id] = self.items.get(lot_id, 0) + n
        if not self.items[lot_id]:
            del self.items[lot_id]

    def hold(self, lot_id: int, uom: str, quantity: Decimal) -> None:
        """Put a quantity of a lot in (or take it out, below zero)."""
        self.quantities[lot_id, uom] = self.quantities.get((lot_id, uom), Decimal(0)) + quantity
        if not self.quantities[lot_id, uom]:
            del self.quantities[lot_id, uom]


class UnitMap:
    """The units that a batch of events names, all that they are in and all that is in them; notes what changes."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._unit_by_id = {unit.unit_id: unit for unit in units}
        self._id_by_number = {
            unit.number: unit.unit_id for unit in self._unit_by_id.values() if unit.number is not None
        }
        for unit in self._unit_by_id.values():
            if unit.parent_id is not None and unit.parent_id in self._unit_by_id:
                self._unit_by_id[unit.parent_id].children.add(unit.unit_id)
        self.changed: set[int] = set()
        self.history: list[tuple[int, Spell, datetime]] = []
        """(unit, the spell that ended, when)."""

    def __getitem__(self, unit_id: int) -> Unit:
        return self._unit_by_id[unit_id]

    def __iter__(self) -> Iterator[Unit]:
        return iter(self._unit_by_id.values())

    def of_number(self, number: int) -> Unit | None:
        """The unit that is itself the item of this number, once it is one."""
        unit_id = self._id_by_number.get(number)
        unit = None if unit_id is None else self._unit_by_id[unit_id]
        return unit if unit is not None and unit.is_known else None

    @property
    def numbers(self) -> Set[int]:
        """The items that are units themselves."""
        return self._id_by_number.keys()

    def set(self, unit: Unit, spell: Spell) -> None:
        """A new spell begins; the one before it ends and is history."""
        if unit.spell is not None:
            if (unit.spell.since, unit.spell.event_id) != (spell.since, spell.event_id):
                self.history.append((unit.unit_id, unit.spell, spell.since))
            if unit.spell.parent_id is not None and unit.spell.parent_id != spell.parent_id:
                self._unit_by_id[unit.spell.parent_id].children.discard(unit.unit_id)
        if spell.parent_id is not None:
            self._unit_by_id[spell.parent_id].children.add(unit.unit_id)
        unit.spell = spell
        self.changed.add(unit.unit_id)

    def note(self, unit: Unit) -> None:
        """The contents changed."""
        self.changed.add(unit.unit_id)

    def path_up(self, unit: Unit) -> list[Unit]:
        """The unit, what it is in, and so on to the outermost."""
        path = [unit]
        while path[-1].parent_id is not None:
            path.append(self._unit_by_id[path[-1].parent_id])
        return path

    def outermost(self, unit: Unit) -> Unit:
        """The unit that is in nothing, at the top of this one."""
        return self.path_up(unit)[-1]

    def inside(self, unit: Unit) -> list[Unit]:
        """The unit and all units in it, to any depth; the outer ones first."""
        result = [unit]
        for each in result:
            result.extend(self._unit_by_id[child] for child in sorted(each.children))
        return result

    def content(self, unit: Unit) -> Content:
        """All that is in it to any depth."""
        total: defaultdict[tuple[int, str], Decimal] = defaultdict(Decimal)
        for each in self.inside(unit):
            for lot_id, n in each.items.items():
                total[lot_id, ""] += n
            for key, quantity in each.quantities.items():
                total[key] += quantity
        return {key: quantity for key, quantity in sorted(total.items()) if quantity}
