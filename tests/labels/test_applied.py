"""What the line really applied: by the first and the last code of a roll, or by the scanner's file."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from labels import applied, printing
from labels.refusals import AppliedNotTaken, CodeNotOfJob, ColumnMissing, LabelsVoid
from tests.labels.world import BASE_URL, CHEESE, MILK, arranged, noon, number, ordered, released


async def test_a_roll_is_commissioned_by_scanning_its_first_and_its_last_label(
    conn: AsyncConnection, tmp_path: Path
) -> None:
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path)
    serials = await printing.serials(conn, job, keys)
    first, last = f"{BASE_URL}/01/{CHEESE}/21/{serials[6]}", f"(01){CHEESE}(21){serials[2]}"

    done = await applied.commission_codes(conn, job.job_id, first, last, by="ada", clock=noon, keys=keys)

    assert (done.label_first, done.label_last, done.labels, done.changed) == (3, 7, 5, True)
    again = await applied.commission_codes(conn, job.job_id, last, first, by="ada", clock=noon, keys=keys)
    assert not again.changed
    assert (await printing.balance(conn, job.job_id)).commissioned == 5


async def test_a_code_of_another_job_another_product_or_a_void_label_ends_no_roll(
    conn: AsyncConnection, tmp_path: Path
) -> None:
    keys = await arranged(conn)
    job, other = await released(conn, keys, tmp_path), await ordered(conn)
    (own, *_), (foreign, *_) = await printing.serials(conn, job, keys), await printing.serials(conn, other, keys)
    for wrong in (foreign, f"{BASE_URL}/01/{MILK}/21/{own}", f"{BASE_URL}/01/{CHEESE}", f"(01){CHEESE}(10)C2(21){own}"):
        with pytest.raises(CodeNotOfJob):
            await applied.commission_codes(conn, job.job_id, own, wrong, by="ada", clock=noon, keys=keys)
    await printing.void(conn, job.job_id, 1, 1, "torn", by="ada", clock=noon, keys=keys)
    with pytest.raises(LabelsVoid):
        await applied.commission_codes(conn, job.job_id, own, own, by="ada", clock=noon, keys=keys)


async def test_the_file_of_the_lines_scanner_is_commissioned_in_one_event(
    conn: AsyncConnection, tmp_path: Path
) -> None:
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path)
    serials = await printing.serials(conn, job, keys)
    file = "\n".join(["serial", *(serials[k] for k in (8, 0, 1, 4))]).encode()

    done = await applied.commission_file(conn, job.job_id, file, "line.csv", by="ada", clock=noon, keys=keys)

    assert (done.labels, done.changed) == (4, True)
    assert await number(conn, "SELECT count(*) FROM event") == 1
    assert (
        await number(conn, "SELECT string_agg(label_first || '-' || label_last, ',') FROM label_range") == "1-2,5-5,9-9"
    )
    again = await applied.commission_file(conn, job.job_id, file, "line.csv", by="ada", clock=noon, keys=keys)
    assert not again.changed


async def test_a_file_with_a_wrong_row_changes_nothing_and_names_each_row(
    conn: AsyncConnection, tmp_path: Path
) -> None:
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path)
    serials = await printing.serials(conn, job, keys)
    await printing.void(conn, job.job_id, 2, 2, "torn", by="ada", clock=noon, keys=keys)
    await printing.commission(conn, job.job_id, 3, 3, by="ada", clock=noon, keys=keys)
    rows = ["code", serials[0], serials[1], serials[0], "NOTASERIAL00", serials[2]]

    with pytest.raises(AppliedNotTaken, match="row 3: label 2 is void") as refused:
        await applied.commission_file(
            conn, job.job_id, "\n".join(rows).encode(), "line.csv", by="ada", clock=noon, keys=keys
        )

    assert [fault.where for fault in refused.value.faults] == ["row 3", "row 4", "row 5", "row 6"]
    assert (await printing.balance(conn, job.job_id)).commissioned == 1
    with pytest.raises(ColumnMissing, match="names colour"):
        await applied.commission_file(conn, job.job_id, b"colour\nred", "l.csv", by="ada", clock=noon, keys=keys)
