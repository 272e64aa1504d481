"""What nobody told us: the places where a trace has to guess, said aloud. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ledger.genealogy import Closure
from ledger.holders import Holding
from ledger.model import LOT_NOT_TOLD, UNKNOWN_ID
from runtime.clock import rfc3339

TRANSIT_DAYS_MAX: Final = 14
"""Goods that were sent longer ago, and that nobody told to have arrived, are named as a gap."""

Row = Mapping[str, Any]


def gaps(
    *,
    lots: Mapping[int, Row],
    operations: Mapping[int, Row],
    above: Closure,
    held: Iterable[Holding],
    journeys: Iterable[Row],
    parties: Mapping[int, Row],
    places: Mapping[int, Row],
    contacts: Mapping[int, Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Every gap in the record that the answer rests on, each with ``what`` is missing and where."""
    held = tuple(held)
    return [
        *_origins(lots, above),
        *_operations(operations),
        *_holdings(held, lots, parties, places),
        *_journeys(journeys, lots, parties, places),
        *_contacts(held, parties, contacts),
    ]


def _origins(lots: Mapping[int, Row], above: Closure) -> Iterable[dict[str, Any]]:
    for reached in above.lots:
        lot = lots[reached.lot_id]
        if lot["code"] == LOT_NOT_TOLD:
            yield {"what": "items without a lot", "gtin": lot["gtin"], "lot": ""}
        elif not lot["made_here"] and not lot["moved"] and lot["supplier_id"] == lot["made_at_place_id"] == UNKNOWN_ID:
            yield {"what": "lot without receipt or making", "gtin": lot["gtin"], "lot": lot["code"]}


def _operations(operations: Mapping[int, Row]) -> Iterable[dict[str, Any]]:
    for row in operations.values():
        if not row["has_inputs"]:
            yield {"what": "operation without inputs", "event": row["event_id"]}
        if not row["has_outputs"]:
            yield {"what": "operation without outputs", "event": row["event_id"]}


def _holdings(
    held: Iterable[Holding], lots: Mapping[int, Row], parties: Mapping[int, Row], places: Mapping[int, Row]
) -> Iterable[dict[str, Any]]:
    for holding in held:
        lot = lots[holding.lot_id]
        shown = {
            "gtin": lot["gtin"], "lot": lot["code"], "quantity": float(holding.quantity), "uom": holding.uom,
            "place": places[holding.place_id]["name"], "owner": parties[holding.owner_id]["name"],
        }  # fmt: skip
        if holding.quantity < 0 and holding.place_id == holding.owner_id == UNKNOWN_ID:
            # the other side of goods that were first told of when they were here already
            came = {**shown, "quantity": -shown["quantity"]}
            yield {"what": "came from outside the record", **{k: came[k] for k in ("gtin", "lot", "quantity", "uom")}}
        elif holding.quantity < 0:
            yield {"what": "more went out than ever came in", **shown}
        elif holding.place_id == UNKNOWN_ID:
            yield {"what": "place unknown", **shown}
        elif holding.owner_id == UNKNOWN_ID:
            yield {"what": "owner unknown", **shown}


def _journeys(
    journeys: Iterable[Row], lots: Mapping[int, Row], parties: Mapping[int, Row], places: Mapping[int, Row]
) -> Iterable[dict[str, Any]]:
    for row in journeys:
        lot = lots[row["lot_id"]]
        shown = {
            "gtin": lot["gtin"], "lot": lot["code"], "quantity": float(row["quantity"]), "uom": row["uom"],
            "place": places[row["place_id"]]["name"], "owner": parties[row["owner_id"]]["name"],
        }  # fmt: skip
        if row["sent"]:
            yield {"what": "sent and not received", **shown, "since": rfc3339(row["since"])}
        else:
            yield {"what": "received without having been sent", **shown}


def _contacts(
    held: Iterable[Holding], parties: Mapping[int, Row], contacts: Mapping[int, Mapping[str, Any]]
) -> Iterable[dict[str, Any]]:
    for owner_id in sorted({holding.owner_id for holding in held}):
        if owner_id != UNKNOWN_ID and "recall" not in contacts.get(owner_id, {}):
            yield {"what": "owner without recall contact", "owner": parties[owner_id]["name"]}
