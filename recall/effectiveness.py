"""Effectiveness checks: we ask a sample of the recipients ourselves whether the notice came and was followed.

Levels as FDA names them (21 CFR 7.42(b)(3)): A everybody, B a share between a tenth and everybody, C a tenth, D one in
fifty, E nobody. The sample is drawn by channel from a seed that is kept: whoever has the list draws the same again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from recall import responses_store as answers
from recall import store
from recall.response_refusals import CheckNotUsable, NobodyWasTold, NoSuchCheck, NotInSample
from recall.responses_store import Check, Sampled
from runtime.clock import Clock
from runtime.database import transaction

PERCENT_BY_LEVEL: Final[Mapping[str, Decimal | None]] = {
    "A": Decimal(100), "B": None, "C": Decimal(10), "D": Decimal(2), "E": Decimal(0),
}  # fmt: skip
SEED_CHARACTERS_MAX: Final = 100
NOTE_CHARACTERS_MAX: Final = 1_000


async def start_check(
    conn: AsyncConnection,
    number: str,
    level: str,
    *,
    by: str,
    clock: Clock,
    percent: Decimal | None = None,
    seed: str | None = None,
) -> int:
    """Draw the sample of a check; the check's number. ``percent`` is for level B; without ``seed`` one is made.

    Raises ``CheckNotUsable``, and ``NobodyWasTold`` before the case was published.
    """
    share = share_of(level, percent)
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        if case.version == 0:
            raise NobodyWasTold(number=number)
        seed = (seed or f"{number} v{case.version} {clock().isoformat()}")[:SEED_CHARACTERS_MAX]
        everybody = await answers.sampled_from(conn, case.case_id)
        sample = draw(everybody, share, seed)
        values = {
            "case_id": case.case_id, "version": case.version, "level": level, "percent": share, "seed": seed,
            "recipients": len(everybody), "by": by, "at": clock(),
        }  # fmt: skip
        check_id = await answers.put_check(conn, values, sample)
        told = {"check": check_id, "level": level, "seed": seed, "sample": len(sample), "of": len(everybody)}
        await audit.note(conn, by, "recall.check", number, told, clock)
        return check_id


def draw(everybody: Sequence[tuple[int, str]], percent: Decimal, seed: str) -> list[tuple[int, str]]:
    """Of each channel so many per cent, rounded up: no channel is left out. The same seed draws the same sample."""
    channels: dict[str, list[tuple[bytes, int]]] = {}
    for recipient_id, channel in everybody:
        ticket = hashlib.sha256(f"{seed}\n{recipient_id}".encode()).digest()
        channels.setdefault(channel, []).append((ticket, recipient_id))
    return [
        (recipient_id, channel)
        for channel, tickets in sorted(channels.items())
        for _, recipient_id in sorted(tickets)[: ceil(len(tickets) * percent / 100)]
    ]


@dataclass(frozen=True, slots=True)
class Result:
    """What was found at one recipient: did the notice come, and was it followed."""

    recipient_id: int
    notified: bool
    followed: bool
    note: str = ""


async def record_results(
    conn: AsyncConnection, number: str, check_id: int, results: Sequence[Result], *, by: str, clock: Clock
) -> None:
    """Write down what was found, all of it or nothing.

    A later result replaces an earlier one; the audit trail keeps both.

    Refuses who is not in the sample, and a notice that was followed without having come.
    """
    async with transaction(conn):
        case = await store.find_case(conn, number)
        await _check_of(conn, case.case_id, number, check_id)
        for each in results:
            if each.followed and not each.notified:
                raise CheckNotUsable(problem=f"recipient {each.recipient_id} cannot have followed what never came")
            values = {"notified": each.notified, "followed": each.followed, "note": each.note[:NOTE_CHARACTERS_MAX]}
            if not await answers.put_result(conn, check_id, each.recipient_id, **values, by=by, at=clock()):
                raise NotInSample(recipient=each.recipient_id, check=check_id)
            told = {"check": check_id, "recipient": each.recipient_id, "notified": each.notified}
            await audit.note(conn, by, "recall.check_result", number, {**told, "followed": each.followed}, clock)


async def show_check(conn: AsyncConnection, number: str, check_id: int) -> tuple[Check, tuple[Sampled, ...]]:
    """A check with its sample."""
    case = await store.find_case(conn, number)
    return await _check_of(conn, case.case_id, number, check_id), await answers.sample(conn, check_id)


async def figures(conn: AsyncConnection, case_id: int) -> list[dict[str, Any]]:
    """Each check of a case: sampled, asked, notified, followed; per cent of those who were asked (None: nobody yet)."""
    found = []
    for check in await answers.checks(conn, case_id):
        sample = await answers.sample(conn, check.check_id)
        asked = [each for each in sample if each.notified is not None]
        followed = sum(bool(each.followed) for each in asked)
        found.append(
            {
                "check": check.check_id, "level": check.level, "version": check.version, "seed": check.seed,
                "recipients": check.recipients, "sampled": len(sample), "asked": len(asked),
                "notified": sum(bool(each.notified) for each in asked), "followed": followed,
                "effective_percent": round(100 * followed / len(asked), 1) if asked else None,
            }
        )  # fmt: skip
    return found


def share_of(level: str, percent: Decimal | None) -> Decimal:
    """The share of a level in per cent; raises ``CheckNotUsable``."""
    if level not in PERCENT_BY_LEVEL:
        raise CheckNotUsable(problem=f"{level[:10]!r} is none of the levels A, B, C, D, E")
    fixed = PERCENT_BY_LEVEL[level]
    if fixed is not None:
        if percent is not None and percent != fixed:
            raise CheckNotUsable(problem=f"level {level} is {fixed} %; only B takes a share")
        return fixed
    if percent is None or not 10 < percent < 100:
        raise CheckNotUsable(problem="level B needs a share over 10 % and under 100 %")
    return percent


async def _check_of(conn: AsyncConnection, case_id: int, number: str, check_id: int) -> Check:
    for check in await answers.checks(conn, case_id):
        if check.check_id == check_id:
            return check
    raise NoSuchCheck(number=number, check=check_id)
