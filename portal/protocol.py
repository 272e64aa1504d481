"""The shorter way to an answer: scans are answered where their bytes arrive, everything else goes the usual way.

A subclass of uvicorn's protocol. It answers only a whole plain GET of a code, in one buffer, on an idle connection; the
framework never sees that request. Both ways use ``portal.http_front`` and give the same bytes
(tests/portal/test_protocol.py compares them). The front comes with the state of the application's start; a server
without one, as of the console, behaves as if this class were not there.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.server import ServerState

from portal.beside import Visit
from portal.counting import visitor_hash
from portal.fast_lane import Counted, FastLane
from portal.hot_path import Answer, Form, Sight
from portal.http_front import Complete, complete
from portal.model import Beside, Checks
from portal.near import Nearby
from portal.plain_request import Passing, PlainRequest
from portal.ready import Found, Manner
from portal.sightings import Sighting
from portal.turn import Turn
from web.heads import BoundedHead

STATE: Final = "portal_front"
"""Under this name the application's start gives its ``Front`` to the server."""
HELD_BYTES_MAX: Final = 65_536
"""What is held of the next requests while one waits for its count; beyond it the connection is not read from."""

_CODE: Final = b"GET /01/"
_HEAD: Final = b"HEAD /01/"
_PATH_END: Final = 38
"""Where the path ends in a request for an item without its lot."""
_NOTHING: Final = Passing()
Asked = tuple[Manner, Passing, Found]
"""How somebody asks, what passes with it, and for which item."""


