"""Work that outlives a request: rendering, deliveries, reminders.

A job is enqueued inside its verb's transaction and so happens if and only if the verb did. It carries identifiers,
never facts: the room's own rows say what is still to be done, because a job may run twice (its worker died after the
work and before the tick) and must then find that nothing is left.

The queue is pgqueuer, on tables of its own in the same database.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import asyncpg
from pgqueuer import AsyncpgPoolDriver, PgQueuer, Queries
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel, QueueEntrypoint, QueueExecutionMode
from pgqueuer.errors import RetryRequested
from pgqueuer.executors import DatabaseRetryEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.models import Job, Schedule
from pydantic_settings import PydanticBaseSettingsSource
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.clock import Clock
from runtime.database import DatabaseAddress, Role, raw
from runtime.settings import Settings

CONNECTIONS: Final = 4  # of a worker's own pool: one listens, the others take and finish jobs
BATCH: Final = 10
LOOK_EVERY: Final = timedelta(seconds=5)  # without a hint
SILENT_AFTER: Final = timedelta(seconds=60)  # a worker that gave no sign for so long has died: its jobs are taken over


class TryLater(Exception):
    """Raised by a job that cannot be done now: it is put back for ``delay``, and ``reason`` is logged."""

    def __init__(self, delay: timedelta, reason: str) -> None:
        super().__init__(reason)
        self.delay = delay
        self.reason = reason


@dataclass(frozen=True, slots=True)
class WorkPlace:
    """What a job works with."""

    settings: Settings
    address: DatabaseAddress
    engine: AsyncEngine  # staff rights
    clock: Clock
    master_secret: str = field(repr=False)


Work = Callable[[WorkPlace, Mapping[str, Any]], Awaitable[None]]
TimedWork = Callable[[WorkPlace], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of job. ``at_once`` bounds how many run at a time over all workers (0: no bound).

    A job that raises is tried again, after 1 s, 2 s, 4 s … up to 5 minutes, ``attempts_max`` times; then it stays as
    *failed* until a person looks (``failed``). The room's own rows must tell what became of it.
    """

    name: str
    work: Work
    at_once: int = 0
    attempts_max: int = 8


@dataclass(frozen=True, slots=True)
class Timed:
    """Work done by the clock: ``at`` is a cron expression in UTC. It runs once, however many workers there are."""

    name: str
    at: str
    work: TimedWork


class _Names(DBSettings):
    """The queue's names are ours: nothing of them comes from the environment."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: Any,
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


_NAMES: Final = _Names()


def install_sql() -> str:
    """The statements that make the queue's tables."""
    return QueryBuilderEnvironment(_NAMES).build_install_query(create_schema=False)


async def enqueue(
    conn: AsyncConnection,
    kind: str,
    *payloads: Mapping[str, Any],
    after: timedelta | None = None,
    key: str | None = None,
) -> None:
    """Ask for a job per payload (JSON values), inside the caller's transaction.

    ``after`` is how long to wait. ``key`` names the one job of its kind that may be waiting or running: while one is,
    asking again does nothing (a key goes with one payload).
    """
    if key is not None and len(payloads) != 1:
        raise ValueError("a key names one job")
    if not payloads:
        return
    await conn.execute(text("SELECT 1"))  # the transaction has begun, so what the driver does below is part of it
    n = len(payloads)
    await _queries(_Driver(await raw(conn))).enqueue(
        [kind] * n,
        [json.dumps(dict(payload)).encode() for payload in payloads],
        [0] * n,
        [after] * n,
        [None if key is None else f"{kind}:{key}"] * n,
        on_conflict="skip",
    )


async def work(
    place: WorkPlace,
    kinds: Sequence[JobKind],
    timed: Sequence[Timed] = (),
    *,
    until_idle: bool = False,
    stop: asyncio.Event | None = None,
) -> None:
    """Do jobs until cancelled or until ``stop`` is set; what has begun is finished first.

    ``until_idle`` ends when nothing waits that is due, and leaves timed work alone (tests, one-off runs). What waits
    for later, also a job that is to be tried again in a second, stays in the queue.
    """
    pool = await place.address.pool(Role.STAFF, size=CONNECTIONS)
    try:
        driver = AsyncpgPoolDriver(pool)
        queries = _queries(driver, _DueOnly if until_idle else Queries)
        queuer = PgQueuer(driver, channel=Channel(_NAMES.channel), queries=queries)
        for kind in kinds:
            _register(queuer, kind, place)
        if until_idle:
            await queuer.qm.run(batch_size=BATCH, dequeue_timeout=LOOK_EVERY, mode=QueueExecutionMode.drain)
            return
        for each in timed:
            _register_timed(queuer, each, place)
        async with asyncio.TaskGroup() as group:
            ended = group.create_task(_pass_on(stop, queuer.shutdown))
            await queuer.run(dequeue_timeout=LOOK_EVERY, batch_size=BATCH, heartbeat_timeout=SILENT_AFTER)
            ended.cancel()
    finally:
        await pool.close()


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many jobs of a kind wait, run, or stay failed."""

    kind: str
    status: str
    count: int


async def waiting(conn: AsyncConnection) -> tuple[Waiting, ...]:
    """What is in the queue, by kind and status (``queued``, ``picked``, ``failed``)."""
    rows = await conn.execute(
        text("SELECT entrypoint, status::text, count(*) FROM pgqueuer GROUP BY entrypoint, status ORDER BY 1, 2")
    )
    return tuple(Waiting(kind, status, int(count)) for kind, status, count in rows)


class _DueOnly(Queries):
    """A queue that is empty when nothing in it is due: the library waits for what is deferred, if need be for days."""

    async def queued_work(self, entrypoints: list[QueueEntrypoint]) -> int:
        return await self.eligible_queued_work(entrypoints)


def _queries(driver: Any, kind: type[Queries] = Queries) -> Queries:
    return kind(
        driver,
        qbe=QueryBuilderEnvironment(_NAMES),
        qbq=QueryQueueBuilder(_NAMES),
        qbs=QuerySchedulerBuilder(_NAMES),
    )


def _register(queuer: PgQueuer, kind: JobKind, place: WorkPlace) -> None:
    async def run(job: Job) -> None:
        try:
            await kind.work(place, json.loads(job.payload or b"{}"))
        except TryLater as later:
            raise RetryRequested(delay=later.delay, reason=later.reason) from later

    def executor(parameters: EntrypointExecutorParameters) -> DatabaseRetryEntrypointExecutor:
        return DatabaseRetryEntrypointExecutor(parameters, max_attempts=kind.attempts_max)

    queuer.entrypoint(
        kind.name, concurrency_limit=kind.at_once, accepts_context=False, on_failure="hold", executor_factory=executor
    )(run)


def _register_timed(queuer: PgQueuer, timed: Timed, place: WorkPlace) -> None:
    async def run(_schedule: Schedule) -> None:
        await timed.work(place)

    queuer.schedule(timed.name, timed.at, clean_old=True, accepts_context=False)(run)


async def _pass_on(stop: asyncio.Event | None, shutdown: asyncio.Event) -> None:
    if stop is not None:
        await stop.wait()
        shutdown.set()


class _Driver:
    """The verb's own connection, as pgqueuer wants to see one."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        return [dict(row) for row in await self._connection.fetch(query, *args)]
