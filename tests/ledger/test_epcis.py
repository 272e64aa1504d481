"""What an EPCIS document may say: each rule with the neighbour that breaks it, and the place where it is told."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from ledger.epcis.checks import DEPTH_MAX, FAULTS_MAX
from ledger.epcis.read import read_document
from ledger.epcis.told import content_hash, read_event, sorted_names
from ledger.epcis.validate import examine, validate
from ledger.refusals import DocumentNotReadable, DocumentTooLarge
from runtime.refusals import Fault
from tests.ledger import dairy as d

DOCUMENTS = Path(__file__).parent / "documents"
EVENTS = {
    "object": d.make(0, epcList=[d.item(d.CHEESE, 1)]),
    "aggregation": d.pack(0, d.sscc(d.PALLET), childEPCs=[d.item(d.CHEESE, 1)]),
    "association": {**d.pack(0, d.sscc(d.PALLET), childEPCs=[d.item(d.CHEESE, 1)]), "type": "AssociationEvent"},
    "transaction": d.tell(
        "TransactionEvent", 0, action="ADD", epcList=[d.item(d.CHEESE, 1)],
        bizTransactionList=[{"type": "po", "bizTransaction": "urn:dairy:po:7"}],
    ),
    "transformation": d.tell(
        "TransformationEvent", 0, inputQuantityList=[d.much(d.MILK, "M1", 10, "LTR")],
        outputQuantityList=[d.much(d.CHEESE, "C1", 4)],
    ),
}  # fmt: skip


def faults_of(kind: str, drop: str = "", **says: Any) -> list[Fault]:
    event = {**copy.deepcopy(EVENTS[kind]), **says}
    event.pop(drop, None)
    return validate(d.document(event))


def nested(levels: int) -> list[Any]:
    """A list in a list, and so on."""
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def wheres(faults: list[Fault]) -> list[str]:
    return [fault.where.removeprefix("/epcisBody/eventList/0") for fault in faults]


@pytest.mark.parametrize("kind", EVENTS)
def test_each_type_of_event_is_taken(kind: str) -> None:
    assert faults_of(kind) == []


@pytest.mark.parametrize("path", sorted((DOCUMENTS / "valid").iterdir()), ids=lambda path: path.name)
def test_the_dairys_partners_documents_are_taken(path: Path) -> None:
    assert validate(read_document(path.read_bytes(), path.name)) == []


@pytest.mark.parametrize("path", sorted((DOCUMENTS / "invalid").iterdir()), ids=lambda path: path.name)
def test_broken_documents_are_refused_where_they_say_they_are_broken(path: Path) -> None:
    told = json.loads(path.read_bytes())

    faults = validate({key: value for key, value in told.items() if key != "dairy:broken_at"})

    assert [fault.where for fault in faults] == told["dairy:broken_at"]
    assert all(fault.what for fault in faults)


@pytest.mark.parametrize(
    ("kind", "says", "where"),
    [
        ("object", {"eventTime": "2026-03-02"}, "/eventTime"),
        ("object", {"eventTime": "2026-03-02T06:00:00"}, "/eventTime"),
        ("object", {"eventTime": "2026-02-30T06:00:00Z"}, "/eventTime"),
        ("object", {"eventTimeZoneOffset": "+15:00"}, "/eventTimeZoneOffset"),
        ("object", {"eventTimeZoneOffset": "Z"}, "/eventTimeZoneOffset"),
        ("object", {"action": "add"}, "/action"),
        ("object", {"bizStep": "transforming"}, "/bizStep"),
        ("object", {"disposition": "in_transport"}, "/disposition"),
        ("object", {"eventID": "17"}, "/eventID"),
        ("object", {"epcList": d.item(d.CHEESE, 1)}, "/epcList"),
        ("object", {"epcList": ["serial 1"]}, "/epcList/0"),
        ("object", {"quantityList": [{"epcClass": d.lot(d.MILK, "M1"), "quantity": "20"}]}, "/quantityList/0/quantity"),
        ("object", {"quantityList": [{"epcClass": d.lot(d.MILK, "M1"), "quantity": True}]}, "/quantityList/0/quantity"),
        ("object", {"quantityList": [{"epcClass": d.lot(d.MILK, "M1"), "quantity": -1}]}, "/quantityList/0/quantity"),
        ("object", {"quantityList": [{"epcClass": d.lot(d.MILK, "M1"), "uom": "kg"}]}, "/quantityList/0/uom"),
        ("object", {"quantityList": [{"epcClass": d.lot(d.MILK, "M1"), "ext:w": 5}]}, "/quantityList/0/ext:w"),
        ("object", {"quantityList": [{"quantity": 5}]}, "/quantityList/0"),
        ("object", {"readPoint": d.place(d.PLANT)}, "/readPoint"),
        ("object", {"readPoint": {}}, "/readPoint"),
        ("object", {"sourceList": [{"type": "place", "source": "urn:a:b"}]}, "/sourceList/0/type"),
        ("object", {"sourceList": [{"source": "urn:a:b"}]}, "/sourceList/0"),
        ("object", {"bizTransactionList": [{"type": "po"}]}, "/bizTransactionList/0"),
        ("object", {"persistentDisposition": {"put": ["recalled"]}}, "/persistentDisposition/put"),
        ("object", {"persistentDisposition": {"set": ["called"]}}, "/persistentDisposition/set/0"),
        ("object", {"errorDeclaration": {"reason": "incorrect_data"}}, "/errorDeclaration"),
        ("object", {"certificationInfo": [{"agency": "x"}]}, "/certificationInfo/0"),
        ("object", {"sensorElementList": [{"sensorReport": []}]}, "/sensorElementList/0/sensorReport"),
        ("object", {"sensorElementList": [{"sensorReport": [{"value": 1}]}]}, "/sensorElementList/0/sensorReport/0"),
        ("object", {"line": "A"}, "/line"),
        ("object", {"ilmd": {"lotNumber": "C1"}}, "/ilmd/lotNumber"),
        ("object", {"ilmd": {"cbvmda:lotNumber": "C1"}, "action": "OBSERVE"}, "/ilmd"),
        ("object", {"transformationID": "urn:a:b"}, "/transformationID"),
        ("object", {"a/b": 1}, "/a~1b"),
        ("aggregation", {"ilmd": {"cbvmda:lotNumber": "C1"}}, "/ilmd"),
        ("transformation", {"action": "ADD"}, "/action"),
        ("object", {"tracemark:numberRanges": [[1, 2]]}, "/tracemark:numberRanges"),
        ("object", {"dairy:note": "\x00"}, "/dairy:note"),
        ("object", {"dairy:notes": [{"dairy:at": ["\x00"]}]}, "/dairy:notes/0/dairy:at/0"),
        ("object", {"dairy:notes": {"a\x00": 1}}, "/dairy:notes/a\\u0000"),
        ("object", {"dairy\x00:note": 1}, "/dairy\\u0000:note"),
        ("object", {"ilmd": {"dairy:note": "\x00"}}, "/ilmd/dairy:note"),
        ("object", {"eventID": "urn:dairy:\x00"}, "/eventID"),
        ("object", {"dairy:deep": nested(DEPTH_MAX + 1)}, "/dairy:deep" + "/0" * DEPTH_MAX),
        ("object", {"readPoint": {"id": nested(900)}}, "/readPoint/id"),
    ],
)
def test_what_breaks_a_rule_is_told_with_its_place(kind: str, says: dict[str, Any], where: str) -> None:
    assert wheres(faults_of(kind, **says)) == [where]


@pytest.mark.parametrize(
    ("kind", "drop"),
    [
        ("object", "eventTime"), ("object", "eventTimeZoneOffset"), ("object", "action"), ("object", "epcList"),
        ("aggregation", "parentID"), ("aggregation", "childEPCs"), ("association", "parentID"),
        ("transaction", "bizTransactionList"), ("transaction", "epcList"),
        ("transformation", "inputQuantityList"), ("transformation", "outputQuantityList"),
    ],
)  # fmt: skip
def test_what_an_event_needs_is_missed(kind: str, drop: str) -> None:
    assert wheres(faults_of(kind, drop)) == [""]


@pytest.mark.parametrize(
    ("kind", "drop", "says"),
    [
        ("object", "", {"dairy:deep": nested(DEPTH_MAX), "dairy:note": "\n"}),
        ("object", "epcList", {"quantityList": [d.much(d.MILK, "M1", 1)]}),
        (
            "object",
            "epcList",
            {"readPoint": {"id": "urn:x:y"}, "sensorElementList": [{"sensorReport": [{"type": "Mass"}]}]},
        ),
        ("object", "", {"bizStep": "https://dairy.example/steps/ripening", "disposition": "dairy:ripe"}),
        ("object", "", {"bizStep": "urn:epcglobal:cbv:bizstep:shipping"}),
        ("object", "", {"dairy:line": "A", "https://dairy.example/terms/shift": "early"}),
        ("object", "", {"eventTime": "2026-03-02T06:00:00.1234567-13:30", "eventTimeZoneOffset": "-13:30"}),
        ("object", "", {"sensorElementList": [{"sensorReport": [{"exception": "ALARM_CONDITION"}]}]}),
        ("aggregation", "childEPCs", {"action": "DELETE"}),
        ("aggregation", "parentID", {"action": "OBSERVE"}),
        ("transaction", "epcList", {"action": "DELETE"}),
        ("transformation", "outputQuantityList", {"transformationID": "urn:dairy:vat:3"}),
        ("aggregation", "", {"persistentDisposition": {"set": ["recalled"]}}),
    ],
)
def test_the_neighbour_that_keeps_the_rule_is_taken(kind: str, drop: str, says: dict[str, Any]) -> None:
    assert faults_of(kind, drop, **says) == []


@pytest.mark.parametrize(
    ("key", "value", "where"),
    [
        ("schemaVersion", 2.0, "/schemaVersion"), ("schemaVersion", "1.2", "/schemaVersion"),
        ("creationDate", "yesterday", "/creationDate"), ("epcisBody", {}, "/epcisBody/eventList"),
        ("epcisBody", {"eventList": {}}, "/epcisBody/eventList"), ("note", "x", "/note"),
        ("@context", 7, "/@context"), ("type", "Document", "/type"),
    ],
)  # fmt: skip
def test_a_document_around_the_events_has_rules_too(key: str, value: Any, where: str) -> None:
    document = {**d.document(EVENTS["object"]), key: value}

    assert [fault.where for fault in validate(document)] == [where]


def test_a_document_without_context_is_refused() -> None:
    document = d.document(EVENTS["object"])
    del document["@context"]

    assert [fault.where for fault in validate(document)] == [""]


def test_a_bare_event_and_a_query_result_are_taken() -> None:
    bare = {"@context": d.CONTEXT, **EVENTS["object"]}
    result = d.document()
    result["type"] = "EPCISQueryDocument"
    result["epcisBody"] = {"queryResults": {"resultsBody": {"eventList": [EVENTS["object"]]}}}

    assert validate(bare) == []
    assert validate(result) == []
    assert [fault.where for fault in validate(EVENTS["object"])] == ["/@context"]


def test_all_faults_are_told_up_to_a_limit_and_then_that_there_are_more() -> None:
    wrong = {**EVENTS["object"], "action": "CREATE", "bizStep": "x"}

    found = examine(d.document(*[wrong] * FAULTS_MAX))

    assert found.fault_count == 2 * FAULTS_MAX
    assert len(found.faults) == FAULTS_MAX + 1
    assert "more" in found.faults[-1].what


def test_a_gln_with_a_wrong_check_digit_is_a_warning_and_a_private_name_is_not_even_that() -> None:
    wrong = {**EVENTS["object"], "bizLocation": {"id": "https://id.gs1.org/414/9506000100013"}}
    private = {**EVENTS["object"], "bizLocation": {"id": "https://dairy.example/rooms/7"}}

    assert [(f.where, "check digit" in f.what) for f in examine(d.document(wrong)).warnings] == [
        ("/epcisBody/eventList/0/bizLocation/id", True)
    ]
    assert examine(d.document(private)).warnings == []
    assert validate(d.document(wrong)) == validate(d.document(private)) == []


def test_comments_are_read_over_with_a_warning_and_addresses_are_not_comments() -> None:
    text = '{ // the dairy\n "type": "x", "at": "https://a.example/b", /* two\nlines */ "n": 1 }'
    warnings: list[Fault] = []

    assert read_document(text.encode(), "told.jsonld", warnings) == {"type": "x", "at": "https://a.example/b", "n": 1}
    assert len(warnings) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_does_no_harm(encoding: str) -> None:
    assert read_document('{"name": "奶酪"}'.encode(encoding), "told.json") == {"name": "奶酪"}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"a": 1,\n "b": }', "line 2, column 7"), (b"[1]", "one JSON object"),
        (b"<epcis/>", "/epcis: an EPCIS document begins"),
        (b"\xff\xfa{", "UTF-"),
        (b"", "line 1"),
    ],
)  # fmt: skip
def test_what_is_not_a_document_is_refused_with_the_place(data: bytes, why: str) -> None:
    with pytest.raises(DocumentNotReadable, match=why):
        read_document(data, "told.json")


def test_a_document_larger_than_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(DocumentTooLarge):
        read_document(b"{" + b" " * 100, "told.json", bytes_max=100)


def test_the_same_fact_has_the_same_hash_however_it_is_written() -> None:
    one = d.make(0, epcList=["urn:epc:id:sgtin:9506000.013436.1", d.item(d.CHEESE, 2)], eventID="urn:dairy:1")
    other = {
        **d.make(0, epcList=[d.item(d.CHEESE, 2), "https://dairy.example/01/09506000134369/21/1"]),
        "eventTime": "2026-03-02T07:00:00+01:00",
        "bizStep": "https://ref.gs1.org/cbv/BizStep-commissioning",
    }

    assert content_hash(one) == content_hash(other)
    assert content_hash(one) != content_hash({**one, "disposition": "active"})
    assert content_hash(one) != content_hash({**one, "eventTime": "2026-03-02T07:00:01+01:00"})


def test_the_order_of_names_is_that_of_their_json_whatever_characters_they_have() -> None:
    names = [
        "urn:dairy:a",
        "urn:dairy:a!",
        "urn:dairy:ab",
        "urn:dairy:ä",
        'urn:dairy:"',
        "urn:dairy:a\\",
        d.item(d.CHEESE, 1),
    ]
    event = d.make(0, epcList=names)
    in_json = sorted(names, key=orjson.dumps)

    assert sorted_names(names) == in_json
    assert sorted_names(names[:1] + names[2:3]) == names[:1] + names[2:3]
    assert content_hash(event) == content_hash({**event, "epcList": names[::-1]})


def test_among_many_sound_names_the_odd_one_is_told_where_it_stands() -> None:
    sound = d.items(d.CHEESE, range(30))
    odd = "https://id.gs1.org/01/09506000134368/21/1"  # a wrong check digit
    event = d.make(0, epcList=[*sound[:20], odd, *sound[20:], "two words", 7])

    found = examine(d.document(event))

    assert wheres(found.warnings) == ["/epcList/20"]
    assert wheres(found.faults) == ["/epcList/31", "/epcList/32"]


def test_an_event_is_read_in_the_ledgers_words() -> None:
    event = d.ship(
        1, d.CORNER, d.SHOP, epcList=[d.sscc(d.PALLET)],
        bizTransactionList=[{"type": "desadv", "bizTransaction": "urn:dairy:desadv:9"}],
    )  # fmt: skip
    event |= {"dairy:line": "A", "dairy:parameters": {"dairy:temperature": 4}}

    told = read_event(event, "/0")

    assert (told.step, told.destination_owner, told.destination_place) == (
        "shipping",
        d.party(d.CORNER),
        d.place(d.SHOP),
    )
    assert (told.documents, told.line, told.parameters) == (("urn:dairy:desadv:9",), "A", {"temperature": 4})
    assert [name.sscc for name in told.epcs] == [d.PALLET]
