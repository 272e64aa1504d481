"""The query interface of EPCIS 2.0 over HTTP: each parameter with an event that fits and one that does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from access.model import Act
from ledger.event_parameters import PARAMETERS
from tests.api.conftest import KeyMaker
from tests.ledger import dairy as d

CHEESE_7 = "urn:epc:id:sgtin:9506000.013436.7"  # /01/09506000134369/21/7
GIVEN_7 = "https://id.gs1.org/01/09506000134369/21/7"
RECEIPT = "urn:uuid:00000000-0000-4000-8000-00000000000"
DECLARED = {
    "declarationTime": "2026-03-05T00:00:00Z",
    "reason": "did_not_occur",
    "correctiveEventIDs": [f"{RECEIPT}9"],
    "dairy:seen_by": "Mira",
}

MAKE = {
    **d.make(0, epcList=[CHEESE_7], ilmd={"dairy:vat": "12"}, disposition="active"),
    "eventID": f"{RECEIPT}1",
    "readPoint": {"id": d.place(d.PLANT)},
}
SHIP = {
    **d.ship(
        10,
        d.CORNER,
        d.SHOP,
        epcList=[d.sscc(d.PALLET)],
        quantityList=[d.much(d.CHEESE, "C1", 5)],
        bizTransactionList=[{"type": "po", "bizTransaction": "urn:dairy:po:7"}],
        sourceList=[{"type": "owning_party", "source": d.party(d.CREAMERY)}],
    ),
    "eventID": f"{RECEIPT}2",
    "dairy:door": 3,
}
PACK = {
    **d.pack(5, d.sscc(d.PALLET), childEPCs=[d.item(d.CHEESE, 8)], at=None),
    "eventID": f"{RECEIPT}3",
    "readPoint": {"id": f"{d.place(d.PLANT)}/254/gate1"},
}
TURN = {
    **d.tell(
        "TransformationEvent",
        1,
        transformationID="urn:dairy:vat:12",
        bizStep="creating_class_instance",
        inputQuantityList=[d.much(d.MILK, "M1", 500, "LTR")],
        outputQuantityList=[d.much(d.CHEESE, "C1", 48)],
        inputEPCList=["urn:dairy:culture:1"],
        outputEPCList=[d.item(d.CHEESE, 8)],
    ),
    "eventID": f"{RECEIPT}4",
}
MARK = {
    **d.tell("ObjectEvent", 20, action="OBSERVE", bizStep="holding", quantityList=[d.much(d.CHEESE, "C1", 1)]),
    "persistentDisposition": {"set": ["recalled"], "unset": ["conformant"]},
    "eventID": f"{RECEIPT}5",
}
WRONG = {**d.make(30, quantityList=[d.much(d.MILK, "M9", 1000, "LTR")]), "eventID": f"{RECEIPT}6"}
DECLARATION = {**WRONG, "errorDeclaration": DECLARED}
PROBE = "urn:epc:id:giai:9506000.probe7"
WARM = {
    **d.tell("ObjectEvent", 25, action="OBSERVE", bizStep="sensor_reporting", epcList=[d.sscc(d.PALLET)]),
    "eventID": f"{RECEIPT}7",
    "readPoint": {"id": d.place(d.DEPOT), "dairy:gate": "north"},
    "dairy:lorry": {"dairy:driver": {"dairy:name": "Ines", "dairy:years": 12}, "dairy:axles": [{"dairy:load": 8}]},
    "sensorElementList": [
        {
            "dairy:position": "door",
            "sensorMetadata": {
                "startTime": "2026-03-03T06:00:00Z",
                "endTime": "2026-03-03T08:00:00Z",
                "deviceID": PROBE,
                "bizRules": "https://dairy.example.com/cold",
                "dataProcessingMethod": "https://dairy.example.com/mean",
                "dairy:firmware": 7,
            },
            "sensorReport": [
                {
                    "type": "gs1:Temperature",
                    "value": 9.5,
                    "minValue": 4,
                    "uom": "CEL",
                    "time": "2026-03-03T07:00:00Z",
                    "dairy:band": "B",
                },
                {
                    "type": "Dimensionless",
                    "microorganism": "https://dairy.example.com/listeria",
                    "chemicalSubstance": "https://dairy.example.com/salt",
                    "coordinateReferenceSystem": "https://dairy.example.com/crs",
                    "stringValue": "ajar",
                    "booleanValue": True,
                    "hexBinaryValue": "A0",
                    "uriValue": "https://dairy.example.com/door",
                    "percRank": 50,
                    "percValue": 12,
                    "uom": "P1",
                },
            ],
        }
    ],
}
ALL = {"warm": WARM, "make": MAKE, "ship": SHIP, "pack": PACK, "turn": TURN, "mark": MARK, "wrong": WRONG}
WITH_PLACES = {
    **d.document(*ALL.values()),
    "epcisHeader": {
        "epcisMasterData": {
            "vocabularyList": [
                {
                    "type": "urn:epcglobal:epcis:vtype:BusinessLocation",
                    "vocabularyElementList": [
                        {
                            "id": d.place(d.PLANT),
                            "attributes": [
                                {"id": "cbvmda:city", "attribute": "Meadow"},
                                {"id": "cbvmda:owning_party", "attribute": d.party(d.CREAMERY)},
                            ],
                        }
                    ],
                }
            ]
        }
    },
}


@pytest.fixture
async def caller(client: httpx2.AsyncClient, key: KeyMaker) -> AsyncIterator[httpx2.AsyncClient]:
    """A caller who may look; the dairy's events are on record."""
    client.headers.update(await key(Act.CAPTURE, Act.VIEW))
    for told in (WITH_PLACES, d.document(DECLARATION)):
        taken = await client.post("/epcis/v2/capture", json=told)
        assert taken.status_code == 202, taken.text
    yield client


