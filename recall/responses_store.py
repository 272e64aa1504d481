"""Answers, checks and accounts of goods: SQL in, values out. The statements stand in ``responses.sql``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.statements import named_statements
from recall.model import Kind, State

RECIPIENTS_MAX: Final = 200_000
"""Most recipients that one board counts."""
SEEN_MAX: Final = 1_000
"""So many sightings and late events are listed, the newest; the answer says when there are more."""

_SQL: Final = named_statements(Path(__file__).with_name("responses.sql"))


@dataclass(frozen=True, slots=True)
class OpenedNotice:
    """What a link opens: the recipient, and the case it is asked about."""

    notice_id: int
    version: int
    change: str
    is_revoked: bool
    recipient_id: int
    parent_id: int | None
    level: int
    name: str
    channel: str
    owner_id: int | None
    takes_part: bool
    case_id: int
    number: str
    kind: Kind
    state: State
    title: str
    hazard: str
    hazard_class: int
    deadline_on: date | None
    texts: Mapping[str, Any]
    contact: Mapping[str, str]
    remedy: str
    case_version: int


@dataclass(frozen=True, slots=True)
class Goods:
    """What a recipient is asked about: one lot in one unit of measure ("" = pieces)."""

    gtin: str
    lot: str
    uom: str
    product: str
    serials: str
    shipped: Decimal | None
    expected: Decimal | None


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it was given. ``lines``: gtin, lot, uom and the quantities that were told."""

    acknowledgement_id: int
    version: int
    at: datetime
    via: str
    given_by: str
    affected: bool | None
    complete: bool
    lines: tuple[Mapping[str, Any], ...]
    comment: str
    signature: str
    answers: int


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody to whom a recipient sold on."""

    recipient_id: int
    name: str
    email: str
    quantity: Decimal | None


@dataclass(frozen=True, slots=True)
class Recipient:
    """How far a case has come with one recipient."""

    recipient_id: int
    parent_id: int | None
    level: int
    name: str
    gln: str | None
    channel: str
    opened_at: datetime | None
    quantity: Decimal | None
    told: bool
    dead: bool
    by_hand: bool
    reminders: int
    told_at: datetime | None
    answered_at: datetime | None
    complete: bool
    affected: bool | None


@dataclass(frozen=True, slots=True)
class Followup:
    """What the work on a published case is governed by, and what was found out."""

    case_id: int
    ladder: tuple[Mapping[str, Any], ...]
    paused_at: datetime | None
    paused_by: str | None
    responsible_name: str
    responsible_email: str
    sightings_told_at: datetime
    disposition: str
    root_cause: str
    corrective_action: str
    override_reason: str


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The last account of a case's goods that was written down."""

    version: int
    figures: Mapping[str, Any]
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Check:
    """An effectiveness check: its level, and how its sample was drawn."""

    check_id: int
    version: int
    level: str
    percent: Decimal
    seed: str
    recipients: int
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Sampled:
    """One recipient of a sample, and what was found there (None = not asked yet)."""

    check_id: int
    recipient_id: int
    channel: str
    name: str
    gln: str | None
    contact_name: str
    phone: str
    email: str
    notified: bool | None
    followed: bool | None
    note: str
    result_by: str | None
    result_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """Openings of codes of a recalled lot in one hour; ``language`` is all that is known of the place."""

    gtin: str
    product: str
    lot: str
    seen_at: datetime
    language: str
    scans: int
    items: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class LateUnit:
    """An event about an affected lot that the record learnt after the set was frozen."""

    event_id: int
    event_time: datetime
    record_time: datetime
    biz_step: str | None
    disposition: str | None
    gtin: str
    product: str
    lot: str
    place: str


@dataclass(frozen=True, slots=True)
class Watched:
    """A case whose sightings are told to somebody."""

    case_id: int
    number: str
    version: int
    title: str
    responsible_name: str
    responsible_email: str = field(repr=False)
    sightings_told_at: datetime


async def opened_notice(conn: AsyncConnection, notice_id: int, recipient_id: int) -> OpenedNotice | None:
    values = {"notice_id": notice_id, "recipient_id": recipient_id}
    row = (await conn.execute(_SQL["opened_notice"], values)).one_or_none()
    if row is None:
        return None
    m = dict(row._mapping)
    return OpenedNotice(**{**m, "kind": Kind(m["kind"]), "state": State(m["state"])})


