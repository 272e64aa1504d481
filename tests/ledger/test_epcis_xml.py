"""EPCIS in XML is the same as its JSON form, and what is no EPCIS is refused with its place."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.capture import capture
from ledger.epcis.master_data import master_data_of
from ledger.epcis.read import read_document
from ledger.epcis.validate import examine
from ledger.refusals import DocumentNotReadable
from tests.ledger import dairy as d

NEW = f"""<?xml version="1.0" encoding="UTF-8"?>
<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" xmlns:dairy="https://dairy.example/terms/"
    schemaVersion="2.0" creationDate="2026-03-02T06:00:00Z">
  <EPCISHeader><extension><EPCISMasterData><VocabularyList>
    <Vocabulary type="urn:epcglobal:epcis:vtype:Location"><VocabularyElementList>
      <VocabularyElement id="{d.place(d.PLANT)}">
        <attribute id="urn:epcglobal:cbv:mda#name">Plant</attribute>
        <attribute id="urn:epcglobal:cbv:mda#city">Meadow</attribute>
      </VocabularyElement>
    </VocabularyElementList></Vocabulary>
  </VocabularyList></EPCISMasterData></extension></EPCISHeader>
  <EPCISBody><EventList>
    <ObjectEvent>
      <eventTime>2026-03-02T06:00:00.1234567Z</eventTime>
      <eventTimeZoneOffset>+00:00</eventTimeZoneOffset>
      <eventID>urn:uuid:00000000-0000-4000-8000-000000000001</eventID>
      <epcList><epc>{d.item(d.CHEESE, 1)}</epc><epc>urn:epc:id:sgtin:9506000.013436.2</epc></epcList>
      <action>ADD</action>
      <bizStep>urn:epcglobal:cbv:bizstep:commissioning</bizStep>
      <disposition>https://ref.gs1.org/cbv/Disp-active</disposition>
      <persistentDisposition><set>completeness_verified</set><unset>conformant</unset></persistentDisposition>
      <readPoint><id>{d.place(d.PLANT)}</id><dairy:gate>north</dairy:gate></readPoint>
      <bizTransactionList>
        <bizTransaction type="urn:epcglobal:cbv:btt:po">urn:dairy:po:7</bizTransaction>
        <bizTransaction>urn:dairy:note:8</bizTransaction>
      </bizTransactionList>
      <quantityList>
        <quantityElement>
          <epcClass>{d.lot(d.MILK, "M1")}</epcClass><quantity>12.5</quantity><uom>KGM</uom>
        </quantityElement>
      </quantityList>
      <sourceList><source type="urn:epcglobal:cbv:sdt:owning_party">{d.party(d.CREAMERY)}</source></sourceList>
      <sensorElementList><sensorElement>
        <sensorMetadata time="2026-03-02T05:59:00Z" dairy:firmware="7"/>
        <sensorReport type="gs1:Temperature" value="4.5" uom="CEL"/>
        <sensorReport type="gs1:Temperature" exception="gs1:ALARM_CONDITION" booleanValue="true"/>
      </sensorElement></sensorElementList>
      <ilmd><dairy:vat unit="litre">12</dairy:vat><dairy:cow>Ann</dairy:cow><dairy:cow>Bea</dairy:cow></ilmd>
      <dairy:lorry><dairy:driver>Ines</dairy:driver></dairy:lorry>
      <!-- a note for nobody -->
    </ObjectEvent>
  </EventList></EPCISBody>
</epcis:EPCISDocument>"""

OLD = f"""<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2"
    creationDate="2026-03-02T06:00:00Z">
  <EPCISBody><EventList>
    <ObjectEvent>
      <eventTime>2026-03-02T06:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>
      <baseExtension>
        <eventID>urn:uuid:00000000-0000-4000-8000-000000000002</eventID>
        <errorDeclaration>
          <declarationTime>2026-03-03T06:00:00Z</declarationTime>
          <reason>urn:epcglobal:cbv:er:incorrect_data</reason>
          <correctiveEventIDs><correctiveEventID>urn:x:y</correctiveEventID></correctiveEventIDs>
        </errorDeclaration>
      </baseExtension>
      <epcList/><action>OBSERVE</action>
      <extension><quantityList>
        <quantityElement><epcClass>urn:dairy:class:whey.7</epcClass><quantity>3</quantity></quantityElement>
      </quantityList></extension>
    </ObjectEvent>
    <extension><TransformationEvent>
      <eventTime>2026-03-02T07:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>
      <inputEPCList><epc>urn:dairy:culture:1</epc></inputEPCList>
      <outputQuantityList>
        <quantityElement><epcClass>{d.lot(d.CHEESE, "C1")}</epcClass><quantity>48</quantity></quantityElement>
      </outputQuantityList>
      <transformationID>urn:dairy:vat:12</transformationID>
    </TransformationEvent></extension>
  </EventList></EPCISBody>