def events_of(answer: httpx2.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return found


def names_of(events: list[dict[str, Any]]) -> list[str]:
    name_by_id = {event["eventID"]: name for name, event in ALL.items()}
    return ["declaration" if "errorDeclaration" in event else name_by_id[event["eventID"]] for event in events]


async def found(caller: httpx2.AsyncClient, **parameters: Any) -> list[str]:
    return sorted(names_of(events_of(await caller.get("/epcis/v2/events", params=parameters))))


async def seen_by_pages(caller: httpx2.AsyncClient, path: str, **parameters: Any) -> list[dict[str, Any]]:
    """Every event of every page, as a client follows the links."""
    answer = await caller.get(path, params=parameters)
    seen = events_of(answer)
    while "next" in answer.links:
        answer = await caller.get(answer.links["next"]["url"])
        seen += events_of(answer)
    return seen


# What each question finds; what it does not name, it does not find.
QUESTIONS: list[tuple[dict[str, Any], set[str]]] = [
    ({"eventType": "AggregationEvent|TransformationEvent"}, {"pack", "turn"}),
    ({"GE_eventTime": d.tell("", 10)["eventTime"], "LT_eventTime": d.tell("", 20)["eventTime"]}, {"ship"}),
    ({"GE_recordTime": "2020-01-01T00:00:00Z", "eventType": "AggregationEvent"}, {"pack"}),
    ({"LT_recordTime": "2020-01-01T00:00:00Z"}, set()),
    ({"EQ_action": "OBSERVE"}, {"ship", "mark", "warm"}),
    ({"EQ_bizStep": "shipping|urn:epcglobal:cbv:bizstep:packing"}, {"ship", "pack"}),
    ({"EQ_disposition": "active"}, {"make"}),
    ({"EQ_persistentDisposition_set": "recalled"}, {"mark"}),
    ({"EQ_persistentDisposition_set": "conformant"}, set()),
    ({"EQ_persistentDisposition_unset": "conformant"}, {"mark"}),
    ({"EQ_readPoint": d.place(d.PLANT)}, {"make"}),
    ({"EQ_readPoint": f"urn:epc:id:sgln:{d.PLANT[:7]}.{d.PLANT[7:12]}.0"}, {"make"}),
    ({"WD_readPoint": d.place(d.PLANT)}, {"make", "pack"}),
    ({"EQ_bizLocation": d.place(d.PLANT)}, {"make", "ship", "wrong", "declaration"}),
    ({"WD_bizLocation": d.place(d.SHOP)}, set()),
    ({"EQ_transformationID": "urn:dairy:vat:12"}, {"turn"}),
    ({"MATCH_epc": GIVEN_7}, {"make"}),
    ({"MATCH_epc": d.item(d.CHEESE, 8)}, {"pack"}),
    ({"MATCH_epc": "urn:epc:idpat:sgtin:9506000.013436.*"}, {"make", "pack"}),
    ({"MATCH_parentID": d.sscc(d.PALLET)}, {"pack"}),
    ({"MATCH_inputEPC": "urn:dairy:culture:1"}, {"turn"}),
    ({"MATCH_outputEPC": "urn:epc:id:sgtin:9506000.013436.8"}, {"turn"}),
    ({"MATCH_anyEPC": d.item(d.CHEESE, 8)}, {"pack", "turn"}),
    (
        {"MATCH_anyEPC": f"{d.sscc(d.PALLET)}|https://example.com/01/09506000134369/21/7"},
        {"make", "pack", "ship", "warm"},
    ),
    ({"MATCH_epcClass": d.lot(d.CHEESE, "C1")}, {"ship", "mark"}),
    ({"MATCH_inputEPCClass": "urn:epc:class:lgtin:9506000.013435.M1"}, {"turn"}),
    ({"MATCH_outputEPCClass": d.lot(d.CHEESE, "C1")}, {"turn"}),
    ({"MATCH_anyEPCClass": d.lot(d.CHEESE, "C1")}, {"ship", "mark", "turn"}),
    ({"MATCH_anyEPCClass": d.lot(d.MILK, "M9")}, {"wrong", "declaration"}),
    ({"EQ_quantity": "5"}, {"ship"}),
    ({"GT_quantity": "500"}, {"wrong", "declaration"}),
    ({"GE_quantity": "500"}, {"wrong", "declaration", "turn"}),
    ({"LT_quantity": "5"}, {"mark"}),
    ({"LE_quantity": "5"}, {"mark", "ship"}),
    ({"EQ_eventID": f"{RECEIPT}3|{RECEIPT}4"}, {"pack", "turn"}),
    ({"EXISTS_errorDeclaration": "true"}, {"declaration"}),
    ({"EXISTS_errorDeclaration": "false", "GT_quantity": "500"}, {"wrong"}),
    ({"GE_errorDeclarationTime": "2026-03-05T00:00:00Z"}, {"declaration"}),
    ({"LT_errorDeclarationTime": "2026-03-05T00:00:00Z"}, set()),
    ({"EQ_errorReason": "did_not_occur"}, {"declaration"}),
    ({"EQ_errorReason": "incorrect_data"}, set()),
    ({"EQ_correctiveEventID": f"{RECEIPT}9"}, {"declaration"}),
    ({"EQ_correctiveEventID": f"{RECEIPT}1"}, set()),
    ({"EQ_bizTransaction_po": "urn:dairy:po:7"}, {"ship"}),
    ({"EQ_bizTransaction_inv": "urn:dairy:po:7"}, set()),
    ({"EQ_source_owning_party": d.place(d.CREAMERY)}, {"ship"}),
    ({"EQ_source_owning_party": d.party(d.CORNER)}, set()),
    ({"EQ_destination_location": d.place(d.SHOP)}, {"ship"}),
    ({"EQ_destination_location": d.place(d.DEPOT)}, set()),
    ({"EQ_ILMD_dairy:vat": "12"}, {"make"}),
    ({"GT_ILMD_dairy:vat": "12"}, set()),
    ({"EXISTS_ILMD_dairy:vat": "true"}, {"make"}),
    ({"EQ_dairy:door": "3.0"}, {"ship"}),
    ({"LT_dairy:door": "3"}, set()),
    ({"EXISTS_dairy:door": "true"}, {"ship"}),
    ({"EQ_bizStep": "shipping", "EQ_action": "ADD"}, set()),
    ({"EQ_quantity": "5|48"}, {"ship", "turn"}),
    ({"EQ_quantity_LTR": "500"}, {"turn"}),
    ({"GT_quantity_LTR": "500"}, {"wrong", "declaration"}),
    ({"EQ_quantity_KGM": "500"}, set()),
    ({"EXISTS_sensorElementList": "true"}, {"warm"}),
    ({"EXISTS_sensorElementList": "", "EQ_bizStep": "shipping"}, set()),
    ({"EXISTS_sensorElementList": "false"}, {*ALL, "declaration"} - {"warm"}),
    ({"GE_time": "2026-03-03T07:00:00Z", "LT_time": "2026-03-03T07:00:01Z"}, {"warm"}),
    ({"LT_time": "2026-03-03T07:00:00Z"}, set()),
    ({"GE_startTime": "2026-03-03T06:00:00Z", "LT_startTime": "2026-03-03T06:00:01Z"}, {"warm"}),
    ({"GE_endTime": "2026-03-03T08:00:00Z", "LT_endTime": "2026-03-03T08:00:01Z"}, {"warm"}),
    ({"GE_endTime": "2026-03-03T08:00:01Z"}, set()),
    ({"EQ_type": "Temperature"}, {"warm"}),
    ({"EQ_type": "https://gs1.org/voc/Temperature"}, {"warm"}),
    ({"EQ_type": "Pressure"}, set()),
    ({"EQ_deviceID": PROBE}, {"warm"}),
    ({"EQ_deviceID": f"{PROBE}8"}, set()),
    ({"EQ_dataProcessingMethod": "https://dairy.example.com/mean"}, {"warm"}),
    ({"EQ_bizRules": "https://dairy.example.com/cold"}, {"warm"}),
    ({"EQ_microorganism": "https://dairy.example.com/listeria"}, {"warm"}),
    ({"EQ_chemicalSubstance": "https://dairy.example.com/salt"}, {"warm"}),
    ({"EQ_coordinateReferenceSystem": "https://dairy.example.com/crs"}, {"warm"}),
    ({"EQ_stringValue": "ajar"}, {"warm"}),
    ({"EQ_stringValue": "shut"}, set()),
    ({"EQ_booleanValue": "true"}, {"warm"}),
    ({"EQ_booleanValue": "false"}, set()),
    ({"EQ_hexBinaryValue": "a0"}, {"warm"}),
    ({"EQ_uriValue": "https://dairy.example.com/door"}, {"warm"}),
    ({"EQ_percRank": "50", "GE_percRank": "50", "LE_percRank": "50"}, {"warm"}),
    ({"GT_percRank": "50"}, set()),
    ({"LT_percRank": "50"}, set()),
    ({"EQ_value_CEL": "8|9.5"}, {"warm"}),
    ({"GT_value_CEL": "9"}, {"warm"}),
    ({"GT_value_FAH": "9"}, set()),
    ({"LT_minValue_CEL": "5"}, {"warm"}),
    ({"GE_maxValue_CEL": "0"}, set()),
    ({"EQ_percValue_P1": "12"}, {"warm"}),
    ({"EQ_SENSORELEMENT_dairy:position": "door"}, {"warm"}),
    ({"GE_SENSORMETADATA_dairy:firmware": "7"}, {"warm"}),
    ({"GT_SENSORMETADATA_dairy:firmware": "7"}, set()),
    ({"EQ_SENSORREPORT_dairy:band": "A|B"}, {"warm"}),
    ({"EXISTS_SENSORREPORT_dairy:position": "true"}, set()),
    ({"EQ_INNER_dairy:name": "Ines"}, {"warm"}),
    ({"GT_INNER_dairy:years": "11"}, {"warm"}),
    ({"EQ_INNER_dairy:load": "8"}, {"warm"}),
    ({"EXISTS_INNER_dairy:lorry": "true"}, set()),
    ({"EQ_dairy:name": "Ines"}, set()),
    ({"EQ_readPoint_dairy:gate": "north"}, {"warm"}),
    ({"EQ_bizLocation_dairy:gate": "north"}, set()),
    ({"EQ_ERROR_DECLARATION_dairy:seen_by": "Mira"}, {"declaration"}),
    ({"EXISTS_dairy:door": "false", "EQ_action": "OBSERVE"}, {"mark", "warm"}),
    ({"HASATTR_readPoint": "cbvmda:city"}, {"make"}),
    ({"HASATTR_bizLocation": "urn:epcglobal:cbv:mda#city|countryCode", "EQ_action": "DELETE"}, set()),
    ({"EQATTR_readPoint_city": "Meadow"}, {"make"}),
    ({"EQATTR_readPoint_cbvmda:city": "Elsewhere"}, set()),
    ({"EQATTR_readPoint_owning_party": d.party(d.CREAMERY)}, {"make"}),
    ({"maxEventCount": "8", "orderBy": "eventTime", "orderDirection": "ASC"}, {*ALL, "declaration"}),
    ({"eventCountLimit": "2", "orderBy": "eventTime", "orderDirection": "ASC"}, {"make", "turn"}),
]


async def test_each_parameter_finds_what_fits_and_nothing_else(caller: httpx2.AsyncClient) -> None:
    wrong = [
        (parameters, fits, told)
        for parameters, fits in QUESTIONS
        if (told := await found(caller, **parameters)) != sorted(fits)
    ]

    assert wrong == []
    assert {name for parameters, _ in QUESTIONS for name in parameters} >= set(PARAMETERS)


async def test_an_answer_names_things_by_digital_link_whatever_was_told(caller: httpx2.AsyncClient) -> None:
    answer = await caller.get("/epcis/v2/events", params={"MATCH_epc": CHEESE_7})
    (event,) = events_of(answer)

    assert event["epcList"] == [GIVEN_7]
    assert event["recordTime"].endswith("Z")
    assert answer.json()["type"] == "EPCISQueryDocument"
    assert answer.json()["epcisBody"]["queryResults"]["queryName"] == "SimpleEventQuery"
    assert answer.headers["gs1-epcis-version"] == "2.0"
    assert answer.headers["gs1-epc-format"] == "Always_GS1_Digital_Link"


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"EQ_bizstep": "shipping"}, "EQ_bizstep"),
        ({"eventType": "QuantityEvent"}, "eventType"),
        ({"EQ_action": "add"}, "EQ_action"),
        ({"EQ_action": "ADD|"}, "EQ_action"),
        ({"GE_eventTime": "2026-03-02"}, "GE_eventTime"),
        ({"GE_eventTime": "2026-03-02T06:00:00Z|2026-03-02T07:00:00Z"}, "GE_eventTime"),
        ({"EQ_quantity": "five"}, "EQ_quantity"),
        ({"GT_quantity": "NaN"}, "GT_quantity"),
        ({"EXISTS_errorDeclaration": "maybe"}, "EXISTS_errorDeclaration"),
        ({"EXISTS_sensorElementList": "maybe"}, "EXISTS_sensorElementList"),
        ({"EXISTS_dairy:door": "maybe"}, "EXISTS_dairy:door"),
        ({"EQ_booleanValue": "yes"}, "EQ_booleanValue"),
        ({"GE_time": "today"}, "GE_time"),
        ({"GT_value_CEL": "warm"}, "GT_value_CEL"),
        ({"GT_value_CEL": "1|2"}, "GT_value_CEL"),
        ({"EQ_value_celsius": "1"}, "EQ_value_celsius"),
        ({"EQ_INNER_name": "x"}, "EQ_INNER_name"),
        ({"HASATTR_readPoint": "temperature"}, "HASATTR_readPoint"),
        ({"EQATTR_readPoint_temperature": "5"}, "EQATTR_readPoint_temperature"),
        ({"HASATTR_bizStep": "name"}, "HASATTR_bizStep"),
        ({"orderBy": "eventID"}, "orderBy"),
        ({"orderDirection": "up"}, "orderDirection"),
        ({"eventCountLimit": "5"}, "eventCountLimit"),
        ({"eventCountLimit": "5", "maxEventCount": "5", "orderBy": "eventTime"}, "eventCountLimit"),
        ({"maxEventCount": "0"}, "maxEventCount"),
        ({"perPage": "0"}, "perPage"),
        ({"perPage": "1001"}, "perPage"),
        ({"nextPageToken": "abc"}, "nextPageToken"),
        ({"MATCH_epc": "a\x00b"}, "MATCH_epc"),
    ],
)
async def test_a_parameter_that_cannot_be_used_is_named(
    client: httpx2.AsyncClient, key: KeyMaker, parameters: dict[str, str], named: str
) -> None:
    answer = await client.get("/epcis/v2/events", params=parameters, headers=await key(Act.VIEW))

    assert (answer.status_code, answer.json()["type"]) == (400, "epcisException:QueryParameterException")
    assert named in answer.json()["detail"]


