"""A worker that is killed in the middle of sending loses nothing, and puts one letter at most in doubt."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime import jobs
from runtime.database import DatabaseAddress
from tests.recall.creamery import SECRET, Creamery
from tests.recall.owners import c1_recalled, deliveries, run_worker
from tests.runtime.mail_server import MailServer, mail_server, settings_for

ROOT = Path(__file__).parent.parent.parent
ACCOUNTS = 60
KILLED_AFTER = 20

# Many recipients without many owners: accounts of one owner, as a sub-recall names them.
_ACCOUNTS = """
    WITH named AS (
        INSERT INTO recall_recipient (case_id, parent_id, level, name, channel, email, takes_part, added_by, added_at)
        SELECT case_id, recipient_id, 1, 'Kiosk ' || n, channel, 'kiosk' || n || '@kiosk.example', true, 'Ben', added_at
        FROM recall_recipient, generate_series(1, :accounts) n WHERE name = 'North Depot' RETURNING *
    ), told AS (
        INSERT INTO recall_notice (case_id, version, change, recipient_id, affected_set_id, lines, is_delta, made_at)
        SELECT n.case_id, p.version, p.change, n.recipient_id, p.affected_set_id, p.lines, false, p.made_at
        FROM named n JOIN recall_notice p ON p.recipient_id = n.parent_id RETURNING *
    )
    INSERT INTO recall_delivery (case_id, notice_id, medium, addressee, address, step, state, due_at, made_at)
    SELECT t.case_id, t.notice_id, 'email', 'recall', n.email, 0, 'queued', t.made_at, t.made_at
    FROM told t JOIN named n USING (recipient_id)
"""


async def started(database: DatabaseAddress, server: MailServer, folder: Path) -> asyncio.subprocess.Process:
    """`tracemark worker`, as an operator starts it."""
    environ = {
        **os.environ, "TRACEMARK_DATABASE_URL": database.url, "TRACEMARK_DATA_DIR": str(folder),
        "TRACEMARK_MASTER_SECRET": SECRET, "TRACEMARK_SMTP_HOST": "127.0.0.1", "TRACEMARK_SMTP_SECURITY": "none",
        "TRACEMARK_SMTP_PORT": str(server.port), "TRACEMARK_MAIL_FROM": "recall@meadow.example",
    }  # fmt: skip
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "worker", "--until-idle", cwd=ROOT, env=environ,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


async def test_after_a_kill_the_next_worker_sends_what_is_left_and_nothing_is_lost(
    database: DatabaseAddress, conn: AsyncConnection, dairy: Creamery, tmp_path: Path
) -> None:
    number = await c1_recalled(conn, dairy)
    async with conn.begin():
        await conn.execute(text(_ACCOUNTS), {"accounts": ACCOUNTS})

    async with mail_server() as server:
        process = await started(database, server, tmp_path)

        def kill_it() -> None:  # at once, however much faster than us it is
            if len(server.taken) == KILLED_AFTER:
                process.kill()

        server.on_arrival = kill_it
        assert await process.wait() == -signal.SIGKILL
        taken_before = len(server.taken)
        async with conn.begin():
            await conn.execute(text("DELETE FROM pgqueuer"))  # the dead worker's job, which waits for its sign of life
            await jobs.enqueue(conn, "recall.deliver_email", {})  # what the clock asks for every minute
        await run_worker(database, settings_for(server))

    assert taken_before < ACCOUNTS
    found = [each for each in await deliveries(conn, number) if each.medium.value == "email"]
    assert {each.state.value for each in found} == {"sent"}
    taken = Counter(str(message["Message-ID"]).partition("@")[0] for message in server.taken)
    assert len(taken) == len(found) == ACCOUNTS + 3  # each letter arrived, under a name of its own
    in_doubt = [each for each in found if each.perhaps_twice]
    assert len(in_doubt) <= 1
    assert sum(taken.values()) - len(taken) <= len(in_doubt)  # what came twice says so, and has the same Message-ID
