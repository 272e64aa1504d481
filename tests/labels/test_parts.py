"""A rendering is made of parts: each made once, gone on with after an interruption, and joined to one file."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from labels import part_store, parts, printing, rendering
from labels.making import Maker, prepare
from labels.model import Job
from labels.parts import cut
from labels.progress import Progress, progress_of
from labels.refusals import LotNotPrintable, RenderBusy, RenderCancelled, RenderEnded, RenderNotFound, TooManyParts
from labels.release import plan_of
from ledger import codes, master_data
from ledger.model import LotDraft
from runtime.database import DatabaseAddress, Role, transaction
from tests.cells import shared_cells
from tests.labels.world import BASE_URL, CHEESE, SECRET, arranged, noon, number, ordered
from tests.printed import links_on
from tests.unhurried import NEVER_S


@pytest.fixture
def sheets_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of two sheets of 24 labels."""
    monkeypatch.setattr(parts, "PART_LABELS", 48)


Rendered = Callable[..., Awaitable[list[Path]]]


@pytest.fixture(scope="session")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Composed cells, kept for all tests of this file."""
    return shared_cells()


@pytest.fixture
def rendered(conn: AsyncConnection, cells: Path) -> Rendered:
    """Makes the labels of a job; gives back the files."""

    async def render(job: Job, out: Path, kind: str = "pdf", **changes: Any) -> list[Path]:
        keys = await codes.KeyRing.load(conn, SECRET)
        made = await printing.render(
            conn, job.job_id, kind, out, by="grace", clock=noon, keys=keys, cells_folder=cells, **changes
        )
        return [output.path for output in made]

    return render


async def links(conn: AsyncConnection, job: Job) -> list[str]:
    keys = await codes.KeyRing.load(conn, SECRET)
    return [f"{BASE_URL}/01/{CHEESE}/21/{serial}" for serial in await printing.serials(conn, job, keys)]


@pytest.mark.usefixtures("sheets_of_two")
async def test_three_parts_become_one_file_that_reads_as_the_job(
    conn: AsyncConnection, rendered: Rendered, tmp_path: Path
) -> None:
    await arranged(conn)
    job = await ordered(conn, count=100)

    (path,) = await rendered(job, tmp_path / "c1.pdf")

    assert sorted(links_on(path)) == sorted(await links(conn, job))
    report = json.loads((tmp_path / "c1.pdf.verification.json").read_text(encoding="utf-8"))
    assert (report["labels"], report["decoded"], report["failures"]) == (100, 100, 0)
    assert report["reader"].startswith("zxing-cpp ")
    assert report["files"][0]["pages_rasterised"] == [1, 5]
    (render,) = await part_store.renders_of(conn, job.job_id)
    made = await part_store.parts_of(conn, render.render_id)
    assert [(p.label_first, p.label_last, p.state) for p in made] == [
        (1, 48, "read_back"), (49, 96, "read_back"), (97, 100, "read_back"),
    ]  # fmt: skip
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c1.pdf", "c1.pdf.verification.json"]


@pytest.mark.usefixtures("sheets_of_two")
async def test_parts_asked_for_are_files_of_their_own_around_the_void_labels(
    conn: AsyncConnection, rendered: Rendered, tmp_path: Path
) -> None:
    keys = await arranged(conn)
    job = await ordered(conn, count=60)
    await printing.void(conn, job.job_id, 10, 19, "spoiled", by="ada", clock=noon, keys=keys)

    paths = await rendered(job, tmp_path / "c1", in_parts=True)

    assert [path.name for path in paths] == [f"labels-{job.job_id}-part-000{part}.pdf" for part in (1, 2)]
    all_links = await links(conn, job)
    assert sorted(links_on(paths[0])) == sorted(all_links[:9] + all_links[19:58])
    assert sorted(links_on(paths[1])) == sorted(all_links[58:])
    report = json.loads((tmp_path / "c1" / "verification.json").read_text(encoding="utf-8"))
    assert [file["labels"] for file in report["files"]] == [48, 2]


@pytest.mark.usefixtures("sheets_of_two")
async def test_thermal_commands_of_several_parts_are_one_print_file(
    conn: AsyncConnection, rendered: Rendered, tmp_path: Path
) -> None:
    await arranged(conn)
    job = await ordered(conn, count=100, template="roll-50x30")

    (path,) = await rendered(job, tmp_path / "c1.zpl", "zpl")

    commands = path.read_text(encoding="ascii")
    assert commands.count("^GFA") == 100
    assert commands.count("~DG") == commands.count("^ID") == 3


async def test_two_processes_make_the_bytes_that_one_makes(
    conn: AsyncConnection, rendered: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_LABELS", 24)
    await arranged(conn)
    job = await ordered(conn, count=50)

    (one,) = await rendered(job, tmp_path / "one.pdf")
    (two,) = await rendered(job, tmp_path / "two.pdf", processes=2)

    assert one.read_bytes() == two.read_bytes()


_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from labels import parts, printing
from ledger import codes
from runtime.database import DatabaseAddress, Role
from tests.labels.world import SECRET, noon

def killed_after_the_first(made, labels):
    os.kill(os.getpid(), signal.SIGKILL)

async def main(url, job_id, out):
    engine = DatabaseAddress(url).engine(Role.STAFF, pool_size=1)
    async with engine.connect() as conn:
        keys = await codes.KeyRing.load(conn, SECRET)
        cells, told = Path(sys.argv[4]), killed_after_the_first
        await printing.render(
            conn, job_id, "pdf", out, by="grace", clock=noon, keys=keys, cells_folder=cells, told=told
        )

parts.PART_LABELS = 48
asyncio.run(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
"""


