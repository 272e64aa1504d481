"""The audit trail: it grows, and whoever changes it is found out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from runtime.database import DatabaseAddress, Role, transaction
from tests.access.people import HandClock


async def _note(conn: AsyncConnection, n: int, clock: HandClock) -> None:
    async with transaction(conn):
        await audit.note(
            conn, "lin", "case.open", f"R-2026-{n:04}", {"lots": n, "标题": "奶酪", "who": [None, True]}, clock
        )


async def test_a_trail_that_nobody_touched_is_whole(conn: AsyncConnection) -> None:
    clock = HandClock()
    for n in range(5):
        clock.move(microseconds=1)
        await _note(conn, n, clock)

    report = await audit.verify(conn)

    assert (report.rows, report.is_whole) == (5, True)
    assert report.head == await audit.head(conn)
    assert [row.subject async for row in audit.read(conn, after=3)] == ["R-2026-0003", "R-2026-0004"]


async def test_an_empty_trail_is_whole(conn: AsyncConnection) -> None:
    report = await audit.verify(conn)

    assert (report.rows, report.head, report.is_whole) == (0, audit.FIRST, True)


@pytest.mark.parametrize(
    ("tampering", "first_broken"),
    [
        ("UPDATE audit SET actor = 'bo' WHERE audit_id = 3", 3),
        ("UPDATE audit SET details = '{\"lots\": 99}' WHERE audit_id = 3", 3),
        ("UPDATE audit SET at = at + interval '1 microsecond' WHERE audit_id = 1", 1),
        ("DELETE FROM audit WHERE audit_id = 2", 3),
        ("UPDATE audit SET hash = decode(repeat('00', 32), 'hex') WHERE audit_id = 4", 4),
    ],
)
async def test_the_first_row_that_does_not_fit_is_named(
    database: DatabaseAddress, tampering: str, first_broken: int
) -> None:
    engine = database.engine(Role.OWNER, pool_size=1)
    async with engine.connect() as conn:
        for n in range(5):
            await _note(conn, n, HandClock())
        async with transaction(conn):
            await conn.execute(text(tampering))

        report = await audit.verify(conn)
    await engine.dispose()

    assert (report.broken_at, report.is_whole) == (first_broken, False)


async def test_staff_may_append_but_neither_change_nor_delete(conn: AsyncConnection) -> None:
    await _note(conn, 1, HandClock())

    for statement in ("UPDATE audit SET actor = 'bo'", "DELETE FROM audit"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            await conn.execute(text(statement))
        await conn.rollback()


async def test_notes_that_are_made_together_stay_one_chain(database: DatabaseAddress) -> None:
    engine = database.engine(Role.STAFF, pool_size=6)

    async def several() -> None:
        async with engine.connect() as conn:
            for n in range(5):
                await _note(conn, n, HandClock())

    await asyncio.gather(*(several() for _ in range(6)))
    async with engine.connect() as conn:
        report = await audit.verify(conn)
    await engine.dispose()

    assert (report.rows, report.is_whole) == (30, True)


@pytest.mark.parametrize(
    ("details", "error"),
    [
        ({"ratio": 0.5}, TypeError),
        ({"when": HandClock()()}, TypeError),
        ({1: "x"}, TypeError),
        ({"x": "y" * 70_000}, ValueError),
    ],
)
async def test_what_would_not_come_back_the_same_is_not_noted(
    conn: AsyncConnection, details: dict[Any, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        async with transaction(conn):
            await audit.note(conn, "lin", "case.open", "R-2026-0001", details, HandClock())

    assert (await audit.verify(conn)).rows == 0
