"""Recalled goods that turn up again: codes that somebody opens after publication, and events that come in late.

A sighting says that a code of a recalled lot was opened, when, and in which language. Where is not known: the log of
scans keeps no place on purpose.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from recall import responses_store as answers
from recall import store
from recall.model import Case
from recall.response_refusals import AddressNotUsable, NobodyWasTold
from recall.responses_store import Sighting, Watched
from runtime import mail
from runtime.clock import Clock
from runtime.database import transaction
from runtime.jobs import WorkPlace
from runtime.mail import Letter, LetterNotSendable, MailLater, MailRefused, is_address

SETTLED: Final = timedelta(minutes=2)
"""The log of scans may lag so far behind: what is younger is told the next time."""
LISTED_MAX: Final = 50
"""So many lines stand in an alert, which says how many more there are; the board has more."""


async def since_publication(conn: AsyncConnection, case: Case, *, now: datetime) -> tuple[Sighting, ...]:
    """What was seen of a case's goods since it was published, the newest first."""
    since = case.published_at or now
    return await answers.sightings(conn, case.case_id, case.version, since=since, until=now + timedelta(seconds=1))


async def watch(conn: AsyncConnection, number: str, *, name: str, email: str, by: str, clock: Clock) -> None:
    """From now on this person is told of sightings. Refuses what is no mail address."""
    if not is_address(email):
        raise AddressNotUsable(address=email[:100], problem="it is no mail address")
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        if case.version == 0:
            raise NobodyWasTold(number=number)
        await answers.change_followup(conn, case.case_id, responsible_name=name.strip(), responsible_email=email)
        await audit.note(conn, by, "recall.responsible", number, {"name": name, "email": email}, clock)


async def alert(place: WorkPlace) -> None:
    """Tell the person responsible for each case what was seen since the last time; without a mail server, nobody."""
    until = place.clock() - SETTLED
    async with place.engine.connect() as conn:
        for case in await answers.watched_cases(conn):
            found = await answers.sightings(conn, case.case_id, case.version, since=case.sightings_told_at, until=until)
            if found and await _sent(place, case, found):
                async with transaction(conn):
                    await answers.sightings_told(conn, case.case_id, until)


async def _sent(place: WorkPlace, case: Watched, found: tuple[Sighting, ...]) -> bool:
    """Whether the mail server took the alert; when it did not, the same sightings are told the next time."""
    try:
        await mail.send(place.settings, _letter(case, found), clock=place.clock)
    except (MailLater, MailRefused, LetterNotSendable, mail.MailNotSetUp):
        return False
    return True


def _letter(case: Watched, found: tuple[Sighting, ...]) -> Letter:
    lines = [
        f"- {each.seen_at:%Y-%m-%d %H}:00 UTC: {each.product} {each.gtin}, lot {each.lot or '–'}: "
        f"{each.scans} scans of {each.items} items ({each.language or '?'})"
        for each in found[:LISTED_MAX]
    ]
    if len(found) > LISTED_MAX:
        lines.append(f"… and {len(found) - LISTED_MAX} more, see the board.")
    total = sum(each.scans for each in found)
    subject = f"Seen after the recall 召回后被扫码 {case.number}: {total}"
    text = [case.responsible_name, "", f"{case.number} {case.title}", "", *lines, ""]
    return Letter(case.responsible_email, subject, "\n".join(text))
