"""One document being taken in: its batches recorded, all or what is right of them, and what is told of it then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import event_store
from ledger.codes import KeyRing
from ledger.epcis.master_data import MasterDataTold
from ledger.epcis.told import Told
from ledger.event_store import Origin
from ledger.model import CaptureReport
from ledger.naming import UNIT_KEYS
from ledger.recording import Recording, record_told
from runtime.clock import Clock
from runtime.database import transaction
from runtime.refusals import Refusal

T = TypeVar("T")
Behaviour = Literal["rollback", "proceed"]

TRIES_MAX: Final = 4
"""How often a capture is tried when the database ended it because two captures waited for each other."""
TOLD_MAX: Final = 1_000
"""Errors, and warnings, of one capture that are told one by one; the rest is counted."""

_WAITED_FOR_EACH_OTHER: Final = ("40P01", "40001")
_TAKEN_MEANWHILE: Final = "23505"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which capture this is, who asked for it, and how. Its job may be on record already."""

    capture_id: UUID
    by: str
    clock: Clock
    keys: KeyRing
    behaviour: Behaviour

    @property
    def told(self) -> tuple[str, str]:
        """How, and who asked: as its job is kept."""
        return self.behaviour, self.by


class ToldPairs:
    """Pairs of where and what: the first ``TOLD_MAX`` of them, and how many more there were."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs: list[tuple[str, str]] = []
        self._more = 0
        self.add(pairs)

    def add(self, pairs: Iterable[tuple[str, str]]) -> None:
        """More of them."""
        for pair in pairs:
            if len(self._pairs) < TOLD_MAX:
                self._pairs.append(pair)
            else:
                self._more += 1

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def all(self) -> tuple[tuple[str, str], ...]:
        """As they are kept."""
        more = [("", f"and {self._more:,} more: only the first {TOLD_MAX:,} are told")] if self._more else []
        return (*self._pairs, *more)


class Taking:
    """What became of the batches of one document so far."""

    def __init__(
        self,
        conn: AsyncConnection,
        asked: Asked,
        header: MasterDataTold,
        warnings: Iterable[tuple[str, str]],
        *,
        keeps_ids: bool = True,
    ) -> None:
        self._conn, self._asked, self._header, self._keeps_ids = conn, asked, header, keeps_ids
        self.errors, self.warnings = ToldPairs(), ToldPairs(warnings)
        self._began_at = asked.clock()
        self.new = self.known = 0
        self.event_ids: list[int] = []

    async def take(self, batch: Sequence[Told]) -> None:
        """Record a batch as was asked; with ``rollback`` any refusal goes up."""
        ordered = sorted(batch, key=lambda told: told.at)
        await (self._all_of(ordered) if self._asked.behaviour == "rollback" else self._what_is_right_of(ordered))

    async def _all_of(self, batch: Sequence[Told]) -> None:
        asked = self._asked
        recording = await record_told(
            self._conn,
            batch,
            origins=[Origin(asked.by, asked.capture_id)] * len(batch),
            at=asked.clock(),
            keys=asked.keys,
            master_data=self._header,
        )
        self._add(recording, batch)

    async def _what_is_right_of(self, batch: Sequence[Told]) -> None:
        """Record these together; when one is refused, each by itself."""
        if not batch:
            return
        try:
            async with self._conn.begin_nested():
                await self._all_of(batch)
        except Refusal as refusal:
            if len(batch) == 1:
                self.errors.add([(batch[0].where, refusal.sentence())])
                return
            middle = len(batch) // 2
            await self._what_is_right_of(batch[:middle])
            await self._what_is_right_of(batch[middle:])

    def _add(self, recording: Recording, batch: Sequence[Told]) -> None:
        self.new += sum(recording.is_new)
        self.known += len(recording.is_new) - sum(recording.is_new)
        self.warnings.add((batch[index].where, what) for index, what in recording.warnings)
        if self._keeps_ids:
            self.event_ids += recording.event_ids

    async def end(self) -> CaptureReport:
        """Write down what became of it."""
        report = self.report()
        await event_store.end_captures(self._conn, [report], by=[self._asked.told])
        return report

    def report(self) -> CaptureReport:
        """What became of it."""
        return CaptureReport(
            capture_id=str(self._asked.capture_id),
            created_at=self._began_at,
            finished_at=self._asked.clock(),
            events=self.new,
            known=self.known,
            errors=self.errors.all(),
            warnings=self.warnings.all(),
            event_ids=tuple(self.event_ids),
            success=not self.errors,
        )


async def carried_out(
    conn: AsyncConnection,
    asked: Asked,
    work: Callable[[], Awaitable[CaptureReport]],
    warnings: Sequence[tuple[str, str]] = (),
) -> CaptureReport:
    """Do the work of a capture; a refusal leaves only the failed job, which its value ``capture_id`` names."""
    try:
        return await tried(work)
    except Refusal as refusal:
        refusal.values["capture_id"] = str(asked.capture_id)
        errors = [(fault.where, fault.what) for fault in refusal.faults] or [("", refusal.sentence())]
        failed = CaptureReport(
            str(asked.capture_id), asked.clock(), asked.clock(), errors=ToldPairs(errors).all(),
            warnings=ToldPairs(warnings).all(), success=False,
        )  # fmt: skip
        async with transaction(conn):
            await event_store.end_captures(conn, [failed], by=[asked.told])
        raise


async def tried(work: Callable[[], Awaitable[T]]) -> T:
    """Do the work; again when the database ended it because two transactions waited for each other, or named the same
    unit first."""
    for _ in range(TRIES_MAX - 1):
        try:
            return await work()
        except (DBAPIError, asyncpg.PostgresError) as error:
            if not _is_to_be_tried_again(error):
                raise
    return await work()


def _is_to_be_tried_again(error: BaseException) -> bool:
    inner = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(inner, "sqlstate", None)
    return state in _WAITED_FOR_EACH_OTHER or (
        state == _TAKEN_MEANWHILE and getattr(inner, "constraint_name", None) in UNIT_KEYS
    )
