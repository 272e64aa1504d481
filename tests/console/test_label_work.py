"""Staff order labels, say what became of them, and check them on the line."""

from __future__ import annotations

import io
from pathlib import Path

import httpx2
import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from labels import job_lists, packs, printing
from labels.symbol import matrix
from ledger.codes import KeyRing
from runtime.clock import system_clock
from runtime.database import transaction
from tests.console.conftest import OURS, Visitor, form_token, words
from tests.shop import CHEESE, cheese_in_the_shop, order
from tests.world import BASE_URL, SECRET

JOB = "/console/label-jobs/1"


async def send(client: httpx2.AsyncClient, page: str, action: str, **fields: str) -> httpx2.Response:
    """Fill in a form of a page and send it, as a browser does."""
    token = form_token(await client.get(page))
    return await client.post(action, data={"form_token": token, **fields}, headers=OURS)


async def printed(conn: AsyncConnection, folder: Path) -> list[str]:
    """The serials of twelve labels that a print house has."""
    await cheese_in_the_shop(conn)
    job = await order(conn, lot="C2")
    keys = await KeyRing.load(conn, SECRET)
    out = folder / "codes.csv"
    await printing.render(conn, job.job_id, "codes", out, by="ada", clock=system_clock, keys=keys)
    return await printing.serials(conn, job, keys)


async def test_an_order_that_is_sent_twice_is_one_job(visitor: Visitor, conn: AsyncConnection) -> None:
    await cheese_in_the_shop(conn)
    client = await visitor("kim", "printer")
    fields = {"gtin": CHEESE, "lot": "C1", "count": "30", "template": "l7160", "order_key": "of this form"}

    answers = [await send(client, "/console/label-jobs/new", "/console/label-jobs/new", **fields) for _ in range(2)]

    assert [each.headers["location"] for each in answers] == [f"{JOB}?done=ordered"] * 2
    (job,) = await job_lists.list_jobs(conn)
    assert (job.count, job.template, job.ordered_by) == (30, "l7160", "kim")
    assert "Ordered. Render the labels" in words(await client.get(f"{JOB}?done=ordered"))


@pytest.mark.parametrize(
    ("fields", "status"), [({"count": "many"}, 400), ({"lot": "C9"}, 404), ({"best_before": "soon"}, 400)]
)
async def test_an_order_that_cannot_be_is_refused_with_the_reason(
    visitor: Visitor, conn: AsyncConnection, fields: dict[str, str], status: int
) -> None:
    await cheese_in_the_shop(conn)
    client = await visitor("kim", "printer")
    told = {"gtin": CHEESE, "lot": "C1", "count": "3", "order_key": "k", **fields}

    answer = await send(client, "/console/label-jobs/new", "/console/label-jobs/new", **told)

    assert answer.status_code == status
    assert await job_lists.list_jobs(conn) == ()


async def test_what_became_of_labels_is_told_by_forms(visitor: Visitor, conn: AsyncConnection, tmp_path: Path) -> None:
    serials = await printed(conn, tmp_path)
    client = await visitor("kim", "printer")

    done = [
        await send(client, JOB, f"{JOB}/commission", first="1", last="3"),
        await send(client, JOB, f"{JOB}/commission", first_code=serials[4], last_code=serials[5]),
        await send(client, JOB, f"{JOB}/void", first="12", last="12", reason="torn"),
        await send(client, JOB, f"{JOB}/deliver", to="Printers & Sons", receipt="R-1"),
        await send(client, JOB, f"{JOB}/reprint", serial=serials[0], reason="scratched"),
    ]

    assert [each.status_code for each in done] == [303] * 5
    assert done[-1].headers["location"] == "/console/label-jobs/2?done=reprinted"
    page = words(await client.get(JOB))
    assert "Job 1 Delivered" in page
    assert "4 Commissioned 2 Void 6 Unused" in page
    assert "Printers & Sons R-1" in page
    refused = await send(client, JOB, f"{JOB}/void", first="1", last="99", reason="torn")
    assert refused.status_code == 400


async def test_a_viewer_sees_a_job_and_no_forms(visitor: Visitor, conn: AsyncConnection, tmp_path: Path) -> None:
    await printed(conn, tmp_path)
    client = await visitor("mei", "viewer")
    page = await client.get(JOB)

    assert "/commission" not in page.text
    for step in ("commission", "void", "reprint", "deliver"):
        data = {"form_token": form_token(page)}
        assert (await client.post(f"{JOB}/{step}", data=data, headers=OURS)).status_code == 403
    for path in ("/console/label-jobs/new", "/console/label-jobs/preview", "/console/line-check"):
        assert (await client.get(path)).status_code == 403


