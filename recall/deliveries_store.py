"""The outbox of notices: SQL in, values out. The statements stand in ``deliveries.sql``. Opens no transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.statements import named_statements
from recall.model import Case, Change, Kind, Remedy
from recall.notices import NOTICE_COLUMNS, whole_row
from recall.notices import Row as NoticeRow
from recall.wording import owner_action

PAGE: Final = 500
PAGE_MAX: Final = 10_000
"""Most deliveries on one page of a list."""

_SQL: Final = named_statements(Path(__file__).with_name("deliveries.sql"))
_SPACE: Final = 0x7265_6361  # of the advisory locks by which a living worker holds its batch


class Medium(StrEnum):
    """The way a notice travels."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    FILE = "file"
    PHONE = "phone"
    LETTER = "letter"


class DeliveryState(StrEnum):
    """What became of a delivery. ``by_hand`` waits for a person; ``not_sent`` is of a drill and never will be."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    BY_HAND = "by_hand"
    REFUSED = "refused"
    BOUNCED = "bounced"
    GIVEN_UP = "given_up"
    STOPPED = "stopped"
    NOT_SENT = "not_sent"


DEAD: Final = (DeliveryState.REFUSED, DeliveryState.BOUNCED, DeliveryState.GIVEN_UP)
"""The dead letters: nothing more happens to these unless a person acts."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the reminders: so many hours after the notice, to ``recall``, ``alternate`` or ``phone``."""

    hours: int
    to: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One line of the outbox, as people look at it."""

    delivery_id: int
    case_id: int
    number: str
    medium: Medium
    addressee: str
    address: str
    step: int
    state: DeliveryState
    attempts: int
    perhaps_twice: bool
    due_at: datetime
    ended_at: datetime | None
    answer: str
    recipient_id: int
    name: str
    gln: str | None
    channel: str
    contact_name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A delivery with all that a notice says to this one recipient: its own lines and nobody else's."""

    delivery_id: int
    medium: Medium
    addressee: str
    address: str
    step: int
    attempts: int
    notice_id: int
    version: int
    change: Change
    is_delta: bool
    made_at: datetime
    recipient_id: int
    is_account: bool
    name: str
    language: str | None
    person: str
    number: str
    kind: Kind
    remedy: Remedy
    title: str
    hazard: str
    hazard_class: int
    deadline_on: date | None
    texts: Mapping[str, Any]
    contact: Mapping[str, str]
    key_number: int
    owner_id: int | None
    quantity: Decimal | None
    lines: tuple[NoticeRow, ...] = field(repr=False)
    removed: tuple[NoticeRow, ...] = field(repr=False)

    @property
    def message_key(self) -> str:
        """The same for every attempt of this delivery: by it a receiver knows a repetition."""
        return f"n{self.notice_id}-{self.addressee}-{self.step}"

    @property
    def action(self) -> str:
        """What the recipient shall do, in English and Chinese."""
        return owner_action(self.kind, self.remedy)


async def put_notices(
    conn: AsyncConnection,
    case: Case,
    *,
    version: int,
    change: Change,
    set_id: int,
    before_id: int | None,
    ladder: Sequence[Rung],
    by: str,
    at: datetime,
    levels_max: int,
) -> None:
    """Recipients, notices and deliveries of a version, by sets; what is there already stays as it is."""
    of_case: dict[str, Any] = {"case_id": case.case_id, "set_id": set_id, "at": at}
    of_version = {"case_id": case.case_id, "version": version, "change": change.value}
    rungs = orjson.dumps([{"hours": rung.hours, "to": rung.to} for rung in ladder]).decode()
    await conn.execute(_SQL["put_followup"], {"case_id": case.case_id, "ladder": rungs, "at": at})
    await conn.execute(_SQL["put_owners"], {**of_case, "drill": case.is_drill, "by": by})
    told = {"tell_all": change in (Change.INITIAL, Change.UPDATED), "narrowed": change is Change.NARROWED}
    await conn.execute(_SQL["put_notices"], {**of_case, **of_version, **told, "before_id": before_id})
    for level in range(1, levels_max + 1):
        await put_notices_of_accounts(conn, case.case_id, version=version, change=change, level=level, at=at)
    await conn.execute(_SQL["put_deliveries"], {**of_version, "at": at})


async def put_notices_of_accounts(
    conn: AsyncConnection, case_id: int, *, version: int, change: Change, level: int, at: datetime
) -> None:
    """Notices for the accounts that stand ``level`` hands below an owner."""
    values = {"case_id": case_id, "version": version, "change": change.value, "level": level, "at": at}
    await conn.execute(_SQL["put_notices_of_accounts"], values)


async def put_deliveries(conn: AsyncConnection, case_id: int, *, version: int, change: Change, at: datetime) -> None:
    """Deliveries for the notices of this version that have none yet."""
    values = {"case_id": case_id, "version": version, "change": change.value, "at": at}
    await conn.execute(_SQL["put_deliveries"], values)


