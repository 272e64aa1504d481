"""Drills, and what is handed out of a case: documents and answers."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pypdfium2
import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from recall import acknowledgements, casework, delivery, print_documents, store
from recall.acknowledgements import AnswerDraft, AnswerLine
from recall.answers import case_answer, drill_answer, preview_answer, published_answer, summary_answer
from recall.documents import write_notices
from recall.model import State
from recall.print_documents import Asked
from recall.refusals import (
    FormatNotKnown,
    NoNoticesYet,
)
from recall.rules_refusals import NotADrill
from runtime.database import DatabaseAddress, transaction
from tests.recall.creamery import CHEESE, CORNER_SHOP, MILK, NOW, SECRET, Creamery, clock
from tests.recall.desk import marked_lots, opened, public_record, published


async def test_a_drill_changes_nothing_that_the_public_or_the_goods_can_feel(
    conn: AsyncConnection, dairy: Creamery, database: DatabaseAddress
) -> None:
    seen, marked = await public_record(database), await marked_lots(conn)

    report = await casework.drill(conn, dairy.code(dairy.c1[3]), by="Ada", clock=clock, keys=dairy.keys)

    assert (report.number, report.published.revision) == ("D-2026-0001", None)
    assert (report.published.lots, report.published.items) == (1, 12)
    assert 0 <= report.trace_ms <= report.list_ms
    assert await public_record(database) == seen
    assert await marked_lots(conn) == marked == {}
    case = await store.find_case(conn, report.number)
    assert {language: text.title[:3] for language, text in case.texts.items()} == {"en": "Dri", "zh": "演练，"}
    assert all(text.hazard and text.actions for text in case.texts.values()), "a poster of it is read in both"
    rows = (await store.notice_lines(conn, report.number)).rows
    assert all(row["kind"] == "drill" and str(row["action"]).startswith("DRILL") for row in rows)


async def test_a_drill_finds_exactly_what_the_recall_would(conn: AsyncConnection, dairy: Creamery) -> None:
    report = await casework.drill(conn, f"{MILK}:M1", by="Ada", clock=clock, keys=dairy.keys)
    number = await published(conn, dairy, lots=((MILK, "M1"),))
    drilled, real = await store.notice_lines(conn, report.number), await store.notice_lines(conn, number)
    own = ("case_number", "kind", "action", "affected_set_hash")
    assert drilled.frozen.hash == real.frozen.hash
    assert [{k: v for k, v in row.items() if k not in own} for row in drilled.rows] == [
        {k: v for k, v in row.items() if k not in own} for row in real.rows
    ]


async def test_the_database_itself_refuses_to_show_a_drill(conn: AsyncConnection, dairy: Creamery) -> None:
    report = await casework.drill(conn, f"{MILK}:M1", by="Ada", clock=clock, keys=dairy.keys)
    case = await store.find_case(conn, report.number)
    frozen = await store.frozen_set(conn, case)
    with pytest.raises(IntegrityError, match="publication_kind_check"):
        async with transaction(conn):
            await store.put_publication(
                conn, case, version=1, state=State.PUBLISHED, affected_set_id=frozen.affected_set_id, at=NOW, revision=2
            )


async def test_a_drill_ends_like_a_case(conn: AsyncConnection, dairy: Creamery, database: DatabaseAddress) -> None:
    seen = await public_record(database)
    report = await casework.drill(conn, f"{MILK}:M1", by="Ada", clock=clock, keys=dairy.keys)
    await casework.close(conn, report.number, reason="done", by="Ada", clock=clock)
    again = await casework.drill(conn, f"{MILK}:M1", by="Ada", clock=clock, keys=dairy.keys)
    await casework.cancel(conn, again.number, reason="done", by="Ada", clock=clock, keys=dairy.keys)
    assert await public_record(database) == seen


async def test_the_notice_list_is_written_in_four_formats(
    conn: AsyncConnection, dairy: Creamery, tmp_path: Any
) -> None:
    number = await opened(conn, dairy, lots=((MILK, "M1"),))
    with pytest.raises(NoNoticesYet):
        await write_notices(conn, number, ["csv"], tmp_path)
    await casework.approve(conn, number, by="Ben", clock=clock)
    await casework.publish(conn, number, by="Ben", clock=clock, keys=dairy.keys)
    with pytest.raises(FormatNotKnown, match="Formats: xlsx, csv, json, pdf"):
        await write_notices(conn, number, ["csv", "doc"], tmp_path)
    assert list(tmp_path.iterdir()) == []

    paths = await write_notices(conn, number, ["xlsx", "csv", "json", "pdf"], tmp_path / "new")

    stem = f"{number}_v1_notices"
    assert [path.name for path in paths] == [f"{stem}.{end}" for end in ("xlsx", "csv", "totals.csv", "json", "pdf")]
    assert sorted(tmp_path.joinpath("new").iterdir()) == sorted(paths)


async def test_answers_are_plain_values(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await opened(conn, dairy, lots=((MILK, "M1"),))
    preview = await casework.preview(conn, number, clock=clock)
    await casework.approve(conn, number, by="Ben", clock=clock)
    frozen = await casework.publish(conn, number, by="Ben", clock=clock, keys=dairy.keys)
    report = await casework.drill(conn, f"{MILK}:M1", by="Ada", clock=clock, keys=dairy.keys)
    case = await store.find_case(conn, number)
    answers = [case_answer(case), preview_answer(preview), published_answer(frozen), drill_answer(report)]
    answers += [summary_answer(each) for each in await store.list_cases(conn)]
    assert json.loads(json.dumps(answers)) == answers
    assert answers[0]["possible"] == ["update", "widen", "narrow", "start_closing", "cancel"]
    assert answers[0]["published_at"] == "2026-11-20T12:00:00Z"


async def test_the_report_of_a_drill_says_how_long_it_took_and_how_far_it_came(
    conn: AsyncConnection, dairy: Creamery, database: DatabaseAddress
) -> None:
    seen = await public_record(database)
    await delivery.take_part_in_drills(conn, CORNER_SHOP, wanted=True, by="Ada", clock=clock)
    done = await casework.drill(conn, f"{MILK}:M1", by="Ada", clock=clock, keys=dairy.keys)
    line = AnswerLine(CHEESE, "C1", quantities={"on_hand": Decimal(9), "returned": Decimal(9)})
    draft = AnswerDraft("Cleo", affected=True, complete=True, lines=[line], signature="Cleo")
    await acknowledgements.answer_for(conn, done.number, CORNER_SHOP, draft, via="phone", by="Ada", clock=clock)
    asked = Asked("zh", lambda address: [[True]], "https://id.example.com", SECRET, clock)

    files = await print_documents.make(conn, done.number, "drill-report", asked)

    stem = f"{done.number}_v1_DRILL_drill-report_zh"
    pages, told = files[f"{stem}.pdf"], files[f"{stem}.json"]
    facts = {row[0]: row[1] for part in json.loads(told)["parts"] for row in part["rows"]}
    assert facts["从输入编码到确定影响范围"] == f"{done.trace_ms:,} 毫秒"
    assert (facts["件数"], facts["已答复"]) == (f"{done.published.items}", "1")
    assert float(facts["核销率"].removesuffix(" %")) > 0
    text = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pages)]
    assert all("DRILL" in page and "演练" in page for page in text)
    assert await public_record(database) == seen, "not a byte of it is public"

    number = await published(conn, dairy, lots=((MILK, "M1"),))
    with pytest.raises(NotADrill, match=f"Case {number} is no drill"):
        await print_documents.make(conn, number, "drill-report", asked)