async def test_a_parameter_that_stands_twice_is_refused(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    answer = await client.get("/epcis/v2/events?EQ_action=ADD&EQ_action=DELETE", headers=await key(Act.VIEW))

    assert (answer.status_code, answer.json()["type"]) == (400, "epcisException:QueryParameterException")


async def test_more_events_than_were_asked_for_are_refused_not_cut(caller: httpx2.AsyncClient) -> None:
    answer = await caller.get("/epcis/v2/events", params={"maxEventCount": 7})

    assert (answer.status_code, answer.json()["type"]) == (413, "epcisException:QueryTooLargeException")


@pytest.mark.parametrize("order", ["eventTime", "recordTime"])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_pages_neither_skip_nor_repeat_while_events_are_recorded(
    caller: httpx2.AsyncClient, order: str, direction: str
) -> None:
    parameters: dict[str, Any] = {"orderBy": order, "orderDirection": direction}
    whole = names_of(events_of(await caller.get("/epcis/v2/events", params=parameters)))
    answer = await caller.get("/epcis/v2/events", params=parameters | {"perPage": 2})
    seen = names_of(events_of(answer))
    hour = -100
    while "next" in answer.links:
        for later in (hour, -hour):
            told = d.document(d.make(later, quantityList=[d.much(d.CHEESE, f"L{later}", 1)]))
            await caller.post("/epcis/v2/capture", json=told)
        answer, hour = await caller.get(answer.links["next"]["url"]), hour + 1
        assert len(events_of(answer)) <= 2
        seen += names_of(events_of(answer))

    assert seen == whole
    assert len(seen) == len(ALL) + 1


async def test_events_are_ordered_as_they_happened(caller: httpx2.AsyncClient) -> None:
    answer = await caller.get("/epcis/v2/events", params={"orderBy": "eventTime", "orderDirection": "ASC"})

    assert names_of(events_of(answer))[:5] == ["make", "turn", "pack", "ship", "mark"]


async def test_the_first_so_many_are_counted_over_all_pages(caller: httpx2.AsyncClient) -> None:
    parameters = {"orderBy": "eventTime", "orderDirection": "ASC", "eventCountLimit": 3, "perPage": 2}

    assert names_of(await seen_by_pages(caller, "/epcis/v2/events", **parameters)) == ["make", "turn", "pack"]


async def test_a_token_that_was_tampered_with_or_is_of_another_query_is_refused(caller: httpx2.AsyncClient) -> None:
    first = await caller.get("/epcis/v2/events", params={"perPage": 2})
    token = httpx2.URL(first.links["next"]["url"]).params["nextPageToken"]
    changed = ("B" if token[0] == "A" else "A") + token[1:]

    asked: dict[str, Any]
    for asked in ({"nextPageToken": changed}, {"nextPageToken": token, "EQ_action": "ADD"}):
        answer = await caller.get("/epcis/v2/events", params=asked | {"perPage": 2})
        assert (answer.status_code, answer.json()["type"]) == (400, "epcisException:QueryParameterException")
    assert len(events_of(await caller.get("/epcis/v2/events", params={"perPage": 2, "nextPageToken": token}))) == 2


@pytest.mark.parametrize(
    ("resource", "members"),
    [
        (
            "eventTypes",
            ["AggregationEvent", "AssociationEvent", "ObjectEvent", "TransactionEvent", "TransformationEvent"],
        ),
        (
            "bizSteps",
            ["commissioning", "creating_class_instance", "holding", "packing", "sensor_reporting", "shipping"],
        ),
        ("dispositions", ["active"]),
        ("bizLocations", [d.place(d.PLANT)]),
        ("readPoints", sorted([d.place(d.DEPOT), d.place(d.PLANT), f"{d.place(d.PLANT)}/254/gate1"])),
    ],
)
async def test_what_events_say_is_listed_and_leads_to_its_events(
    caller: httpx2.AsyncClient, resource: str, members: list[str]
) -> None:
    listed: list[str] = []
    path = f"/epcis/v2/{resource}?perPage=1"
    while path:
        answer = await caller.get(path)
        listed += answer.json()["member"]
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    one = await caller.get(f"/epcis/v2/{resource}/{quote(members[-1], safe='')}")
    events = await caller.get(f"/epcis/v2/{resource}/{quote(members[-1], safe='')}/events")

    assert listed == members
    assert (one.status_code, one.json()["member"]) == (200, ["events"])
    assert events_of(events)


async def test_the_events_of_an_epc_can_be_narrowed(caller: httpx2.AsyncClient) -> None:
    path = f"/epcis/v2/epcs/{quote('urn:epc:id:sgtin:9506000.013436.8', safe='')}"

    assert sorted(names_of(events_of(await caller.get(f"{path}/events")))) == ["pack", "turn"]
    assert names_of(events_of(await caller.get(f"{path}/events?EQ_action=ADD"))) == ["pack"]
    assert (await caller.get(path)).status_code == 200
    twice = await caller.get(f"{path}/events?MATCH_anyEPC=urn:x:y")
    assert (twice.status_code, twice.json()["type"]) == (400, "epcisException:QueryParameterException")


@pytest.mark.parametrize("path", ["bizSteps/void_shipping", "epcs/urn:dairy:nothing", "bizLocations/urn:dairy:nowhere"])
async def test_what_no_event_says_is_not_found(caller: httpx2.AsyncClient, path: str) -> None:
    answer = await caller.get(f"/epcis/v2/{path}")

    assert (answer.status_code, answer.json()["type"]) == (404, "epcisException:NoSuchResourceException")
    assert events_of(await caller.get(f"/epcis/v2/{path}/events")) == []


async def test_a_query_is_kept_asked_and_forgotten(caller: httpx2.AsyncClient) -> None:
    query = {"name": "recalled-lots", "query": {"EQ_persistentDisposition_set": ["recalled"], "GE_quantity": 1}}

    made = await caller.post("/epcis/v2/queries", json=query)
    again = await caller.post("/epcis/v2/queries", json=query)
    shown = await caller.get(made.headers["location"])
    listed = await caller.get("/epcis/v2/queries")
    events = await caller.get("/epcis/v2/queries/recalled-lots/events")
    gone = await caller.delete("/epcis/v2/queries/recalled-lots")
    after = await caller.get("/epcis/v2/queries/recalled-lots/events")

    assert (made.status_code, again.status_code, gone.status_code) == (201, 409, 204)
    assert shown.json()["query"] == {"EQ_persistentDisposition_set": ["recalled"], "GE_quantity": ["1"]}
    assert [each["name"] for each in listed.json()["member"]] == ["recalled-lots"]
    assert names_of(events_of(events)) == ["mark"]
    assert events.json()["epcisBody"]["queryResults"]["queryName"] == "recalled-lots"
    assert (after.status_code, after.json()["type"]) == (404, "epcisException:NoSuchNameException")


async def test_a_kept_query_is_paged_like_any_other(caller: httpx2.AsyncClient) -> None:
    await caller.post("/epcis/v2/queries", json={"name": "made", "query": {"EQ_action": ["ADD"]}})

    seen = await seen_by_pages(caller, "/epcis/v2/queries/made/events", perPage=1)

    assert sorted(names_of(seen)) == await found(caller, EQ_action="ADD")


@pytest.mark.parametrize(
    ("body", "exception"),
    [
        ({"name": "a b", "query": {}}, "QueryValidationException"),
        ({"name": "x"}, "QueryValidationException"),
        ({"name": "x", "query": {}, "sql": "x"}, "QueryValidationException"),
        ({"name": "x", "query": {"EQ_action": {"is": "ADD"}}}, "QueryValidationException"),
        ({"name": "x", "query": {"EQ_bizstep": "shipping"}}, "QueryParameterException"),
        ({"name": "x", "query": {"EQ_bizStep": []}}, "QueryParameterException"),
    ],
)
async def test_a_query_that_could_not_be_asked_is_not_kept(
    client: httpx2.AsyncClient, key: KeyMaker, body: dict[str, Any], exception: str
) -> None:
    headers = await key(Act.CAPTURE, Act.VIEW)

    answer = await client.post("/epcis/v2/queries", json=body, headers=headers)

    assert (answer.status_code, answer.json()["type"]) == (400, f"epcisException:{exception}")
    assert (await client.get("/epcis/v2/queries", headers=headers)).json()["member"] == []


async def test_nothing_is_read_or_changed_without_its_right(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    may_capture, may_look = await key(Act.CAPTURE), await key(Act.VIEW, name="looks")

    for path in ("events", "bizSteps", "bizSteps/shipping/events", "queries", "queries/x/events"):
        for headers, status in ((may_capture, 403), ({}, 401)):
            answer = await client.get(f"/epcis/v2/{path}", headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (status, "epcisException:SecurityException")
    made = await client.post("/epcis/v2/queries", json={"name": "x", "query": {}}, headers=may_look)
    assert made.status_code == 403
    assert (await client.delete("/epcis/v2/queries/x", headers=may_look)).status_code == 403


async def test_a_token_that_was_given_back_is_good_no_more(caller: httpx2.AsyncClient) -> None:
    for path in ("events", "bizSteps"):
        first = await caller.get(f"/epcis/v2/{path}", params={"perPage": 1})
        token = httpx2.URL(first.links["next"]["url"]).params["nextPageToken"]
        assert first.headers["gs1-next-page-token-expires"].endswith("Z")
        assert (await caller.get(first.links["next"]["url"])).status_code == 200

        given_back = await caller.delete(f"/epcis/v2/nextPageToken/{token}")
        again = await caller.delete(f"/epcis/v2/nextPageToken/{token}")
        after = await caller.get(first.links["next"]["url"])

        assert (given_back.status_code, again.status_code) == (204, 404)
        assert (after.status_code, after.json()["type"]) == (400, "epcisException:QueryParameterException")


@pytest.mark.parametrize("token", ["x", "AAAA", "a" * 7_000])
async def test_a_token_that_was_not_made_here_cannot_be_given_back(
    client: httpx2.AsyncClient, key: KeyMaker, token: str
) -> None:
    answer = await client.delete(f"/epcis/v2/nextPageToken/{token}", headers=await key(Act.VIEW))

    assert (answer.status_code, answer.json()["type"]) == (404, "epcisException:NoSuchResourceException")


async def test_names_stay_as_they_were_told_when_that_is_asked_for(caller: httpx2.AsyncClient) -> None:
    told = {"MATCH_epc": CHEESE_7}

    as_told = await caller.get("/epcis/v2/events", params=told, headers={"GS1-EPC-Format": "Never_Translates"})
    any_way = await caller.get("/epcis/v2/events", params=told, headers={"GS1-EPC-Format": "No_Preference"})

    assert (events_of(as_told)[0]["epcList"], as_told.headers["gs1-epc-format"]) == ([CHEESE_7], "Never_Translates")
    assert (events_of(any_way)[0]["epcList"], any_way.headers["gs1-epc-format"]) == (
        [GIVEN_7],
        "Always_GS1_Digital_Link",
    )


async def test_a_question_may_say_null_for_what_has_no_value(caller: httpx2.AsyncClient) -> None:
    made = await caller.post("/epcis/v2/queries", json={"name": "doors", "query": {"EXISTS_dairy:door": None}})

    assert made.status_code == 201
    assert names_of(events_of(await caller.get("/epcis/v2/queries/doors/events"))) == ["ship"]


async def test_every_address_tells_what_may_be_done_there(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    headers = await key(Act.VIEW)

    for path in ("", "/capture", "/events/urn:x:y", "/epcs/urn:x:y", "/bizSteps/shipping/events", "/queries/x/events"):
        answer = await client.options(f"/epcis/v2{path or '/'}", headers=headers)
        assert answer.status_code == (204 if path else 404), path
    root = await client.options("/epcis/v2", headers=headers)
    head = await client.head("/epcis/v2/events", headers=headers)

    assert head.status_code == 200
    for name in ("EPCIS-Version", "EPCIS-Min", "EPCIS-Max", "CBV-Version", "CBV-Min", "CBV-Max"):
        assert root.headers[f"GS1-{name}"] == head.headers[f"GS1-{name}"] == "2.0"
    for name in ("EPC-Format", "CBV-XML-Format", "Vendor-Version", "Extensions"):
        assert root.headers[f"GS1-{name}"]
    assert int(root.headers["GS1-EPCIS-Capture-Limit"]) == 100_000
    assert int(root.headers["GS1-EPCIS-Capture-File-Size-Limit"]) == 2 * 1024**3
    assert root.headers["GS1-Capture-Error-Behaviour"] == "rollback, proceed"


@pytest.mark.parametrize(
    "asked",
    [
        {"GS1-EPCIS-Version": "1.2"},
        {"GS1-EPCIS-Version": "new"},
        {"GS1-EPCIS-Min": "2.1"},
        {"GS1-EPCIS-Max": "1.2"},
        {"GS1-CBV-Version": "1.2.2"},
        {"GS1-CBV-Min": "3"},
        {"GS1-EPC-Format": "Always_EPC_URN"},
        {"GS1-CBV-XML-Format": "Always_URN"},
        {"Accept": "application/xml"},
    ],
)
async def test_what_is_not_spoken_here_is_not_acceptable(
    client: httpx2.AsyncClient, key: KeyMaker, asked: dict[str, str]
) -> None:
    answer = await client.get("/epcis/v2/events", headers={**await key(Act.VIEW), **asked})

    assert (answer.status_code, answer.json()["type"]) == (406, "epcisException:NotAcceptableException")


async def test_a_range_of_versions_with_ours_in_it_is_spoken(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    asked = {"GS1-EPCIS-Min": "1.2", "GS1-EPCIS-Max": "2.1", "GS1-CBV-Version": "2.0", "Accept": "application/ld+json"}

    answer = await client.get("/epcis/v2/events", headers={**await key(Act.VIEW), **asked})

    assert answer.status_code == 200


async def test_options_name_the_methods_of_every_address(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    headers = await key(Act.VIEW)

    allowed = {
        path: (await client.options(f"/epcis/v2/{path}", headers=headers)).headers["allow"]
        for path in ("events", "queries", "bizSteps")
    }

    assert allowed == {
        "events": "GET, HEAD, OPTIONS, POST",
        "queries": "GET, HEAD, OPTIONS, POST",
        "bizSteps": "GET, HEAD, OPTIONS",
    }
