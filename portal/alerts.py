"""Recall alerts by e-mail: asked for here, confirmed by a letter, ended by one click. GET shows, POST acts."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from portal.live import Live
from runtime.mail import is_address
from runtime.refusals import Invalid, NotFound, TooMany
from runtime.secrets import is_link_code

EMAIL_CHARACTERS_MAX: Final = 254
ALERTS_PER_EMAIL_MAX: Final = 50
UNCONFIRMED_MAX: Final = 20_000
"""Wishes that wait for their confirmation; beyond it no further one is taken."""
WRITE_WITHIN_S: Final = 3.0
CONFIRM: Final = "alert/confirm"
END: Final = "alert/end"


class EmailNotUsable(Invalid):
    """This is not an e-mail address that a letter can be sent to."""


class TooManyAlerts(TooMany):
    """No more recall alerts are taken for this address now. End one of them, or follow the feed instead."""


class LinkNotValid(NotFound):
    """This link is not one of ours, or its recall alert has ended."""


async def ask(live: Live, *, email: str, gtin: str, lot: str, language: str, now: datetime) -> None:
    """Keep the wish; a letter asks for its confirmation. Nothing is told about who asked before."""
    if len(email) > EMAIL_CHARACTERS_MAX or not email.isascii() or not is_address(email):
        raise EmailNotUsable
    sql = "SELECT public_ask_alert($1, $2, $3, $4, $5, $6, $7) AS taken"
    rows = await live.fetch(
        sql, email, gtin, lot, language, now, ALERTS_PER_EMAIL_MAX, UNCONFIRMED_MAX, within_s=WRITE_WITHIN_S
    )
    if rows is None:
        raise ConnectionError("the wish was not written")
    if not rows[0]["taken"]:
        raise TooManyAlerts


def check(secret: str, purpose: str, alert_id: str, code: str) -> int:
    """The number of the alert whose link this is; raises ``LinkNotValid``."""
    if not (alert_id.isascii() and alert_id.isdecimal() and len(alert_id) <= 15):
        raise LinkNotValid
    if not is_link_code(secret, purpose, int(alert_id), code):
        raise LinkNotValid
    return int(alert_id)


async def act(live: Live, purpose: str, alert_id: int, now: datetime) -> tuple[str, str]:
    """Confirm or end the alert; its product and lot. Doing it again changes nothing."""
    sql = "SELECT gtin, lot FROM public_confirm_alert($1, $2)"
    if purpose == END:
        sql = "SELECT gtin, lot FROM public_end_alert($1, $2)"
    rows = await live.fetch(sql, alert_id, now, within_s=WRITE_WITHIN_S)
    if rows is None:
        raise ConnectionError("the alert was not changed")
    if not rows:
        raise LinkNotValid
    return rows[0]["gtin"], rows[0]["lot"]
