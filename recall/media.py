"""The media that a worker serves: mail, signed webhooks, folders. Each hands one notice over and says how that went."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson

from recall import links
from recall.deliveries_store import Medium, Outgoing
from recall.delivery import webhook_secret
from recall.documents.header import put_in_place
from recall.links import Link
from recall.own_notice import PDF, XLSX, OwnNotice, compose
from runtime import mail, webhooks
from runtime.clock import rfc3339
from runtime.jobs import WorkPlace
from runtime.mail import Attachment, Letter, LetterNotSendable, MailLater, MailNotSetUp, MailRefused

FOLDER: Final = "notices"
"""Under the data directory: one folder per party that wants files."""


class Result(enum.Enum):
    """How handing over ended."""

    DELIVERED = "delivered"
    LATER = "later"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``perhaps_arrived``: it broke off where nobody can know."""

    result: Result
    answer: str
    perhaps_arrived: bool = False


HandOver = Callable[[Outgoing], Awaitable[Outcome]]


def notice_of(told: Outgoing, place: WorkPlace) -> OwnNotice:
    """The notice of one recipient with its link."""
    return compose(told, link=link_of(told, place), link_until=links.ends_at(told.made_at))


def link_of(told: Outgoing, place: WorkPlace) -> str:
    """Where this recipient answers."""
    token = links.token(place.master_secret, Link(told.notice_id, told.recipient_id, links.ends_at(told.made_at)))
    return links.address(place.settings.base_url, token)


@asynccontextmanager
async def opened(medium: Medium, place: WorkPlace) -> AsyncIterator[HandOver]:
    """What hands over the notices of a batch by this medium; a line to a server is kept for the batch."""
    if medium is Medium.FILE:
        yield partial(_to_folder, place)
    elif medium is Medium.WEBHOOK:
        yield partial(_to_webhook, place)
    else:
        async with _Mail(place) as post:
            yield post.hand_over


class _Mail:
    """A line to the mail server, opened with the first letter."""

    def __init__(self, place: WorkPlace) -> None:
        self._place = place
        self._stack = AsyncExitStack()
        self._mailbox: mail.Mailbox | None = None

    async def __aenter__(self) -> _Mail:
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self._stack.aclose()

    async def hand_over(self, told: Outgoing) -> Outcome:
        """Send one letter; what is wrong with the settings is a matter of later, what with the letter is not."""
        try:
            if self._mailbox is None:
                opening = mail.open_mailbox(self._place.settings, clock=self._place.clock)
                self._mailbox = await self._stack.enter_async_context(opening)
            letter = await asyncio.to_thread(self._letter, told)  # its pages take a tenth of a second to set
            return Outcome(Result.DELIVERED, await self._mailbox.send(letter))
        except MailNotSetUp as refusal:
            return Outcome(Result.LATER, refusal.sentence())
        except MailLater as later:
            return Outcome(Result.LATER, later.answer, perhaps_arrived=later.perhaps_sent)
        except (MailRefused, LetterNotSendable) as refusal:
            return Outcome(Result.REFUSED, refusal.sentence())

    def _letter(self, told: Outgoing) -> Letter:
        notice = notice_of(told, self._place)
        return Letter(
            to=told.address,
            subject=notice.subject,
            text=notice.text,
            attachments=(
                Attachment(f"{notice.stem}.pdf", PDF, notice.pages),
                Attachment(f"{notice.stem}.xlsx", XLSX, notice.sheet),
            ),
            headers={
                "X-Tracemark-Case": f"{told.number} v{told.version}",
                "X-Tracemark-Delivery": str(told.delivery_id),
                "Auto-Submitted": "auto-generated",
            },
            message_id=f"<{told.message_key}@{mail.sender_domain(self._place.settings)}>",
        )


_RESULT_BY_WEBHOOK: Final = {
    webhooks.Result.DELIVERED: Result.DELIVERED,
    webhooks.Result.LATER: Result.LATER,
    webhooks.Result.REFUSED: Result.REFUSED,
    webhooks.Result.GONE: Result.REFUSED,
}


async def _to_webhook(place: WorkPlace, told: Outgoing) -> Outcome:
    """Post the notice, signed; a repetition has the same message id, by which the receiver knows it."""
    assert told.owner_id is not None  # accounts have mail addresses only
    secret = webhook_secret(place.master_secret, told.owner_id, told.key_number)
    ended = await webhooks.post(
        told.address,
        message(told, link_of(told, place)),
        secret=secret,
        message_id=told.message_key,
        clock=place.clock,
        allow_private=place.settings.webhooks_to_private_addresses,
    )
    return Outcome(_RESULT_BY_WEBHOOK[ended.result], ended.reason)


async def _to_folder(place: WorkPlace, told: Outgoing) -> Outcome:
    folder = place.settings.data_dir / FOLDER / told.address
    try:
        await asyncio.to_thread(_write, folder, told, place)
    except OSError as error:
        return Outcome(Result.LATER, f"{folder}: {error.strerror}")
    return Outcome(Result.DELIVERED, str(folder))


def _write(folder: Path, told: Outgoing, place: WorkPlace) -> None:
    """Written whole under the same names each time: doing it again replaces the same files by the same content."""
    notice, body = notice_of(told, place), message(told, link_of(told, place))
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{told.number}_v{told.version}_{told.change.value}_{told.message_key}"
    for ending, content in (
        (".pdf", notice.pages),
        (".xlsx", notice.sheet),
        (".txt", notice.text.encode()),
        (".json", body),
    ):
        put_in_place(folder / f"{stem}{ending}", partial(_put, content))


def _put(content: bytes, path: Path) -> None:
    path.write_bytes(content)


_TYPE_BY_CHANGE: Final = {"initial": "create", "cancelled": "remove"}


def message(told: Outgoing, link: str) -> bytes:
    """The notice as JSON: ``type`` is create, update or remove; the answer is posted to ``answer_url``."""
    body: dict[str, Any] = {
        "type": f"recall.notice.{_TYPE_BY_CHANGE.get(told.change.value, 'update')}",
        "notice_id": told.notice_id,
        "case_number": told.number,
        "case_version": told.version,
        "change": told.change.value,
        "kind": told.kind.value,
        "is_delta": told.is_delta,
        "reminder": told.step,
        "title": told.title,
        "hazard": told.hazard,
        "hazard_class": told.hazard_class,
        "texts": told.texts,
        "action": told.action,
        "deadline": told.deadline_on,
        "contact": told.contact,
        "made_at": rfc3339(told.made_at),
        "answer_url": link,
        "lines": told.lines,
        "lines_removed": told.removed,
    }
    return orjson.dumps(body)
