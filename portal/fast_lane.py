"""What the connections of one process share on the shorter way to an answer (``portal.protocol``)."""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from portal.beside import Visit
from portal.hot_path import Answer, Ask, Form, Sight
from portal.http_front import Complete, Front, complete
from portal.model import Beside, Checks
from portal.near import Near
from portal.plain_request import HEAD_BYTES_KEPT_MAX, HEADS_MAX, PassingFields, PlainReader, PlainRequest
from portal.ready import READY_MB, Manner, Ready
from portal.turn import Turn

_FORMS: Final = (
    ("/01/", "", None),
    ("/p/01/", "/p", Form.PAGE),
    ("/recall-status/01/", "/recall-status", Form.VERDICT),
)


class Counted(NamedTuple):
    """The count that a page waited for."""

    checks: Checks | None


class FastLane:
    """What the connections of one process share."""

    def __init__(self, front: Front, *, ready_mb: int = READY_MB) -> None:
        self.front = front
        self.reader = PlainReader()
        self.passing = PassingFields(front.region_header)
        self.guard_lines = b"".join(
            f"{name.lower()}: {value}\r\n".encode("latin-1") for name, value in front.guard_headers.items()
        )
        self.ready = Ready(front, self.guard_lines, bytes_max=ready_mb * 1024 * 1024)
        self.near = Near(front, self.ready)
        self.log = front.reader.log
        self.manners: dict[bytes, Manner] = {}
        """By all that follows the path in a request but for its passing values, so also by the end of its head."""
        self.turn: Turn | None = None

    def begin(self, loop: asyncio.AbstractEventLoop) -> Turn:
        """The turn of the loop that is under way; its answers are sent when all its requests were read."""
        turn = self.turn
        if turn is None:
            turn = self.turn = Turn(self.front.clock(), loop.time(), None, None)
            loop.call_soon(self.end)  # first of all: a turn that does not end would hold every answer back
            self.near.begin(turn)
        return turn

    def send(self) -> None:
        """Send what was answered so far: what is written next comes after it, or the connection ends."""
        if self.turn is not None:
            self.turn.send()

    def end(self) -> None:
        """Send what was answered in the turn."""
        turn, self.turn = self.turn, None
        if turn is not None:
            turn.send()
            self.log.add(*turn.openings)

    def first_lines(self, turn: Turn, status: int, default_headers: list[tuple[bytes, bytes]]) -> bytes:
        """Status line and the server's own headers, which it makes anew each second."""
        lines = turn.first_lines.get(status)
        if lines is None:
            own = b"".join(b"%b: %b\r\n" % pair for pair in default_headers)
            lines = turn.first_lines[status] = STATUS_LINE[status] + own
        return lines

    def ask(self, request: PlainRequest) -> Ask | None:
        """What is asked for, when it is a code of a product, lot or item; cases and pallets go the usual way."""
        path, fields = request.path, request.head.fields
        for begin, prefix, only in _FORMS:
            if path.startswith(begin) and not (prefix and "%" in path):  # a line break in it has no route of its own
                return Ask(
                    path.removeprefix(prefix), request.query, fields.get("accept"), fields.get("accept-language"), only
                )
        return None

    def beside_counted(self, sight: Sight, counted: Counted) -> Beside | None:
        """What stands beside, with the count that is known already; None when the history has to be read."""
        history = self.front.reader.kept_history(sight)
        return None if history is None else Beside(checks=counted.checks, history=history)

    def keep(
        self, request: PlainRequest, data: bytes, known: tuple[Sight, Visit, Beside], made: tuple[Answer, Complete]
    ) -> None:
        """Have an answer ready for the next item like this one, and its head known."""
        sight, visit, beside = known
        head, answer = request.head, made[0]
        if not request.path.startswith("/01/") or request.query or sight.link_type is not None:
            return
        if sight.form is Form.LINKSET:
            return
        accept_encoding = head.get("accept-encoding")
        if made[1].status == 304:
            made = (answer, complete(answer, accept_encoding=accept_encoding))
        rest, _ = self.passing.cut(data[data.index(b" ", 4) :])
        manner = self.manners.get(rest)
        if manner is None:
            language = sight.tongue.code
            manner = self.ready.manner(sight.form, language, visit, head)
            if len(rest) <= HEAD_BYTES_KEPT_MAX:
                if len(self.manners) >= HEADS_MAX:
                    self.manners.clear()
                self.manners[rest] = manner
        self.ready.keep(request.path.encode("ascii"), manner, sight, beside, made)
