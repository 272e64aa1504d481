"""The bodies of answers to notices, and of what is told about deliveries."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field, StringConstraints

from api.models import Given, Gtin, Name, Short, Taken, Words


class AnswerLineGiven(Taken):
    """What was done with one lot of a notice, in ``uom`` ("" = pieces). What is left out was not told: not zero."""

    gtin: Gtin
    lot: Annotated[str, StringConstraints(max_length=20)]
    uom: Annotated[str, StringConstraints(max_length=3)] = ""
    received: Decimal | None = None
    on_hand: Decimal | None = None
    quarantined: Decimal | None = None
    returned: Decimal | None = None
    destroyed: Decimal | None = None
    corrected: Decimal | None = None
    sold_on: Decimal | None = None
    not_found: Decimal | None = None


class AnswerGiven(Taken):
    """An answer to a notice. ``complete`` needs ``affected`` and ``signature``, and closes the answer."""

    name: Name
    affected: bool | None = None
    complete: bool = False
    lines: Annotated[tuple[AnswerLineGiven, ...], Field(max_length=1_000)] = ()
    comment: Annotated[str, StringConstraints(max_length=2_000)] = ""
    signature: Short = ""


class Acknowledgement(AnswerGiven):
    """The answer of ``recipient`` (GLN or URI of the owner, or the recipient's number) in a case."""

    case_number: Short
    recipient: Annotated[str, StringConstraints(min_length=1, max_length=2_048)]


class Bounce(Taken):
    """A letter that came back: which delivery (``X-Tracemark-Delivery`` of the letter), or which address."""

    reason: Words
    delivery: int | None = None
    address: Short | None = None


class DeliveryLine(Given):
    """One delivery of a notice, and what became of it."""

    delivery_id: int
    number: str
    name: str
    gln: str | None
    channel: str
    medium: str
    addressee: str
    address: str
    step: int
    state: str
    attempts: int
    perhaps_twice: bool
    due_at: datetime
    ended_at: datetime | None
    answer: str


class DeliveryPage(Given):
    items: list[DeliveryLine]
    next: str | None
