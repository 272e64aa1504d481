"""The rooms' tables are the database's tables, and each role has exactly its rights."""

from __future__ import annotations

import importlib

import pytest
from sqlalchemy import MetaData, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime.database import DatabaseAddress, Role

ROOMS = ("ledger", "access", "labels", "recall")


@pytest.mark.parametrize("room", ROOMS)
async def test_the_columns_a_room_knows_are_those_of_the_database(conn: AsyncConnection, room: str) -> None:
    tables = importlib.import_module(f"{room}.tables")
    metadata = next(value for value in vars(tables).values() if isinstance(value, MetaData))
    rows = await conn.execute(
        text("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
    )
    found: dict[str, set[str]] = {}
    for table, column in rows:
        found.setdefault(table, set()).add(column)

    unknown = {
        f"{t.name}.{c.name}"
        for t in metadata.tables.values()
        for c in t.columns
        if c.name not in found.get(t.name, set())
    }
    assert metadata.tables
    assert unknown == set()


async def test_the_portal_reads_published_views_and_nothing_else(database: DatabaseAddress) -> None:
    engine = database.engine(Role.PORTAL, pool_size=1)
    async with engine.connect() as conn:
        readable = await conn.execute(
            text("""SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'v', 'p', 'm')
                    AND has_any_column_privilege(current_user, c.oid, 'SELECT')""")
        )
        names = set(readable.scalars())
        writable = await conn.execute(
            text("""SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'v', 'p', 'm')
                    AND has_table_privilege(current_user, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')""")
        )
        changing = set(writable.scalars())
        functions = await conn.execute(
            text("""SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                    WHERE n.nspname = 'public' AND has_function_privilege(current_user, p.oid, 'EXECUTE')""")
        )
        callable_names = set(functions.scalars())
    await engine.dispose()

    assert "public_recall" in names
    assert {name for name in names if not name.startswith("public_")} == set()
    assert changing == set()
    assert {name for name in callable_names if not name.startswith("public_")} == set()


@pytest.mark.parametrize(
    "table", ["event", "audit", "affected_set", "notice_line", "case_version", "event_declared_wrong"]
)
async def test_evidence_cannot_be_rewritten_by_staff(conn: AsyncConnection, table: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        await conn.execute(text(f"DELETE FROM {table}"))


async def test_a_drill_cannot_be_written_into_the_public_record(conn: AsyncConnection) -> None:
    checks = await conn.execute(
        text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'publication_kind_check'")
    )

    assert "drill" not in checks.scalar_one()
