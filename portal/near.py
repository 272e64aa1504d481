"""The shortest way to an answer: for an item beside one that was just answered, asked for with the same bytes.

``portal.ready`` finds an answer by everything that it rests on. What it found for one number holds for those around it
(``Snapshot.alike_around``) until the copy, the links or the time told change. So here only that is looked at: the
serial is decoded, its number looked for in the stretches that are known, the age of copy and answer compared. What is
not found here goes back to ``portal.ready``.

Of ten thousand lots nearly nothing is in the processor's cache: what a scan touches is held close together, and what is
alike for many is one object.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeVar, cast
from weakref import ref

from portal.hot_path import Form
from portal.http_front import Front
from portal.ready import Found, Manner, Ready, Standing, kind_of_count
from portal.scan_log import Opening
from portal.snapshot import Snapshot
from portal.turn import Turn

LINES_MAX: Final = 100_000
"""Answers known here, about 0.5 KB each beside the bytes that ``portal.ready`` keeps; one more forgets all."""
DROPPED_PART: Final = 8
"""When ``portal.ready`` has dropped this part of what it may keep, all is forgotten: it was still held here."""
ALIKE_MAX: Final = 20_000
"""Pieces of answers, and instants, that several answers share; one more forgets all."""

_BEGIN: Final = b"GET /01/"
_MIDDLE: Final = b"/21/"
_LETTERS: Final = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_OTHERS: Final = bytes(set(range(256)) - set(_LETTERS))
# A serial as Python reads a number of base 32; every other byte as one that it refuses.
_DIGITS: Final = bytes.maketrans(_LETTERS + _OTHERS, b"0123456789abcdefghijklmnopqrstuv" + b"!" * len(_OTHERS))
_OF_ONE_LOT: Final = re.compile(rb"(?:(?:etag|content-length): [^\r]*\r\n)+")

T = TypeVar("T", bytes, datetime, tuple[bytes, ...], Opening)


@dataclass(slots=True)
class Line:
    """An answer that holds for a stretch of numbers and a way of asking. Only ``until`` is ever changed."""

    end: int
    """Of the stretch: its first number that is not in it."""
    until: datetime
    """When what it rests on is looked at again."""
    at: datetime | None
    """The time that its page tells; None where none is told."""
    is_whole: bool
    """Nothing has to be known besides: no count, and nothing of the copy."""
    status: int
    pieces: tuple[bytes, ...]
    """Of the head, around the serial."""
    of_the_lot: bytes
    rest: bytes
    """How the head goes on."""
    body: bytes
    body_end: bytes
    opening: Opening | None
    """What the log of scans is told; None when it is told nothing."""
    standing: Standing
    run: int
    """Where its run begins, and what state it has."""
    state: int


Nearby = tuple[Line, int, int, bytes]
"""The answer to one request, with the numbers of its item and lot, and its serial."""
_Epoch = tuple[int, Callable[[int], int], "array[int]", "array[int]", list[Line]]
"""Of one product and way of asking, the stretches of numbers issued with the key of one epoch: the epoch, what makes a
number of the 60 bits of a serial; and of each stretch where it begins, its lot, and its answer."""


class Near:
    """What is known around the items that were answered, in one process."""

    def __init__(self, front: Front, ready: Ready) -> None:
        self._refresher = front.refresher
        self._shelf = front.hot_path.shelf
        self._ready = ready
        self._seen: Callable[[], Snapshot | None] = lambda: None
        self._links = self._shelf.links
        self._latest: datetime | None = None
        self._size = 0
        self._forgets_at = 0
        self._products: dict[int, dict[bytes, tuple[_Epoch, ...]]] = {}
        """By ``Manner.key`` and GTIN."""
        self._alike: dict[Hashable, Hashable] = {}

    def __len__(self) -> int:
        return self._size

    def begin(self, turn: Turn) -> None:
        """What a turn has to know to find answers here."""
        refresher = self._refresher
        snapshot = refresher.snapshot
        if self._latest is not None and turn.now < self._latest:
            self._forget(snapshot)  # the clock was put back: what was made later is not known yet
        self._latest = turn.now
        if self._seen() is snapshot and refresher.is_fresh():
            turn.snapshot, turn.told = snapshot, self._ready.time_told(refresher.confirmed_at)

    def find(self, data: bytes, manner: Manner, turn: Turn) -> Nearby | None:
        """The answer to a request whose path is 34 bytes long, when it is ``GET /01/{gtin}/21/{serial}`` and known."""
        snapshot, shelf = turn.snapshot, self._shelf
        if data[:8] != _BEGIN or data[22:26] != _MIDDLE or snapshot is not self._refresher.snapshot:
            return None
        products = self._products.get(manner.key)
        epochs = products and products.get(data[8:22])
        if not epochs or shelf.links is not self._links:
            return None
        serial = data[26:38]
        try:
            block = int(serial.translate(_DIGITS), 32)
        except ValueError:
            return None
        for epoch, number_of, begins, lots, lines in epochs:
            number = number_of(block)
            at = bisect_right(begins, number) - 1
            if at >= 0 and number < lines[at].end:
                lot_id = lots[at]
                break
            if snapshot.blocks.has_issued(int(data[8:22]), epoch, number):
                return None
        else:
            return None
        line = lines[at]
        if (line.at is not turn.told and line.at is not None) or turn.now >= line.until:
            looked_at = self._looked_at(line, number, manner, turn)
            if looked_at is None:
                return None
            line = lines[at] = looked_at
        return None if number in shelf.unusual else (line, number, lot_id, serial)

    def keep(self, gtin: bytes, manner: Manner, found: Found) -> None:
        """Know an answer that ``portal.ready`` has just found, for the numbers around it."""
        snapshot, shelf = self._refresher.snapshot, self._shelf
        if found.standing.seen() is not snapshot or found.standing.links is not shelf.links:
            return
        self._latest = found.now if self._latest is None else max(self._latest, found.now)
        is_news = self._seen() is not snapshot or shelf.links is not self._links
        if is_news or self._size >= LINES_MAX or self._ready.dropped >= self._forgets_at:
            self._forget(snapshot)
        bounds = snapshot.alike_around(found.number)
        if bounds is None:
            return
        for epoch, _, begins, lots, lines in self._epochs(gtin, manner, snapshot):
            if snapshot.blocks.has_issued(int(gtin), epoch, found.number):
                of, now = found.standing, found.now
                bare = Line(bounds[1], now, None, False, 0, (), b"", b"", b"", b"", None, of, found.run, found.state)
                line = self._written(bare, manner)
                at = bisect_left(begins, bounds[0])
                if at < len(begins) and begins[at] == bounds[0]:
                    lots[at], lines[at] = of.lot_id, line
                else:
                    begins.insert(at, bounds[0])
                    lots.insert(at, of.lot_id)
                    lines.insert(at, line)
                    self._size += 1
                return

    def _forget(self, snapshot: Snapshot) -> None:
        """Begin anew, with this copy and the links that are in use."""
        self._products.clear()
        self._size, self._forgets_at = 0, self._ready.dropped + self._ready.bytes_max // DROPPED_PART
        self._seen, self._links = ref(snapshot), self._shelf.links

    def _looked_at(self, line: Line, number: int, manner: Manner, turn: Turn) -> Line | None:
        """The same for some seconds more, with the time told now; None when what it rests on is not what it was."""
        of, now = line.standing, turn.now
        if not of.made_at <= now < of.until:
            return None
        if now >= of.looks_at and not self._ready.may_stay(of, number, line.run, line.state, now):
            return None
        if line.is_whole and (line.at is turn.told or line.at is None):
            line.until = self._second(min(of.until, of.looks_at))
            return line
        return self._written(line, manner)

    def _second(self, at: datetime) -> datetime:
        return self._same(at.replace(microsecond=0))

    def _epochs(self, gtin: bytes, manner: Manner, snapshot: Snapshot) -> tuple[_Epoch, ...]:
        products = self._products.setdefault(manner.key, {})
        epochs = products.get(gtin)
        if epochs is None:
            decoders = () if snapshot.keys is None else snapshot.keys.decoders(gtin.decode("ascii"))
            epochs = products[gtin] = tuple((epoch, of, array("q"), array("q"), []) for epoch, of in decoders)
        return epochs

    def _written(self, line: Line, manner: Manner) -> Line:
        """The line with its answer as it is now."""
        of, same = line.standing, self._same
        line = replace(line, until=self._second(min(of.until, of.looks_at)))
        wire = of.wires.get(kind_of_count(None))
        if wire is None or (of.counts and manner.is_check):
            return line
        confirmed_at = self._refresher.confirmed_at
        at = self._ready.time_told(confirmed_at) if manner.form is Form.PAGE else None
        if line.is_whole and line.at is at:
            return line
        moment, tag = self._ready.moment(wire, None, manner, confirmed_at)
        end = wire.end(moment)
        around = wire.lines.around_the_serial(tag, b"%d" % (len(wire.stem.data) + len(end)))
        pieces, own, rest = _apart(around)
        return replace(
            line,
            at=at,
            is_whole=True,
            status=wire.status,
            pieces=same(tuple(map(same, pieces))),
            of_the_lot=own,
            rest=same(rest),
            body=wire.stem.data,
            body_end=same(end),
            opening=None if wire.opening is None else same(wire.opening),
        )

    def _same(self, value: T) -> T:
        """One object for what is alike."""
        if len(self._alike) >= ALIKE_MAX:
            self._alike.clear()
        return cast(T, self._alike.setdefault(value, value))


def _apart(head: tuple[bytes, ...]) -> tuple[tuple[bytes, ...], bytes, bytes]:
    """The pieces of a head around the serial, then what is of one lot only, then how it ends."""
    *pieces, last = head
    found = _OF_ONE_LOT.search(last)
    if found is None:
        return head, b"", b""
    return (*pieces, last[: found.start()]), found[0], last[found.end() :]