@pytest.mark.usefixtures("sheets_of_two")
async def test_a_killed_rendering_goes_on_with_the_first_part_not_made(
    conn: AsyncConnection, rendered: Rendered, cells: Path, database: DatabaseAddress, tmp_path: Path
) -> None:
    # given: a process that was killed when the first of three parts was made
    await arranged(conn)
    job = await ordered(conn, count=100)
    out = tmp_path / "c1.pdf"
    words = [sys.executable, "-c", _KILLED, database.url, str(job.job_id), str(out), str(cells)]
    killed = await asyncio.to_thread(subprocess.run, words, check=False, timeout=NEVER_S)
    assert killed.returncode == -signal.SIGKILL
    (left,) = await part_store.renders_of(conn, job.job_id)
    kept = tmp_path / f".labels-rendering-{left.render_id}" / "labels-1-part-0001.pdf"
    assert [p.state for p in await part_store.parts_of(conn, left.render_id)] == ["read_back", "to_make", "to_make"]
    made_before = kept.stat().st_mtime_ns

    # when: the same is asked for again
    seen: list[tuple[int, int]] = []
    (path,) = await rendered(job, out, told=lambda made, _labels: seen.append((made, kept.stat().st_mtime_ns)))

    # then: the first part was not touched, and the file is the one that an undisturbed rendering makes
    assert seen == [(96, made_before), (100, made_before)]
    (undisturbed,) = await rendered(job, tmp_path / "again.pdf")
    assert path.read_bytes() == undisturbed.read_bytes()
    assert await number(conn, "SELECT count(*) FROM label_render WHERE state = 'made'") == 2
    assert not kept.parent.exists()


@pytest.mark.usefixtures("sheets_of_two")
async def test_a_rendering_cut_off_when_all_parts_were_made_only_joins_them(
    conn: AsyncConnection, rendered: Rendered, tmp_path: Path
) -> None:
    # given: somebody ends the command after the last part
    await arranged(conn)
    job = await ordered(conn, count=50)

    def ended(made: int, labels: int) -> None:
        if made == labels:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rendered(job, tmp_path / "c1.pdf", told=ended)
    assert [p.name for p in tmp_path.iterdir()] == [".labels-rendering-1"]

    # when: it is given again, with processes that have nothing to do
    (path,) = await rendered(job, tmp_path / "c1.pdf", processes=2)

    assert len(links_on(path)) == 50


@pytest.mark.usefixtures("sheets_of_two")
async def test_a_rendering_is_cancelled_between_two_parts_and_nothing_of_it_is_left(
    conn: AsyncConnection, rendered: Rendered, database: DatabaseAddress, tmp_path: Path
) -> None:
    await arranged(conn)
    job = await ordered(conn, count=100)

    async def cancel() -> None:
        engine = database.engine(Role.STAFF, pool_size=1)
        async with engine.connect() as other:
            (render,) = await part_store.renders_of(other, job.job_id)
            await rendering.cancel(other, job.job_id, render.render_id, by="ada", clock=noon)
        await engine.dispose()

    def somebody_cancels(_made: int, _labels: int) -> None:
        with ThreadPoolExecutor(1) as somebody:
            somebody.submit(asyncio.run, cancel()).result()

    with pytest.raises(RenderCancelled):
        await rendered(job, tmp_path / "c1.pdf", told=somebody_cancels)

    assert list(tmp_path.iterdir()) == []
    (render,) = await part_store.renders_of(conn, job.job_id)
    assert render.state == "cancelled"
    with pytest.raises(RenderEnded, match="cancelled"):
        await rendering.cancel(conn, job.job_id, render.render_id, by="ada", clock=noon)
    with pytest.raises(RenderNotFound):
        await rendering.cancel(conn, job.job_id + 1, render.render_id, by="ada", clock=noon)


