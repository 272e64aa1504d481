"""A mail server on this machine, for the tests that send letters: real SMTP, told what to say to whom."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

from runtime import settings
from runtime.settings import Settings


@dataclass
class MailServer:
    """Keeps what it took. ``answers`` by recipient: what RCPT is answered instead of yes."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    answer_to_data: str = "250 taken"
    hangs_up_after_data: bool = False
    on_arrival: Callable[[], object] = lambda: None
    """Called when a letter was taken, before that is answered."""

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 yes"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        if self.answer_to_data.startswith("250"):
            self.taken.append(message_from_bytes(envelope.content, policy=policy.default))
            self.on_arrival()
        if self.hangs_up_after_data:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return self.answer_to_data

    @property
    def addresses(self) -> list[str]:
        return [str(message["To"]) for message in self.taken]


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    """A server that listens on a free port of this machine until the block ends."""
    kept = MailServer()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: SMTP(kept, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0, family=socket.AF_INET
    )
    kept.port = listening.sockets[0].getsockname()[1]
    try:
        yield kept
    finally:
        listening.close()


def settings_for(server: MailServer, **more: object) -> Settings:
    """Settings that send to ``server``."""
    mail = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_security": "none"}
    return settings.load({}, **mail, mail_from="Recall desk <recall@meadow.example>", **more)
