"""A trace as a file: what is in it, what is guarded, and that its events make the same trace somewhere else."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gs1.identifier import Identifier
from ledger import trace_events, trace_files, trace_fsma, trace_sheets
from ledger.capture import capture
from ledger.codes import KeyRing, ensure_key
from ledger.epcis.read import read_document
from ledger.epcis.validate import examine
from ledger.imports import import_file
from ledger.trace import trace
from ledger.trace_events import TooManyEventsToExport, TooManyItemsToExport
from ledger.trace_files import TooMuchForAPicture
from ledger.trace_fsma import TooManyTrackingEvents
from ledger.trace_sheets import TooMuchForASheet
from runtime.clock import system_clock
from runtime.database import DatabaseAddress, Role, transaction
from tests.world import CHEESE, MILK, SECRET, little_dairy

pytestmark = pytest.mark.anyio

M1 = Identifier.lot_of(MILK, "M1")


async def ring(conn: AsyncConnection) -> KeyRing:
    async with transaction(conn):
        return await ensure_key(conn, SECRET, clock=system_clock)


async def ask(conn: AsyncConnection, keys: KeyRing, identifier: Identifier = M1) -> dict[str, Any]:
    return await trace(conn, identifier, keys, clock=system_clock)


async def made(conn: AsyncConnection, form: str, keys: KeyRing, identifier: Identifier = M1) -> bytes:
    answer = await ask(conn, keys, identifier)
    return await trace_files.content(conn, answer, form, keys, language="en", clock=system_clock)


async def forget_everything(conn: AsyncConnection, database: DatabaseAddress) -> None:
    """An empty installation that knows the same parties, places and products, and nothing that happened."""
    await conn.rollback()
    owner = await database.connect(Role.OWNER)
    await owner.execute(
        "TRUNCATE lot, event, event_key, event_thing, unit, unit_history, code_run, code_run_history, number_block,"
        " foreign_serial, code_key CASCADE"
    )
    await owner.close()


def by_name(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["gtin"], row["lot"]))


def same_everywhere(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What must not depend on the installation: lots, amounts, states and holders, but no number of an event."""
    lots = ("gtin", "lot", "items", "affected", "whole", "basis", "from")
    return {
        "up": sorted(
            (lot["gtin"], lot["lot"], lot["raw"], str(lot["inspection"])) for lot in answer["upstream"]["lots"]
        ),
        "down": by_name({name: lot[name] for name in lots} for lot in answer["downstream"]["lots"]),
        "where": answer["where"],
        "same_lot": answer["same_lot"]["items"],
        "holders": [
            (row["owner"]["gln"], row["place"]["gln"], row["items"], row["states"], row["affected"])
            for row in answer["holders"]
        ],
        "balance": by_name(answer["balance"]),
    }


@pytest.mark.parametrize("identifier", [M1, Identifier.lot_of(CHEESE, "C1")], ids=["milk", "cheese"])
async def test_the_events_of_a_trace_make_the_same_trace_in_a_fresh_installation(
    conn: AsyncConnection, database: DatabaseAddress, identifier: Identifier
) -> None:
    await little_dairy(conn, items=8)
    keys = await ring(conn)
    seen = {"inspected_at": "2026-03-01T07:30+13:00", "result": "failed", "report": "QR-7", "inspector": "Bo Lee"}
    for told in (seen, {**seen, "inspected_at": "2026-03-01T09:00+13:00", "result": "passed"}):
        sheet = f"gtin,lot,{','.join(told)}\n{MILK},M1,{','.join(told.values())}\n"
        await import_file(conn, "inspections", sheet.encode(), by="test", clock=system_clock, keys=keys)
    before = await ask(conn, keys, identifier)
    content = await made(conn, "epcis", keys, identifier)
    document = read_document(content, "the export")
    assert not examine(document).faults

    await forget_everything(conn, database)
    report = await capture(conn, document, by="a stranger", clock=system_clock, keys=await ring(conn))
    after = await ask(conn, await ring(conn), identifier)

    assert report.success and report.events == len(document["epcisBody"]["eventList"])
    assert same_everywhere(after) == same_everywhere(before)
    assert "'result': 'passed', 'report': 'QR-7'" in str(same_everywhere(after)["up"])
    assert await capture(conn, document, by="a stranger", clock=system_clock, keys=await ring(conn))
    assert (await conn.execute(text("SELECT count(*) FROM inspection"))).scalar_one() == 2


