"""The account of a case's goods: what was affected against what was found, by product, channel and owner.

Nothing is clamped: more may come back than was ever recalled, and then the share is over 100 %. What nobody told is
unknown and stands as such. A case is closed on such an account, what became of the goods, why it happened and what was
done about it (21 CFR 7.55); or on an override with its reason, which is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from recall import responses_store as answers
from recall import store
from recall.model import Case
from recall.notices import CHANNELS, number_text
from recall.response_refusals import ClosingNotReady, NobodyWasTold
from runtime.clock import Clock
from runtime.database import transaction

FIGURES: Final = (
    "affected", "shipped", "expected", "on_hand", "quarantined", "returned", "destroyed", "corrected", "sold_on",
    "not_found", "returned_on_record", "destroyed_on_record",
)  # fmt: skip
ACCOUNTED: Final = ("returned", "destroyed", "corrected", "quarantined")
"""What an owner did with goods so that nobody can use them any more."""


async def reconcile(conn: AsyncConnection, number: str, *, by: str, clock: Clock) -> Mapping[str, Any]:
    """Work the account out and write it down for the version that holds."""
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        figures = await account(conn, case)
        await answers.put_reconciliation(conn, case.case_id, case.version, figures, by=by, at=clock())
        told = {"version": case.version, "accounted": str(figures["accounted"]), "unknown": str(figures["unknown"])}
        await audit.note(conn, by, "recall.reconcile", number, told, clock)
        return figures


async def account(conn: AsyncConnection, case: Case) -> Mapping[str, Any]:
    """The account now, without writing it down. Quantities in pieces are told apart from others, by unit of measure."""
    if case.version == 0:
        raise NobodyWasTold(number=case.number)
    frozen = await store.frozen_set(conn, case)
    rows = sorted(
        await answers.account_of_goods(conn, case.case_id, frozen.affected_set_id),
        key=lambda row: CHANNELS.index(row["channel"]),  # as on the notice list; within one, as they came
    )
    pieces = [row for row in rows if not row["uom"]]
    return {
        "version": case.version,
        **_sum(pieces),
        "by_product": _grouped(pieces, ("gtin", "product")),
        "by_channel": _grouped(pieces, ("channel",)),
        "by_owner": _grouped(pieces, ("channel", "owner_gln", "owner_name")),
        "by_unit_of_measure": _grouped([row for row in rows if row["uom"]], ("uom", "gtin", "product")),
    }


async def describe_closing(
    conn: AsyncConnection,
    number: str,
    *,
    by: str,
    clock: Clock,
    disposition: str | None = None,
    root_cause: str | None = None,
    corrective_action: str | None = None,
) -> None:
    """Write down what became of the goods, why it happened, and what was done so that it does not happen again."""
    told = {"disposition": disposition, "root_cause": root_cause, "corrective_action": corrective_action}
    named = {name: value.strip() for name, value in told.items() if value is not None}
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        if case.version == 0:
            raise NobodyWasTold(number=number)
        await answers.change_followup(conn, case.case_id, **named)
        await audit.note(conn, by, "recall.findings", number, named, clock)


async def check_closing(conn: AsyncConnection, case: Case, override: str | None) -> None:
    """Nothing when the case may be closed; raises ``ClosingNotReady``. A drill needs none of it."""
    if case.is_drill:
        return
    missing = [] if override else await _missing(conn, case)
    if missing:
        raise ClosingNotReady(number=case.number, missing=", ".join(missing))
    if override:
        await answers.change_followup(conn, case.case_id, override_reason=override.strip())


async def _missing(conn: AsyncConnection, case: Case) -> list[str]:
    last = await answers.last_reconciliation(conn, case.case_id)
    followup = await answers.followup(conn, case.case_id)
    missing = []
    if last is None or last.version != case.version:
        missing.append("a reconciliation of its last version")
    for name, words in (
        ("disposition", "what became of the goods (disposition)"),
        ("root_cause", "the root cause"),
        ("corrective_action", "the corrective action"),
    ):
        if followup is None or not getattr(followup, name):
            missing.append(words)
    return missing


def _grouped(rows: Iterable[Mapping[str, Any]], keys: tuple[str, ...]) -> list[dict[str, Any]]:
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return [{**dict(zip(keys, key, strict=True)), **_sum(group)} for key, group in groups.items()]


def _sum(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures over these rows. ``unknown``: goods with owners that nobody accounted for; never below zero.

    ``accounted_percent`` may be over 100; it is None where nothing was affected.
    """
    rows = list(rows)
    sums = {name: sum((row[name] or Decimal(0) for row in rows), Decimal(0)) for name in FIGURES}
    accounted = sum((sums[name] for name in ACCOUNTED), Decimal(0))
    gap = sums["affected"] - sum((_told(row) for row in rows), Decimal(0))
    return {
        **{name: _plain(value) for name, value in sums.items()},
        "answered": sum(bool(row["answered"]) for row in rows),
        "rows": len(rows),
        "accounted": _plain(accounted),
        "accounted_percent": _percent(accounted, sums["affected"]),
        "unknown": _plain(max(gap, Decimal(0))),
    }


def _told(row: Mapping[str, Any]) -> Decimal:
    """Goods of a row that somebody has told of. What was set apart or sent back is part of what was found, not more."""
    done = sum((row[name] for name in ACCOUNTED), Decimal(0))
    on_record: Decimal = row["returned_on_record"] + row["destroyed_on_record"]
    told: Decimal = max(row["on_hand"], done) + row["sold_on"] + row["not_found"]
    return told + on_record


def _plain(value: Decimal) -> int | str:
    return int(value) if value == value.to_integral_value() else str(number_text(value))


def _percent(part: Decimal, whole: Decimal) -> float | None:
    return round(float(part / whole * 100), 1) if whole else None
