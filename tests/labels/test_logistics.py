"""Cases and pallets: SSCCs that are never used twice, sheets that tell what is inside, units on record."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples.epcis import document, packed
from gs1 import sscc
from gs1.identifier import Identifier
from labels import logistics, printing
from labels.logistics_page import Paper
from labels.logistics_store import LogisticsJob
from labels.model import Language
from labels.refusals import (
    CompanyPrefixNotUsable,
    CopiesNotUsable,
    KeyForAnotherOrder,
    LogisticsCountNotUsable,
    LogisticsJobNotFound,
    LogisticsKindUnknown,
    OutputExists,
    SsccsUsedUp,
)
from ledger import capture, codes
from tests.labels.world import BASE_URL, CHEESE, NOON, PLANT, arranged, noon, number, released

PREFIX = "950600013"


async def cases(conn: AsyncConnection, count: int = 3, **changes: object) -> LogisticsJob:
    asked = {"kind": "case", "company_prefix": PREFIX, "base_url": BASE_URL, "by": "ada", "clock": noon}
    return await logistics.order(conn, count=count, **(asked | changes))  # type: ignore[arg-type]


async def test_no_number_of_a_series_is_given_twice(conn: AsyncConnection) -> None:
    jobs = [await cases(conn), await cases(conn, 5), await cases(conn, kind="pallet")]

    numbers = [each for job in jobs for each in logistics.ssccs(job)]

    assert len(set(numbers)) == 11
    assert all(sscc.is_valid(each) for each in numbers)
    assert numbers[0] == "095060001300000002"
    assert numbers[-1].startswith("3" + PREFIX)
    again = await cases(conn, 5, idempotency_key="tuesday")
    assert await cases(conn, 5, idempotency_key="tuesday") == again
    with pytest.raises(KeyForAnotherOrder):
        await cases(conn, 6, idempotency_key="tuesday")


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"kind": "crate"}, LogisticsKindUnknown),
        ({"count": 0}, LogisticsCountNotUsable),
        ({"count": 1_001}, LogisticsCountNotUsable),
        ({"company_prefix": "123"}, CompanyPrefixNotUsable),
        ({"company_prefix": ""}, CompanyPrefixNotUsable),
        ({"extension": 10}, CompanyPrefixNotUsable),
    ],
)
async def test_an_order_that_makes_no_sscc_is_refused(
    conn: AsyncConnection, changes: dict[str, object], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await cases(conn, **changes)  # type: ignore[arg-type]
    assert await number(conn, "SELECT count(*) FROM logistics_job") == 0


async def test_a_series_that_is_used_up_gives_no_more(conn: AsyncConnection) -> None:
    short = "950600013430"  # leaves four digits
    await number(conn, f"INSERT INTO sscc_series VALUES ('{short}', 0, 9998) RETURNING next")

    with pytest.raises(SsccsUsedUp):
        await cases(conn, 3, company_prefix=short)
    assert (await cases(conn, 2, company_prefix=short)).serial_lo == 9998


@pytest.mark.parametrize(("paper", "language"), [("100x150", "en"), ("a6", "zh"), ("a5", "en")])
async def test_a_sheet_shows_what_the_ledger_knows_to_be_inside(
    conn: AsyncConnection, tmp_path: Path, paper: Paper, language: Language
) -> None:
    keys = await arranged(conn)
    job, units = await released(conn, keys, tmp_path, count=4), await cases(conn, 2)
    await printing.commission(conn, job.job_id, at=NOON - timedelta(hours=2), by="ada", clock=noon, keys=keys)
    links = [f"https://id.gs1.org/01/{CHEESE}/21/{serial}" for serial in await printing.serials(conn, job, keys)]
    first, second = logistics.ssccs(units)
    told = packed(NOON - timedelta(hours=1), first, links[:3], PLANT)
    await capture.capture(conn, document(NOON, [told]), by="ada", clock=noon, keys=keys)
    out = tmp_path / "cases.pdf"

    made = await logistics.render(
        conn, units.logistics_job_id, out, paper=paper, copies=2, language=language, by="ada", clock=noon
    )

    assert made == 2
    with pypdfium2.PdfDocument(out) as sheets:
        assert len(sheets) == 4
        words = sheets[0].get_textpage().get_text_bounded()
        assert ("3 pcs" in words) if language == "en" else ("3 件" in words)
        assert f"(00) {first}" in words
        empty = sheets[2].get_textpage().get_text_bounded()
        assert ("scan the code" in empty) if language == "en" else ("扫码" in empty)
        read = zxingcpp.read_barcodes(sheets[2].render(scale=3, grayscale=True).to_numpy())
    symbols = {(found.symbology_identifier, found.text) for found in read}
    assert ("]C1", f"(00){second}") in symbols
    assert f"{BASE_URL}/00/{second}" in {text for _, text in symbols}


async def test_a_sheet_is_refused_where_one_is_already_and_in_more_copies_than_a_pallet_has_sides(
    conn: AsyncConnection, tmp_path: Path
) -> None:
    job = await cases(conn, 1)
    there = tmp_path / "there.pdf"
    there.write_text("a letter")
    with pytest.raises(OutputExists):
        await logistics.render(conn, job.logistics_job_id, there, paper="a6", by="ada", clock=noon)
    with pytest.raises(CopiesNotUsable):
        new = tmp_path / "new.pdf"
        await logistics.render(conn, job.logistics_job_id, new, paper="a6", copies=5, by="ada", clock=noon)
    with pytest.raises(LogisticsJobNotFound):
        await logistics.render(conn, 99, tmp_path / "new.pdf", paper="a6", by="ada", clock=noon)
    assert [each.name for each in tmp_path.iterdir()] == ["there.pdf"]


async def test_the_units_of_a_job_come_to_be_once(conn: AsyncConnection) -> None:
    keys = await arranged(conn)
    job = await cases(conn)

    told = await logistics.commission(conn, job.logistics_job_id, place=PLANT, by="ada", clock=noon, keys=keys)
    again = await logistics.commission(conn, job.logistics_job_id, place=PLANT, by="ada", clock=noon, keys=keys)

    assert (told[1], again) == (True, (told[0], False))
    found = await codes.find(conn, Identifier("00", logistics.ssccs(job)[2]), keys)
    assert found.commissioned
    assert await number(conn, "SELECT count(*) FROM unit") == 3
