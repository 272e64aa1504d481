"""Sheets that were begun, printers that pull askew, and labels that a rendering leaves out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from labels import printing
from labels.layout import Feed
from labels.model import Job
from labels.parts import cut
from labels.refusals import FeedNotForFormat, StartCellNotOnSheet, TemplateBroken
from ledger.codes import KeyRing
from tests.cells import shared_cells
from tests.labels.test_customer_serials import brought
from tests.labels.world import arranged, noon, number, ordered
from tests.printed import links_on


async def printed(conn: AsyncConnection, keys: KeyRing, job: Job, out: Path, *how: Any) -> None:
    feed, kind = how
    await printing.render(
        conn, job.job_id, kind, out, feed=feed, by="ada", clock=noon, keys=keys, cells_folder=shared_cells()
    )


@pytest.mark.parametrize("own", [False, True], ids=["ours", "brought"])
async def test_a_begun_sheet_is_filled_up_and_moved(conn: AsyncConnection, tmp_path: Path, own: bool) -> None:
    keys = await arranged(conn)
    many = [f"S-{n}" for n in range(6)]
    job = await brought(conn, keys, many, template="a4-24") if own else await ordered(conn, template="a4-24", count=6)
    out = tmp_path / "sheet.pdf"

    await printed(conn, keys, job, out, Feed(20, 0.3, -0.2), "pdf")

    expected = [job.form.link(serial) for serial in await printing.serials(conn, job, keys)]
    assert sorted(links_on(out)) == sorted(expected)
    with pypdfium2.PdfDocument(out) as sheets:
        assert len(sheets) == 2  # 5 labels, and 1
        assert "(21)" not in sheets[0].get_textpage().get_text_bounded(bottom=sheets[0].get_height() / 2)


@pytest.mark.parametrize(
    ("feed", "kind", "refusal"),
    [
        (Feed(25), "pdf", StartCellNotOnSheet),
        (Feed(1, 0.25), "pdf", TemplateBroken),
        (Feed(2), "codes", FeedNotForFormat),
    ],
)
async def test_a_sheet_that_cannot_lie_so_is_refused(
    conn: AsyncConnection, tmp_path: Path, feed: Feed, kind: str, refusal: type[Exception]
) -> None:
    keys = await arranged(conn)
    job = await ordered(conn, template="a4-24", count=3)

    with pytest.raises(refusal):
        await printed(conn, keys, job, tmp_path / "out.csv", feed, kind)
    assert await number(conn, "SELECT count(*) FROM label_render") == 0


def test_the_first_part_ends_with_a_full_sheet_when_its_first_was_begun() -> None:
    parts = cut([(1, 48_000)], "pdf", 24, "labels", in_parts=True, used_cells=23)

    assert [part.labels for part in parts] == [23_977, 24_000, 23]


async def test_a_recalled_item_gets_no_second_label_and_the_others_do(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    job = await ordered(conn, count=6)
    named = job.numbers.number_of(3)
    await number(
        conn,
        "INSERT INTO persistent_disposition (lot_id, lo, n, word, at, set_by)"
        f" VALUES ({job.lot_id}, {named}, 2, 'recalled', now(), 1) RETURNING 1",
    )
    out = tmp_path / "codes.csv"

    await printed(conn, keys, job, out, Feed(), "codes")

    labels = [line.rsplit(",", 1)[1] for line in out.read_text().splitlines()[1:]]
    assert labels == ["1", "2", "5", "6"]
