"""May this actor do this? The one place that answers; faces ask before they call a verb."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncConnection

from access import store
from access.model import Act, Actor
from access.refusals import RightMissing, SecondPersonNeeded

KEY_ACTOR = "key:"
"""How the records name a key; an account's name cannot hold a colon, so the two never meet."""


def require(actor: Actor, act: Act) -> None:
    """Nothing when ``actor`` has the right; raises ``RightMissing`` otherwise."""
    if not actor.may(act):
        raise RightMissing(actor=actor.name, act=act.value)


def require_one_of(actor: Actor, acts: Collection[Act]) -> None:
    """Nothing when ``actor`` has one of these rights, or when none is asked for; raises ``RightMissing`` otherwise."""
    if acts and not actor.acts.intersection(acts):
        raise RightMissing(actor=actor.name, act="” or “".join(act.value for act in acts))


async def require_second_person(conn: AsyncConnection, actor: Actor, *, first: str) -> None:
    """Nothing when ``actor`` and ``first`` (an actor's name on record) are two people; raises ``SecondPersonNeeded``.

    A key answers to the person who made it: opening a case by key and approving it in the console is one person twice.
    """
    if not await is_second_person(conn, actor, first=first):
        raise SecondPersonNeeded(actor=actor.name, first=first, person=await _person(conn, first))


async def is_second_person(conn: AsyncConnection, actor: Actor, *, first: str) -> bool:
    """Whether ``actor`` and ``first`` are two people, for screens that say it beforehand."""
    return await _person(conn, actor.name) != await _person(conn, first)


async def _person(conn: AsyncConnection, actor_name: str) -> str:
    if not actor_name.startswith(KEY_ACTOR):
        return actor_name
    key = await store.find_key(conn, actor_name.removeprefix(KEY_ACTOR))
    return key.created_by if key else actor_name
