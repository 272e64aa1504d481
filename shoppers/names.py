"""Whose name shoppers may read in a history: the brand says so for each party; else role and region stand there."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from access.model import Act, Actor
from access.permissions import require
from ledger import master_data
from ledger.model import Party, PartyDraft
from ledger.refusals import PartyNotFound
from runtime.clock import Clock
from runtime.database import transaction
from shoppers.refusals import ConsumerNotNamed


async def show_name(conn: AsyncConnection, known_as: str, *, is_public: bool, by: Actor, clock: Clock) -> Party:
    """Let shoppers read a party's name, or no longer. ``known_as``: its GLN or URI.

    Histories that were read before may be shown on for some minutes. A consumer is never named.
    """
    require(by, Act.MANAGE_LINKS)
    async with transaction(conn):
        party = await master_data.find_party(conn, known_as)
        if party is None:
            raise PartyNotFound(value=known_as[:100])
        if is_public and party.role == "consumer":
            raise ConsumerNotNamed
        if party.name_public == is_public:
            return party
        await audit.note(conn, by.name, "party.show_name", party.uri, {"is_public": is_public}, clock)
        return await master_data.put_party(conn, PartyDraft(party.name, uri=party.uri, name_public=is_public))
