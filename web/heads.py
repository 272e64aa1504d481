"""A limit for the head of a request: how long it may be, and how long it may take to come.

The server has neither: one connection could fill the memory, and all file descriptors could be held open with half a
line each. An edge in front usually has such limits; a portal stands where there is none, too.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX: Final = 65_536
"""What a request may have beside its body; what arrives together with its first bytes is not counted."""
PER_BODY_BYTE: Final = 8
"""A body in chunks has lines beside it: at most so many bytes for each of the body."""
HEAD_WITHIN_S: Final = 30.0
"""So long after a connection was made, or the request begun, its head is there."""

_TOO_LONG: Final = (b"431 Request Header Fields Too Large", b"The head of the request has more than 65,536 bytes.")
_TOO_LATE: Final = (b"408 Request Timeout", b"The head of the request did not come within 30 seconds.")


class BoundedHead(HttpToolsProtocol):
    """One connection. A head that is too long is answered 431, one that is too late 408; then the connection ends."""

    head_within_s: float = HEAD_WITHIN_S

    _is_whole = True
    """No request is on its way in."""
    _has_head = True
    _begins = False
    """A request began in the bytes at hand."""
    _beside = 0
    _of_body = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A connection that never asks is ended too."""
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(self.head_within_s, self._end_silent)

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side is gone."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of the connection, counted when they go on with a request that had begun."""
        of_body, self._begins = self._of_body, False
        super().data_received(data)
        if self._is_whole or self.transport.is_closing():
            return
        if not self._begins:
            self._beside += len(data) - (self._of_body - of_body)
            if self._beside > HEAD_BYTES_MAX + PER_BODY_BYTE * self._of_body:
                self._refuse(*_TOO_LONG)
                return
        if not self._has_head and self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_within_s, self._end_late)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._is_whole, self._has_head, self._begins = False, False, True
        self._beside = self._of_body = 0
        self._stop_timer()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._has_head = True
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body: the application has its own limit for that."""
        self._of_body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is there."""
        self._is_whole = True
        super().on_message_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Nobody has to be told: no face speaks another protocol, and whoever asks may ask a million times."""

    def _end_silent(self) -> None:
        self._head_timer = None
        if self._is_silent():
            self.transport.close()

    def _is_silent(self) -> bool:
        """Nothing was asked yet, so no answer is cut off."""
        return self._is_whole and self.cycle is None and self.timeout_keep_alive_task is None

    def _end_late(self) -> None:
        self._head_timer = None
        self._refuse(*_TOO_LATE)

    def _refuse(self, status: bytes, text: bytes) -> None:
        """Say why and end; amid another answer only end, for it would be taken for a part of that."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(
                b"HTTP/1.1 %b\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
                b"connection: close\r\n\r\n%b" % (status, len(text), text)
            )
        self.transport.close()

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