</epcis:EPCISDocument>"""


def events_of(text: str) -> list[dict[str, Any]]:
    document = read_document(text.encode(), "it")
    found = examine(document)
    assert (found.faults, document["schemaVersion"]) == ([], "2.0")
    events: list[dict[str, Any]] = document["epcisBody"]["eventList"]
    return events


def test_every_field_of_the_new_form_is_kept() -> None:
    (event,) = events_of(NEW)

    assert event == {
        "type": "ObjectEvent",
        "eventTime": "2026-03-02T06:00:00.1234567Z",
        "eventTimeZoneOffset": "+00:00",
        "eventID": "urn:uuid:00000000-0000-4000-8000-000000000001",
        "epcList": [d.item(d.CHEESE, 1), "urn:epc:id:sgtin:9506000.013436.2"],
        "action": "ADD",
        "bizStep": "commissioning",
        "disposition": "active",
        "persistentDisposition": {"set": ["completeness_verified"], "unset": ["conformant"]},
        "readPoint": {"id": d.place(d.PLANT), "dairy:gate": "north"},
        "bizTransactionList": [
            {"type": "po", "bizTransaction": "urn:dairy:po:7"},
            {"bizTransaction": "urn:dairy:note:8"},
        ],
        "quantityList": [{"epcClass": d.lot(d.MILK, "M1"), "quantity": 12.5, "uom": "KGM"}],
        "sourceList": [{"type": "owning_party", "source": d.party(d.CREAMERY)}],
        "sensorElementList": [
            {
                "sensorMetadata": {"time": "2026-03-02T05:59:00Z", "dairy:firmware": "7"},
                "sensorReport": [
                    {"type": "Temperature", "value": 4.5, "uom": "CEL"},
                    {"type": "Temperature", "exception": "ALARM_CONDITION", "booleanValue": True},
                ],
            }
        ],
        "ilmd": {"dairy:vat": {"unit": "litre", "#text": "12"}, "dairy:cow": ["Ann", "Bea"]},
        "dairy:lorry": {"dairy:driver": "Ines"},
    }


def test_the_header_and_the_namespaces_are_kept() -> None:
    document = read_document(NEW.encode("utf-16"), "it")

    assert document["@context"][1] == {"dairy": "https://dairy.example/terms/"}
    told = master_data_of(document).places[d.place(d.PLANT)]
    assert (told.name, told.city) == ("Plant", "Meadow")


def test_the_extensions_of_the_old_form_are_opened() -> None:
    declared, made = events_of(OLD)

    assert declared["eventID"] == "urn:uuid:00000000-0000-4000-8000-000000000002"
    assert declared["errorDeclaration"] == {
        "declarationTime": "2026-03-03T06:00:00Z",
        "reason": "incorrect_data",
        "correctiveEventIDs": ["urn:x:y"],
    }
    assert declared["quantityList"] == [{"epcClass": "urn:dairy:class:whey.7", "quantity": 3}]
    assert (made["type"], made["transformationID"]) == ("TransformationEvent", "urn:dairy:vat:12")


def test_two_namespaces_under_one_prefix_stay_apart() -> None:
    told = NEW.replace("<dairy:driver>", '<dairy:driver xmlns:dairy="https://other.example/">')

    (event,) = events_of(told)

    assert event["dairy:lorry"] == {"dairy1:driver": "Ines"}


async def test_a_document_in_xml_is_recorded_like_any_other(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    reports = [
        await capture(conn, read_document(NEW.encode(), "it"), by="erp", clock=d.clock, keys=keys) for _ in range(2)
    ]

    assert [(report.events, report.known) for report in reports] == [(1, 0), (0, 1)]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ('<EPCISDocument schemaVersion="2.0">', "line 1"),
        ("<soap/>", "/soap: an EPCIS document begins"),
        ('<EPCISDocument schemaVersion="3.0"/>', "/EPCISDocument: schemaVersion '3.0'"),
        ('<!DOCTYPE x><EPCISDocument schemaVersion="2.0"/>', "DTD"),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///x">]><EPCISDocument schemaVersion="2.0">&e;</EPCISDocument>', "DTD"),
        (NEW.replace("12.5", "a dozen"), "EventList/ObjectEvent/quantityList/quantityElement/quantity: 'a dozen'"),
        (NEW.replace("ObjectEvent>", "QuantityEvent>"), "QuantityEvent"),
        (NEW.replace("Ines", "<dairy:a>" * 60 + "</dairy:a>" * 60), "more than 60"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused_with_its_place(told: str, reason: str) -> None:
    with pytest.raises(DocumentNotReadable) as refused:
        read_document(told.encode(), "it")

    assert reason in refused.value.sentence()


@pytest.mark.parametrize(
    ("right", "wrong", "where"),
    [
        ("bizstep:commissioning", "bizstep:making", "/epcisBody/eventList/0/bizStep"),
        ("<action>ADD</action>", "<action>ADDED</action>", "/epcisBody/eventList/0/action"),
        ("<eventTimeZoneOffset>+00:00</eventTimeZoneOffset>", "", "/epcisBody/eventList/0"),
        ("<uom>KGM</uom>", "<uom>KGM</uom><unit>kg</unit>", "/epcisBody/eventList/0/quantityList/0/unit"),
        ("<dairy:lorry>", "<lorry/><dairy:lorry>", "/epcisBody/eventList/0/lorry"),
    ],
)
def test_the_rules_are_those_of_the_json_form(right: str, wrong: str, where: str) -> None:
    found = examine(read_document(NEW.replace(right, wrong).encode(), "it"))

    assert where in [fault.where for fault in found.faults]
