"""Rendering a job: files that were read back, in their places, on record; or neither file nor record."""

from __future__ import annotations

import csv
import hashlib
import json
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from labels import job_lists, printing
from labels.refusals import (
    CharacterHasNoGlyph,
    FormatUnknown,
    JobNotFound,
    LotNotPrintable,
    NothingLeftToRender,
    OutputExists,
    SheetOnLabelPrinter,
)
from ledger import codes, master_data
from ledger.model import LotDraft, ProductDraft
from runtime.database import transaction
from tests.cells import shared_cells
from tests.labels.world import BASE_URL, CHEESE, SECRET, arranged, noon, number, ordered
from tests.printed import links_on


async def rendered(conn: AsyncConnection, job_id: int, kind: str, out: Path) -> Path:
    keys = await codes.KeyRing.load(conn, SECRET)
    (output,) = await printing.render(
        conn, job_id, kind, out, by="grace", clock=noon, keys=keys, cells_folder=shared_cells()
    )
    return output.path


async def hold(conn: AsyncConnection) -> None:
    async with transaction(conn):
        await master_data.put_lot(conn, LotDraft(gtin=CHEESE, code="C1", status="held"))


async def test_a_sheet_reads_as_the_job_and_is_on_record(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    job = await ordered(conn, count=30)

    path = await rendered(conn, job.job_id, "pdf", tmp_path / "c1.pdf")

    links = [f"{BASE_URL}/01/{CHEESE}/21/{serial}" for serial in await printing.serials(conn, job, keys)]
    assert sorted(links_on(path)) == sorted(links)
    (line,) = await job_lists.outputs_of(conn, job.job_id)
    assert (line.format, line.path, line.label_first, line.label_last, line.verified) == ("pdf", str(path), 1, 30, 30)
    assert (line.sha256, line.bytes) == (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
    assert line.made_by == "grace"
    assert (await printing.find_job(conn, job.job_id)).state == "released"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["c1.pdf", "c1.pdf.verification.json"]


async def test_a_code_pack_lists_each_label_of_the_job(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    job = await ordered(conn, count=300, lot_in_link=True)

    path = await rendered(conn, job.job_id, "codes", tmp_path / "c1.csv")

    rows = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
    assert [row["serial"] for row in rows] == await printing.serials(conn, job, keys)
    assert [int(row["label_number"]) for row in rows] == list(range(1, 301))
    assert rows[0]["digital_link"] == f"{BASE_URL}/01/{CHEESE}/10/C1/21/{rows[0]['serial']}"
    manifest = json.loads((tmp_path / "c1.csv.manifest.json").read_text(encoding="utf-8"))
    assert (manifest["labels"], manifest["remarks"]) == (300, {"job": str(job.job_id)})
    assert manifest["files"][0]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


async def test_a_folder_receives_the_pack_and_the_others_get_a_name_there(
    conn: AsyncConnection, tmp_path: Path
) -> None:
    await arranged(conn)
    job = await ordered(conn)

    assert await rendered(conn, job.job_id, "codes", tmp_path / "pack") == tmp_path / "pack" / "codes.csv"
    symbols = await rendered(conn, job.job_id, "svg", tmp_path / "pack")

    assert sorted(p.name for p in (tmp_path / "pack").iterdir()) == [
        "codes.csv", f"labels-{job.job_id}.zip", f"labels-{job.job_id}.zip.verification.json", "manifest.json",
    ]  # fmt: skip
    assert len(zipfile.ZipFile(symbols).namelist()) == 10


@pytest.mark.parametrize("kind", ["zpl", "png"])
async def test_a_roll_is_printed_by_a_label_printer_or_as_pictures(
    conn: AsyncConnection, tmp_path: Path, kind: str
) -> None:
    await arranged(conn)
    job = await ordered(conn, template="roll-50x30", count=3)

    path = await rendered(conn, job.job_id, kind, tmp_path / f"c1.{kind}")

    assert path.stat().st_size > 0
    (line,) = await job_lists.outputs_of(conn, job.job_id)
    assert (line.format, line.verified) == (kind, 3)


async def test_void_labels_are_not_rendered(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    job = await ordered(conn)
    for first, last in ((1, 2), (5, 5), (10, 10)):
        await printing.void(conn, job.job_id, first, last, "spoiled", by="ada", clock=noon, keys=keys)

    path = await rendered(conn, job.job_id, "codes", tmp_path / "c1.csv")

    rows = csv.DictReader(path.open(encoding="utf-8", newline=""))
    assert [int(row["label_number"]) for row in rows] == [3, 4, 6, 7, 8, 9]

    await printing.void(conn, job.job_id, 3, 4, "spoiled", by="ada", clock=noon, keys=keys)
    await printing.void(conn, job.job_id, 6, 9, "spoiled", by="ada", clock=noon, keys=keys)
    with pytest.raises(NothingLeftToRender):
        await rendered(conn, job.job_id, "codes", tmp_path / "none.csv")


async def test_nobodys_file_is_overwritten_but_a_jobs_own(conn: AsyncConnection, tmp_path: Path) -> None:
    await arranged(conn)
    job, other = await ordered(conn), await ordered(conn)
    mine = tmp_path / "c1.csv"
    await rendered(conn, job.job_id, "codes", mine)

    await rendered(conn, job.job_id, "codes", mine)
    assert await number(conn, "SELECT count(*) FROM label_output") == 2
    with pytest.raises(OutputExists, match=f"job {other.job_id}"):
        await rendered(conn, other.job_id, "codes", mine)

    mine.write_text("somebody's notes", encoding="utf-8")
    with pytest.raises(OutputExists):
        await rendered(conn, job.job_id, "codes", mine)
    assert mine.read_text(encoding="utf-8") == "somebody's notes"


async def test_a_held_lot_is_not_rendered_and_nothing_is_left(conn: AsyncConnection, tmp_path: Path) -> None:
    await arranged(conn)
    job = await ordered(conn)
    await hold(conn)

    with pytest.raises(LotNotPrintable, match="is held"):
        await rendered(conn, job.job_id, "codes", tmp_path / "c1.csv")

    assert list(tmp_path.iterdir()) == []
    assert await number(conn, "SELECT count(*) FROM label_output") == 0
    assert (await printing.find_job(conn, job.job_id)).state == "ordered"


async def test_a_failure_at_the_very_end_leaves_neither_file_nor_record(conn: AsyncConnection, tmp_path: Path) -> None:
    # given: a folder where the manifest should go, and a clock that fails when the release is recorded
    await arranged(conn)
    job = await ordered(conn)
    keys = await codes.KeyRing.load(conn, SECRET)
    (tmp_path / "c1.csv.manifest.json").mkdir()

    with pytest.raises(OutputExists, match=r"manifest\.json"):
        await printing.render(conn, job.job_id, "codes", tmp_path / "c1.csv", by="ada", clock=noon, keys=keys)

    told = []

    def broken_clock() -> datetime:
        told.append("")
        if len(told) > 3:  # asked, begun, made
            raise OSError("no time")
        return noon()

    with pytest.raises(OSError, match="no time"):
        await printing.render(conn, job.job_id, "codes", tmp_path / "c2.csv", by="ada", clock=broken_clock, keys=keys)
    assert [p.name for p in tmp_path.iterdir()] == ["c1.csv.manifest.json"]
    assert await number(conn, "SELECT count(*) FROM label_output") == 0
    assert await number(conn, "SELECT problem FROM label_render WHERE state = 'stopped'") == "no time"


async def test_what_no_renderer_can_draw_is_refused_and_nothing_is_left(conn: AsyncConnection, tmp_path: Path) -> None:
    await arranged(conn)
    job = await ordered(conn)

    with pytest.raises(FormatUnknown, match="pdf, zpl, png, svg, codes"):
        await rendered(conn, job.job_id, "docx", tmp_path / "c1.docx")
    with pytest.raises(SheetOnLabelPrinter):
        await rendered(conn, job.job_id, "zpl", tmp_path / "c1.zpl")
    with pytest.raises(JobNotFound):
        await rendered(conn, job.job_id + 1, "pdf", tmp_path / "c1.pdf")

    async with transaction(conn):
        await master_data.put_product(conn, ProductDraft(gtin=CHEESE, name="Cheese \U00030a54"))
    with pytest.raises(CharacterHasNoGlyph, match="U\\+30A54"):
        await rendered(conn, job.job_id, "pdf", tmp_path / "c1.pdf")
    assert list(tmp_path.iterdir()) == []


async def test_links_stay_as_they_were_ordered(conn: AsyncConnection, tmp_path: Path) -> None:
    await arranged(conn)
    job = await ordered(conn, base_url="https://q.example.com")
    async with transaction(conn):
        kept = (await conn.execute(text("SELECT base_url FROM label_job"))).scalar_one()

    path = await rendered(conn, job.job_id, "codes", tmp_path / "c1.csv")

    assert kept == "https://q.example.com"
    assert path.read_text(encoding="utf-8").splitlines()[1].startswith("https://q.example.com/01/")
