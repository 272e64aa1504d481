"""Signing in, staying signed in, and being locked out."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from access import accounts, audit
from access.model import ROLES, Act
from access.refusals import (
    AccountExists,
    AccountNotFound,
    AccountNotUsable,
    PasswordNotUsable,
    RightMissing,
    SessionEnded,
    SignInFailed,
)
from access.sign_in import (
    FAILURES_MAX,
    SESSIONS_MAX,
    actor_of_session,
    form_token,
    form_token_matches,
    sign_in,
    sign_out,
)
from runtime.database import DatabaseAddress, Role
from tests.access.people import OPERATOR, PASSWORD, HandClock, person


async def test_who_signs_in_has_the_rights_of_the_role_and_no_others(conn: AsyncConnection) -> None:
    clock = HandClock()
    await person(conn, "lin", "printer", clock)

    actor, token = await sign_in(conn, "lin", PASSWORD, clock)

    assert actor == await actor_of_session(conn, token, clock)
    assert (actor.name, actor.via, actor.acts) == ("lin", "session", ROLES["printer"])
    assert actor.may(Act.ORDER_LABELS)
    assert not actor.may(Act.AUTHOR_RECALL)


async def test_a_wrong_password_and_an_unknown_name_get_the_same_sentence(conn: AsyncConnection) -> None:
    clock = HandClock()
    await person(conn, "lin", "viewer", clock)

    said = set()
    for name, password in [("lin", "wrong meadow at dawn"), ("nobody", PASSWORD), ("lin\x00", PASSWORD), ("", "")]:
        with pytest.raises(SignInFailed) as refused:
            await sign_in(conn, name, password, clock)
        said.add(refused.value.sentence())

    assert len(said) == 1


async def test_after_five_failures_even_the_right_password_waits_a_quarter_of_an_hour(conn: AsyncConnection) -> None:
    clock = HandClock()
    await person(conn, "lin", "viewer", clock)
    for _ in range(FAILURES_MAX):
        with pytest.raises(SignInFailed):
            await sign_in(conn, "lin", "wrong meadow at dawn", clock)

    clock.move(minutes=14)
    with pytest.raises(SignInFailed):
        await sign_in(conn, "lin", PASSWORD, clock)
    clock.move(minutes=1)
    actor, _ = await sign_in(conn, "lin", PASSWORD, clock)

    assert actor.name == "lin"
    assert [row.act async for row in audit.read(conn)] == ["account.add", "account.lock", "session.start"]


async def test_four_failures_and_a_success_start_the_count_anew(conn: AsyncConnection) -> None:
    clock = HandClock()
    await person(conn, "lin", "viewer", clock)

    for _ in range(2):
        for _ in range(FAILURES_MAX - 1):
            with pytest.raises(SignInFailed):
                await sign_in(conn, "lin", "wrong meadow at dawn", clock)
        await sign_in(conn, "lin", PASSWORD, clock)


async def test_guesses_that_arrive_together_are_counted_one_by_one(database: DatabaseAddress) -> None:
    clock = HandClock()
    engine = database.engine(Role.STAFF, pool_size=8)
    async with engine.connect() as conn:
        await person(conn, "lin", "viewer", clock)

    async def guess(password: str) -> bool:
        async with engine.connect() as conn:
            try:
                await sign_in(conn, "lin", password, clock)
            except SignInFailed:
                return False
            return True

    await asyncio.gather(*(guess(f"wrong meadow number {n}") for n in range(8)))
    let_in = await guess(PASSWORD)
    await engine.dispose()

    assert not let_in


async def test_a_session_ends_after_twelve_hours(conn: AsyncConnection) -> None:
    clock = HandClock()
    await person(conn, "lin", "viewer", clock)
    _, token = await sign_in(conn, "lin", PASSWORD, clock)

    clock.move(hours=11, minutes=59)
    await actor_of_session(conn, token, clock)
    clock.move(minutes=1)

    with pytest.raises(SessionEnded):
        await actor_of_session(conn, token, clock)


async def test_who_may_approve_is_signed_out_after_half_an_hour_of_nothing(conn: AsyncConnection) -> None:
    clock = HandClock()
    await person(conn, "mei", "recall_approver", clock)
    _, token = await sign_in(conn, "mei", PASSWORD, clock)

    for _ in range(3):
        clock.move(minutes=30)
        await actor_of_session(conn, token, clock)
    clock.move(minutes=31)

    with pytest.raises(SessionEnded):
        await actor_of_session(conn, token, clock)


@pytest.mark.parametrize("token", [None, "", "x", "A" * 43, "A" * 5_000, "\ud800"])
async def test_a_token_that_was_never_given_out_signs_nobody_in(conn: AsyncConnection, token: str | None) -> None:
    with pytest.raises(SessionEnded):
        await actor_of_session(conn, token, HandClock())


async def test_signing_out_ends_this_session_only(conn: AsyncConnection) -> None:
    clock = HandClock()
    await person(conn, "lin", "viewer", clock)
    _, office = await sign_in(conn, "lin", PASSWORD, clock)
    _, phone = await sign_in(conn, "lin", PASSWORD, clock)

    await sign_out(conn, office, clock)
    await sign_out(conn, office, clock)

    with pytest.raises(SessionEnded):
        await actor_of_session(conn, office, clock)
    assert (await actor_of_session(conn, phone, clock)).name == "lin"


async def test_one_session_too_many_ends_the_oldest(conn: AsyncConnection) -> None:
    clock = HandClock()
    await person(conn, "lin", "viewer", clock)
    tokens = []
    for _ in range(SESSIONS_MAX + 1):
        tokens.append((await sign_in(conn, "lin", PASSWORD, clock))[1])
        clock.move(seconds=1)

    with pytest.raises(SessionEnded):
        await actor_of_session(conn, tokens[0], clock)
    for token in tokens[1:]:
        await actor_of_session(conn, token, clock)


async def test_the_database_never_holds_a_token_or_a_password(conn: AsyncConnection) -> None:
    clock = HandClock()
    await person(conn, "lin", "viewer", clock)
    _, token = await sign_in(conn, "lin", PASSWORD, clock)

    rows = await conn.execute(text("SELECT a::text || s::text FROM account a, session s"))

    kept = rows.scalar_one()
    assert token not in kept
    assert token.encode().hex() not in kept
    assert PASSWORD not in kept
    assert "$argon2id$" in kept


async def test_a_disabled_account_is_out_at_once_and_cannot_come_back(conn: AsyncConnection) -> None:
    clock = HandClock()
    await person(conn, "lin", "viewer", clock)
    _, token = await sign_in(conn, "lin", PASSWORD, clock)

    first = await accounts.disable(conn, "lin", by=OPERATOR, clock=clock)
    clock.move(minutes=1)
    again = await accounts.disable(conn, "lin", by=OPERATOR, clock=clock)

    assert first.disabled_at == again.disabled_at
    with pytest.raises(SessionEnded):
        await actor_of_session(conn, token, clock)
    with pytest.raises(SignInFailed):
        await sign_in(conn, "lin", PASSWORD, clock)


async def test_a_new_password_ends_the_sessions_of_the_old_one(conn: AsyncConnection) -> None:
    clock = HandClock()
    await person(conn, "lin", "viewer", clock)
    actor, token = await sign_in(conn, "lin", PASSWORD, clock)

    await accounts.set_password(conn, "lin", "another meadow at dusk", by=actor, clock=clock)

    with pytest.raises(SessionEnded):
        await actor_of_session(conn, token, clock)
    with pytest.raises(SignInFailed):
        await sign_in(conn, "lin", PASSWORD, clock)
    assert (await sign_in(conn, "lin", "another meadow at dusk", clock))[0].name == "lin"


async def test_only_an_administrator_makes_accounts_and_sets_the_passwords_of_others(conn: AsyncConnection) -> None:
    clock = HandClock()
    for name, role in [("lin", "recall_approver"), ("ada", "admin"), ("bo", "viewer")]:
        await person(conn, name, role, clock)
    lin, _ = await sign_in(conn, "lin", PASSWORD, clock)
    ada, _ = await sign_in(conn, "ada", PASSWORD, clock)

    with pytest.raises(RightMissing, match="administer"):
        await accounts.add_account(conn, name="eve", role="admin", password=PASSWORD, by=lin, clock=clock)
    with pytest.raises(RightMissing):
        await accounts.set_password(conn, "bo", "another meadow at dusk", by=lin, clock=clock)
    with pytest.raises(RightMissing):
        await accounts.disable(conn, "bo", by=lin, clock=clock)
    await accounts.add_account(conn, name="eve", role="viewer", password=PASSWORD, by=ada, clock=clock)

    assert [account.name for account in await accounts.list_accounts(conn)] == ["ada", "bo", "eve", "lin"]


@pytest.mark.parametrize(
    ("name", "role", "password", "refusal"),
    [
        ("Lin", "viewer", PASSWORD, AccountNotUsable),
        ("key:erp", "viewer", PASSWORD, AccountNotUsable),
        ("l", "viewer", PASSWORD, AccountNotUsable),
        ("lin", "boss", PASSWORD, AccountNotUsable),
        ("lin", "viewer", "short", PasswordNotUsable),
    ],
)
async def test_an_account_that_cannot_be_is_refused_and_nothing_is_left(
    conn: AsyncConnection, name: str, role: str, password: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await accounts.add_account(conn, name=name, role=role, password=password, by=OPERATOR, clock=HandClock())

    assert await accounts.list_accounts(conn) == ()


async def test_a_name_belongs_to_one_account(conn: AsyncConnection) -> None:
    clock = HandClock()
    await person(conn, "lin", "viewer", clock)

    with pytest.raises(AccountExists, match="lin"):
        await person(conn, "lin", "admin", clock)
    with pytest.raises(AccountNotFound, match="bo"):
        await accounts.disable(conn, "bo", by=OPERATOR, clock=clock)


def test_a_form_made_for_one_session_does_not_fit_another() -> None:
    assert form_token_matches("mine", form_token("mine"))
    assert not form_token_matches("mine", form_token("yours"))
    assert not form_token_matches("mine", "")
    assert not form_token_matches("mine", "\ud800")