class CodeProtocol(BoundedHead):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config=config, server_state=server_state, app_state=app_state, _loop=_loop)
        told = app_state.get(STATE)
        # What the server does for each request around the application is not repeated here: then nothing is short.
        is_plain = not (self.access_log or config.root_path or config.limit_concurrency is not None)
        self._lane = told if isinstance(told, FastLane) and is_plain else None
        self._waits = False
        self._held = b""
        self._closes_after = False
        self._answered_at = 0.0

    def data_received(self, data: bytes) -> None:
        """Bytes of the connection."""
        lane = self._lane
        if lane is None:
            super().data_received(data)
        elif self._waits:
            self._hold(data)
        elif not (self._is_idle() and self._answer_ready(lane, data)):
            self._receive(lane, data)

    def _answer_ready(self, lane: FastLane, data: bytes) -> bool:
        """Answer from what is ready: the head was read before, byte for byte, and the path is of one form only."""
        try:
            manner = lane.manners.get(data[_PATH_END:])
            if manner is not None:
                turn = lane.turn or lane.begin(self.loop)
                near = lane.near.find(data, manner, turn)
                if near is not None:
                    return self._answer_near(lane, data, near, (manner, _NOTHING, turn))
            return self._answer_kept(lane, data)
        except Exception:  # noqa: BLE001 - the usual way meets the same failure, logs it and gives it a number
            self._waits = False
            return False

    def _answer_kept(self, lane: FastLane, data: bytes) -> bool:
        is_head = data.startswith(_HEAD)
        if not is_head and not data.startswith(_CODE):
            return False
        begin = 5 if is_head else 4
        end = data.find(b" ", begin)
        rest, passing = data[end:], _NOTHING
        manner = lane.manners.get(rest)
        if manner is None:
            rest, passing = lane.passing.cut(rest)
            manner = lane.manners.get(rest)
            if manner is None:
                return False
            turn = lane.begin(self.loop)
            near = lane.near.find(data, manner, turn) if end == _PATH_END else None
            if near is not None:
                return self._answer_near(lane, data, near, (manner, passing, turn))
        found = lane.ready.find(data[begin:end], manner)
        if found is None or not self._answer_found(lane, data, (manner, passing, found), is_head=is_head):
            return False
        if end == _PATH_END and not is_head:
            lane.near.keep(data[8:22], manner, found)
        return True

    def _answer_near(self, lane: FastLane, data: bytes, near: Nearby, how: tuple[Manner, Passing, Turn]) -> bool:
        """Join the pieces and send them, when nothing has to be known besides."""
        (line, number, lot_id, serial), (manner, passing, turn) = near, how
        if passing.if_none_match or not line.is_whole:
            refresher = lane.front.refresher
            revision, confirmed_at = refresher.snapshot.revision, refresher.confirmed_at
            found = Found(line.standing, number, line.run, line.state, serial, turn.now, revision, confirmed_at)
            return self._answer_found(lane, data, (manner, passing, found))
        first_lines = turn.first_lines.get(line.status) or self._first_lines(lane, line.status)
        head = b"".join((first_lines, serial.join(line.pieces), line.of_the_lot, line.rest))
        turn.answers.append((self.transport, (head, line.body, line.body_end) if line.body else (head,)))
        if line.opening is not None:
            turn.openings.append((turn.now, number, lot_id, line.opening, manner.client))
        self._written(lane, turn.at, closes=manner.closes)
        return True

    def _first_lines(self, lane: FastLane, status: int) -> bytes:
        return lane.first_lines(lane.begin(self.loop), status, self.server_state.default_headers)

    def _send(self, lane: FastLane, *pieces: bytes, closes: bool) -> None:
        """Send with the other answers of this turn."""
        turn = lane.begin(self.loop)
        turn.answers.append((self.transport, pieces))
        self._written(lane, turn.at, closes=closes)

    def _answer_found(self, lane: FastLane, data: bytes, asked: Asked, *, is_head: bool = False) -> bool:
        """Answer with the count, when there is one, as soon as it is known."""
        manner, passing, found = asked
        counter = lane.front.reader.counter
        if manner.form is Form.VERDICT:
            if is_head or not found.standing.counts:
                return self._write_document(lane, asked, None, is_head=is_head)
            self._waits = True
            counter.tell(found.number, partial(self._told, lane, data, asked))
            return True
        checks = None
        if found.standing.counts and manner.is_check and not is_head:
            visitor = self._seen(lane, found, manner, passing)
            if found.standing.waits:
                self._waits = True
                counter.ask(found.number, visitor, partial(self._told, lane, data, asked))
                return True
            checks = counter.count_later(found.number, visitor)
        return self._write_ready(lane, asked, checks, is_head=is_head)

    def _seen(self, lane: FastLane, found: Found, manner: Manner, passing: Passing) -> bytes:
        """Who asks; where the item was checked is told to the rules of unusual activity."""
        reader = lane.front.reader
        visitor = visitor_hash(reader.secret, self._address(passing.forwarded_for), manner.user_agent, found.now)
        if reader.sightings.has_room():
            reader.sightings.add(Sighting(found.number, found.standing.gtin, manner.region, visitor, found.state))
        return visitor

    def _told(self, lane: FastLane, data: bytes, asked: Asked, checks: Checks | None) -> None:
        """The count is there, or late: answer, and take what arrived meanwhile."""
        self._waits = False
        if self.transport.is_closing():
            return
        write = self._write_document if asked[0].form is Form.VERDICT else self._write_ready
        if not write(lane, asked, checks):
            self._receive(lane, data, Counted(checks))
        if not self._waits:
            self._go_on()

    def _write_ready(self, lane: FastLane, asked: Asked, checks: Checks | None, *, is_head: bool = False) -> bool:
        """Join the pieces and send them; False when they were not made yet."""
        manner, passing, found = asked
        wire = lane.ready.wire(found, checks)
        if wire is None:
            return False
        moment, tag = lane.ready.moment(wire, checks, manner, found.confirmed_at)
        if not is_head:
            lane.ready.note(found, wire, manner)
        if passing.if_none_match and wire.is_known_as(passing.if_none_match, tag):
            head = wire.unchanged.filled(self._first_lines(lane, 304), found.serial, tag, b"")
            self._send(lane, head, closes=manner.closes)
            return True
        body, end = wire.stem.data, wire.end(moment)
        length = b"%d" % (len(body) + len(end))
        head = wire.lines.filled(self._first_lines(lane, wire.status), found.serial, tag, length)
        told = (head, body, end) if body and not is_head else (head,)
        self._send(lane, *told, closes=manner.closes)
        return True

    def _write_document(self, lane: FastLane, asked: Asked, checks: Checks | None, *, is_head: bool = False) -> bool:
        manner, _, found = asked
        made = lane.ready.filled(found, checks)
        if made is None:
            return False
        status, lines, body = made
        told = (self._first_lines(lane, status), lines, b"" if is_head else body)
        self._send(lane, b"".join(told), closes=manner.closes)
        return True

    def _receive(self, lane: FastLane, data: bytes, counted: Counted | None = None) -> None:
        """Answer a plain request on the general way; of everything else the server's parser knows what it is."""
        lane.send()  # what the server writes itself comes after what was answered before
        request = lane.reader.read(data)
        if request is None:
            # From here on only the parser knows where one request ends and the next begins.
            self._lane = None
            super().data_received(data)
        elif not self._is_idle() or not self._answer(lane, request, data, counted):
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side is gone."""
        self._held = b""
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Called by the server to end: an answer that is waited for is still given."""
        if self._waits:
            self._closes_after = True
        else:
            self._send_all()
            super().shutdown()

    def eof_received(self) -> None:
        """The other side sends no more; what was answered is sent before the connection is closed."""
        self._send_all()
        super().eof_received()

    def _send_all(self) -> None:
        if self._lane is not None:
            self._lane.send()

    def timeout_keep_alive_handler(self) -> None:
        """The connection may have been used since the timer was set: setting it anew each time costs more."""
        left_s = self._answered_at + self.timeout_keep_alive - self.loop.time()
        if self._waits or left_s > 0:
            wait_s = max(left_s, 1.0)
            self.timeout_keep_alive_task = self.loop.call_later(wait_s, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def _is_silent(self) -> bool:
        return not self._waits and super()._is_silent()

    def _is_idle(self) -> bool:
        return (
            (self.cycle is None or self.cycle.response_complete)
            and not self.pipeline
            and not self.flow.write_paused
            and not self.transport.is_closing()
        )

    def _answer(self, lane: FastLane, request: PlainRequest, data: bytes, counted: Counted | None) -> bool:
        """Answer a scan, now or when its count is there; False when it is not one that is answered here."""
        try:
            ask = lane.ask(request)
            found = None if ask is None else lane.front.look(ask)
            if found is None:
                return False
            if isinstance(found, Answer):
                self._write(lane, request, found)
                return True
            visit = self._visit(request)
            beside = lane.beside_counted(found, counted) if counted else lane.front.reader.at_once(visit, found)
            if beside is not None:
                self._finish(lane, request, data, (found, visit, beside))
                return True
        except Exception:  # noqa: BLE001 - the usual way meets the same failure, logs it and gives it a number
            return False
        self._waits = True
        task = self.loop.create_task(self._answer_later(lane, request, found, visit, data))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return True

    async def _answer_later(
        self, lane: FastLane, request: PlainRequest, sight: Sight, visit: Visit, data: bytes
    ) -> None:
        try:
            beside = await lane.front.reader.read(visit, sight)
            if not self.transport.is_closing():
                self._finish(lane, request, data, (sight, visit, beside))
        except Exception:  # noqa: BLE001 - as above; nothing has been written yet
            super().data_received(data)
        self._waits = False
        self._go_on()

    def _finish(self, lane: FastLane, request: PlainRequest, data: bytes, known: tuple[Sight, Visit, Beside]) -> None:
        sight, visit, beside = known
        answer, _ = lane.front.finish(sight, beside, visit)
        whole = self._write(lane, request, answer)
        lane.keep(request, data, known, (answer, whole))

    def _go_on(self) -> None:
        """Take what arrived meanwhile."""
        held, self._held = self._held, b""
        if not self.transport.is_closing():
            self.flow.resume_reading()
            if held:
                self.data_received(held)

    def _hold(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > HELD_BYTES_MAX:
            self.flow.pause_reading()

    def _visit(self, request: PlainRequest) -> Visit:
        get = request.head.get
        address = self._address(get("x-forwarded-for"))
        region = get(self._lane.front.region_header) if self._lane is not None else ""
        is_ours = "authorization" in request.head.fields
        return Visit("GET", get("user-agent"), get("sec-purpose") or get("purpose"), address, region, is_ours)

    def _address(self, forwarded_for: str) -> str:
        """Who asks; when a proxy that the server trusts asks for somebody, that one. The server's own rule decides."""
        address = self.client[0] if self.client else ""
        around = self.app
        if forwarded_for and isinstance(around, ProxyHeadersMiddleware) and address in around.trusted_hosts:
            return around.trusted_hosts.get_trusted_client_address(forwarded_for)[0] or address
        return address

    def _write(self, lane: FastLane, request: PlainRequest, answer: Answer) -> Complete:
        get = request.head.get
        whole = complete(answer, accept_encoding=get("accept-encoding"), if_none_match=get("if-none-match"))
        closes = self._closes_after or request.head.closes
        lines = [self._first_lines(lane, whole.status)]
        for name, value in whole.headers:
            lines += (name, b": ", value, b"\r\n")
        lines.append(lane.guard_lines)
        lines.append(b"connection: close\r\n\r\n" if closes else b"\r\n")
        self._send(lane, b"".join(lines), whole.body, closes=closes)
        return whole

    def _written(self, lane: FastLane, at: float, *, closes: bool = False) -> None:
        self.server_state.total_requests += 1
        if closes or self._closes_after:
            lane.send()
            self.transport.close()
            return
        self._answered_at = at
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
