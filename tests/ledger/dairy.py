"""The little dairy as events: parties and places by GLN, lots by GTIN, and short ways to tell events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import codes
from ledger.capture import capture
from ledger.codes import KeyRing
from ledger.model import CaptureReport
from runtime.database import transaction

SECRET = "a secret of the dairy, long enough to keep"
MORNING = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
CONTEXT = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"dairy": "https://dairy.example/terms/"}]

MILK, CHEESE, CASE = "09506000134352", "09506000134369", "19506000134366"
PLANT, DEPOT, SHOP = "9506000100012", "9506000100029", "9506000100036"
CREAMERY, CORNER = "9506000200019", "9506000200026"
PALLET, OTHER_PALLET = "395060001343520018", "395060001343520025"


def clock() -> datetime:
    """A clock that stands still in the evening."""
    return MORNING + timedelta(days=300)


async def ring(conn: AsyncConnection) -> KeyRing:
    """The dairy's serial keys."""
    async with transaction(conn):
        return await codes.ensure_key(conn, SECRET, clock=clock)


def item(gtin: str, serial: str | int) -> str:
    return f"https://id.gs1.org/01/{gtin}/21/{serial}"


def items(gtin: str, serials: Sequence[str | int] | range) -> list[str]:
    return [item(gtin, serial) for serial in serials]


def lot(gtin: str, code: str) -> str:
    return f"https://id.gs1.org/01/{gtin}/10/{code}"


def sscc(number: str) -> str:
    return f"https://id.gs1.org/00/{number}"


def place(gln: str) -> str:
    return f"https://id.gs1.org/414/{gln}"


def party(gln: str) -> str:
    return f"https://id.gs1.org/417/{gln}"


def much(gtin: str, code: str, quantity: float, uom: str | None = None) -> dict[str, Any]:
    element: dict[str, Any] = {"epcClass": lot(gtin, code), "quantity": quantity}
    return element if uom is None else {**element, "uom": uom}


def tell(kind: str, hours: float, *, at: str | None = None, to: str | None = None, **says: Any) -> dict[str, Any]:
    """An event so many hours after the morning, ``at`` a business location, ``to`` an owner."""
    moment = MORNING + timedelta(hours=hours)
    event: dict[str, Any] = {"type": kind, "eventTime": moment.isoformat(), "eventTimeZoneOffset": "+00:00", **says}
    if at is not None:
        event["bizLocation"] = {"id": place(at)}
    if to is not None:
        event["destinationList"] = [{"type": "owning_party", "destination": party(to)}]
    return event


def make(hours: float, at: str = PLANT, **says: Any) -> dict[str, Any]:
    return tell("ObjectEvent", hours, at=at, action="ADD", bizStep="commissioning", **says)


def pack(hours: float, parent: str, at: str | None = PLANT, **says: Any) -> dict[str, Any]:
    return tell("AggregationEvent", hours, at=at, action="ADD", bizStep="packing", parentID=parent, **says)


def unpack(hours: float, parent: str, at: str | None = SHOP, **says: Any) -> dict[str, Any]:
    return tell("AggregationEvent", hours, at=at, action="DELETE", bizStep="unpacking", parentID=parent, **says)


def ship(hours: float, to: str, destination: str, at: str = PLANT, **says: Any) -> dict[str, Any]:
    event = tell("ObjectEvent", hours, at=at, to=to, action="OBSERVE", bizStep="shipping", **says)
    event["destinationList"].append({"type": "location", "destination": place(destination)})
    return event


def receive(hours: float, at: str, **says: Any) -> dict[str, Any]:
    return tell("ObjectEvent", hours, at=at, action="OBSERVE", bizStep="receiving", disposition="in_progress", **says)


def document(*events: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "@context": CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": MORNING.isoformat(),
        "epcisBody": {"eventList": list(events)},
    }
    return told if header is None else {**told, "epcisHeader": {"epcisMasterData": header}}


async def take_in(conn: AsyncConnection, keys: KeyRing, *events: Mapping[str, Any], **options: Any) -> CaptureReport:
    """Capture a document of these events."""
    return await capture(conn, document(*events), by="anna", clock=clock, keys=keys, **options)


async def holdings(conn: AsyncConnection, gtin: str, code: str) -> dict[tuple[str | None, str | None, str], Decimal]:
    """(GLN of the place, GLN of the owner, disposition) → quantity, of one lot in all units of measure."""
    rows = await conn.execute(
        text("""
            SELECT coalesce(p.gln, nullif(p.uri, 'urn:tracemark:unknown')), coalesce(o.gln, nullif(o.uri,
                   'urn:tracemark:unknown')), h.disposition, h.quantity
            FROM lot_holding h JOIN lot l USING (lot_id) JOIN product USING (product_id)
            JOIN place p ON p.place_id = h.place_id JOIN party o ON o.party_id = h.owner_id
            WHERE gtin = :gtin AND code = :code AND h.quantity <> 0
        """),
        {"gtin": gtin, "code": code},
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows}


