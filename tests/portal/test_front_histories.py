"""Histories beside a verdict: read together, kept for a moment, and never mixed up between items."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from portal import histories, together
from portal.histories import CONFIRMED_FOR_S, HISTORY_AGE_S_MAX, HISTORY_FRESH_S, QUIET_S_MAX, Histories, Whose
from portal.live import Live
from portal.model import CodeState
from portal.together import Together
from runtime.database import DatabaseAddress
from tests.portal.arrangement import arrange, until
from tests.portal.test_beside import NOWHERE
from tests.unhurried import NEVER_S

M1 = Whose(1001, 1, CodeState.ACTIVE, 1)
M2 = Whose(2001, 2, CodeState.ACTIVE, 1)


async def tell(conn: AsyncConnection, event_id: int, lot_id: int, step: str) -> None:
    """The items of the lot went through a step; it is their latest event."""
    sql = (
        "INSERT INTO event (event_id, type, action, event_time, event_offset, record_time, biz_step, source_id, hash,"
        " body, captured_by) OVERRIDING SYSTEM VALUE VALUES"
        " (:id, 'ObjectEvent', 'ADD', now(), '+00:00', now(), :step, :source, :source, '{}', 'Ada')"
    )
    await conn.execute(text(sql), {"id": event_id, "step": step, "source": f"urn:x:{event_id}"})
    await conn.execute(text("UPDATE code_run SET event_id = :id WHERE lot_id = :lot"), {"id": event_id, "lot": lot_id})
    await conn.commit()


async def test_histories_read_together_are_each_their_own_and_kept_only_for_their_time(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    await arrange(conn)
    await tell(conn, 1, 1, "commissioning")
    await tell(conn, 2, 2, "packing")
    live, now = Live(database, patience=100), [0.0]
    await live.warm()
    kept = Histories(live, monotonic=lambda: now[0])
    assert kept.kept(M1) is None

    told = await asyncio.gather(kept.ask(M1), kept.ask(M2), kept.ask(M1), kept.ask(Whose(None, 9, None, 1)))
    assert [[step.step for step in steps or ()] for steps in told] == [
        ["commissioning"],
        ["packing"],
        ["commissioning"],
        [],
    ]
    assert kept.kept(M1) == told[0]
    assert kept.kept(Whose(None, 9, None, 1)) == ()

    await tell(conn, 3, 1, "shipping")
    assert kept.kept(M1) == told[0]
    assert kept.kept(M1._replace(state=CodeState.BLOCKED)) is None
    assert kept.kept(M1._replace(revision=2)) is None
    now[0] = 2 * HISTORY_FRESH_S + 0.1
    assert kept.kept(M1) == told[0]  # once more, while it is read anew
    assert [step.step for step in await kept.ask(M1) or ()] == ["shipping"]
    now[0] += HISTORY_AGE_S_MAX + 0.1
    assert kept.kept(M1) is None
    assert [step.step for step in await kept.ask(M1) or ()] == ["shipping"]
    await kept.close()
    await live.close()


async def test_no_more_histories_are_kept_than_the_limit(
    database: DatabaseAddress, conn: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "HISTORIES_MAX", 1)
    await arrange(conn)
    live = Live(database, patience=100)
    await live.warm()
    kept = Histories(live)
    await kept.ask(M1)
    await kept.ask(M2)

    assert (kept.kept(M1), kept.kept(M2)) == (None, ())
    await kept.close()
    await live.close()


async def test_a_history_that_did_not_come_is_not_kept() -> None:
    kept = Histories(Live(NOWHERE))

    assert await kept.ask(M1) is None
    assert kept.kept(M1) is None
    await kept.close()


async def test_what_is_asked_while_a_statement_runs_goes_with_the_next_and_the_late_are_told_nothing() -> None:
    statements: list[list[int]] = []
    goes_on = asyncio.Event()

    async def read(keys: Sequence[int]) -> Mapping[int, str]:
        statements.append(list(keys))
        await goes_on.wait()
        return {key: str(key) for key in keys if key != 3}

    reads: Together[int, str] = Together(read, NEVER_S)
    first = reads.ask(1)
    await asyncio.sleep(0)
    others = [reads.ask(2), reads.ask(3), reads.ask(2)]
    late = Together(read, 0.0).ask(4)
    assert await late is None
    goes_on.set()

    assert [await answer for answer in (first, *others)] == ["1", "2", None, "2"]
    assert statements == [[1], [4], [2, 3]]
    await reads.close()


async def test_one_key_too_many_is_not_read_and_one_that_waits_already_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "WAITING_MAX", 1)

    async def read(keys: Sequence[int]) -> Mapping[int, str]:
        return {key: str(key) for key in keys}

    reads: Together[int, str] = Together(read, NEVER_S)
    assert [await answer for answer in [reads.ask(1), reads.ask(2), reads.ask(1)]] == ["1", None, "1"]
    await reads.close()


async def test_items_of_one_run_share_a_history_unless_something_happened_to_a_part_of_it(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    await arrange(conn)
    await tell(conn, 1, 1, "commissioning")
    await tell(conn, 2, 2, "commissioning")
    part = (
        "INSERT INTO code_run_history (lo, n, lot_id, since, until, event_id, place_id, owner_id)"
        " VALUES (1000, 10, 1, now(), now(), 1, 0, 0), (2000, 50, 2, now(), now(), 2, 0, 0)"
    )
    await conn.execute(text(part))
    await conn.commit()
    live = Live(database, patience=100)
    await live.warm()
    kept = Histories(live)
    in_part, whole = M1._replace(run=1000), M2._replace(run=2000)

    await asyncio.gather(kept.ask(in_part), kept.ask(whole))

    assert kept.kept(in_part._replace(number=1050)) is None
    assert [step.step for step in kept.kept(whole._replace(number=2002)) or ()] == ["commissioning"]
    await kept.close()
    await live.close()


async def test_a_history_stays_until_something_is_told_of_its_lot_also_by_the_pallet_around_it(
    database: DatabaseAddress, conn: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    milk, other = M1._replace(run=1000), M2._replace(run=2000)
    await arrange(conn)
    await tell(conn, 1, 1, "commissioning")
    pallet = (
        "INSERT INTO unit (unit_id, uri, since, event_id, parent_id) OVERRIDING SYSTEM VALUE"
        " VALUES (6, 'urn:x:pallet', now(), 1, NULL), (5, 'urn:x:case', now(), 1, 6)"
    )
    await conn.execute(text(pallet))
    await conn.execute(text("UPDATE code_run SET unit_id = 5 WHERE lot_id = 1"))
    await conn.commit()
    live, now = Live(database, patience=100), [0.0]
    await live.warm()
    kept = Histories(live, monotonic=lambda: now[0])

    async def are_fresh() -> bool:  # a transaction elsewhere in the cluster may hold the watermark back
        now[0] += 1
        await kept.look()
        now[0] += 1
        await asyncio.gather(kept.ask(milk), kept.ask(other))
        await kept.look()
        return all(left is not None and left.fresh_s == CONFIRMED_FOR_S for left in map(kept.of_the_run, (milk, other)))

    await until(are_fresh)
    now[0] += QUIET_S_MAX - 1
    await kept.look()
    assert fresh_of(kept, milk, other) == [CONFIRMED_FOR_S, CONFIRMED_FOR_S]

    shipped = (
        "INSERT INTO event (event_id, type, action, event_time, event_offset, record_time, source_id, hash, body,"
        " captured_by) OVERRIDING SYSTEM VALUE VALUES (9, 'ObjectEvent', 'OBSERVE', now(), '+00:00', now(), 'urn:x:9',"
        " 'x', '{}', 'Ada')"
    )
    await conn.execute(text(shipped))
    await conn.execute(text("INSERT INTO event_thing (event_id, unit_id) VALUES (9, 6)"))
    await conn.commit()
    await kept.look()
    assert fresh_of(kept, milk, other) == [-1.0, CONFIRMED_FOR_S]
    assert kept.kept(milk) is not None  # it is shown on while it is read anew

    await until(are_fresh)
    monkeypatch.setattr(histories, "TOLD_MAX", 0)
    await conn.execute(text("UPDATE lot SET status = 'held' WHERE lot_id = 3"))
    await conn.commit()
    await kept.look()
    assert fresh_of(kept, milk, other) == [-1.0, -1.0]  # more lots than the limit: any may be among them
    await kept.close()
    await live.close()


def fresh_of(kept: Histories, *whose: Whose) -> list[float | None]:
    """For how long the histories are fresh."""
    found = [kept.of_the_run(each) for each in whose]
    return [None if left is None else left.fresh_s for left in found]