async def last_notice_of(conn: AsyncConnection, number: str, recipient: str) -> tuple[int, int] | None:
    """(notice_id, recipient_id) of the newest notice to a recipient, named by its number, GLN or URI."""
    row = (await conn.execute(_SQL["last_notice_of"], {"number": number, "recipient": recipient})).one_or_none()
    return None if row is None else (row.notice_id, row.recipient_id)


async def lock_recipient(conn: AsyncConnection, recipient_id: int) -> None:
    """Two answers at once are taken one after the other."""
    await conn.execute(_SQL["lock_recipient"], {"recipient_id": recipient_id})


async def goods_of(conn: AsyncConnection, notice: OpenedNotice) -> tuple[Goods, ...]:
    """What this recipient is asked about. An account is not told what its parent was sent or has."""
    values = {"recipient_id": notice.recipient_id, "case_id": notice.case_id}
    found = [Goods(**row._mapping) for row in await conn.execute(_SQL["goods_of"], values)]
    if notice.parent_id is None:
        return tuple(found)
    return tuple(Goods(g.gtin, g.lot, g.uom, g.product, g.serials, None, None) for g in found)


async def mark_opened(conn: AsyncConnection, recipient_id: int, at: datetime) -> None:
    await conn.execute(_SQL["mark_opened"], {"recipient_id": recipient_id, "at": at})