async def test_our_own_labels_are_told_by_their_serials_and_never_by_our_numbers(conn: AsyncConnection) -> None:
    await little_dairy(conn, items=8)

    content = await made(conn, "epcis", await ring(conn))

    commissioned = [e for e in orjson.loads(content)["epcisBody"]["eventList"] if e.get("bizStep") == "commissioning"]
    assert {len(event["epcList"]) for event in commissioned if "epcList" in event} == {8}
    assert b"numberRanges" not in content and b"recordTime" not in content
    named = {each["type"].rpartition(":")[2] for each in
             orjson.loads(content)["epcisHeader"]["epcisMasterData"]["vocabularyList"]}  # fmt: skip
    assert named == {"EPCClass", "Location", "Party"}


async def test_the_workbook_has_every_table_and_loses_no_digit(conn: AsyncConnection) -> None:
    await little_dairy(conn, items=8)

    book = CalamineWorkbook.from_filelike(io.BytesIO(await made(conn, "xlsx", await ring(conn))))

    assert book.sheet_names == ["starts", "made_from", "went_into", "holders", "where", "balance", "gaps", "as_of"]
    head, *rows = book.get_sheet_by_name("went_into").to_python()
    cheese = next(dict(zip(head, row, strict=True)) for row in rows if row[1] == "C1")
    assert cheese["gtin"] == CHEESE and cheese["upper"] == 8
    assert "went into" in str(cheese["because"])


async def test_a_name_that_looks_like_a_formula_is_text_in_every_file(conn: AsyncConnection) -> None:
    await little_dairy(conn, items=8)
    await conn.execute(text("UPDATE product SET name = '=HYPERLINK(\"x\")' WHERE gtin = :gtin"), {"gtin": CHEESE})
    await conn.commit()
    keys = await ring(conn)

    rows = list(csv.DictReader(io.StringIO((await made(conn, "csv", keys)).decode("utf-8-sig"))))
    book = CalamineWorkbook.from_filelike(io.BytesIO(await made(conn, "xlsx", keys)))
    picture = (await made(conn, "svg", keys)).decode()

    assert {row["product"] for row in rows if row["lot"] == "C1" and row["product"]} == {'\'=HYPERLINK("x")'}
    assert any('=HYPERLINK("x")' in row for row in book.get_sheet_by_name("went_into").to_python())
    assert ElementTree.fromstring(picture).tag.endswith("svg")


async def test_the_sheet_of_fsma_204_has_each_tracking_event_and_names_what_is_missing(conn: AsyncConnection) -> None:
    await little_dairy(conn, items=8)

    book = CalamineWorkbook.from_filelike(io.BytesIO(await made(conn, "fsma204", await ring(conn))))
    head, *lines = book.get_sheet_by_name("fsma204").to_python()
    rows = [dict(zip(map(str, head), line, strict=True)) for line in lines]

    assert tuple(head) == trace_fsma.COLUMNS
    assert [row["date"] for row in rows] == sorted(str(row["date"]) for row in rows)
    assert {row["event"] for row in rows} == {"shipping", "receiving", "transformation"}
    made_of = {(row["direction"], row["traceability_lot_code"]) for row in rows if row["event"] == "transformation"}
    assert ("used", "M1") in made_of and ("new lot", "C1") in made_of
    shipped = next(row for row in rows if row["event"] == "shipping" and row["traceability_lot_code"] == "C1")
    assert shipped["from_location"] and shipped["to_location"] and shipped["quantity"]
    new = next(row for row in rows if row["direction"] == "new lot")
    assert "reference document §1.1350(a)(2)" in str(new["missing"])


async def test_json_is_the_answer_itself(conn: AsyncConnection) -> None:
    await little_dairy(conn, items=8)

    told = json.loads(await made(conn, "json", await ring(conn)))

    assert {lot["lot"] for lot in told["downstream"]["lots"]} == {"M1", "C1"}


async def test_what_is_too_much_for_a_file_is_refused_and_not_cut(
    conn: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await little_dairy(conn, items=4)
    keys = await ring(conn)
    limits: list[tuple[Any, str, str, type[Exception]]] = [
        (trace_events, "EVENTS_MAX", "epcis", TooManyEventsToExport),
        (trace_events, "ITEMS_MAX", "epcis", TooManyItemsToExport),
        (trace_fsma, "ROWS_MAX", "fsma204", TooManyTrackingEvents),
        (trace_files, "PICTURE_LOTS_MAX", "svg", TooMuchForAPicture),
        (trace_files, "LINKS_MAX", "svg", TooMuchForAPicture),
        (trace_sheets, "ROWS_MAX", "xlsx", TooMuchForASheet),
    ]

    for module, limit, form, refusal in limits:
        with monkeypatch.context() as lowered, pytest.raises(refusal):
            lowered.setattr(module, limit, 0)
            await made(conn, form, keys)
