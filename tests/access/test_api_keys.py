"""Keys of machines: what they open, who may make them, and whom they answer to."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from access import api_keys
from access.model import ROLES, Act, Actor, operator
from access.permissions import require, require_second_person
from access.refusals import (
    KeyExists,
    KeyNotFound,
    KeyNotUsable,
    KeyNotValid,
    RightMissing,
    SecondPersonNeeded,
)
from tests.access.people import OPERATOR, HandClock

ADA = Actor("ada", "admin", ROLES["admin"], "session")
MEI = Actor("mei", "recall_approver", ROLES["recall_approver"], "session")


async def test_a_key_does_what_it_was_made_for_and_nothing_else(conn: AsyncConnection) -> None:
    clock = HandClock()
    secret = await api_keys.create(conn, "erp", [Act.VIEW, Act.CAPTURE], ADA, clock)

    actor = await api_keys.actor_of_key(conn, secret, clock)

    assert secret.startswith("tmk_live_")
    assert (actor.name, actor.via) == ("key:erp", "key")
    require(actor, Act.CAPTURE)
    with pytest.raises(RightMissing, match=r"key:erp .*order_labels"):
        require(actor, Act.ORDER_LABELS)


async def test_only_a_digest_of_the_secret_is_kept(conn: AsyncConnection) -> None:
    secret = await api_keys.create(conn, "erp", [Act.VIEW], ADA, HandClock())

    kept = (await conn.execute(text("SELECT k::text FROM api_key k"))).scalar_one()

    assert secret not in kept
    assert secret[:13] in kept


async def test_a_revoked_key_opens_nothing_and_its_name_is_spent(conn: AsyncConnection) -> None:
    clock = HandClock()
    secret = await api_keys.create(conn, "erp", [Act.VIEW], ADA, clock)

    await api_keys.revoke(conn, "erp", by=ADA, clock=clock)

    with pytest.raises(KeyNotValid):
        await api_keys.actor_of_key(conn, secret, clock)
    with pytest.raises(KeyNotFound):
        await api_keys.revoke(conn, "erp", by=ADA, clock=clock)
    with pytest.raises(KeyExists):
        await api_keys.create(conn, "erp", [Act.VIEW], ADA, clock)


async def test_a_secret_that_is_nearly_right_is_wrong(conn: AsyncConnection) -> None:
    clock = HandClock()
    secret = await api_keys.create(conn, "erp", [Act.VIEW], ADA, clock)
    other = "A" if secret[-1] != "A" else "B"

    for wrong in (secret[:-1], secret[:-1] + other, secret + "A", secret.upper(), "", "tmk_live_\x00"):
        with pytest.raises(KeyNotValid):
            await api_keys.actor_of_key(conn, wrong, clock)


async def test_the_day_of_last_use_is_on_record(conn: AsyncConnection) -> None:
    clock = HandClock()
    secret = await api_keys.create(conn, "erp", [Act.VIEW], ADA, clock)
    (unused,) = await api_keys.list_keys(conn)

    await api_keys.actor_of_key(conn, secret, clock)
    clock.move(days=1)
    await api_keys.actor_of_key(conn, secret, clock)

    (used,) = await api_keys.list_keys(conn)
    assert (unused.last_used_on, used.last_used_on) == (None, date(2026, 11, 25))


@pytest.mark.parametrize(
    ("name", "acts", "problem"),
    [
        ("ERP one", {Act.VIEW}, "2 to 40"),
        ("erp", set(), "no rights"),
        ("erp", {Act.VIEW, Act.ADMINISTER}, "administer"),
        ("erp", {Act.AUTHOR_RECALL, Act.APPROVE_RECALL}, "both author and approve"),
    ],
)
async def test_a_key_that_must_not_be_is_refused(
    conn: AsyncConnection, name: str, acts: set[Act], problem: str
) -> None:
    with pytest.raises(KeyNotUsable, match=problem):
        await api_keys.create(conn, name, acts, ADA, HandClock())

    assert await api_keys.list_keys(conn) == ()


async def test_nobody_gives_a_key_more_rights_than_they_have(conn: AsyncConnection) -> None:
    keeper = Actor("kit", "admin", frozenset({Act.ADMINISTER, Act.VIEW}), "session")

    with pytest.raises(KeyNotUsable, match="do not have: capture"):
        await api_keys.create(conn, "erp", [Act.VIEW, Act.CAPTURE], keeper, HandClock())
    with pytest.raises(RightMissing, match="administer"):
        await api_keys.create(conn, "erp", [Act.VIEW], MEI, HandClock())


async def test_a_person_and_the_keys_they_made_are_one_person(conn: AsyncConnection) -> None:
    clock = HandClock()
    opener = await api_keys.create(conn, "opener", [Act.AUTHOR_RECALL], ADA, clock)
    approver = await api_keys.create(conn, "approver", [Act.APPROVE_RECALL], ADA, clock)
    by_key = await api_keys.actor_of_key(conn, approver, clock)
    opening = (await api_keys.actor_of_key(conn, opener, clock)).name

    for actor, first in [(ADA, "ada"), (ADA, opening), (by_key, opening), (by_key, "ada")]:
        with pytest.raises(SecondPersonNeeded, match="ada"):
            await require_second_person(conn, actor, first=first)
    await require_second_person(conn, MEI, first=opening)
    await require_second_person(conn, by_key, first="lin")


def test_the_operator_of_the_machine_may_do_everything() -> None:
    for act in Act:
        require(operator("root"), act)
    assert OPERATOR.via == "operator"


def test_every_act_belongs_to_some_role_beside_the_administrator_or_is_administration() -> None:
    others = frozenset().union(*(acts for role, acts in ROLES.items() if role != "admin"))

    assert frozenset(Act) - others == {Act.ADMINISTER}
    assert not ROLES["recall_author"] & {Act.APPROVE_RECALL, Act.PUBLISH_RECALL}
