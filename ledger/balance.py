"""The counts of lots: what quantity of which lot is where, posted as debit and credit. Pure.

Always: holding = runs and unit quantities at their outermost units + loose. ``loose`` is what was told by lot and
quantity and is in no unit; the row at ``UNKNOWN`` is below zero by what was found without anybody having told where it
came from. So the sum over a lot is what was made of it, less what was used up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from ledger.movement import UNKNOWN, Where

ZERO: Final = Decimal(0)
TAKEN: Final = Where(UNKNOWN.place_id, UNKNOWN.owner_id, "taken")
"""A loose row that never holds anything: its time is when the lot was last taken from by quantity, which no posting
of an earlier time may come after, because it could have been taken from there."""

LABELLED: Final = Where(UNKNOWN.place_id, UNKNOWN.owner_id, "labelled")
"""As ``TAKEN``: when pieces of the lot last came into being by their labels alone, because no quantity was told before
them. A quantity that is told with an earlier time could have been those very pieces."""

Row = tuple[int, Where, str]
"""Lot, where, unit of measure."""
Rank = Callable[[Where], int | None]
"""Order in which goods are taken from: lowest first; None = never from there."""


class ToldTooLate(Exception):
    """An event is earlier than what is on record for the things it names: they have to be replayed in order of time."""


class Balance:
    """Holdings and loose quantities of the lots that a batch of events touches, and what the batch adds to them."""

    def __init__(self, holdings: Mapping[Row, tuple[Decimal, datetime]], loose: Mapping[Row, tuple[Decimal, datetime]]):
        """Quantity and time of last change: holdings of the lots that are taken from by quantity, loose of all."""
        self._holding = {row: quantity for row, (quantity, _) in holdings.items()}
        self._holding_since = {row: since for row, (_, since) in holdings.items()}
        self._loose = {row: quantity for row, (quantity, _) in loose.items()}
        self._loose_since = {row: since for row, (_, since) in loose.items()}
        self._wheres: defaultdict[tuple[int, str], dict[Where, None]] = defaultdict(dict)
        for lot_id, where, uom in (*holdings, *loose):
            self._wheres[lot_id, uom][where] = None
        self.holding_changes: dict[Row, tuple[Decimal, datetime]] = {}
        self.loose_changes: dict[Row, tuple[Decimal, datetime]] = {}

    def make(self, row: Row, quantity: Decimal, at: datetime) -> None:
        """Goods told by quantity came into being."""
        lot_id, _, uom = row
        self._check_order((lot_id, LABELLED, uom), at)
        for where, amount in self._loose_rows(lot_id, uom):
            # What was found or taken before it was told to be made has to be told again in the right order.
            if (where == UNKNOWN or amount < 0) and self._loose_since.get((lot_id, where, uom), at) > at:
                raise ToldTooLate
        self._post_loose(row, quantity, at)

    def appear(self, row: Row, quantity: Decimal, at: datetime) -> None:
        """Things are seen that nobody told of before, as items or in a unit.

        They are taken for a part of what was told by quantity at this place, if so much is there; the rest is out of
        the unknown.
        """
        lot_id, _, uom = row
        self._post_loose((lot_id, UNKNOWN, uom), -self._left_after_loose(row, quantity, at), at)
        self._post(row, quantity, at)

    def label(self, row: Row, quantity: Decimal, at: datetime) -> None:
        """Pieces get labels of ours and are known by serial from now on.

        What was told by quantity at this place are the same pieces, counted once; the rest comes into being.
        """
        lot_id, _, uom = row
        if self._left_after_loose(row, quantity, at):
            self._remember((lot_id, LABELLED, uom), at)
        self._post(row, quantity, at)

    def transfer(self, row: Row, end: Where, quantity: Decimal, at: datetime) -> None:
        """Items or packed goods go from ``row`` to ``end``; settles a count of them moved before their names."""
        lot_id, start, uom = row
        if start == end or not quantity:
            return
        self._check_order(row, at)
        self._post((lot_id, start, uom), -quantity, at)
        self._post((lot_id, end, uom), quantity, at)
        owed = -self._loose.get((lot_id, start, uom), ZERO)
        for where in self._at_place(lot_id, uom, end.place_id, at):
            part = min(owed, quantity, self._loose.get((lot_id, where, uom), ZERO))
            if part > 0 and where.owner_id == end.owner_id:
                self._post_loose(row, part, at)
                self._post_loose((lot_id, where, uom), -part, at)
                owed, quantity = owed - part, quantity - part

    def end(self, row: Row, quantity: Decimal, at: datetime) -> None:
        """Items or packed goods were used up."""
        self._post(row, -quantity, at)
        # Nothing else remembers when: a later count of the lot may have to know.
        self._remember(row, at)

    def enter_unit(self, row: Row, quantity: Decimal, at: datetime) -> None:
        """What ``take`` gave is in a unit now."""
        self._post(row, quantity, at)

    def leave_unit(self, row: Row, end: Where, quantity: Decimal, at: datetime) -> None:
        """A quantity comes out of a unit that is at ``row`` and is loose at ``end``."""
        lot_id, _, uom = row
        self._post(row, -quantity, at)
        self._post_loose((lot_id, end, uom), quantity, at)

    def put_loose(self, row: Row, quantity: Decimal, at: datetime) -> None:
        """What ``take`` gave is loose there now."""
        self._post_loose(row, quantity, at)

    def take(self, lot_id: int, uom: str, quantity: Decimal, at: datetime, rank: Rank) -> list[tuple[Where, Decimal]]:
        """Take a quantity out of where it most likely is; returns where and how much. The rest is out of ``UNKNOWN``.

        Within one rank what is loose goes first, then what is known by serial or packed (its loose row falls below
        zero until the serials are told). No more is taken from a place than is counted there; what is on record as
        items may leave it later all the same, told by serial, and then the place owes what was taken before.
        """
        self._check_all(lot_id, uom, at)
        ranked = [(rank(where), where) for where in self._wheres[lot_id, uom] if where != UNKNOWN]
        taken: defaultdict[Where, Decimal] = defaultdict(lambda: ZERO)
        left = quantity
        for level in sorted({level for level, _ in ranked if level is not None}):
            wheres = sorted((w for other, w in ranked if other == level), key=lambda w: self._age(lot_id, w, uom))
            for amounts in (self._loose, self._holding):
                for where in wheres:
                    row = (lot_id, where, uom)
                    part = min(left, amounts.get(row, ZERO), self._holding.get(row, ZERO))
                    if part > 0:
                        self._post_loose(row, -part, at)
                        taken[where] += part
                        left -= part
        self._remember((lot_id, TAKEN, uom), at)
        if left > 0:
            self._post_loose((lot_id, UNKNOWN, uom), -left, at)
            taken[UNKNOWN] += left
        return list(taken.items())

    def sole_holder(self, lot_id: int, uom: str, excluded: Iterable[Where]) -> tuple[int, int] | None:
        """The (place, owner) that alone holds this lot; None when nobody or several do."""
        skip = set(excluded)
        holders = {
            (where.place_id, where.owner_id)
            for where in self._wheres[lot_id, uom]
            if where != UNKNOWN and where not in skip and self._holding.get((lot_id, where, uom), ZERO) > 0
        }
        return holders.pop() if len(holders) == 1 else None

    def wheres(self, lot_id: int, uom: str) -> list[Where]:
        """Where this lot is or was."""
        return list(self._wheres[lot_id, uom])

    def _left_after_loose(self, row: Row, quantity: Decimal, at: datetime) -> Decimal:
        """Take as much as there is out of what is loose at this place; the rest of the quantity."""
        lot_id, where, uom = row
        for other in self._at_place(lot_id, uom, where.place_id, at):
            part = min(quantity, self._loose.get((lot_id, other, uom), ZERO))
            if part > 0:
                self._post_loose((lot_id, other, uom), -part, at)
                quantity -= part
        return quantity

    def _at_place(self, lot_id: int, uom: str, place_id: int, at: datetime) -> list[Where]:
        """Where the lot was told by quantity at this place; none of it later than ``at``."""
        wheres = sorted(w for w in self._wheres[lot_id, uom] if w.place_id == place_id and w != UNKNOWN)
        for where in wheres:
            self._check_order((lot_id, where, uom), at)
        return wheres

    def _age(self, lot_id: int, where: Where, uom: str) -> tuple[datetime, str, Decimal, Where]:
        """Order of rows of one rank: what has not moved for longest goes first, as in a store-room; then the most."""
        row = (lot_id, where, uom)
        since = self._holding_since.get(row) or self._loose_since.get(row) or datetime.max.replace(tzinfo=UTC)
        return since, where.disposition, -self._holding.get(row, ZERO), where

    def _loose_rows(self, lot_id: int, uom: str) -> list[tuple[Where, Decimal]]:
        rows = ((where, self._loose.get((lot_id, where, uom), ZERO)) for where in self._wheres[lot_id, uom])
        return sorted((where, amount) for where, amount in rows if amount)

    def _check_all(self, lot_id: int, uom: str, at: datetime) -> None:
        for where in self._wheres[lot_id, uom]:
            self._check_order((lot_id, where, uom), at)
            if self._holding_since.get((lot_id, where, uom), at) > at:
                raise ToldTooLate

    def _check_order(self, row: Row, at: datetime) -> None:
        if self._loose_since.get(row, at) > at:
            raise ToldTooLate

    def _remember(self, row: Row, at: datetime) -> None:
        """The time of a loose row, without an amount."""
        self._add(self._loose, self.loose_changes, row, ZERO, at)
        self._loose_since[row] = max(self._loose_since.get(row, at), at)

    def _post_loose(self, row: Row, quantity: Decimal, at: datetime) -> None:
        if quantity:
            self._add(self._loose, self.loose_changes, row, quantity, at)
            self._loose_since[row] = max(self._loose_since.get(row, at), at)
            self._post(row, quantity, at)

    def _post(self, row: Row, quantity: Decimal, at: datetime) -> None:
        if quantity:
            self._check_order((row[0], TAKEN, row[2]), at)
            self._add(self._holding, self.holding_changes, row, quantity, at)
            self._holding_since[row] = max(self._holding_since.get(row, at), at)

    def _add(
        self,
        amounts: dict[Row, Decimal],
        changes: dict[Row, tuple[Decimal, datetime]],
        row: Row,
        quantity: Decimal,
        at: datetime,
    ) -> None:
        lot_id, where, uom = row
        amounts[row] = amounts.get(row, ZERO) + quantity
        before = changes.get(row)
        changes[row] = (quantity, at) if before is None else (before[0] + quantity, max(before[1], at))
        self._wheres[lot_id, uom][where] = None