async def put_answer(conn: AsyncConnection, values: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> int:
    """Append an answer; its number."""
    told = {**values, "lines": orjson.dumps(list(lines)).decode()}
    number: int = (await conn.execute(_SQL["put_answer"], told)).scalar_one()
    return number


async def last_answer(conn: AsyncConnection, recipient_id: int) -> Answered | None:
    row = (await conn.execute(_SQL["last_answer"], {"recipient_id": recipient_id})).one_or_none()
    return None if row is None else Answered(**{**row._mapping, "lines": tuple(row.lines)})


async def put_accounts(
    conn: AsyncConnection,
    recipient_id: int,
    accounts: Sequence[tuple[str, str, Decimal | None]],
    *,
    by: str,
    at: datetime,
) -> None:
    names, emails, quantities = ([row[column] for row in accounts] for column in range(3))
    values = {
        "recipient_id": recipient_id,
        "names": names,
        "emails": emails,
        "quantities": quantities,
        "by": by,
        "at": at,
    }
    await conn.execute(_SQL["put_accounts"], values)


async def accounts_of(conn: AsyncConnection, recipient_id: int) -> tuple[Account, ...]:
    rows = await conn.execute(_SQL["accounts_of"], {"recipient_id": recipient_id})
    return tuple(Account(**row._mapping) for row in rows)


async def revoke(conn: AsyncConnection, case_id: int, recipient_id: int, *, by: str, at: datetime) -> int:
    values = {"case_id": case_id, "recipient_id": recipient_id, "by": by, "at": at}
    return (await conn.execute(_SQL["revoke"], values)).rowcount


async def recipients(conn: AsyncConnection, case_id: int) -> tuple[Recipient, ...]:
    """All recipients of a case, at most ``RECIPIENTS_MAX`` + 1: the caller refuses more."""
    rows = await conn.execute(_SQL["recipients"], {"case_id": case_id, "limit": RECIPIENTS_MAX + 1})
    return tuple(Recipient(**row._mapping) for row in rows)


async def delivery_counts(conn: AsyncConnection, case_id: int) -> tuple[tuple[str, str, int], ...]:
    """(medium, state, how many)."""
    return tuple(
        (row.medium, row.state, int(row.n)) for row in await conn.execute(_SQL["delivery_counts"], {"case_id": case_id})
    )


async def account_of_goods(conn: AsyncConnection, case_id: int, set_id: int) -> tuple[Mapping[str, Any], ...]:
    """By channel, owner, product and unit of measure: what the list says, and what was answered."""
    rows = await conn.execute(_SQL["account_of_goods"], {"case_id": case_id, "set_id": set_id})
    return tuple(dict(row._mapping) for row in rows)


async def put_reconciliation(
    conn: AsyncConnection, case_id: int, version: int, figures: Mapping[str, Any], *, by: str, at: datetime
) -> None:
    values = {"case_id": case_id, "version": version, "figures": orjson.dumps(figures).decode(), "by": by, "at": at}
    await conn.execute(_SQL["put_reconciliation"], values)


async def last_reconciliation(conn: AsyncConnection, case_id: int) -> Reconciled | None:
    row = (await conn.execute(_SQL["last_reconciliation"], {"case_id": case_id})).one_or_none()
    return None if row is None else Reconciled(**row._mapping)


async def followup(conn: AsyncConnection, case_id: int) -> Followup | None:
    row = (await conn.execute(_SQL["followup"], {"case_id": case_id})).one_or_none()
    return None if row is None else Followup(**{**row._mapping, "ladder": tuple(row.ladder)})


_CHANGED: Final = (
    "ladder", "responsible_name", "responsible_email", "disposition", "root_cause", "corrective_action",
    "override_reason",
)  # fmt: skip


async def change_followup(conn: AsyncConnection, case_id: int, **values: str) -> None:
    """Set these; what is not named stays."""
    await conn.execute(_SQL["change_followup"], {**dict.fromkeys(_CHANGED), **values, "case_id": case_id})


async def pause(conn: AsyncConnection, case_id: int, *, by: str | None, at: datetime | None) -> None:
    """Reminders rest from ``at``; None lets them go on."""
    await conn.execute(_SQL["pause"], {"case_id": case_id, "by": by, "at": at})


async def sampled_from(conn: AsyncConnection, case_id: int) -> tuple[tuple[int, str], ...]:
    """(recipient_id, channel) of all recipients, in a fixed order."""
    rows = await conn.execute(_SQL["sampled_from"], {"case_id": case_id})
    return tuple((row.recipient_id, row.channel) for row in rows)


async def put_check(conn: AsyncConnection, values: Mapping[str, Any], sample: Sequence[tuple[int, str]]) -> int:
    """Store a check with its sample; its number."""
    check_id: int = (await conn.execute(_SQL["put_check"], dict(values))).scalar_one()
    ids, channels = [each for each, _ in sample], [channel for _, channel in sample]
    await conn.execute(_SQL["put_sample"], {"check_id": check_id, "recipients": ids, "channels": channels})
    return check_id


async def checks(conn: AsyncConnection, case_id: int) -> tuple[Check, ...]:
    return tuple(Check(**row._mapping) for row in await conn.execute(_SQL["checks"], {"case_id": case_id}))


async def sample(conn: AsyncConnection, check_id: int) -> tuple[Sampled, ...]:
    return tuple(Sampled(**row._mapping) for row in await conn.execute(_SQL["sample"], {"check_id": check_id}))


async def put_result(conn: AsyncConnection, check_id: int, recipient_id: int, **values: Any) -> bool:
    told = {"check_id": check_id, "recipient_id": recipient_id, **values}
    return (await conn.execute(_SQL["put_result"], told)).scalar_one_or_none() is not None


async def sightings(
    conn: AsyncConnection, case_id: int, version: int, *, since: datetime, until: datetime
) -> tuple[Sighting, ...]:
    """At most ``SEEN_MAX`` + 1, the newest first."""
    values = {"case_id": case_id, "version": version, "since": since, "until": until, "limit": SEEN_MAX + 1}
    return tuple(Sighting(**row._mapping) for row in await conn.execute(_SQL["sightings"], values))


async def late_units(conn: AsyncConnection, case_id: int, version: int) -> tuple[LateUnit, ...]:
    """At most ``SEEN_MAX`` + 1, the newest first."""
    values = {"case_id": case_id, "version": version, "limit": SEEN_MAX + 1}
    return tuple(LateUnit(**row._mapping) for row in await conn.execute(_SQL["late_units"], values))


async def watched_cases(conn: AsyncConnection) -> tuple[Watched, ...]:
    return tuple(Watched(**row._mapping) for row in await conn.execute(_SQL["watched_cases"]))


async def sightings_told(conn: AsyncConnection, case_id: int, at: datetime) -> None:
    await conn.execute(_SQL["sightings_told"], {"case_id": case_id, "at": at})
