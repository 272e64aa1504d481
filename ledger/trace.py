"""The trace of a code: what it was made from, what was made from it, where all of that is, and what nobody told us.

The answer is the contract's, as plain values that JSON can carry. An item stands for its lot when the trace goes
downstream: what is wrong with one item of a lot is asked of the whole lot. Upstream it stands for itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from time import perf_counter
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gs1.identifier import Identifier
from ledger import codes, gaps, genealogy, trace_amounts, trace_reads
from ledger.codes import KeyRing
from ledger.genealogy import Closure, Start
from ledger.holders import PIECES, Holding, holdings
from ledger.model import UNKNOWN_ID
from ledger.starts import starts_of
from ledger.states import STATES, state_of
from ledger.trace_amounts import Affected, balance_of, number
from ledger.trace_proofs import Language, sentence
from ledger.trace_reads import Row, ledger_revision
from runtime.clock import Clock, rfc3339
from runtime.database import read_one_state

__all__ = ["LOTS_MAX", "ledger_revision", "trace"]

LOTS_MAX: Final = 100_000
"""Most lots in one answer; a recall, which lists owners and not lots, may reach more."""
_NOTHING: Final = Closure((), ())


async def trace(
    conn: AsyncConnection,
    identifier: Identifier,
    keys: KeyRing,
    *,
    up: bool = True,
    down: bool = True,
    siblings: bool = False,
    language: Language = "en",
    clock: Clock,
) -> dict[str, Any]:
    """Trace a code both ways, or one. Refuses what is not on record and what reaches more than ``LOTS_MAX`` lots.

    ``siblings`` adds the lots that share a raw lot with what was asked; ``language`` is that of the proving sentences.
    All of it is read from one state of the ledger, which ``as_of`` names; reads after it on ``conn`` see the same.
    """
    began = perf_counter()
    await read_one_state(conn)
    revision = await ledger_revision(conn)
    starts = await starts_of(conn, await codes.find(conn, identifier, keys))
    started = sorted({start.lot_id for start in starts})
    whole = [Start(lot_id) for lot_id in started]
    above = await genealogy.upstream_closure(conn, starts, lots_max=LOTS_MAX) if up else _NOTHING
    below = await genealogy.downstream_closure(conn, whole, lots_max=LOTS_MAX) if down else _NOTHING
    facts = await _facts(conn, started, above, below, language=language, now=clock())
    items, runs = await trace_reads.items_and_runs(conn, started)
    beside = await _siblings(conn, above, below, facts) if siblings else None
    where = _where(facts)
    answer: dict[str, Any] = {
        "starts": [_start(start, identifier, facts) for start in starts],
        "as_of": {"event": revision, "at": rfc3339(clock()), "took_ms": 0},
        "recalled": any(facts.lots[lot_id]["recalled"] for lot_id in {lot.lot_id for lot in below.lots} | set(started)),
        "upstream": {"lots": _upstream_lots(facts, above), "operations": _operations(facts, above)},
        "same_lot": {"items": items, "serial_ranges": runs},
        "siblings": beside,
        "downstream": {
            "lots": _downstream_lots(facts, below),
            "operations": _operations(facts, below),
            "items": sum(where.values()),
            "affected_items": facts.affected.in_all(),
        },
        "where": where,
        "holders": _holders(facts),
        "balance": _balance(facts, below),
        "gaps": gaps.gaps(
            lots=facts.lots,
            operations=facts.operations,
            above=above,
            held=facts.held,
            journeys=facts.journeys,
            parties=facts.parties,
            places=facts.places,
            contacts=facts.contacts,
        ),
    }
    answer["as_of"]["took_ms"] = round((perf_counter() - began) * 1000)
    return answer


@dataclass(frozen=True, slots=True)
class _Facts:
    """Everything that the answer shows, by its id."""

    lots: Mapping[int, Row]
    inspections: Mapping[int, dict[str, Any]]
    operations: Mapping[int, Row]
    parties: Mapping[int, Row]
    contacts: Mapping[int, dict[str, dict[str, Any]]]
    places: Mapping[int, Row]
    held: Sequence[Holding]
    journeys: Sequence[Row]
    affected: Affected
    language: Language

    def proof(self, reached: genealogy.Reached, by_lot: Mapping[int, genealogy.Reached], *, up: bool) -> dict[str, Any]:
        """How surely a lot is reached: the events of the steps, in the order of the closure, and the same in words."""
        steps = genealogy.path(by_lot, reached.lot_id)
        said = sentence(steps, reached.basis, self, self.language, up=up)
        path = [self.operations[step.operation_id]["event_id"] for step in steps]
        return {"basis": reached.basis, "path": path, "because": said}

    def state(self, holding: Holding) -> str:
        """The state of a holding: by the place's party, or by the owner where the place is nobody's that we know."""
        place = self.places[holding.place_id]
        known = place["party_id"] != UNKNOWN_ID
        role = place["party_role"] if known else self.parties[holding.owner_id]["role"]
        return state_of(holding.disposition, place["kind"], role)


async def _facts(
    conn: AsyncConnection,
    started: Sequence[int],
    above: Closure,
    below: Closure,
    *,
    language: Language,
    now: datetime,
) -> _Facts:
    reached = [lot.lot_id for lot in (*above.lots, *below.lots)]
    lots = await trace_reads.lots_by_id(conn, [*started, *reached])
    steps = [lot.via_operation_id for lot in (*above.lots, *below.lots) if lot.via_operation_id is not None]
    walked = [*above.operation_ids, *below.operation_ids]
    operations = await trace_reads.operations_by_id(conn, [*walked, *steps])
    held = await holdings(conn, below.lots)
    before = now - timedelta(days=gaps.TRANSIT_DAYS_MAX)
    all_of = [lot.lot_id for lot in below.lots if lot.whole]
    journeys = await trace_reads.unfinished_journeys(conn, all_of, before=before)
    whole = [Start(lot_id) for lot_id in started]
    accounts = await trace_amounts.accounts_of(conn, [lot.lot_id for lot in below.lots])
    made = trace_amounts.made_by_account(accounts)
    owners = {holding.owner_id for holding in held}
    suppliers = {lot["supplier_id"] for lot in lots.values()}
    places = {holding.place_id for holding in held} | {row["place_id"] for row in operations.values()}
    parties, contacts = await trace_reads.parties_and_contacts(conn, owners | suppliers)
    return _Facts(
        lots=lots,
        inspections=await trace_reads.inspections_by_lot(conn, [lot.lot_id for lot in above.lots]),
        operations=operations,
        parties=parties,
        contacts=contacts,
        places=await trace_reads.places_by_id(conn, places),
        held=held,
        journeys=journeys,
        affected=Affected(below, await trace_amounts.quantities_of(conn, below, whole, made), accounts, held),
        language=language,
    )


async def _siblings(conn: AsyncConnection, above: Closure, below: Closure, facts: _Facts) -> list[dict[str, Any]]:
    """The lots made from the raw lots of what was asked, which are neither above nor below it."""
    raw = [Start(lot.lot_id) for lot in above.lots if not facts.lots[lot.lot_id]["made_here"]]
    beside = await genealogy.downstream_closure(conn, raw, lots_max=LOTS_MAX)
    own = {lot.lot_id for lot in (*above.lots, *below.lots)}
    by_lot = {lot.lot_id: lot for lot in beside.lots}
    others = [lot for lot in beside.lots if lot.lot_id not in own]
    rows = await trace_reads.lots_by_id(conn, [lot.lot_id for lot in others])
    shown = []
    for lot in others:
        shared = facts.lots[genealogy.path(by_lot, lot.lot_id)[0].from_lot_id]
        through = {"gtin": shared["gtin"], "lot": shared["code"]}
        shown.append(_lot(rows[lot.lot_id]) | {"basis": lot.basis, "through": through})
    return shown


def _start(start: Start, identifier: Identifier, facts: _Facts) -> dict[str, Any]:
    shown = _lot(facts.lots[start.lot_id])
    if start.n is not None:
        shown["items"] = start.n
    if identifier.serial is not None:
        shown["serial"] = identifier.serial
    if identifier.sscc is not None:
        shown["sscc"] = identifier.sscc
    return shown


def _lot(lot: Row) -> dict[str, Any]:
    return {
        "gtin": lot["gtin"],
        "lot": lot["code"],
        "product": lot["product"],
        "status": lot["status"],
        "recalled": lot["recalled"],
        "made_on": None if lot["made_on"] is None else lot["made_on"].isoformat(),
        "best_before_on": None if lot["best_before_on"] is None else lot["best_before_on"].isoformat(),
    }


def _upstream_lots(facts: _Facts, above: Closure) -> list[dict[str, Any]]:
    shown = []
    by_lot = {lot.lot_id: lot for lot in above.lots}
    for reached in above.lots:
        lot = facts.lots[reached.lot_id]
        if reached.basis == "scope" and lot["made_here"]:
            continue
        supplier = facts.parties.get(lot["supplier_id"])
        known = supplier is not None and lot["supplier_id"] != UNKNOWN_ID
        shown.append(
            _lot(lot)
            | {
                "raw": not lot["made_here"],
                "supplier": supplier["name"] if known and supplier is not None else None,
                "inspection": facts.inspections.get(reached.lot_id),
            }
            | facts.proof(reached, by_lot, up=True)
        )
    return shown


def _downstream_lots(facts: _Facts, below: Closure) -> list[dict[str, Any]]:
    items_by_lot: dict[int, Decimal] = {}
    for holding in facts.held:
        if holding.uom == PIECES:
            items_by_lot[holding.lot_id] = items_by_lot.get(holding.lot_id, Decimal(0)) + holding.quantity
    by_lot = {lot.lot_id: lot for lot in below.lots}
    affected = facts.affected.of_lots()
    return [
        _lot(facts.lots[reached.lot_id])
        | {
            "items": int(items_by_lot.get(reached.lot_id, 0)),
            "affected": affected[reached.lot_id],
            "whole": reached.whole,
            "from": None if reached.at is None else rfc3339(reached.at),
        }
        | facts.proof(reached, by_lot, up=False)
        for reached in below.lots
    ]


def _operations(facts: _Facts, closure: Closure) -> list[dict[str, Any]]:
    shown = []
    for operation_id in closure.operation_ids:
        row = facts.operations[operation_id]
        place = facts.places[row["place_id"]]
        shown.append(
            {
                "event": row["event_id"],
                "at": None if row["at"] is None else rfc3339(row["at"]),
                "place": _place(place),
                **{name: row[name] for name in ("line", "team", "operator", "equipment", "parameters")},
            }
        )
    return shown


def _where(facts: _Facts) -> dict[str, int]:
    """Pieces by state. Each is counted once; negative rows (more left than ever came) lower the sum of their state."""
    counts = dict.fromkeys(STATES, Decimal(0))
    for holding in facts.held:
        if holding.uom == PIECES:
            counts[facts.state(holding)] += holding.quantity  # type: ignore[index]
    return {state: int(count) for state, count in counts.items()}


def _holders(facts: _Facts) -> list[dict[str, Any]]:
    """One row per owner and place, channel first, then owner."""
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    for holding in facts.held:
        if holding.quantity < 0 and holding.owner_id == holding.place_id == UNKNOWN_ID:
            continue  # nobody holds less than nothing: what came from outside the record is told as a gap
        key = (holding.owner_id, holding.place_id)
        row = rows.setdefault(key, {"items": Decimal(0), "states": {}, "quantities": {}})
        if holding.uom == PIECES:
            state = facts.state(holding)
            row["items"] += holding.quantity
            row["states"][state] = row["states"].get(state, 0) + int(holding.quantity)
        else:
            row["quantities"][holding.uom] = row["quantities"].get(holding.uom, 0) + float(holding.quantity)
    shown = []
    affected = facts.affected.of_holders()
    for (owner_id, place_id), row in rows.items():
        owner = facts.parties[owner_id]
        contacts = facts.contacts.get(owner_id, {})
        shown.append(
            {
                "owner": {"gln": owner["gln"], "name": owner["name"], "role": owner["role"]},
                "channel": owner["channel"],
                "place": _place(facts.places[place_id]),
                "items": int(row["items"]),
                "states": row["states"],
                "quantities": row["quantities"],
                "affected": affected[owner_id, place_id],
                "contact": contacts.get("recall"),
                "responsible": contacts.get("responsible") or contacts.get("recall"),
            }
        )
    return sorted(shown, key=lambda row: (row["channel"] or "~", row["owner"]["name"], row["place"]["name"]))


def _balance(facts: _Facts, below: Closure) -> list[dict[str, Any]]:
    """The account of each lot that is affected as a whole, by unit of measure; what is missing is shown as it is."""
    shown = []
    whole = {lot.lot_id for lot in below.lots if lot.whole}
    by_state: dict[tuple[int, str], dict[str, Decimal]] = {}
    for holding in facts.held:
        states = by_state.setdefault((holding.lot_id, holding.uom), {})
        if holding.quantity > 0 or not holding.owner_id == holding.place_id == UNKNOWN_ID:
            state = facts.state(holding)
            states[state] = states.get(state, Decimal(0)) + holding.quantity
    for (lot_id, uom), account in sorted(facts.affected.accounts.items()):
        if lot_id in whole:
            lot = facts.lots[lot_id]
            announced = lot["announced"] if lot["announced_uom"] == uom else None
            where = {name: number(amount) for name, amount in by_state.get((lot_id, uom), {}).items()}
            closed = balance_of(account, announced)
            shown.append({"gtin": lot["gtin"], "lot": lot["code"], "uom": uom, **closed, "where": where})
    return shown


def _place(place: Row) -> dict[str, Any]:
    return {name: place[name] for name in ("gln", "name", "kind", "country", "region")}
