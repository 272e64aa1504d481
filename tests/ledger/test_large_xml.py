"""Large XML documents, read as a stream: what they say is the same as in one piece, and what was read is dropped."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from lxml import etree

from ledger.epcis import stream, xml
from ledger.epcis.read import read_document
from ledger.epcis.xml import XmlReading
from ledger.refusals import DocumentNotReadable, TooManyEvents, TooManyValues
from tests.ledger import dairy as d
from tests.ledger.test_epcis_xml import NEW

EVENT = NEW[NEW.index("    <ObjectEvent>") : NEW.index("  </EventList>")]
OLD_EVENT = (
    "<extension><TransformationEvent><eventTime>2026-03-02T07:00:00Z</eventTime>"
    "<eventTimeZoneOffset>+00:00</eventTimeZoneOffset>"
    f"<inputEPCList><epc>{d.item(d.MILK, 1)}</epc></inputEPCList>"
    f"<outputEPCList><epc>{d.item(d.CHEESE, 9)}</epc></outputEPCList><cow:name xmlns:cow='https://cow.example/'>Ann"
    "</cow:name></TransformationEvent></extension>"
)


def document(*events: str) -> bytes:
    return NEW.replace(EVENT, "".join(events)).encode()


def test_a_streamed_document_says_what_it_says_in_one_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "day.xml"
    file.write_bytes(document(EVENT, OLD_EVENT, EVENT))
    monkeypatch.setattr(stream, "BATCH_EVENTS", 2)

    frame = stream.read_frame(file, file.name)
    batches = list(stream.batches_of(file, file.name, frame))

    whole = read_document(file.read_bytes(), file.name)
    events = [event for batch in batches for _, event in batch]
    assert frame.document | {"epcisBody": {"eventList": events}} == whole
    assert ([len(batch) for batch in batches], frame.events) == ([2, 1], 3)
    assert batches[1][0][0] == "/epcisBody/eventList/2"


def test_of_what_was_read_nothing_is_held() -> None:
    tree = etree.fromstring(document(EVENT, OLD_EVENT, EVENT, OLD_EVENT))
    events = list(tree.iter("ObjectEvent", "TransformationEvent"))
    (held,) = tree.iter("EventList")

    sizes = []
    for event in events:
        xml.forget(event)
        sizes.append((len(held), len(event)))

    assert sizes == [(4, 0), (3, 0), (2, 0), (1, 0)]


def test_an_event_that_cannot_be_read_is_named_by_its_place_also_when_those_before_are_dropped() -> None:
    told = document(EVENT, OLD_EVENT, EVENT.replace("12.5", "a dozen"))

    with pytest.raises(DocumentNotReadable, match=r"EventList/ObjectEvent\[2\]/quantityList/.*'a dozen'"):
        list(XmlReading("it").events(BytesIO(told)))


def test_what_could_not_be_held_in_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "day.xml"
    file.write_bytes(document(EVENT, EVENT))
    most = len(list(etree.fromstring(EVENT.replace("dairy:", "")).iter()))

    monkeypatch.setattr(stream, "EVENTS_MAX", 2)
    monkeypatch.setattr(xml, "ELEMENTS_MAX", most + 3)  # a comment is no element that is built; four stand around
    assert stream.read_frame(file, file.name).events == 2
    monkeypatch.setattr(stream, "EVENTS_MAX", 1)
    with pytest.raises(TooManyEvents):
        stream.read_frame(file, file.name)
    monkeypatch.setattr(xml, "ELEMENTS_MAX", most - 5)
    with pytest.raises(TooManyValues, match="after event 0"):
        stream.read_frame(file, file.name)
