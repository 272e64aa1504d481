"""Mail addresses for the people of the dairy, and a worker for its outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import master_data
from ledger.model import ContactDraft, ContactKind
from recall import deliveries_store, store
from recall.deliveries_store import Delivery
from recall.work import KINDS
from runtime import jobs, settings
from runtime.clock import Clock
from runtime.database import DatabaseAddress, Role, transaction
from runtime.settings import Settings
from tests import kept
from tests.recall.creamery import CHEESE, CORNER_SHOP, CREAMERY, NORTH_DEPOT, NOW, RIVER_MARKET, SECRET, Creamery, clock
from tests.recall.desk import published
from tests.runtime.mail_server import MailServer

ADA, BEN, CLEO, DAN = "ada@meadow.example", "ben@depot.example", "cleo@shop.example", "dan@market.example"
EVE = "eve@shop.example"
PHONE = "+44 20 7946 0100"
_CONTACTS: tuple[tuple[str, ContactKind, str, str, str | None], ...] = (
    (CREAMERY, "recall", "Ada Field", ADA, "en"),
    (NORTH_DEPOT, "recall", "Ben Carter", BEN, None),
    (CORNER_SHOP, "recall", "Cleo Marsh", CLEO, "en"),
    (CORNER_SHOP, "alternate", "Eve Marsh", EVE, "zh"),
    (RIVER_MARKET, "alternate", "Dan River", DAN, "zh"),
)


def at(hours: float = 0) -> Clock:
    """So many hours after the day of the recall."""

    def then() -> datetime:
        return NOW + timedelta(hours=hours)

    return then


async def with_addresses(conn: AsyncConnection) -> None:
    """Mail addresses of all recall contacts, and Eve, who stands in for Cleo."""
    async with transaction(conn):
        for party, kind, name, email, language in _CONTACTS:
            draft = ContactDraft(party_uri=party, kind=kind, name=name, email=email, phone=PHONE, language=language)
            await master_data.put_contact(conn, draft)


async def c1_recalled(conn: AsyncConnection, dairy: Creamery) -> str:
    """The published case of lot C1 of the cheese; whoever answers for an owner has a mail address."""

    async def told() -> str:
        await with_addresses(conn)
        return await published(conn, dairy, lots=[(CHEESE, "C1")])

    return await kept.once(kept.behind(conn), "C1 recalled", told)


async def run_worker(database: DatabaseAddress, chosen: Settings | None = None, *, clock: Clock = clock) -> None:
    """Do all jobs that wait."""
    engine = database.engine(Role.STAFF, pool_size=4)
    place = jobs.WorkPlace(chosen or settings.load({}), database, engine, clock, SECRET)
    await jobs.work(place, KINDS, until_idle=True)
    await engine.dispose()


async def deliveries(conn: AsyncConnection, number: str) -> Sequence[Delivery]:
    """All deliveries of a case."""
    found = await deliveries_store.list_deliveries(conn, await store.find_case(conn, number))
    await conn.rollback()
    return found


async def told(conn: AsyncConnection, number: str) -> set[tuple[str, str, str]]:
    """(owner, medium, state) of all deliveries of a case."""
    return {(each.name, each.medium.value, each.state.value) for each in await deliveries(conn, number)}


def letter_to(server: MailServer, address: str) -> str:
    """The words of the one letter to this address."""
    [found] = [message for message in server.taken if message["To"] == address]
    body = found.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
