"""A remedy asked for because of a recall: no account, a choice of at least two, followed by an unguessable link.

The contact is given for the claim alone, with a tick that says so; contact and photo go with the claim's retention.

A form that is sent twice (two taps, a slow network, the way back) is one claim: the form holds a random mark, and the
reference follows from the mark and from what was asked for. The same form with another wish is another claim.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.datastructures import FormData

from portal.live import Live
from portal.photos import DarkRoom, sent_with
from portal.signing import encoded
from portal.typed import as_meant
from runtime.refusals import Invalid, NotFound, TooMany

CODE_CHARACTERS_MAX: Final = 200
CONTACT_CHARACTERS_MAX: Final = 200
PIECES_MAX: Final = 1_000
CLAIMS_OPEN_MAX: Final = 50_000
"""Claims that nobody has looked at yet; beyond it none is taken, and the shopper is told to telephone."""
WRITE_WITHIN_S: Final = 3.0
TRAP: Final = "website"
NUMBER_CHARACTERS_MAX: Final = 40
_REFERENCE: Final = re.compile("[A-Za-z0-9_-]{32}")
_MARK: Final = re.compile("[A-Za-z0-9_-]{32}")
_SEAL: Final = b"tracemark/claim"


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
    mark: str = ""
    photo: bytes | None = None

    def reference(self, number: str) -> str:
        """Follows from the mark and from what is asked for; a form without a mark of ours has one of its own."""
        mark = self.mark if _MARK.fullmatch(self.mark) else new_mark()
        asked = "\0".join((number, mark, self.remedy, self.code, self.pieces, self.contact)).encode()
        return encoded(hashlib.blake2b(asked + b"\0" + (self.photo or b""), digest_size=24, person=_SEAL).digest())


def new_mark() -> str:
    """What a form is known by when it comes back."""
    return secrets.token_urlsafe(24)


async def choices(live: Live, number: str) -> tuple[str, ...]:
    """The remedies of a public recall; empty when none can be asked for."""
    if len(number) > NUMBER_CHARACTERS_MAX or "\0" in number:
        return ()
    rows = await live.fetch("SELECT public_claim_choices($1) AS choices", number, within_s=WRITE_WITHIN_S)
    if rows is None:
        raise ConnectionError("the remedies were not read")
    return tuple(rows[0]["choices"] or ())


async def take(live: Live, number: str, form: ClaimForm, *, dark_room: DarkRoom, language: str, now: datetime) -> str:
    """Keep a claim once; its reference, by which its state is seen. Refuses what cannot be used."""
    usable = form.pieces.isascii() and form.pieces.isdecimal() and len(form.pieces) <= 4
    if not usable or not 1 <= int(form.pieces) <= PIECES_MAX or not form.agrees:
        raise ClaimNotUsable
    if not form.contact or "\0" in form.contact + form.code:
        raise ClaimNotUsable
    if len(form.contact) > CONTACT_CHARACTERS_MAX or len(form.code) > CODE_CHARACTERS_MAX:
        raise ClaimNotUsable  # never cut: half an address reaches nobody, half a lot is another lot
    if form.remedy not in await choices(live, number):
        raise ClaimNotUsable
    reference = form.reference(number)
    if form.is_trapped:
        return reference
    photo = await dark_room.drawn_anew(form.photo)
    rows = await live.fetch(
        "SELECT public_take_claim($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS taken", reference, number, form.remedy,
        form.code, int(form.pieces), form.contact, language, photo, now, CLAIMS_OPEN_MAX, within_s=WRITE_WITHIN_S,
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


async def read(form: FormData) -> ClaimForm:
    """The fields that were sent; what is missing is empty."""
    texts = {name: re.sub(r"\s+", " ", value).strip() for name, value in form.items() if isinstance(value, str)}
    return ClaimForm(
        texts.get("remedy", ""), as_meant(texts.get("code", "")), as_meant(texts.get("pieces", "")),
        texts.get("contact", ""), texts.get("agrees") == "yes", bool(texts.get(TRAP)),
        texts.get("mark", ""), await sent_with(form),
    )  # fmt: skip
