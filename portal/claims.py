"""A remedy asked for because of a recall: no account, a choice of at least two, followed by an unguessable link.

The contact is given for the claim alone, with a tick that says so, and goes with the claim's retention.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.datastructures import FormData

from portal.live import Live
from runtime.refusals import Invalid, NotFound, TooMany

CODE_CHARACTERS_MAX: Final = 200
CONTACT_CHARACTERS_MAX: Final = 200
PIECES_MAX: Final = 1_000
CLAIMS_OPEN_MAX: Final = 50_000
"""Claims that nobody has looked at yet; beyond it none is taken, and the shopper is told to telephone."""
WRITE_WITHIN_S: Final = 3.0
TRAP: Final = "website"
_REFERENCE: Final = re.compile("[A-Za-z0-9_-]{32}")


class ClaimNotUsable(Invalid):
    """The claim was not taken: choose a remedy, say how many and how to reach you, and tick the box."""


class TooManyClaims(TooMany):
    """No more claims can be taken now, or this recall has ended. Please use the telephone number of the recall."""


class NoSuchClaim(NotFound):
    """This link leads to no claim."""


@dataclass(frozen=True, slots=True)
class ClaimForm:
    """What was sent."""

    remedy: str
    code: str
    pieces: str
    contact: str
    agrees: bool
    is_trapped: bool


async def choices(live: Live, number: str) -> tuple[str, ...]:
    """The remedies of a public recall; empty when none can be asked for."""
    rows = await live.fetch("SELECT public_claim_choices($1) AS choices", number, within_s=WRITE_WITHIN_S)
    if rows is None:
        raise ConnectionError("the remedies were not read")
    return tuple(rows[0]["choices"] or ())


async def take(live: Live, number: str, form: ClaimForm, *, language: str, now: datetime) -> str:
    """Keep a claim; its reference, by which its state is seen. Refuses what cannot be used."""
    usable = form.pieces.isascii() and form.pieces.isdecimal() and len(form.pieces) <= 4
    if not usable or not 1 <= int(form.pieces) <= PIECES_MAX or not form.agrees:
        raise ClaimNotUsable
    if not form.contact or "\0" in form.contact + form.code:
        raise ClaimNotUsable
    if form.remedy not in await choices(live, number):
        raise ClaimNotUsable
    reference = secrets.token_urlsafe(24)
    if form.is_trapped:
        return reference
    rows = await live.fetch(
        "SELECT public_take_claim($1, $2, $3, $4, $5, $6, $7, $8, $9) AS taken", reference, number, form.remedy,
        form.code, int(form.pieces), form.contact, language, now, CLAIMS_OPEN_MAX, within_s=WRITE_WITHIN_S,
    )  # fmt: skip
    if rows is None:
        raise ConnectionError("the claim was not written")
    if not rows[0]["taken"]:
        raise TooManyClaims
    return reference


async def find(live: Live, reference: str) -> Mapping[str, Any]:
    """What became of a claim; raises ``NoSuchClaim``."""
    rows = None
    if _REFERENCE.fullmatch(reference):
        rows = await live.fetch("SELECT * FROM public_claim($1)", reference, within_s=WRITE_WITHIN_S)
        if rows is None:
            raise ConnectionError("the claim was not read")
    if not rows:
        raise NoSuchClaim
    return dict(rows[0])


def read(form: FormData) -> ClaimForm:
    """The fields that were sent; what is missing is empty."""
    texts = {name: re.sub(r"\s+", " ", value).strip() for name, value in form.items() if isinstance(value, str)}
    return ClaimForm(
        texts.get("remedy", ""), texts.get("code", "")[:CODE_CHARACTERS_MAX], texts.get("pieces", ""),
        texts.get("contact", "")[:CONTACT_CHARACTERS_MAX], texts.get("agrees") == "yes", bool(texts.get(TRAP)),
    )  # fmt: skip
