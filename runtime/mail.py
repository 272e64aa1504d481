"""Mail over SMTP: what a letter is, and handing it to the server that the settings name.

A server that says yes has taken the letter over; whether it arrives is told later, by a bounce, or never. When the
line breaks between the last byte and the yes, nobody can know whether it was taken: ``MailLater.perhaps_sent`` says
so, and a letter that is sent again carries the same Message-ID, by which mail programs may show it once.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Final

import aiosmtplib

from runtime.clock import Clock, system_clock
from runtime.refusals import Conflict, Invalid
from runtime.settings import Settings

TIMEOUT_S: Final = 30.0
"""Longest wait for one answer of the server."""
ATTACHMENT_BYTES_MAX: Final = 10 * 1024 * 1024
"""Most bytes of all attachments of a letter: larger ones are not taken by many servers."""
SUBJECT_CHARACTERS_MAX: Final = 300
_PERMANENT: Final = 500


class MailNotSetUp(Conflict):
    """No mail can be sent: set TRACEMARK_SMTP_HOST and TRACEMARK_MAIL_FROM."""


class LetterNotSendable(Invalid):
    """The letter to {to} cannot be sent: {problem}."""


class MailRefused(Conflict):
    """The mail server refused the letter to {to} for good: {answer}. Mend the address, or use another medium."""


class MailLater(Exception):
    """The server or the way to it is not able to take the letter now; try again.

    ``perhaps_sent``: the line broke after the letter had begun, so the server may have taken it all the same.
    """

    def __init__(self, answer: str, *, perhaps_sent: bool = False) -> None:
        super().__init__(answer)
        self.answer = answer
        self.perhaps_sent = perhaps_sent


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a letter. ``media_type`` such as ``text/csv``."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to one address. ``message_id`` (``<…@…>``) is kept over repetitions; without one a new one is made."""

    to: str
    subject: str
    text: str
    html: str | None = None
    attachments: Sequence[Attachment] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    message_id: str | None = None


class Mailbox:
    """An open line to the mail server, for one letter after the other."""

    def __init__(self, client: aiosmtplib.SMTP, settings: Settings, clock: Clock) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock

    async def send(self, letter: Letter) -> str:
        """Hand the letter over; what the server answered.

        Raises ``LetterNotSendable`` (nothing was sent), ``MailRefused`` (5xx about the recipient or the content) and
        ``MailLater`` (4xx, the network, or our own address refused, which a person mends in the settings).
        """
        message = as_message(letter, self._settings, self._clock)
        if not self._client.is_connected:
            await _connect(self._client)
        try:
            _, answer = await self._client.send_message(message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _of_recipient(letter, error.recipients[0]) from error
        except aiosmtplib.SMTPSenderRefused as error:
            raise MailLater(f"{error.code} {error.message}") from error
        except aiosmtplib.SMTPResponseException as error:
            raise _of_recipient(letter, error) from error
        except aiosmtplib.SMTPNotSupported as error:
            raise MailRefused(to=letter.to, answer=error.message) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            self._client.close()
            raise MailLater(_words(error), perhaps_sent=True) from error
        return answer


@asynccontextmanager
async def open_mailbox(settings: Settings, *, clock: Clock = system_clock) -> AsyncIterator[Mailbox]:
    """A line to the mail server until the block ends. Raises ``MailNotSetUp``, and ``MailLater`` when there is none."""
    check_set_up(settings)
    client = aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_user,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        use_tls=settings.smtp_security == "tls",
        start_tls=settings.smtp_security == "starttls",
        tls_context=ssl.create_default_context() if settings.smtp_security != "none" else None,
        timeout=TIMEOUT_S,
    )
    await _connect(client)
    try:
        yield Mailbox(client, settings, clock)
    finally:
        await _leave(client)


async def send(settings: Settings, letter: Letter, *, clock: Clock = system_clock) -> str:
    """Send one letter on a line of its own; raises what ``open_mailbox`` and ``Mailbox.send`` raise."""
    async with open_mailbox(settings, clock=clock) as mailbox:
        return await mailbox.send(letter)


def check_set_up(settings: Settings) -> None:
    """Nothing when mail can be sent from here; raises ``MailNotSetUp``."""
    if not settings.smtp_host or not settings.mail_from:
        raise MailNotSetUp


def as_message(letter: Letter, settings: Settings, clock: Clock) -> EmailMessage:
    """The letter as it goes over the wire. Refuses line breaks in any header, so that no text becomes a header."""
    check_set_up(settings)
    _check(letter)
    message = EmailMessage()
    try:
        message["From"] = settings.mail_from
        message["To"] = _address(letter.to)
        if settings.mail_reply_to:
            message["Reply-To"] = settings.mail_reply_to
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(clock())
        message["Message-ID"] = letter.message_id or make_msgid(domain=sender_domain(settings))
        for name, value in letter.headers.items():
            message[name] = value
    except (ValueError, MessageError) as error:
        raise LetterNotSendable(to=letter.to[:100], problem=str(error)) from error
    message.set_content(letter.text)
    if letter.html is not None:
        message.add_alternative(letter.html, subtype="html")
    for each in letter.attachments:
        main, _, sub = each.media_type.partition("/")
        message.add_attachment(each.content, maintype=main, subtype=sub, filename=each.name)
    return message


def sender_domain(settings: Settings) -> str:
    """The domain of our own address, for Message-IDs."""
    return settings.mail_from.rpartition("@")[2].strip("> ") if settings.mail_from else "localhost"


def is_address(text: str) -> bool:
    """Whether this is one e-mail address and nothing else (no name, no list, no control character)."""
    try:
        found = Address(addr_spec=text)
    except (ValueError, IndexError, MessageError):  # the parser of the standard library raises each of these
        return False
    return bool(found.username and "." in found.domain.strip(".")) and text.isprintable() and " " not in text


def _address(text: str) -> str:
    if not is_address(text):
        raise ValueError("it is not one e-mail address")
    return text


def _check(letter: Letter) -> None:
    headers = [letter.subject, letter.message_id or "", *letter.headers, *letter.headers.values()]
    if any(ord(character) < 32 or ord(character) == 127 for text in headers for character in text):
        raise LetterNotSendable(to=letter.to[:100], problem="a header holds a line break or another control character")
    if len(letter.subject) > SUBJECT_CHARACTERS_MAX:
        problem = f"the subject has more than {SUBJECT_CHARACTERS_MAX} characters"
        raise LetterNotSendable(to=letter.to[:100], problem=problem)
    if sum(len(each.content) for each in letter.attachments) > ATTACHMENT_BYTES_MAX:
        problem = f"the attachments have more than {ATTACHMENT_BYTES_MAX:,} bytes"
        raise LetterNotSendable(to=letter.to[:100], problem=problem)


async def _connect(client: aiosmtplib.SMTP) -> None:
    try:
        await client.connect()
    except (aiosmtplib.SMTPException, OSError) as error:  # also a wrong password: a setting, not the letter's fault
        client.close()
        raise MailLater(_words(error)) from error


async def _leave(client: aiosmtplib.SMTP) -> None:
    """Say goodbye when somebody listens; what was sent is sent either way."""
    if client.is_connected:
        try:
            await client.quit()
        except (aiosmtplib.SMTPException, OSError):
            client.close()


def _of_recipient(letter: Letter, error: aiosmtplib.SMTPResponseException) -> MailRefused | MailLater:
    answer = f"{error.code} {error.message}"
    return MailRefused(to=letter.to, answer=answer) if error.code >= _PERMANENT else MailLater(answer)


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
