"""The sortable sheet that FSMA 204 asks for (21 CFR 1 subpart S): one row for each tracking event of each lot.

Shipping (§ 1.1340), receiving (§ 1.1345) and transformation (§ 1.1350) are written from the record; what happens to a
raw commodity before it is first packed is not on record here. A key data element that nobody told is an empty cell, and
is named in the last column together with the clause that asks for it: an incomplete row is shown as incomplete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.epcis.identifiers import name_of
from ledger.statements import named_statements
from ledger.trace_amounts import number
from runtime.clock import rfc3339
from runtime.refusals import TooMany

ROWS_MAX: Final = 200_000
"""Most rows of one kind of tracking event."""
COLUMNS: Final = (
    "event", "date", "traceability_lot_code", "gtin", "product_description", "quantity", "unit_of_measure", "direction",
    "from_location", "to_location", "lot_code_source", "reference_document_type", "reference_document_number",
    "record", "missing",
)  # fmt: skip

Row = dict[str, str | int | float | None]
Locations = Mapping[int, tuple[str, list[str]]]

_SQL: Final = named_statements(Path(__file__).with_name("trace.sql"))
_RECEIPTS: Final = _SQL["receipts"].columns(body=JSONB)
_CLAUSES: Final = {"shipping": "§1.1340(a)({n})", "receiving": "§1.1345(a)({n})"}
_MADE: Final = {"in": "§1.1350(a)(1)", "out": "§1.1350(a)(2)"}


class TooManyTrackingEvents(TooMany):
    """This trace has more than {rows_max} tracking events of one kind. Trace a lot of it instead."""


async def rows_of(conn: AsyncConnection, lot_ids: Iterable[int]) -> list[Row]:
    """The rows of these lots, in order of time; lots without a code are left out: they have no lot code to show."""
    lots = {row.lot_id: row for row in await conn.execute(_SQL["lots_to_sell"], {"lots": sorted(set(lot_ids))})}
    wanted = {"lots": sorted(lots)}
    moved = await _read(conn, "transfers", wanted)
    operations = list((await conn.execute(_SQL["operations_of_lots"], wanted)).scalars())
    made = [row for row in await _read(conn, "makings", {"operations": operations}) if row.lot_id in lots]
    told = {(row.received_by, row.lot_id) for row in moved if row.received_by is not None}
    received = [row for row in await _read(conn, "receipts", wanted) if (row.event_id, row.lot_id) not in told]
    locations = await _locations(conn, lots.values(), moved, made, received)
    rows: list[tuple[Any, Row]] = []
    for row in moved:
        rows.append((row.at, _transfer("shipping", row, lots[row.lot_id], locations)))
        if row.received_by is not None:
            rows.append((row.received_at, _transfer("receiving", row, lots[row.lot_id], locations)))
    rows += [(row.at, _receipt(row, lots[row.lot_id], locations)) for row in received]
    rows += [(row.at, _making(row, lots[row.lot_id], locations)) for row in made]
    return [row for _at, row in sorted(rows, key=lambda each: each[0])]


async def _read(conn: AsyncConnection, name: str, values: Mapping[str, Any]) -> Sequence[Any]:
    statement = _RECEIPTS if name == "receipts" else _SQL[name]
    rows = (await conn.execute(statement, {**values, "rows_max": ROWS_MAX})).all()
    if len(rows) > ROWS_MAX:
        raise TooManyTrackingEvents(rows_max=ROWS_MAX)
    return rows


async def _locations(conn: AsyncConnection, *sources: Iterable[Any]) -> dict[int, tuple[str, list[str]]]:
    """For each place its description, and which parts of one are not known (21 CFR 1.1310, location description)."""
    names = ("made_at_place_id", "from_place_id", "to_place_id", "place_id")
    wanted = {getattr(row, name) for rows in sources for row in rows for name in names if hasattr(row, name)} - {0}
    found = {}
    for row in (await conn.execute(_SQL["locations"], {"places": sorted(wanted)})).mappings():
        parts = {
            "business name": row["business"] if row["business"] != "unknown" else row["name"], "phone": row["phone"],
            "address": row["address"], "city": row["city"], "state": row["region"], "country": row["country"],
        }  # fmt: skip
        said = ", ".join(value for value in (row["name"], *parts.values(), row["gln"]) if value)
        found[row["place_id"]] = (said, [name for name, value in parts.items() if not value])
    return found


def _transfer(kind: str, row: Any, lot: Any, locations: Locations) -> Row:
    is_shipping = kind == "shipping"
    at, event_id = (row.at, row.event_id) if is_shipping else (row.received_at, row.received_by)
    missing = _Missing(_CLAUSES[kind])
    numbers = ("5", "4") if is_shipping else ("4", "5")
    document = row.documents[0] if row.documents else None
    return {
        **_goods(kind, at, lot, row, missing),
        "direction": "",
        "from_location": missing.location(numbers[0], row.from_place_id, locations, "location it came from"),
        "to_location": missing.location(numbers[1], row.to_place_id, locations, "location it went to"),
        "lot_code_source": missing.location("7", lot.made_at_place_id, locations, "lot code source"),
        "reference_document_type": "despatch advice" if document else None,
        "reference_document_number": missing.value("8", document, "reference document"),
        "record": event_id,
        "missing": missing.said(),
    }


def _receipt(row: Any, lot: Any, locations: Locations) -> Row:
    """A receipt that no shipment on record led to: who sent it is not known from a record of places."""
    missing = _Missing(_CLAUSES["receiving"])
    quantities = [
        q for q in row.body.get("quantityList", ())
        if (name := name_of(q["epcClass"])).gtin == lot.gtin and name.lot == lot.code and "quantity" in q
    ]  # fmt: skip
    told = _Told(quantities[0]["quantity"] if quantities else None, quantities[0].get("uom", "") if quantities else "")
    documents = [each["bizTransaction"] for each in row.body.get("bizTransactionList", ())]
    return {
        **_goods("receiving", row.at, lot, told, missing),
        "direction": "",
        "from_location": missing.location("4", 0, locations, "location it came from"),
        "to_location": missing.location("5", row.place_id, locations, "location it went to"),
        "lot_code_source": missing.location("7", lot.made_at_place_id, locations, "lot code source"),
        "reference_document_type": "business transaction" if documents else None,
        "reference_document_number": missing.value("8", documents[0] if documents else None, "reference document"),
        "record": row.event_id,
        "missing": missing.said(),
    }


def _making(row: Any, lot: Any, locations: Locations) -> Row:
    missing = _Missing(_MADE[row.side])
    is_new = row.side == "out"
    place = missing.location("", row.place_id, locations, "place of the transformation") if is_new else None
    document = missing.value("", None, "reference document") if is_new else None
    return {
        **_goods("transformation", row.at, lot, row, missing),
        "direction": "new lot" if is_new else "used",
        "from_location": place,
        "to_location": place,
        "lot_code_source": place,
        "reference_document_type": None,
        "reference_document_number": document,
        "record": row.event_id,
        "missing": missing.said(),
    }


class _Told:
    """A quantity as an event tells it."""

    def __init__(self, quantity: float | None, uom: str) -> None:
        self.quantity, self.uom = quantity, uom


def _goods(kind: str, at: Any, lot: Any, row: Any, missing: _Missing) -> Row:
    quantity = row.quantity
    shown = number(quantity) if quantity is not None and not isinstance(quantity, int | float) else quantity
    return {
        "event": kind,
        "date": rfc3339(at),
        "traceability_lot_code": lot.code,
        "gtin": lot.gtin,
        "product_description": lot.product,
        "quantity": missing.value("2", shown, "quantity and unit of measure"),
        "unit_of_measure": (row.uom or "pieces") if quantity is not None else None,
    }


class _Missing:
    """The key data elements that a row lacks, each with its clause."""

    def __init__(self, clause: str) -> None:
        self._clause = clause
        self._said: list[str] = []

    def value(self, paragraph: str, value: Any, what: str) -> Any:
        if value is None:
            self._said.append(f"{what} {self._clause.format(n=paragraph)}")
        return value

    def location(self, paragraph: str, place_id: int, locations: Locations, what: str) -> str | None:
        """The description of a place; what it lacks is said too."""
        described = locations.get(place_id)
        if described is None:
            self._said.append(f"{what} {self._clause.format(n=paragraph)}")
            return None
        said, lacks = described
        if lacks:
            self._said.append(f"{what}: {', '.join(lacks)} {self._clause.format(n=paragraph)}")
        return said

    def said(self) -> str:
        return "; ".join(self._said)
