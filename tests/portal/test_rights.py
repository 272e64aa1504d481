"""The portal's database role sees what is published, and nothing else."""

from __future__ import annotations

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime.database import DatabaseAddress, Role
from tests.portal.arrangement import arrange, publish

PUBLISHED = {
    "public_revision",
    "public_product",
    "public_lot",
    "public_place",
    "public_location",
    "public_number_block",
    "public_code_key",
    "public_foreign_serial",
    "public_code_run",
    "public_void_code",
    "public_recall",
    "public_recall_scope",
    "public_shelf",
    "public_link",
    "public_unusual",
    "public_unusual_change",
    "public_cancelled_case",
    "public_check_policy",
}


async def test_the_portal_reads_the_published_views_and_no_other_relation(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    sql = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'p')"
    relations = set((await conn.execute(text(sql))).scalars())
    portal = await database.connect(Role.PORTAL)

    readable = set()
    for relation in relations:
        try:
            await portal.execute(f'SELECT FROM "{relation}" LIMIT 1')
            readable.add(relation)
        except asyncpg.InsufficientPrivilegeError:
            continue
    await portal.close()
    assert readable == PUBLISHED
    assert len(relations) > len(PUBLISHED)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE lot SET status = 'released'",
        "DELETE FROM publication",
        "INSERT INTO scan_log (at, verdict) VALUES (now(), 'x')",
        "UPDATE public_lot SET status = 'released'",
        "SELECT next_public_revision()",
        "CREATE TABLE public.mine (n int)",
        "SELECT password_hash FROM account",
    ],
)
async def test_the_portal_changes_nothing_and_sees_no_secret(database: DatabaseAddress, sql: str) -> None:
    portal = await database.connect(Role.PORTAL)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await portal.execute(sql)
    await portal.close()


async def test_a_drill_cannot_become_public_even_by_mistake(conn: AsyncConnection) -> None:
    await arrange(conn)

    with pytest.raises(Exception, match="publication_kind_check"):
        await publish(conn, lots=[1], kind="drill")
