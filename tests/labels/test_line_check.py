"""On the line: the right job, the right lot, not seen twice."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from labels import line_check, printing
from labels.line_check import LineCheck
from labels.refusals import JobNotFound, SessionNameNotUsable
from ledger.codes import KeyRing
from tests.labels.world import BASE_URL, CHEESE, MILK, arranged, noon, number, ordered


async def checked(
    conn: AsyncConnection, keys: KeyRing, code: str, *, session: str = "line 2", job_id: int = 1
) -> LineCheck:
    return await line_check.check_label(conn, code, job_id=job_id, session=session, by="ada", clock=noon, keys=keys)


async def test_a_label_is_right_once_and_an_alarm_the_second_time(conn: AsyncConnection) -> None:
    keys = await arranged(conn)
    job = await ordered(conn)
    first, second, *_ = await printing.serials(conn, job, keys)

    answers = [await checked(conn, keys, f"{BASE_URL}/01/{CHEESE}/21/{serial}") for serial in (first, second, first)]

    assert [each.verdict for each in answers] == ["right", "right", "seen_before"]
    assert [(each.label, each.seen) for each in answers] == [(1, 1), (2, 2), (1, 2)]
    assert (await checked(conn, keys, f"(01){CHEESE}(21){first}", session="line 3")).is_right


async def test_what_does_not_belong_on_the_line_is_named(conn: AsyncConnection) -> None:
    keys = await arranged(conn)
    job, other, next_lot = await ordered(conn), await ordered(conn), await ordered(conn, lot="C2")
    own = (await printing.serials(conn, job, keys))[0]
    await printing.void(conn, job.job_id, 1, 1, "torn", by="ada", clock=noon, keys=keys)
    codes = {
        "void": f"{BASE_URL}/01/{CHEESE}/21/{own}",
        "other_job": f"{BASE_URL}/01/{CHEESE}/21/{(await printing.serials(conn, other, keys))[0]}",
        "other_lot": f"{BASE_URL}/01/{CHEESE}/21/{(await printing.serials(conn, next_lot, keys))[0]}",
        "other_product": f"{BASE_URL}/01/{MILK}/21/{own}",
        "not_issued": f"{BASE_URL}/01/{CHEESE}/21/000000000000",
        "unreadable": "best cheese in town",
    }

    answers = {wanted: (await checked(conn, keys, code)).verdict for wanted, code in codes.items()}

    assert answers == {wanted: wanted for wanted in codes}
    assert (await checked(conn, keys, f"{BASE_URL}/01/{CHEESE}")).verdict == "unreadable"
    assert await number(conn, "SELECT count(*) FROM label_check") == 0


async def test_a_lot_told_beside_the_serial_must_be_the_jobs(conn: AsyncConnection) -> None:
    keys = await arranged(conn)
    serial = (await printing.serials(conn, await ordered(conn), keys))[0]

    assert (await checked(conn, keys, f"(01){CHEESE}(10)C2(21){serial}")).verdict == "other_lot"
    assert (await checked(conn, keys, f"(01){CHEESE}(10)C1(21){serial}")).verdict == "right"


async def test_a_run_has_a_name_and_a_job(conn: AsyncConnection) -> None:
    keys = await arranged(conn)
    with pytest.raises(JobNotFound):
        await checked(conn, keys, "x")
    for name in ("", " ", "x" * 61):
        with pytest.raises(SessionNameNotUsable):
            await checked(conn, keys, "x", session=name)