async def test_the_line_sees_a_big_verdict_in_both_languages(
    visitor: Visitor, conn: AsyncConnection, tmp_path: Path
) -> None:
    serials = await printed(conn, tmp_path)
    client = await visitor("kim", "printer")
    scan = {"job": "1", "session": "line 2", "code": f"{BASE_URL}/01/{CHEESE}/21/{serials[2]}"}

    right = await send(client, "/console/line-check?job=1", "/console/line-check", **scan)
    again = await send(client, "/console/line-check?lang=zh", "/console/line-check", **scan)
    wrong = await send(client, "/console/line-check?lang=en", "/console/line-check", **{**scan, "code": "x"})

    assert "RIGHT Label 3 · Job 1 · Lot C2" in words(right)
    assert 'class="line-verdict good"' in right.text
    assert "已扫过" in words(again)
    assert "NOT READABLE" in words(wrong)
    assert 'class="line-verdict bad"' in wrong.text
    unnamed = await send(client, "/console/line-check", "/console/line-check", **{**scan, "session": ""})
    assert unnamed.status_code == 400


async def test_the_order_shows_a_label_before_it_is_ordered(visitor: Visitor, conn: AsyncConnection) -> None:
    await cheese_in_the_shop(conn)
    client = await visitor("kim", "printer")

    page = await client.get(f"/console/label-jobs/new?gtin={CHEESE}&lot=C1&template=roll-50x30&look=1")
    in_chinese = await client.get("/console/label-jobs/new?lang=zh")
    assert "roll-50x30 – 卷标，50 × 30 mm" in words(in_chinese)

    address = f"/console/label-jobs/preview?gtin={CHEESE}&amp;lot=C1&amp;template=roll-50x30"
    assert f'src="{address}"' in page.text
    picture = await client.get(address.replace("&amp;", "&"))
    assert picture.content[:4] == b"\x89PNG"
    assert (await client.get("/console/label-jobs/preview?template=none")).status_code == 404


async def test_the_page_of_a_job_follows_its_files_while_they_are_made(visitor: Visitor, conn: AsyncConnection) -> None:
    await cheese_in_the_shop(conn)
    await order(conn, lot="C2")
    client = await visitor("kim", "printer")

    asked = await send(client, JOB, f"{JOB}/render", format="codes")
    page = await client.get(f"{JOB}?done=asked&lang=zh")
    cancelled = await send(client, JOB, f"{JOB}/cancel", rendering="1")
    after = await client.get(f"{JOB}?done=cancelled")

    assert (asked.status_code, cancelled.status_code) == (303, 303)
    assert f'<meta http-equiv="refresh" content="2;url={JOB}">' in page.text
    assert "等待中" in words(page)
    assert "已取消" in words(after)
    assert "refresh" not in after.text
    for field, value in (("start_cell", "x"), ("right_mm", "nan"), ("right_mm", "0.05"), ("start_cell", "25")):
        refused = await send(client, JOB, f"{JOB}/render", format="pdf", **{field: value})
        assert refused.status_code == 400


async def test_a_file_that_was_fetched_and_not_printed_is_said_so_on_the_page(
    visitor: Visitor, conn: AsyncConnection, tmp_path: Path
) -> None:
    await printed(conn, tmp_path)
    client, at = await visitor("kim", "printer"), f"{JOB}/resolve"
    said = {"rendering": "1", "word": "not_printed", "reason": "it jammed"}
    never_left = await send(client, JOB, at, **said)
    async with transaction(conn):
        await conn.execute(text("UPDATE label_part SET state = 'unknown', given_to = 'kim', given_at = now()"))

    asked = await client.get(f"{JOB}?lang=zh")
    refused = [await send(client, JOB, at, **said | odd) for odd in ({"word": "perhaps"}, {"rendering": ""})]
    kept = await send(client, JOB, at, **said)

    assert "已下载的文件后来如何" in words(asked)
    assert (never_left.status_code, [each.status_code for each in refused]) == (409, [400, 404])
    assert kept.headers["location"] == f"{JOB}?done=resolved"
    assert "已下载的文件后来如何" not in words(await client.get(kept.headers["location"]))


async def test_files_of_own_serials_and_of_what_was_applied_are_taken_whole_or_refused(
    visitor: Visitor, conn: AsyncConnection, tmp_path: Path
) -> None:
    serials = await printed(conn, tmp_path)
    client = await visitor("kim", "printer")
    new = "/console/label-jobs/new"

    ours = await send_file(client, new, new, "serials", b"serial\nA-1\nA-2\n", gtin=CHEESE, lot="C1")
    twice = await send_file(client, new, new, "serials", b"serial\nA-3\nA-3\n", gtin=CHEESE, lot="C1")
    seen = "\n".join(["serial", serials[0], serials[7]]).encode()
    applied = await send_file(client, JOB, f"{JOB}/commission", "applied", seen)
    wrong = await send_file(client, JOB, f"{JOB}/commission", "applied", b"serial\nNOT-OURS\n")

    assert (ours.status_code, ours.headers["location"]) == (303, "/console/label-jobs/2?done=ordered")
    assert (twice.status_code, applied.status_code, wrong.status_code) == (400, 303, 400)
    assert "row 3" in words(twice)
    assert (await job_lists.find_job(conn, 2)).count == 2
    assert (await job_lists.find_job(conn, 1)).commissioned == 2


