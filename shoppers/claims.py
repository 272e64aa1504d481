"""Remedies that shoppers asked for: listed for staff, and answered; the shopper sees the answer by the claim's link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from access.model import Act, Actor
from access.permissions import require
from runtime.clock import Clock
from runtime.database import transaction
from shoppers import claims_store
from shoppers.refusals import ClaimNotFound, ClaimStateUnknown, ReasonMissing

ANSWER_CHARACTERS_MAX: Final = 1_000
PAGE: Final = 50
STATES: Final = ("accepted", "refused", "done")
"""What staff may put a claim into; ``received`` is where it begins."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as staff see it. ``contact`` is None once it was deleted, and the photo goes with it."""

    claim_id: int
    reference: str
    number: str
    remedy: str
    code: str
    pieces: int
    contact: str | None
    has_photo: bool
    language: str
    state: str
    taken_at: datetime
    answer: str
    answered_by: str | None
    answered_at: datetime | None


async def put(conn: AsyncConnection, claim_id: int, state: str, *, answer: str, by: Actor, clock: Clock) -> None:
    """Put a claim into a state. Refusing it takes an answer, which the shopper reads."""
    require(by, Act.HANDLE_REPORTS)
    if state not in STATES:
        raise ClaimStateUnknown(state=state[:20], states=", ".join(STATES))
    if len(answer) > ANSWER_CHARACTERS_MAX or (state == "refused" and not answer.strip()):
        raise ReasonMissing(characters_max=ANSWER_CHARACTERS_MAX)
    async with transaction(conn):
        if not await claims_store.put(conn, claim_id, state=state, answer=answer.strip(), by=by.name, at=clock()):
            raise ClaimNotFound(claim_id=claim_id)
        await audit.note(conn, by.name, "claim.put", str(claim_id), {"state": state, "answer": answer}, clock)


async def photo(conn: AsyncConnection, claim_id: int) -> bytes:
    """The photo of a claim: JPEG, as it was drawn anew when it came in."""
    found = await claims_store.photo_of(conn, claim_id)
    if found is None:
        raise ClaimNotFound(claim_id=claim_id)
    return found


async def listed(conn: AsyncConnection, *, state: str | None = None, before: int | None = None) -> Sequence[Claim]:
    """Claims, the newest first, ``PAGE`` at a time."""
    return [Claim(**row) for row in await claims_store.page(conn, state=state, before=before, limit=PAGE)]
