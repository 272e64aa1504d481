"""The affected quantities of a closure, read from the ledger; and the account of each lot, the missing shown."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import add
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.closure import Closure, Start
from ledger.flow_columns import FlowColumns, Numbers, Places, Table, columns_of, fractions, places, whole_numbers
from ledger.holders import PIECES, Holding
from ledger.intervals import Run
from ledger.statements import named_statements
from ledger.trace_levels import Worked, worked_out
from ledger.trace_quantities import NOTHING, Amount, Key, rounded, whole_pieces

BOUNDS: Final = ("lower", "expected", "upper")
K = TypeVar("K", bound=Hashable)

_SQL: Final = named_statements(Path(__file__).with_name("trace.sql"))


@dataclass(frozen=True, slots=True)
class Account:
    """What came of one lot, in one unit of measure ("" = pieces).

    ``held`` is all that is somewhere now, gone goods included (sold, destroyed, sampled); ``outside`` of it was first
    told of when it was here already; ``used`` went into operations. ``made`` is what operations told that they made;
    None = no operation told a quantity.
    """

    held: Decimal
    outside: Decimal
    used: Decimal
    made: Decimal | None


Accounts = Mapping[Key, Account]
Made = tuple[Places, Sequence[str], Numbers]
"""Lots, units of measure and quantities, as columns; each lot and unit once."""


async def accounts_of(conn: AsyncConnection, lot_ids: Iterable[int]) -> dict[Key, Account]:
    """The account of each lot and unit of measure."""
    rows = await conn.execute(_SQL["accounts_of_lots"], {"lots": sorted(set(lot_ids))})
    return {
        (row.lot_id, row.uom): Account(row.held, row.outside, row.used, row.made if row.is_made else None)
        for row in rows
    }


async def made_of(conn: AsyncConnection, lot_ids: Iterable[int]) -> Made:
    """All there ever was of each lot, by unit of measure: ``held`` and ``used`` of its account."""
    row = (await conn.execute(_SQL["made_of_lots"], {"lots": sorted(set(lot_ids))})).one()
    return whole_numbers(row.lots), row.uoms or (), fractions(row.made)


def made_by_account(accounts: Accounts) -> Made:
    """The same from the accounts, where they are known already."""
    return columns_of({key: float(account.held + account.used) for key, account in accounts.items()})


async def quantities_of(conn: AsyncConnection, closure: Closure, starts: Iterable[Start], made: Made) -> Worked:
    """At least, most likely and at most affected of each lot of a downstream closure (see ``ledger.trace_quantities``).

    ``made`` is all that there ever was of the closure's lots.
    """
    reached = places([lot.lot_id for lot in closure.lots])
    return await worked_out_for(conn, reached, places(closure.operation_ids), starts, made)


async def worked_out_for(
    conn: AsyncConnection, reached: Places, operations: Places, starts: Iterable[Start], made: Made
) -> Worked:
    """The same for a closure told as columns: its lots, and the operations walked through."""
    row = (await conn.execute(_SQL["flows"], {"operations": operations.tolist()})).mappings().one()
    inputs, outputs = (FlowColumns.received(row, side) for side in ("in", "out"))
    return worked_out(Table(_named(starts), reached, inputs, outputs, made, whole_numbers(row["plugs"])))


@dataclass(frozen=True, slots=True)
class Affected:
    """What of the reached lots is affected, and of what each holder has."""

    closure: Closure
    quantities: Worked
    accounts: Accounts
    held: Sequence[Holding]

    def of_lots(self) -> dict[int, list[dict[str, Any]]]:
        """For each reached lot one entry a unit of measure."""
        uoms: dict[int, list[str]] = {}
        for lot_id, uom in self.accounts:
            uoms.setdefault(lot_id, []).append(uom)
        return {
            lot.lot_id: [
                rounded(self.quantities.of(lot.lot_id, uom, only_told=not lot.whole), uom)
                for uom in sorted(uoms.get(lot.lot_id, ()))
            ]
            for lot in self.closure.lots
        }

    def of_holders(self) -> dict[tuple[int, int], list[dict[str, Any]]]:
        """For each owner and place one entry a unit of measure. What is below zero is below zero in all bounds."""
        sums: dict[tuple[int, int], dict[str, Amount]] = {}
        for (owner_id, place_id, uom), part in self._parts(lambda h: (h.owner_id, h.place_id, h.uom)).items():
            sums.setdefault((owner_id, place_id), {})[uom] = part
        return {key: [rounded(by_uom[uom], uom) for uom in sorted(by_uom)] for key, by_uom in sums.items()}

    def in_all(self) -> list[int]:
        """Pieces affected over all that is held: at least, most likely, at most. Holders' bounds may add up to more."""
        pieces = self._parts(lambda h: h.uom).get(PIECES)
        return [0, 0, 0] if pieces is None else whole_pieces(pieces)

    def _parts(self, shared: Callable[[Holding], K]) -> dict[K, Amount]:
        """What is affected of the holdings that share something: of each lot together, because its bound is one."""
        whole = {lot.lot_id: lot.whole for lot in self.closure.lots}
        quantities: dict[tuple[K, int, str, bool], float] = {}
        for holding in self.held:
            key = (shared(holding), holding.lot_id, holding.uom, holding.quantity > 0)
            quantities[key] = quantities.get(key, 0.0) + float(holding.quantity)
        sums: dict[K, Amount] = {}
        for (group, lot_id, uom, is_there), quantity in quantities.items():
            of_lot = self.quantities.of(lot_id, uom, only_told=not whole[lot_id])
            part = of_lot.part(quantity) if is_there else Amount(quantity, quantity, quantity, quantity)
            sums[group] = Amount(*map(add, sums.get(group, NOTHING), part))
        return sums


def balance_of(account: Account, announced: Decimal | None) -> dict[str, int | float | str]:
    """The account of a lot closed: ``unaccounted`` was made and is nowhere; below zero, more turned up than was made.

    It is never clamped. ``told_by`` says whence ``made`` is known: from the operations, else as the lot was announced,
    else from whatever events brought it into the record.
    """
    by_record = account.held + account.used - account.outside
    ways = (("operations", account.made), ("announcement", announced), ("record", by_record))
    told_by, made = next((by, made) for by, made in ways if made is not None)
    values = {"made": made, "held": account.held, "used": account.used, "from_outside": account.outside}
    missing = made - account.held - account.used
    return {"told_by": told_by, **{name: number(value) for name, value in {**values, "unaccounted": missing}.items()}}


def number(value: Decimal) -> int | float:
    """A quantity in the types of JSON: whole ones as integers."""
    return int(value) if value == value.to_integral_value() else float(value)


def _named(starts: Iterable[Start]) -> dict[int, list[Run] | None]:
    named: dict[int, list[Run] | None] = {}
    for start in starts:
        runs = named.setdefault(start.lot_id, [])
        if start.lo is None or start.n is None or runs is None:
            named[start.lot_id] = None
        else:
            runs.append((start.lo, start.n))
    return named