async def count(conn: AsyncConnection, table: str) -> int:
    """How many rows a table has."""
    return int((await conn.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


# The book by names, so that two ways of writing it can be compared: ids of units and lots depend on who came first.
_BOOK = {
    "runs": """
        SELECT f.gtin, f.serial, l.code, u.uri, r.since, e.hash, p.uri, o.uri, r.disposition
        FROM code_run r JOIN foreign_serial f ON f.number >= r.lo AND f.number < r.lo + r.n JOIN lot l USING (lot_id)
        LEFT JOIN unit u USING (unit_id) JOIN event e ON e.event_id = r.event_id
        JOIN place p ON p.place_id = r.place_id JOIN party o ON o.party_id = r.owner_id""",
    "run history": """
        SELECT f.gtin, f.serial, l.code, u.uri, r.since, r.until, e.hash, p.uri, o.uri, r.disposition
        FROM code_run_history r JOIN foreign_serial f ON f.number >= r.lo AND f.number < r.lo + r.n
        JOIN lot l USING (lot_id) LEFT JOIN unit u USING (unit_id) JOIN event e ON e.event_id = r.event_id
        JOIN place p ON p.place_id = r.place_id JOIN party o ON o.party_id = r.owner_id""",
    "units": """
        SELECT u.uri, a.uri, u.since, e.hash, p.uri, o.uri, u.disposition
        FROM unit u LEFT JOIN unit a ON a.unit_id = u.parent_id JOIN event e ON e.event_id = u.event_id
        JOIN place p ON p.place_id = u.place_id JOIN party o ON o.party_id = u.owner_id""",
    "unit history": """
        SELECT u.uri, a.uri, h.since, h.until, e.hash, p.uri, o.uri, h.disposition
        FROM unit_history h JOIN unit u USING (unit_id) LEFT JOIN unit a ON a.unit_id = h.parent_id
        JOIN event e ON e.event_id = h.event_id JOIN place p ON p.place_id = h.place_id
        JOIN party o ON o.party_id = h.owner_id""",
    "unit quantities": """
        SELECT u.uri, gtin, code, q.uom, q.quantity
        FROM unit_quantity q JOIN unit u USING (unit_id) JOIN lot USING (lot_id) JOIN product USING (product_id)""",
    "holdings": """
        SELECT gtin, code, p.uri, o.uri, h.disposition, h.uom, h.quantity
        FROM lot_holding h JOIN lot USING (lot_id) JOIN product USING (product_id)
        JOIN place p ON p.place_id = h.place_id JOIN party o ON o.party_id = h.owner_id WHERE h.quantity <> 0""",
    "loose": """
        SELECT gtin, code, p.uri, o.uri, h.disposition, h.uom, h.quantity
        FROM loose_quantity h JOIN lot USING (lot_id) JOIN product USING (product_id)
        JOIN place p ON p.place_id = h.place_id JOIN party o ON o.party_id = h.owner_id WHERE h.quantity <> 0""",
    "shipments": """
        SELECT e.hash, gtin, code, s.uom, s.quantity, a.uri, b.uri, c.uri, d.uri, s.at, s.documents
        FROM lot_shipment s JOIN event e USING (event_id) JOIN lot USING (lot_id) JOIN product USING (product_id)
        JOIN party a ON a.party_id = s.from_owner_id JOIN party b ON b.party_id = s.to_owner_id
        JOIN place c ON c.place_id = s.from_place_id JOIN place d ON d.place_id = s.to_place_id""",
    "genealogy": """
        SELECT e.hash, side, p.gtin, code, i.at, CASE WHEN i.lo IS NULL THEN i.quantity END, i.uom, f.serial
        FROM (SELECT 'in' AS side, * FROM operation_input UNION ALL SELECT 'out', * FROM operation_output) i
        JOIN event e USING (event_id) JOIN lot USING (lot_id) JOIN product p USING (product_id)
        LEFT JOIN foreign_serial f ON f.number >= i.lo AND f.number < i.lo + i.n""",
    "marks": """
        SELECT p.gtin, code, f.serial, m.word, s.hash, x.hash
        FROM persistent_disposition m JOIN lot USING (lot_id) JOIN product p USING (product_id)
        LEFT JOIN foreign_serial f ON f.number >= m.lo AND f.number < m.lo + m.n
        JOIN event s ON s.event_id = m.set_by LEFT JOIN event x ON x.event_id = m.unset_by""",
}


async def book(conn: AsyncConnection) -> dict[str, list[tuple[Any, ...]]]:
    """The whole book, by names."""
    return {
        what: sorted((tuple(row) for row in await conn.execute(text(sql))), key=repr) for what, sql in _BOOK.items()
    }


async def rows(conn: AsyncConnection, sql: str) -> list[tuple[Any, ...]]:
    """What the database answers."""
    return [tuple(row) for row in await conn.execute(text(sql))]


async def shipments(conn: AsyncConnection) -> list[tuple[Any, ...]]:
    """What was shipped to whom: lot, quantity, from, to, delivery notes."""
    return await rows(
        conn,
        "SELECT l.code, s.quantity, a.gln, b.gln, s.documents FROM lot_shipment s JOIN lot l USING (lot_id)"
        " JOIN party a ON a.party_id = s.from_owner_id JOIN party b ON b.party_id = s.to_owner_id"
        " ORDER BY s.at, l.code",
    )