async def put_cancellations(conn: AsyncConnection, case: Case, *, set_id: int, at: datetime) -> None:
    """Stop what has not gone out, and tell all who were told that the case is taken back."""
    values = {"case_id": case.case_id, "version": case.version, "at": at}
    await conn.execute(_SQL["put_cancellations"], {**values, "set_id": set_id})
    await conn.execute(_SQL["stop_deliveries"], {"case_id": case.case_id, "at": at, "reason": "the case was cancelled"})
    await conn.execute(_SQL["put_deliveries"], {**values, "change": Change.CANCELLED.value})


async def count_queued(conn: AsyncConnection, case_id: int, *, version: int, change: Change) -> dict[Medium, int]:
    """How many deliveries of a version wait for a worker, by medium."""
    values = {"case_id": case_id, "version": version, "change": change.value}
    return {Medium(row.medium): int(row.n) for row in await conn.execute(_SQL["count_queued"], values)}


async def put_reminders(conn: AsyncConnection, now: datetime) -> int:
    """One step further for all who have not answered in time; how many deliveries that made."""
    return (await conn.execute(_SQL["put_reminders"], {"now": now})).rowcount


async def hold_new_claim(conn: AsyncConnection) -> int:
    """A claim of this connection's own: held until it is given back, or the connection ends with its process."""
    claim: int = (await conn.execute(_SQL["next_claim"])).scalar_one()
    await conn.execute(_SQL["lock_claim"], {"space": _SPACE, "claim": claim})
    return claim


async def give_back_claim(conn: AsyncConnection, claim: int) -> None:
    await conn.execute(_SQL["unlock_claim"], {"space": _SPACE, "claim": claim})


async def release_dead_claims(conn: AsyncConnection) -> int:
    """Put back what workers had taken that are no more; how many deliveries that was."""
    released = 0
    for claim in (await conn.execute(_SQL["open_claims"])).scalars().all():
        if (await conn.execute(_SQL["lock_claim"], {"space": _SPACE, "claim": claim})).scalar_one():
            released += (await conn.execute(_SQL["release_claim"], {"claim": claim})).rowcount
            await give_back_claim(conn, claim)
    return released


async def take(conn: AsyncConnection, claim: int, medium: Medium, *, batch: int, now: datetime) -> tuple[Outgoing, ...]:
    """Up to ``batch`` deliveries that are due, under this claim, with what they say."""
    values = {"claim": claim, "medium": medium.value, "batch": batch, "now": now}
    ids = (await conn.execute(_SQL["claim"], values)).scalars().all()
    return await outgoing(conn, ids)


async def outgoing(conn: AsyncConnection, ids: Iterable[int]) -> tuple[Outgoing, ...]:
    """These deliveries with what they say, whoever hands them over."""
    rows = (await conn.execute(_SQL["claimed_deliveries"], {"ids": list(ids)})).all()
    told = await lines_of(conn, {row.notice_id for row in rows})
    return tuple(_outgoing(row, *told.get(row.notice_id, ((), ()))) for row in rows)


async def lines_of(
    conn: AsyncConnection, notices: Iterable[int]
) -> dict[int, tuple[tuple[NoticeRow, ...], tuple[NoticeRow, ...]]]:
    """By notice: the lines that are told as affected, and those that are not affected any more."""
    found: dict[int, tuple[list[NoticeRow], list[NoticeRow]]] = {}
    for row in await conn.execute(_SQL["lines_of_notices"], {"notices": sorted(notices)}):
        kept = found.setdefault(row.notice_id, ([], []))
        kept[row.removed].append(whole_row(row.row))
    return {notice_id: (tuple(lines), tuple(removed)) for notice_id, (lines, removed) in found.items()}


async def begin_attempt(conn: AsyncConnection, claim: int, delivery_id: int, now: datetime) -> bool:
    """Whether this delivery may go out now; one that may not is stopped or somebody else's."""
    values = {"claim": claim, "delivery_id": delivery_id}
    if (await conn.execute(_SQL["begin_attempt"], values)).scalar_one_or_none() is not None:
        return True
    await conn.execute(_SQL["stop_claimed"], {**values, "now": now})
    return False


async def end_attempt(
    conn: AsyncConnection,
    claim: int,
    delivery_id: int,
    *,
    state: DeliveryState,
    answer: str,
    now: datetime,
    due_at: datetime | None = None,
    perhaps_twice: bool = False,
) -> None:
    """Write down how an attempt ended; QUEUED with ``due_at`` means that another one follows."""
    values = {
        "claim": claim, "delivery_id": delivery_id, "state": state.value, "answer": answer, "now": now,
        "due_at": due_at, "perhaps_twice": perhaps_twice,
    }  # fmt: skip
    await conn.execute(_SQL["end_attempt"], values)


