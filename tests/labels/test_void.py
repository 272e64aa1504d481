"""Labels out of use for good: spoiled, lost, stolen; on an item or not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from labels import life, printing
from labels.refusals import LabelsNotInJob, LabelsVoid, ReasonMissing, TooManyToVoid
from ledger import codes
from runtime.database import DatabaseAddress, Role, transaction
from tests.labels.world import arranged, noon, number, ordered, released


async def voided(conn: AsyncConnection, job_id: int, keys: codes.KeyRing, first: int, last: int, **changes: Any) -> Any:
    return await printing.void(
        conn, job_id, first, last, changes.get("reason", "torn"), by="ada", clock=noon, keys=keys
    )


async def void_numbers(conn: AsyncConnection) -> list[int]:
    async with transaction(conn):
        rows = await conn.execute(text("SELECT lo, n FROM public_void_code ORDER BY lo"))
    return [number for lo, n in rows for number in range(lo, lo + n)]


async def test_unused_labels_are_void_with_their_reason_and_scanners_see_their_numbers(conn: AsyncConnection) -> None:
    keys = await arranged(conn)
    job = await ordered(conn)

    done = await voided(conn, job.job_id, keys, 3, 5, reason="  printed crooked ")

    assert (done.labels, done.changed, done.event_id) == (3, True, None)
    assert await void_numbers(conn) == job.numbers.numbers(3, 5).tolist()
    assert await number(conn, "SELECT reason FROM label_range") == "printed crooked"
    assert await number(conn, "SELECT count(*) FROM event") == 0


async def test_a_label_on_an_item_is_void_and_the_item_goes_out_of_service(
    conn: AsyncConnection, tmp_path: Path
) -> None:
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path)
    await printing.commission(conn, job.job_id, by="ada", clock=noon, keys=keys)

    done = await voided(conn, job.job_id, keys, 4, 5)

    async with transaction(conn):
        event = (
            await conn.execute(text("SELECT action, biz_step, disposition FROM event ORDER BY event_id DESC LIMIT 1"))
        ).one()
        states = await conn.execute(
            text("SELECT label_first, label_last, state, event_id IS NOT NULL FROM label_range ORDER BY label_first")
        )
        inactive = await conn.execute(text("SELECT lo, n FROM code_run WHERE disposition = 'inactive' ORDER BY lo"))
    assert tuple(event) == ("DELETE", "decommissioning", "inactive")
    assert done.event_id is not None
    assert [tuple(row) for row in states] == [
        (1, 3, "commissioned", True),
        (4, 5, "void", True),
        (6, 10, "commissioned", True),
    ]
    out_of_service = [number for lo, n in inactive for number in range(lo, lo + n)]
    assert out_of_service == await void_numbers(conn) == job.numbers.numbers(4, 5).tolist()


async def test_a_range_of_both_kinds_is_voided_in_one_go(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path)
    await printing.commission(conn, job.job_id, 1, 4, by="ada", clock=noon, keys=keys)

    await voided(conn, job.job_id, keys, 3, 8)

    balance = await printing.balance(conn, job.job_id)
    assert (balance.commissioned, balance.void, balance.unused) == (2, 6, 2)
    assert await number(conn, "SELECT sum(n) FROM code_run WHERE disposition = 'inactive'") == 2


async def test_the_same_labels_again_change_nothing_and_a_part_is_refused(conn: AsyncConnection) -> None:
    keys = await arranged(conn)
    job = await ordered(conn)
    await voided(conn, job.job_id, keys, 3, 5)

    assert (await voided(conn, job.job_id, keys, 3, 5, reason="stolen")).changed is False
    assert (await voided(conn, job.job_id, keys, 4, 4)).changed is False
    with pytest.raises(LabelsVoid, match="5 are void"):
        await voided(conn, job.job_id, keys, 5, 6)

    assert await number(conn, "SELECT string_agg(reason, ',') FROM label_range") == "torn"
    assert len(await void_numbers(conn)) == 3


@pytest.mark.parametrize("first, last", [(0, 1), (10, 11), (4, 3)])
async def test_labels_outside_the_job_are_refused(conn: AsyncConnection, first: int, last: int) -> None:
    keys = await arranged(conn)
    job = await ordered(conn)

    with pytest.raises(LabelsNotInJob):
        await voided(conn, job.job_id, keys, first, last)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
async def test_why_has_to_be_said_in_a_few_words(conn: AsyncConnection, reason: str) -> None:
    keys = await arranged(conn)
    job = await ordered(conn)

    with pytest.raises(ReasonMissing, match="1 to 500 characters"):
        await voided(conn, job.job_id, keys, 1, 1, reason=reason)
    assert await void_numbers(conn) == []


async def test_too_many_items_at_once_are_refused_whole(
    conn: AsyncConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path)
    await printing.commission(conn, job.job_id, by="ada", clock=noon, keys=keys)
    monkeypatch.setattr(life, "VOID_ITEMS_MAX", 3)
    monkeypatch.setattr(life, "ITEMS_PER_EVENT", 2)

    with pytest.raises(TooManyToVoid, match="4 commissioned labels"):
        await voided(conn, job.job_id, keys, 1, 4)
    assert await void_numbers(conn) == []

    await voided(conn, job.job_id, keys, 1, 3)
    assert await number(conn, "SELECT count(*) FROM event WHERE action = 'DELETE'") == 2
    assert len(await void_numbers(conn)) == 3


async def test_two_people_never_void_and_commission_the_same_label(
    conn: AsyncConnection, database: DatabaseAddress, tmp_path: Path
) -> None:
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path)
    engine = database.engine(Role.STAFF, pool_size=2)

    async def commission() -> Any:
        async with engine.connect() as own:
            return await printing.commission(own, job.job_id, 1, 6, by="ada", clock=noon, keys=keys)

    async def void() -> Any:
        async with engine.connect() as own:
            return await voided(own, job.job_id, keys, 4, 8)

    done = await asyncio.gather(commission(), void(), return_exceptions=True)
    await engine.dispose()

    # whoever was second saw what the first one did: either the void took items out, or the commissioning was refused
    assert [each for each in done if isinstance(each, BaseException) and not isinstance(each, LabelsVoid)] == []
    assert await number(conn, "SELECT sum(label_last - label_first + 1) FROM label_range WHERE state = 'void'") == 5
    active = "SELECT coalesce(sum(n), 0) FROM code_run WHERE disposition <> 'inactive'"
    assert await number(conn, active) == (await printing.balance(conn, job.job_id)).commissioned
