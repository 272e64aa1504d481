"""What affected quantities are worked out from, as columns of numbers: for closures too large for a value each.

The database sends a column as the bytes of its numbers one after the other (``string_agg(int8send(…), '')``): reading
them costs next to nothing, where a value each would cost more than all the arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from sqlalchemy import RowMapping

from ledger.intervals import Run
from ledger.trace_quantities import Facts, Flow, Key

Numbers = np.ndarray[Any, np.dtype[np.float64]]
Places = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Instants are microseconds since then, as PostgreSQL sends them."""
_NOT_TOLD: Final = -1
_WHOLE: Final = ("operations", "lots", "ats", "los", "ns", "products")


def whole_numbers(column: bytes | None) -> Places:
    """A column of ``int8send`` or ``timestamptz_send``; of no rows it is None."""
    return np.frombuffer(column or b"", ">i8").astype(np.int64)


def fractions(column: bytes | None) -> Numbers:
    """A column of ``float8send``."""
    return np.frombuffer(column or b"", ">f8").astype(np.float64)


def places(values: Sequence[int]) -> Places:
    """Whole numbers as a column."""
    return np.fromiter(values, np.int64, len(values))


@dataclass(frozen=True, slots=True, eq=False)
class FlowColumns:
    """Flows into operations, or out of them. ``quantities`` 0 = not told; ``los`` and ``ns`` -1 = told by quantity.

    ``products`` are those of the lots; 0 = not known.
    """

    operations: Places
    lots: Places
    ats: Places
    quantities: Numbers
    uoms: Sequence[str]
    los: Places
    ns: Places
    products: Places

    def __len__(self) -> int:
        return len(self.lots)

    @classmethod
    def received(cls, row: RowMapping, side: str) -> FlowColumns:
        """One side, ``in`` or ``out``, of what the statement ``flows`` sends."""
        numbers = {name: whole_numbers(row[f"{side}_{name}"]) for name in _WHOLE}
        return cls(quantities=fractions(row[f"{side}_quantities"]), uoms=row[f"{side}_uoms"] or (), **numbers)

    @classmethod
    def of(cls, flows: Sequence[Flow], product_by_lot: Mapping[int, int]) -> FlowColumns:
        """The same as rows told."""
        return cls(
            places([row.operation_id for row in flows]),
            places([row.lot_id for row in flows]),
            places([(row.at - _EPOCH) // timedelta(microseconds=1) for row in flows]),
            np.array([row.quantity or 0.0 for row in flows], np.float64),
            [row.uom for row in flows],
            places([_NOT_TOLD if row.lo is None else row.lo for row in flows]),
            places([_NOT_TOLD if row.n is None else row.n for row in flows]),
            places([product_by_lot.get(row.lot_id, 0) for row in flows]),
        )

    def flows(self) -> Iterator[Flow]:
        """The same as rows."""
        columns = (self.operations, self.lots, self.ats, self.quantities, self.los, self.ns)
        for (operation, lot, at, quantity, lo, n), uom in zip(
            zip(*(column.tolist() for column in columns), strict=True), self.uoms, strict=True
        ):
            numbers = (None, None) if lo == _NOT_TOLD else (lo, n)
            yield Flow(operation, lot, _EPOCH + timedelta(microseconds=at), quantity or None, uom, *numbers)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """``Facts`` as columns. ``made``: lots, units of measure and quantities, each lot and unit once."""

    starts: Mapping[int, Sequence[Run] | None]
    reached: Places
    inputs: FlowColumns
    outputs: FlowColumns
    made: tuple[Places, Sequence[str], Numbers]
    plugs: Places

    @classmethod
    def of(cls, facts: Facts) -> Table:
        """The same as columns."""
        return cls(
            facts.starts,
            np.unique(places([*facts.reached])),
            FlowColumns.of(facts.inputs, facts.product_by_lot),
            FlowColumns.of(facts.outputs, facts.product_by_lot),
            columns_of(facts.made),
            places([*facts.plugs]),
        )

    def facts(self) -> Facts:
        """The same as rows."""
        products: dict[int, int] = {}
        for side in (self.inputs, self.outputs):
            products.update(zip(side.lots.tolist(), side.products.tolist(), strict=True))
        lots, uoms, quantities = self.made
        return Facts(
            starts=self.starts,
            reached=frozenset(self.reached.tolist()),
            inputs=list(self.inputs.flows()),
            outputs=list(self.outputs.flows()),
            made=dict(zip(zip(lots.tolist(), uoms, strict=True), quantities.tolist(), strict=True)),
            product_by_lot=products,
            plugs=frozenset(self.plugs.tolist()),
        )


def columns_of(made: Mapping[Key, float]) -> tuple[Places, Sequence[str], Numbers]:
    """Quantities by lot and unit of measure, as columns."""
    return places([lot for lot, _uom in made]), [uom for _lot, uom in made], np.array([*made.values()], np.float64)
