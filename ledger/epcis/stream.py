"""Documents too large to be held in memory: their frame is read first, then their events, one after the other.

Two passes over the file, because the header with the master data may stand behind the events. The first one builds
everything but the events and sees that nothing in the file is too large to be built in the second.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import ijson
from ijson.common import ObjectBuilder

from ledger.epcis.xml import XmlReading, looks_like_xml
from ledger.refusals import DocumentNotReadable, TooManyEvents, TooManyValues

EVENTS_MAX: Final = 10_000_000
"""Most events of a document that is read as a stream."""
FRAME_VALUES_MAX: Final = 1_000_000
"""Most values (keys, texts, numbers, brackets) of all that is not events: the master data, above all."""
EVENT_VALUES_MAX: Final = 500_000
"""Most values of one event."""
TEXT_BYTES_MAX: Final = 16 * 1024 * 1024
"""Longest text of a document that is read as a stream: a text is held in memory whole."""
BATCH_EVENTS: Final = 1_000
BATCH_VALUES_MAX: Final = 100_000
"""Elements of lists in one batch, unless one event alone has more: bounds memory, not meaning."""

_LISTS: Final = ("epcisBody.eventList", "epcisBody.queryResults.resultsBody.eventList")
_BUFFER_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Frame:
    """A document without its events, and where they stand: ``prefix`` in the words of ijson, None for a bare event."""

    document: dict[str, Any]
    prefix: str | None
    events: int

    @property
    def where(self) -> str:
        """Pointer to the list of events."""
        return "/" + (self.prefix or "").replace(".", "/")


def read_frame(path: Path, name: str) -> Frame:
    """Everything but the events. Refuses what is not JSON (``DocumentNotReadable``) and what is too large
    (``TooManyEvents``, ``TooManyValues``)."""
    if _is_xml(path):
        return _xml_frame(path, name)
    reading = _Frame(name)
    with _opened(path, name) as file:
        for prefix, kind, value in ijson.parse(file, use_float=True, buf_size=_BUFFER_BYTES):
            reading.take(prefix, kind, value)
    if not isinstance(reading.builder.value, dict):
        raise DocumentNotReadable(name=name, reason="it must be one JSON object: an EPCIS document or an event")
    return Frame(reading.builder.value, reading.prefix, reading.events)


def batches_of(path: Path, name: str, frame: Frame) -> Iterator[list[tuple[str, Any]]]:
    """The events with their pointers, some at a time."""
    batch: list[tuple[str, Any]] = []
    values = 0
    for index, event in enumerate(_events(path, name, frame)):
        batch.append((f"{frame.where}/{index}", event))
        values += _size(event)
        if len(batch) >= BATCH_EVENTS or values >= BATCH_VALUES_MAX:
            yield batch
            batch, values = [], 0
    if batch:
        yield batch


def _events(path: Path, name: str, frame: Frame) -> Iterator[Any]:
    if _is_xml(path):
        with path.open("rb") as file:
            yield from XmlReading(name).events(file)
        return
    with _opened(path, name) as file:
        yield from ijson.items(file, f"{frame.prefix}.item", use_float=True, buf_size=_BUFFER_BYTES)


def _xml_frame(path: Path, name: str) -> Frame:
    """As ``read_frame``: every event is read once for the prefixes that it uses, which are the document's."""
    reading, count = XmlReading(name), 0
    with path.open("rb") as file:
        for count, _event in enumerate(reading.events(file), start=1):
            if count > EVENTS_MAX:
                raise TooManyEvents(events=f"more than {EVENTS_MAX}", events_max=EVENTS_MAX)
    return Frame(reading.frame(()) | {"epcisBody": {"eventList": []}}, _LISTS[0], count)


def _is_xml(path: Path) -> bool:
    with path.open("rb") as file:
        return looks_like_xml(file.read(100))


class _Watched:
    """A file that is read on; refuses a text that is too long before it is put together."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name
        self._since_mark = 0
        self._begins_escaped = False

    def read(self, size: int = -1) -> bytes:
        """The next part. A text has no quotation mark but escaped ones; between texts they are never far apart."""
        part = self._file.read(size)
        text = (part[1:] if self._begins_escaped and part.startswith(b'"') else part).replace(b'\\"', b"")
        self._begins_escaped = text.endswith(b"\\")
        first = text.find(b'"')
        longest = self._since_mark + (len(text) if first < 0 else first)
        if longest > TEXT_BYTES_MAX:
            reason = f"a text in it is longer than {TEXT_BYTES_MAX:,} bytes"
            raise DocumentNotReadable(name=self._name, reason=reason)
        self._since_mark = longest if first < 0 else len(text) - text.rfind(b'"') - 1
        return part


class _Frame:
    """Puts the frame together; inside the list of events it only counts."""

    def __init__(self, name: str) -> None:
        self.builder = ObjectBuilder()
        self.prefix: str | None = None
        self.events = 0
        self._name = name
        self._depth = 0
        self._values = 0
        self._of_event = 0

    def take(self, prefix: str, kind: str, value: Any) -> None:
        """One more piece of the document."""
        if self._depth:
            self._inside(kind)
            if self._depth:
                return
        elif kind == "start_array" and prefix in _LISTS:
            if self.prefix is not None:
                raise DocumentNotReadable(name=self._name, reason="it has two lists of events")
            self.prefix, self._depth = prefix, 1
        self._values += 1
        if self._values > FRAME_VALUES_MAX:
            raise TooManyValues(what="The document without its events", values_max=FRAME_VALUES_MAX)
        self.builder.event(kind, value)

    def _inside(self, kind: str) -> None:
        self._of_event += 1
        if self._of_event > EVENT_VALUES_MAX:
            raise TooManyValues(what=f"Event {self.events}", values_max=EVENT_VALUES_MAX)
        if self._depth == 1 and kind != "end_array":
            self.events, self._of_event = self.events + 1, 0
            if self.events > EVENTS_MAX:
                raise TooManyEvents(events=f"more than {EVENTS_MAX}", events_max=EVENTS_MAX)
        if kind.startswith("start_"):
            self._depth += 1
        elif kind.startswith("end_"):
            self._depth -= 1


@contextmanager
def _opened(path: Path, name: str) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            file.seek(0)
        try:
            yield cast(BinaryIO, _Watched(file, name))
        except ijson.JSONError as error:
            first = str(error).partition("\n")[0].strip() or "it ends too early"
            raise DocumentNotReadable(
                name=name, reason=f"{first} (a document of this size must be plain JSON in UTF-8, without comments)"
            ) from error


def _size(event: Any) -> int:
    lists = event.values() if isinstance(event, dict) else ()
    return sum(map(len, chain(each for each in lists if isinstance(each, list | dict))))
