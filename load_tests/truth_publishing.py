"""Publishes, widens, narrows and cancels cases without a pause, and writes down when each commit was on its way.

Some cases are written as rows, so that a change takes a millisecond and its commit is known; the others go through
the verbs of the recall room, with two people, as in an installation.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError

from load_tests import truth_store as store
from load_tests.truth_casework import Desk
from load_tests.truth_model import Named, Oracle
from load_tests.truth_store import World
from runtime.database import DatabaseAddress, Role
from web.problems import is_of_the_world

CASES: Final = 4
"""Cases at most that are written as rows, each published, changed and cancelled again and again."""
CASES_AT_THE_DESK: Final = 2
"""Cases at most that go through the verbs: the numbers after those of the others."""
HOT_ITEMS: Final = 10
"""Items of a lot that are asked about, so that answers are kept ready and asked for again; some are named singly."""
APART_S: Final = 0.08
AGAIN_AFTER_S: Final = 0.1
RUSHED_LOT: Final = 1
"""Its items are never recalled: all who scan come to one of them at the same time, to be the first."""
# The last: told on a connection whose server has just said that it ends it, and whose end was not heard yet.
_FAILURES: Final = (
    OSError,
    TimeoutError,
    DBAPIError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class Publisher:
    """The only one who changes the public record. Speaks to the database itself, not through the bad wire."""

    def __init__(
        self,
        address: DatabaseAddress,
        world: World,
        oracle: Oracle,
        seed: int,
        *,
        master_secret: str,
        apart_s: float = APART_S,
    ) -> None:
        self._address = address
        self._desk = Desk(address, world, master_secret)
        self._world = world
        self._oracle = oracle
        self._chance = random.Random(seed)
        self._apart_s = apart_s
        self._lot_of = world.lot_of()
        self._cases: dict[int, Named] = {}
        self._connection: asyncpg.Connection | None = None
        self._is_over = False
        self.commits = 0
        self.commits_at_the_desk = 0

    async def begin(self) -> None:
        """Write down the record before anything is published."""
        self._oracle.states.append(await store.first_state(await self._connected()))

    async def run(self) -> None:
        """Change one case after another until it is told to ``end``."""
        try:
            while not self._is_over:
                await self._change_surely(*self._next())
                await asyncio.sleep(self._apart_s * self._chance.random() * 2)
        finally:
            self._drop()
            await self._desk.close()

    def end(self) -> None:
        """Change no more after the change that is under way."""
        self._is_over = True

    def _next(self) -> tuple[int, Named | None]:
        """A case, and what it names from now on; None: it is cancelled."""
        case_id = self._chance.randint(1, CASES + CASES_AT_THE_DESK)
        named = self._cases.get(case_id)
        more = self._named(at_the_desk=case_id > CASES)
        if named is None:
            return case_id, more
        turn = self._chance.random()
        if turn < 0.3:
            return case_id, None
        if turn < 0.65:
            return case_id, Named(named.lots | more.lots, named.numbers | more.numbers)
        fewer = Named(frozenset(sorted(named.lots)[1:]), frozenset(sorted(named.numbers)[1:]))
        return case_id, None if fewer == Named() else fewer

    def _named(self, *, at_the_desk: bool) -> Named:
        """A lot and two items of another one.

        At the desk the one is of the first half of the lots and the other of the second: what a narrowing takes out is
        out whatever else names it, and here it shall be named by nothing else.
        """
        lots = [lot for lot in self._world.items if lot != RUSHED_LOT]
        half = len(lots) // 2
        pair = self._chance.sample(lots, 2)
        if at_the_desk:
            pair = [self._chance.choice(lots[:half]), self._chance.choice(lots[half:])]
        items = [code.number for code in self._world.items[pair[1]][:HOT_ITEMS]]
        return Named(frozenset(pair[:1]), frozenset(self._chance.sample(items, 2)))

    async def _change_surely(self, case_id: int, named: Named | None) -> None:
        """Make the change; when the database went away meanwhile, find out whether it was made.

        Without a deadline: of a commit that is still under way nobody can say whether it was made.
        """
        before = self._oracle.states[-1].revision
        began_at = time.monotonic()
        try:
            revision, committing_at = await self._change(case_id, named)
        except _FAILURES as error:
            self._drop()
            if not (isinstance(error, OSError | asyncpg.InternalClientError) or is_of_the_world(error)):
                raise
            revision, committing_at = await self._revision_after_a_failure(), began_at
        if revision == before:  # nobody else publishes: the change was not made, or there was none
            return
        cases = {**self._cases, case_id: named}
        self._cases = {k: v for k, v in cases.items() if v is not None}
        self._oracle.states.append(store.state_of(revision, committing_at, self._cases.values()))
        self.commits += 1
        self.commits_at_the_desk += case_id > CASES

    async def _change(self, case_id: int, named: Named | None) -> tuple[int, float]:
        """The revision that this made, and an instant before its commit was sent."""
        if case_id > CASES:
            began_at = time.monotonic()
            return await self._desk.change(case_id, self._cases.get(case_id), named), began_at
        connection = await self._connected()
        transaction = connection.transaction()
        await transaction.start()
        if named is None:
            revision = await store.take_back(connection, case_id)
        else:
            revision = await store.put(connection, case_id, named, self._lot_of)
        committing_at = time.monotonic()
        await transaction.commit()
        return revision, committing_at

    async def _revision_after_a_failure(self) -> int:
        while True:
            try:
                return await store.revision(await self._connected())
            except _FAILURES:
                self._drop()
                await asyncio.sleep(AGAIN_AFTER_S)

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._address.connect(Role.OWNER)
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            connection.terminate()
