"""Ordered = commissioned + void + unused, whatever people do in whatever order."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from labels import job_lists, printing
from labels.refusals import JobNotFound, LabelsCommissioned, LabelsVoid
from runtime.database import transaction
from tests.examples import examples
from tests.labels.world import SECRET, arranged, noon, number, released

LABELS = 12


async def test_a_job_that_nobody_ordered_has_no_balance(conn: AsyncConnection) -> None:
    with pytest.raises(JobNotFound):
        await printing.balance(conn, 1)


Step = tuple[str, int, int]
steps = st.tuples(st.sampled_from(("commission", "void", "reprint")), st.integers(1, LABELS), st.integers(0, 3))


@settings(
    max_examples=examples(4),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(walk=st.lists(steps, min_size=4, max_size=10))
async def test_the_balance_always_holds_and_agrees_with_a_tally_of_single_labels(
    conn: AsyncConnection, tmp_path: Path, walk: list[Step]
) -> None:
    """The verbs in any order, beside the plainest model there is: one word per label. Each walk is a job of its own."""
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path, count=LABELS)
    serials = await printing.serials(conn, job, keys)
    tally = ["unused"] * LABELS

    for verb, first, more in walk:
        last = first if verb == "reprint" else min(LABELS, first + more)
        part = tally[first - 1 : last]
        try:
            match verb:
                case "commission":
                    await printing.commission(conn, job.job_id, first, last, by="ada", clock=noon, keys=keys)
                case "void":
                    await printing.void(conn, job.job_id, first, last, "torn", by="ada", clock=noon, keys=keys)
                case _:
                    serial = serials[first - 1]
                    await printing.reprint(conn, job.job_id, serial, "torn", by="ada", clock=noon, master_secret=SECRET)
            assert not is_refused(verb, part)
            tally[first - 1 : last] = ["commissioned" if verb == "commission" else "void"] * len(part)
        except (LabelsVoid, LabelsCommissioned):
            assert is_refused(verb, part)

        balance = await printing.balance(conn, job.job_id)
        assert balance.ordered == LABELS == balance.commissioned + balance.void + balance.unused
        told = (balance.commissioned, balance.void, balance.unused)
        assert told == (tally.count("commissioned"), tally.count("void"), tally.count("unused"))

    block = {"lo": job.numbers.lo, "end": job.numbers.lo + job.numbers.n}
    inside = "lo >= :lo AND lo < :end"
    active = f"SELECT coalesce(sum(n), 0) FROM code_run WHERE disposition = 'active' AND {inside}"
    assert await single_states(conn, job.job_id) == tally
    assert await number(conn, active, **block) == tally.count("commissioned")
    assert await number(conn, f"SELECT coalesce(sum(n), 0) FROM void_code WHERE {inside}", **block) == tally.count(
        "void"
    )


def is_refused(verb: str, part: list[str]) -> bool:
    """Whether what was done with these labels before forbids it now."""
    if verb == "commission":
        return "void" in part or len(set(part)) > 1
    return "void" in part and (verb == "reprint" or len(set(part)) > 1)


async def test_jobs_are_listed_newest_first_with_what_became_of_their_labels(
    conn: AsyncConnection, tmp_path: Path
) -> None:
    keys = await arranged(conn)
    jobs = [await released(conn, keys, tmp_path) for _ in range(3)]
    await printing.commission(conn, jobs[1].job_id, 1, 4, by="ada", clock=noon, keys=keys)
    await printing.void(conn, jobs[1].job_id, 9, 10, "torn", by="ada", clock=noon, keys=keys)

    newest = await job_lists.list_jobs(conn, limit=2)
    older = await job_lists.list_jobs(conn, before=newest[-1].job_id)

    assert [line.job_id for line in (*newest, *older)] == [job.job_id for job in reversed(jobs)]
    assert (newest[1].commissioned, newest[1].void, newest[1].unused) == (4, 2, 4)
    with pytest.raises(ValueError, match="1 to 1000"):
        await job_lists.list_jobs(conn, limit=1_001)


async def single_states(conn: AsyncConnection, job_id: int) -> list[str]:
    """The state of each label, from the ranges."""
    states = ["unused"] * LABELS
    async with transaction(conn):
        rows = await conn.execute(
            text("SELECT label_first, label_last, state FROM label_range WHERE job_id = :j"), {"j": job_id}
        )
    for first, last, state in rows:
        for label in range(first, last + 1):
            assert states[label - 1] == "unused"  # ranges never overlap
            states[label - 1] = state
    return states
