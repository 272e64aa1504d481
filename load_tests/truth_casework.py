"""Cases worked by two people through the verbs of the recall room, as an installation does it."""

from __future__ import annotations

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import codes
from ledger.codes import KeyRing
from load_tests import truth_store
from load_tests.truth_model import Named
from load_tests.truth_store import SITE, World
from recall import casework
from recall.model import CaseDraft
from runtime.clock import system_clock
from runtime.database import DatabaseAddress, Role, transaction

AUTHOR: Final = "Ada"
SECOND: Final = "Ben"
REASON: Final = "tested clean"


class Desk:
    """Where cases are opened, submitted, approved, published, widened, narrowed and cancelled."""

    def __init__(self, address: DatabaseAddress, world: World, master_secret: str) -> None:
        self._engine = address.engine(Role.STAFF, pool_size=1)
        self._world = world
        self._path_of = {code.number: code.path for every in world.items.values() for code in every}
        self._master_secret = master_secret
        self._keys: KeyRing | None = None
        self._number_of: dict[int, str] = {}

    async def change(self, case_id: int, old: Named | None, new: Named | None) -> int:
        """Make the case name ``new`` instead of ``old`` (None: it is not published); returns the revision then.

        ``case_id`` is the caller's own name of the case. Of what is named, either something is added or something is
        taken out.
        """
        async with self._engine.connect() as conn:
            keys = await self._ring(conn)
            if old is None:
                assert new is not None
                await self._publish(conn, case_id, new, keys)
            elif new is None:
                await self._cancel(conn, case_id, keys)
            elif (more := _less(new, old)) != Named():
                await self._widen(conn, case_id, more, keys)
            elif (fewer := _less(old, new)) != Named():
                await self._narrow(conn, case_id, fewer, keys)
            return await truth_store.revision_seen(conn)

    async def close(self) -> None:
        """Let go of the database."""
        await self._engine.dispose()

    async def _ring(self, conn: AsyncConnection) -> KeyRing:
        if self._keys is None:
            async with transaction(conn):
                self._keys = await codes.ensure_key(conn, self._master_secret, clock=system_clock)
        return self._keys

    async def _publish(self, conn: AsyncConnection, case_id: int, named: Named, keys: KeyRing) -> None:
        draft = CaseDraft(
            title="Hill cheese", hazard="The cheese may contain Listeria, which can cause serious illness.",
            hazard_class=1, codes=self._codes(named), lots=self._lots(named),
        )  # fmt: skip
        case = await casework.open_case(conn, draft, by=AUTHOR, clock=system_clock, keys=keys)
        self._number_of[case_id] = case.number
        await casework.submit(conn, case.number, by=AUTHOR, clock=system_clock)
        await casework.approve(conn, case.number, by=SECOND, clock=system_clock)
        await casework.publish(conn, case.number, by=SECOND, clock=system_clock, keys=keys)

    async def _widen(self, conn: AsyncConnection, case_id: int, more: Named, keys: KeyRing) -> None:
        await casework.widen(
            conn, self._number_of[case_id], codes=self._codes(more), lots=self._lots(more), by=AUTHOR,
            clock=system_clock, keys=keys,
        )  # fmt: skip

    async def _narrow(self, conn: AsyncConnection, case_id: int, fewer: Named, keys: KeyRing) -> None:
        await casework.narrow(
            conn, self._number_of[case_id], codes=self._codes(fewer), lots=self._lots(fewer), reason=REASON, by=AUTHOR,
            approved_by=SECOND, clock=system_clock, keys=keys,
        )  # fmt: skip

    async def _cancel(self, conn: AsyncConnection, case_id: int, keys: KeyRing) -> None:
        await casework.cancel(
            conn, self._number_of[case_id], reason=REASON, by=AUTHOR, approved_by=SECOND, clock=system_clock, keys=keys
        )

    def _codes(self, named: Named) -> tuple[str, ...]:
        return tuple(SITE + self._path_of[number] for number in sorted(named.numbers))

    def _lots(self, named: Named) -> tuple[tuple[str, str], ...]:
        return tuple(self._world.gtin_lots[lot] for lot in sorted(named.lots))


def _less(named: Named, other: Named) -> Named:
    return Named(named.lots - other.lots, named.numbers - other.numbers)