async def send_file(
    client: httpx2.AsyncClient, page: str, action: str, field: str, data: bytes, **fields: str
) -> httpx2.Response:
    """As ``send``, with a file."""
    token = form_token(await client.get(page))
    files = {field: (f"{field}.csv", data, "text/csv")}
    return await client.post(action, data={"form_token": token, **fields}, files=files, headers=OURS)


async def test_a_pack_is_made_and_known_again_when_it_comes_back(
    visitor: Visitor, conn: AsyncConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await printed(conn, tmp_path)
    client = await visitor("kim", "printer")
    asked = {"recipient": "Printers & Sons", "format": "csv", "password": "a long password"}

    made = await send(client, JOB, f"{JOB}/pack", **asked)
    told = await send_file(client, JOB, f"{JOB}/verify-pack", "pack", made.content, password=asked["password"])
    cut = await send_file(client, JOB, f"{JOB}/verify-pack", "pack", made.content[:-40], password=asked["password"])
    unsealed = await send(client, JOB, f"{JOB}/pack", **{**asked, "password": ""})

    assert (made.status_code, made.headers["content-type"]) == (200, "application/zip")
    assert told.headers["location"] == f"{JOB}?done=pack_whole"
    assert "signed here" in (await client.get(told.headers["location"])).text
    assert (cut.status_code, unsealed.status_code) == (400, 400)

    monkeypatch.setattr(packs, "IN_REQUEST_MAX", 5)
    in_the_background = await send(client, JOB, f"{JOB}/pack", **asked)
    waiting = (await client.get(in_the_background.headers["location"])).text
    assert "Pack for a print house" in waiting and "Waiting" in waiting


async def test_a_photo_of_a_label_is_checked_as_a_scan_is(
    visitor: Visitor, conn: AsyncConnection, tmp_path: Path
) -> None:
    serials = await printed(conn, tmp_path)
    client = await visitor("kim", "printer")
    at, scan = "/console/line-check", {"job": "1", "session": "line 2"}

    right = await send_file(client, at, at, "photo", photo_of(f"{BASE_URL}/01/{CHEESE}/21/{serials[4]}"), **scan)
    nothing = await send_file(client, at, at, "photo", photo_of(None), **scan)
    broken = await send_file(client, at, at, "photo", b"GIF89a", **scan)

    assert "RIGHT Label 5" in words(right)
    assert "NOT READABLE" in words(nothing)
    assert broken.status_code == 400


def photo_of(link: str | None) -> bytes:
    """A grey picture, with the symbol of a link a little askew."""
    picture = Image.new("L", (600, 600), 200)
    if link is not None:
        cells = np.where(matrix(link), 0, 255).astype(np.uint8)
        symbol = Image.fromarray(np.pad(cells, 4, constant_values=255)).resize((400, 400), Image.Resampling.NEAREST)
        picture.paste(symbol, (90, 110))
        picture = picture.rotate(7, fillcolor=200)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=70)
    return out.getvalue()


async def test_cases_are_ordered_printed_and_put_on_record(visitor: Visitor, conn: AsyncConnection) -> None:
    client, viewer = await visitor("kim", "printer"), await visitor("mei", "viewer")
    at = "/console/logistics"

    ordered = await send(client, at, at, kind="case", count="2", company_prefix="950600013", order_key="k")
    assert ordered.headers["location"] == f"{at}/1?done=units_ordered"
    page = await client.get(f"{at}/1?done=units_ordered&lang=zh")
    assert "095060001300000002" in words(page)
    assert "箱: 任务 1" in words(page)
    labels = await client.get(f"{at}/1/labels?paper=100x150&printer=pdf&copies=1")
    burnt = await client.get(f"{at}/1/labels?paper=100x150&printer=203&copies=2")
    assert (labels.headers["content-type"], labels.content[:5]) == ("application/pdf", b"%PDF-")
    assert burnt.headers["content-disposition"] == 'attachment; filename="units-1.zpl"'
    assert (burnt.text.count("^XA"), burnt.text.count("^PQ2^XZ")) == (2, 2)
    told = await send(client, f"{at}/1", f"{at}/1/commission", place="")
    assert told.headers["location"] == f"{at}/1?done=units_commissioned"
    assert "/commission" not in (await client.get(f"{at}/1")).text

    for wrong in ("paper=a0", "printer=204", "copies=5"):
        assert (await client.get(f"{at}/1/labels?{wrong}")).status_code == 400
    assert (await send(client, at, at, kind="crate", count="2", company_prefix="950600013")).status_code == 400
    assert (await viewer.get(f"{at}/1/labels?paper=a5")).status_code == 403
    assert (await client.get(f"{at}/9")).status_code == 404
