"""What the model says that a case names is what the public record says, by rows and by the verbs of the recall room."""

from __future__ import annotations

import asyncpg
import pytest

from load_tests import truth_store
from load_tests.truth_casework import Desk
from load_tests.truth_model import Named
from load_tests.truth_server import SECRET
from load_tests.truth_store import World
from runtime.database import DatabaseAddress, Role

IN_SCOPE = """
    SELECT EXISTS (SELECT FROM public_recall_scope
                   WHERE lot_id = $1 AND (lo IS NULL OR (lo <= $2 AND $2 < lo + n)))"""


@pytest.fixture
async def world(database: DatabaseAddress) -> World:
    return await truth_store.write(database, SECRET)


async def test_the_verbs_of_a_case_publish_what_the_model_says_at_each_step(
    database: DatabaseAddress, world: World
) -> None:
    desk, raw = Desk(database, world, SECRET), await database.connect(Role.PORTAL)
    first, second = (code.number for code in world.items[8][:2])
    states = [
        Named(frozenset({2}), frozenset({first})),
        Named(frozenset({2, 3}), frozenset({first, second})),
        Named(frozenset({3}), frozenset({second})),
        Named(frozenset({2, 3}), frozenset({first, second})),  # what was taken out is named again
        None,
        Named(frozenset({3})),  # a new case
    ]
    revisions, old = [0], None

    for new in states:
        revisions.append(await desk.change(5, old, new))
        assert await named_in_public(raw, world) == named_by(world, new)
        old = new

    assert sorted(set(revisions)) == revisions  # each change is one to whoever follows the revision
    assert await desk.change(5, old, old) == revisions[-1]
    await desk.close()
    await raw.close()


async def test_rows_publish_what_the_model_says(database: DatabaseAddress, world: World) -> None:
    raw, lot_of = await database.connect(Role.OWNER), world.lot_of()
    item = world.items[8][0].number

    for new in (Named(frozenset({2}), frozenset({item})), Named(frozenset({3}))):
        await truth_store.put(raw, 1, new, lot_of)
        assert await named_in_public(raw, world) == named_by(world, new)
    await truth_store.take_back(raw, 1)
    assert await named_in_public(raw, world) == set()
    await raw.close()


def named_by(world: World, named: Named | None) -> set[int]:
    """The first items of each lot that the model says are named."""
    asked = [code for items in world.items.values() for code in items[:3]]
    return {code.number for code in asked if named is not None and named.holds(code)}


async def named_in_public(raw: asyncpg.Connection, world: World) -> set[int]:
    """The same as the portal reads it."""
    asked = [code for items in world.items.values() for code in items[:3]]
    return {code.number for code in asked if await raw.fetchval(IN_SCOPE, code.lot, code.number)}
