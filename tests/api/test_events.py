"""The query interface of EPCIS 2.0 over HTTP: each parameter with an event that fits and one that does not."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from access.model import Act
from ledger.event_parameters import PARAMETERS
from tests.api.conftest import KeyMaker
from tests.api.event_world import (
    ALL,
    CHEESE_7,
    GIVEN_7,
    PROBE,
    RECEIPT,
    events_of,
    found,
    names_of,
)
from tests.ledger import dairy as d

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


async def test_a_question_may_say_null_for_what_has_no_value(caller: httpx2.AsyncClient) -> None:
    made = await caller.post("/epcis/v2/queries", json={"name": "doors", "query": {"EXISTS_dairy:door": None}})

    assert made.status_code == 201
    assert names_of(events_of(await caller.get("/epcis/v2/queries/doors/events"))) == ["ship"]
