"""What the shoppers room leaves to a worker: letters, and forgetting what is old."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from runtime import mail
from runtime.database import transaction
from runtime.jobs import JobKind, Timed, TryLater, WorkPlace
from shoppers import claims_store, letters, store

LETTERS_AT_ONCE: Final = 200
"""Alerts read at a time; the job goes on until none is left."""
UNCONFIRMED_HOURS: Final = 48
FINDINGS_PER_LETTER: Final = 500
LATER: Final = timedelta(minutes=2)


async def confirm_alert(place: WorkPlace, payload: Mapping[str, Any]) -> None:
    """Ask whoever wants to be told of recalls whether it was they."""
    async with place.engine.connect() as conn:
        alert = await store.find_alert(conn, int(payload["alert_id"]))
    if alert is not None and not alert.is_confirmed:
        letter = letters.confirm_letter(alert, base_url=place.settings.base_url, secret=place.master_secret)
        await _send(place, letter)


async def tell_of_recall(place: WorkPlace, payload: Mapping[str, Any]) -> None:
    """Write to everybody who asked to be told of what this case names. Each letter is ticked off when it is sent."""
    case_id = int(payload["case_id"])
    while True:
        async with place.engine.connect() as conn:
            case = await store.publication(conn, case_id)
            waiting = await store.alerts_to_tell(conn, case_id, LETTERS_AT_ONCE)
        if case is None or not waiting:
            return
        for alert in waiting:
            letter = letters.recall_letter(alert, case, base_url=place.settings.base_url, secret=place.master_secret)
            is_refused = not await _send(place, letter)
            async with place.engine.connect() as conn, transaction(conn):
                await store.note_letter(conn, alert.alert_id, case_id, case.version, place.clock())
                if is_refused:  # the mailbox is no more: writing again would only harm our name
                    await store.end_alert(conn, alert.alert_id, place.clock())


async def tell_of_unusual(place: WorkPlace, _payload: Mapping[str, Any]) -> None:
    """Tell the brand by mail, when it named an address; the console shows it either way."""
    to = place.settings.unusual_mail_to
    if to is None:
        return
    async with place.engine.connect() as conn:
        found = await store.findings_to_tell(conn, FINDINGS_PER_LETTER)
    if found:
        await _send(place, letters.unusual_letter(to, found, base_url=place.settings.base_url))
        async with place.engine.connect() as conn, transaction(conn):
            await store.note_told(conn, [each.finding_id for each in found], place.clock())


async def forget(place: WorkPlace) -> None:
    """Drop what is older than its retention."""
    async with place.engine.connect() as conn, transaction(conn):
        await store.forget(
            conn,
            place.clock(),
            scan_days=place.settings.scans_kept_days,
            report_days=place.settings.reports_kept_days,
            unconfirmed_h=UNCONFIRMED_HOURS,
        )
        await claims_store.forget_contacts(conn, place.clock(), place.settings.reports_kept_days)


async def _send(place: WorkPlace, letter: mail.Letter) -> bool:
    """Whether the letter was taken; False when it was refused for good. Without a mail server it waits."""
    try:
        await mail.send(place.settings, letter, clock=place.clock)
    except (mail.MailRefused, mail.LetterNotSendable):
        return False
    except mail.MailLater as later:
        raise TryLater(LATER, later.answer) from later
    return True


KINDS: Final = (
    JobKind("shoppers.confirm_alert", confirm_alert, at_once=4),
    JobKind("shoppers.tell_of_recall", tell_of_recall, at_once=2),
    JobKind("shoppers.tell_of_unusual", tell_of_unusual, at_once=1),
)
TIMED: Final = (Timed("shoppers.forget", "41 2 * * *", forget),)
