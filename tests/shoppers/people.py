"""Who acts in the tests of this room, and a worker that does what waits."""

from __future__ import annotations

from access.model import ROLES, Actor, operator
from runtime import jobs
from runtime.clock import system_clock
from runtime.database import DatabaseAddress, Role
from runtime.settings import Settings
from shoppers.work import KINDS
from tests.portal.arrangement import SECRET

ADMIN = operator("root")
ADA = Actor("ada", "recall_author", ROLES["recall_author"], "session")
BOB = Actor("bob", "recall_author", ROLES["recall_author"], "session")
VIEWER = Actor("vic", "viewer", ROLES["viewer"], "session")


def place_of(database: DatabaseAddress, settings: Settings) -> jobs.WorkPlace:
    return jobs.WorkPlace(settings, database, database.engine(Role.STAFF, pool_size=2), system_clock, SECRET)


async def do_what_waits(database: DatabaseAddress, settings: Settings) -> None:
    place = place_of(database, settings)
    await jobs.work(place, KINDS, until_idle=True)
    await place.engine.dispose()