async def next_due(conn: AsyncConnection) -> dict[Medium, datetime]:
    """When the next waiting delivery of each medium is due."""
    return {Medium(row.medium): row.due_at for row in await conn.execute(_SQL["next_due"])}


async def escalate(conn: AsyncConnection, delivery_id: int, now: datetime) -> None:
    """Tell the one who stands in, or put the recipient on the list of those to call."""
    await conn.execute(_SQL["escalate"], {"delivery_id": delivery_id, "now": now})


async def find_delivery(conn: AsyncConnection, delivery_id: int) -> Delivery | None:
    row = (await conn.execute(_SQL["find_delivery"], {"delivery_id": delivery_id})).one_or_none()
    return None if row is None else _delivery(row)


async def list_deliveries(
    conn: AsyncConnection,
    case: Case,
    *,
    state: DeliveryState | None = None,
    medium: Medium | None = None,
    after: int = 0,
    limit: int = PAGE,
) -> tuple[Delivery, ...]:
    """A page of a case's deliveries, the oldest first; ``after`` is the last delivery_id of the page before."""
    values = {
        "case_id": case.case_id, "state": state and state.value, "medium": medium and medium.value, "after": after,
        "limit": min(limit, PAGE_MAX),
    }  # fmt: skip
    return tuple(_delivery(row) for row in await conn.execute(_SQL["list_deliveries"], values))


async def settle(
    conn: AsyncConnection,
    delivery_id: int,
    *,
    state: DeliveryState,
    answer: str,
    now: datetime,
    of: Iterable[DeliveryState],
    is_attempt: bool,
) -> bool:
    """Move a delivery that is in one of the states ``of``; False when it is in another."""
    values = {
        "delivery_id": delivery_id, "state": state.value, "answer": answer, "now": now,
        "from_states": [each.value for each in of], "attempt": int(is_attempt),
    }  # fmt: skip
    return (await conn.execute(_SQL["settle"], values)).scalar_one_or_none() is not None


async def sent_to(conn: AsyncConnection, address: str) -> int | None:
    """The last letter that went to this address."""
    return (await conn.execute(_SQL["sent_to"], {"address": address})).scalar_one_or_none()


async def set_medium(
    conn: AsyncConnection, party: str, medium: Medium, address: str, *, by: str, at: datetime
) -> tuple[int, int] | None:
    """(party_id, key number) of the party with this GLN or URI, whose medium this is now; None when nobody has it."""
    values = {"party": party, "medium": medium.value, "address": address, "by": by, "at": at}
    row = (await conn.execute(_SQL["set_medium"], values)).one_or_none()
    return None if row is None else (row.party_id, row.key_number)


async def drop_medium(conn: AsyncConnection, party: str, medium: Medium) -> bool:
    values = {"party": party, "medium": medium.value}
    return (await conn.execute(_SQL["drop_medium"], values)).scalar_one_or_none() is not None


async def take_part(conn: AsyncConnection, party: str, *, wanted: bool) -> bool:
    """Whether the party is really told in drills, from now on; False when there is no such party (or entry)."""
    statement = _SQL["take_part"] if wanted else _SQL["leave_drills"]
    return (await conn.execute(statement, {"party": party})).scalar_one_or_none() is not None


def _delivery(row: Any) -> Delivery:
    m = dict(row._mapping)
    return Delivery(**{**m, "medium": Medium(m["medium"]), "state": DeliveryState(m["state"])})


def _outgoing(row: Any, lines: tuple[NoticeRow, ...], removed: tuple[NoticeRow, ...]) -> Outgoing:
    person = row.contact_name if row.addressee == "recall" else row.alternate_name
    return Outgoing(
        row.delivery_id, Medium(row.medium), row.addressee, row.address, row.step, row.attempts, row.notice_id,
        row.version, Change(row.change), row.is_delta, row.made_at, row.recipient_id, row.parent_id is not None,
        row.name, row.language, person, row.number, Kind(row.kind), Remedy(row.remedy), row.title, row.hazard,
        row.hazard_class, row.deadline_on, row.texts, row.contact, row.key_number or 1, row.owner_id, row.quantity,
        _of_account(lines) if row.parent_id is not None else lines,
        _of_account(removed) if row.parent_id is not None else removed,
    )  # fmt: skip


_OF_THE_PARENT: Final = frozenset(
    name
    for name in NOTICE_COLUMNS
    if name not in ("case_number", "case_version", "gtin", "product", "lot", "serial_ranges", "action", "deadline",
                    "uom", "best_before", "kind", "basis")
)  # fmt: skip


def _of_account(lines: tuple[NoticeRow, ...]) -> tuple[NoticeRow, ...]:
    """What an account may know of its parent's lines: which goods, not where, how many or whom to call there."""
    kept = [{name: None if name in _OF_THE_PARENT else value for name, value in row.items()} for row in lines]
    return tuple({tuple(row.items()): row for row in kept}.values())