async def test_one_rendering_is_made_by_one_process_at_a_time(
    conn: AsyncConnection, database: DatabaseAddress, tmp_path: Path
) -> None:
    keys = await arranged(conn)
    job = await ordered(conn)
    asked = await rendering.ask(conn, job.job_id, "codes", tmp_path / "c1.csv", in_parts=False, by="ada", clock=noon)
    engine = database.engine(Role.STAFF, pool_size=1)
    async with engine.connect() as other:
        async with transaction(other):
            assert await part_store.begin_making(other, asked.render_id)

        with pytest.raises(RenderBusy):
            await rendering.carry_out(
                conn, asked.render_id, by="ada", clock=noon, keys=keys, cells_folder=None, processes=1
            )
    await engine.dispose()

    made = await rendering.carry_out(
        conn, asked.render_id, by="ada", clock=noon, keys=keys, cells_folder=None, processes=1
    )
    assert [output.labels for output in made] == [10]


@pytest.mark.usefixtures("sheets_of_two")
async def test_labels_voided_while_the_parts_waited_are_not_in_the_files(
    conn: AsyncConnection, rendered: Rendered, tmp_path: Path
) -> None:
    keys = await arranged(conn)
    job = await ordered(conn, count=60)
    out = tmp_path / "c1.csv"
    before = await rendering.ask(conn, job.job_id, "codes", out, in_parts=False, by="ada", clock=noon)
    await printing.void(conn, job.job_id, 1, 1, "spoiled", by="ada", clock=noon, keys=keys)

    (path,) = await rendered(job, out, "codes")

    assert len(path.read_text(encoding="utf-8").splitlines()) == 60
    (newer, _) = await part_store.renders_of(conn, job.job_id)
    assert newer.render_id > before.render_id


async def test_a_lot_held_while_its_rendering_waited_is_refused_and_the_record_says_why(
    conn: AsyncConnection, tmp_path: Path
) -> None:
    keys = await arranged(conn)
    job = await ordered(conn)
    asked = await rendering.ask(conn, job.job_id, "pdf", tmp_path / "c1.pdf", in_parts=False, by="ada", clock=noon)
    async with transaction(conn):
        await master_data.put_lot(conn, LotDraft(gtin=CHEESE, code="C1", status="held"))

    with pytest.raises(LotNotPrintable):
        await rendering.carry_out(
            conn, asked.render_id, by="ada", clock=noon, keys=keys, cells_folder=None, processes=1
        )

    (found,) = await progress_of(conn, job.job_id, clock=noon)
    assert (found.state, found.files) == ("refused", ())
    assert "is held" in (found.problem or "")


async def test_whoever_waits_sees_how_many_labels_are_made_and_how_long_the_rest_takes(
    conn: AsyncConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_CODES", 48)
    keys = await arranged(conn)
    job = await ordered(conn, count=144)
    now = [datetime(2026, 11, 24, 12, 0, tzinfo=UTC)]
    seen: list[Progress] = []

    def two_seconds_a_look() -> datetime:
        now[0] += timedelta(seconds=2)
        return now[0]

    asked = await rendering.ask(conn, job.job_id, "codes", tmp_path, in_parts=True, by="ada", clock=noon)
    async with transaction(conn):
        await part_store.set_state(conn, asked.render_id, "making", started_at=now[0])
        plan = await plan_of(conn, job.job_id, "codes", tmp_path, in_parts=True)
    maker = Maker(prepare(plan, keys, cells_folder=None))

    for part in plan.parts[:2]:
        async with transaction(conn):
            await part_store.put_made(conn, asked.render_id, part, maker.make(part, tmp_path), two_seconds_a_look())
        seen += await progress_of(conn, job.job_id, clock=two_seconds_a_look)

    assert [(each.made, each.labels, each.state) for each in seen] == [(48, 144, "making"), (96, 144, "making")]
    assert [each.labels_per_s for each in seen] == [12.0, 12.0]
    assert [each.remaining_s for each in seen] == [8.0, 4.0]
    assert seen[1].parts == {"made": 2, "to_make": 1}


def test_a_part_ends_with_a_full_sheet_and_too_many_parts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_LABELS", 100)

    made = cut([(1, 50), (61, 300)], "pdf", 24, "labels-1", in_parts=False)

    assert [part.labels for part in made] == [96, 96, 96, 2]
    assert made[0].pieces == ((1, 50), (61, 106))
    monkeypatch.setattr(parts, "PARTS_MAX", 3)
    with pytest.raises(TooManyParts, match="4 parts"):
        cut([(1, 50), (61, 300)], "pdf", 24, "labels-1", in_parts=False)
