"""The events of the dairy that questions are asked about, and how the answers are read."""

from __future__ import annotations

from typing import Any

import httpx2

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
