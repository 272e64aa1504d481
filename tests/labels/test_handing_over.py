"""A file of labels leaves the house at most once; what became of it, a person says."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from labels import part_store, printing, rendering
from labels.handing_over import Given, give, received, resolve
from labels.model import Job
from labels.refusals import (
    LabelFileNotFound,
    LabelsGivenOut,
    NothingLeftToRender,
    PartNotFound,
    PartNotGivenOut,
    ReasonMissing,
)
from ledger import codes
from tests.labels.world import SECRET, arranged, noon, number, ordered


async def made(conn: AsyncConnection, folder: Path) -> Job:
    """Ten labels as a code pack, made as a worker makes them."""
    keys = await arranged(conn)
    job = await ordered(conn)
    asked = await rendering.ask_worker(conn, job.job_id, "codes", folder, in_parts=False, by="ada", clock=noon)
    await rendering.carry_out(conn, asked.render_id, by="ada", clock=noon, keys=keys, cells_folder=None, processes=1)
    return job


async def fetched(conn: AsyncConnection, job: Job, folder: Path, name: str = "labels-1.csv") -> Given:
    return await give(conn, job.job_id, name, folder, by="printer", clock=noon)


async def said(conn: AsyncConnection, given: Given, word: str, reason: str = "asked the printer") -> str:
    keys = await codes.KeyRing.load(conn, SECRET)
    part = await resolve(conn, given.render_id, 1, word, reason, by="ada", clock=noon, keys=keys)  # type: ignore[arg-type]
    return part.state


async def state(conn: AsyncConnection, given: Given) -> str:
    return (await part_store.find_part(conn, given.render_id, 1)).state


async def test_a_file_is_unknown_until_its_last_byte_has_left(conn: AsyncConnection, tmp_path: Path) -> None:
    job = await made(conn, tmp_path)

    given = await fetched(conn, job, tmp_path)

    assert await state(conn, given) == "unknown"
    await received(conn, job.job_id, given, by="printer", clock=noon)
    assert await state(conn, given) == "delivered"
    noted = "SELECT string_agg(actor || ' ' || act || ' ' || (details->>'sha256'), ', ' ORDER BY audit_id) FROM audit WHERE details ? 'file'"  # noqa: E501
    assert await number(conn, noted) == (
        f"printer labels.hand_over {given.sha256}, printer labels.delivered {given.sha256}"
    )


@pytest.mark.parametrize("arrived", [True, False])
async def test_what_was_handed_over_is_neither_handed_over_nor_made_again(
    conn: AsyncConnection, tmp_path: Path, arrived: bool
) -> None:
    job = await made(conn, tmp_path)
    given = await fetched(conn, job, tmp_path)
    if arrived:
        await received(conn, job.job_id, given, by="printer", clock=noon)

    with pytest.raises(LabelsGivenOut, match="printer"):
        await fetched(conn, job, tmp_path)
    with pytest.raises(LabelsGivenOut, match=f"tracemark labels resolve {given.render_id} --part 1"):
        await rendering.ask(conn, job.job_id, "pdf", tmp_path / "x.pdf", in_parts=False, by="ada", clock=noon)


async def test_what_nobody_printed_may_be_handed_over_again(conn: AsyncConnection, tmp_path: Path) -> None:
    job = await made(conn, tmp_path)
    given = await fetched(conn, job, tmp_path)

    assert await said(conn, given, "not_printed") == "made"

    assert (await fetched(conn, job, tmp_path)).sha256 == given.sha256


async def test_what_nobody_knows_becomes_void_for_good(conn: AsyncConnection, tmp_path: Path) -> None:
    job = await made(conn, tmp_path)
    given = await fetched(conn, job, tmp_path)

    assert await said(conn, given, "void") == "void"

    assert (await printing.balance(conn, job.job_id)).void == 10
    with pytest.raises(NothingLeftToRender):
        await rendering.ask(conn, job.job_id, "pdf", tmp_path / "x.pdf", in_parts=False, by="ada", clock=noon)


async def test_a_word_needs_a_reason_and_a_part_that_left(conn: AsyncConnection, tmp_path: Path) -> None:
    job = await made(conn, tmp_path)
    about = await fetched(conn, job, tmp_path, "labels-1.csv.manifest.json")
    assert about.parts == ()

    with pytest.raises(PartNotGivenOut, match="is made"):
        await said(conn, about, "not_printed")
    given = await fetched(conn, job, tmp_path)
    with pytest.raises(ReasonMissing):
        await said(conn, given, "delivered", " ")
    keys = await codes.KeyRing.load(conn, SECRET)
    with pytest.raises(PartNotFound):
        await resolve(conn, given.render_id, 2, "void", "lost", by="ada", clock=noon, keys=keys)
    assert await state(conn, given) == "unknown"


async def test_only_files_that_a_worker_made_are_handed_over(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    job = await ordered(conn)
    elsewhere = tmp_path / "elsewhere" / "c1.csv"
    await printing.render(conn, job.job_id, "codes", elsewhere, by="ada", clock=noon, keys=keys)

    for name in ("c1.csv", "../elsewhere/c1.csv", "nothing.csv"):
        with pytest.raises(LabelFileNotFound):
            await fetched(conn, job, tmp_path / "labels", name)
