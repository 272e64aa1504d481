"""What a portal keeps beside its copy of the record: of many findings it reads those that changed, and no more."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from portal import shelf as shelves
from portal.live import Live
from portal.shelf import Shelf
from runtime.database import DatabaseAddress


class CountingLive(Live):
    """Notes which views were read, and how many rows came."""

    def __init__(self, address: DatabaseAddress) -> None:
        super().__init__(address)
        self.rows_read: dict[str, int] = {}

    async def fetch(self, sql: str, *arguments: object, within_s: float) -> list[Any] | None:
        rows = await super().fetch(sql, *arguments, within_s=within_s)
        for view in ("public_link", "public_unusual_change", "public_unusual", "public_shelf"):
            if view in sql:
                self.rows_read[view] = self.rows_read.get(view, 0) + len(rows or ())
                break
        return rows

    def told(self) -> dict[str, int]:
        found, self.rows_read = self.rows_read, {}
        return found


async def find(conn: AsyncConnection, lo: int, n: int, rule: str = "many_places", effect: str = "verdict") -> None:
    sql = (
        "INSERT INTO unusual_finding (number, rule, effect, counted, within_days, found_at)"
        " SELECT i, :rule, :effect, 3, 7, now() FROM generate_series(CAST(:lo AS bigint), :last) AS i"
    )
    await conn.execute(text(sql), {"rule": rule, "effect": effect, "lo": lo, "last": lo + n - 1})
    await conn.commit()


async def clear(conn: AsyncConnection, number: int, rule: str) -> None:
    sql = "UPDATE unusual_finding SET cleared_at = now() WHERE number = :number AND rule = :rule"
    await conn.execute(text(sql), {"number": number, "rule": rule})
    await conn.commit()


async def test_a_finding_among_many_is_read_alone_and_leaves_when_it_is_cleared(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    live = CountingLive(database)
    shelf = Shelf(live)
    await find(conn, 1, 3_000)
    await shelf.look()
    assert len(shelf.unusual) == 3_000
    links = shelf.links
    live.told()

    await find(conn, 9_001, 1)
    await shelf.look()
    assert live.told() == {"public_shelf": 1, "public_unusual_change": 1}
    assert (len(shelf.unusual), shelf.links is links) == (3_001, True)

    await find(conn, 9_001, 1, rule="many_visitors")
    await find(conn, 9_002, 1, rule="off_market", effect="alert")
    await shelf.look()
    assert (shelf.unusual[9_001].rule, 9_002 in shelf.unusual) == ("many_visitors", False)

    await clear(conn, 9_001, "many_visitors")
    await shelf.look()
    assert shelf.unusual[9_001].rule == "many_places"
    await clear(conn, 9_001, "many_places")
    await shelf.look()
    assert 9_001 not in shelf.unusual
    assert live.told().get("public_unusual") is None

    version = shelf.version
    await conn.execute(text("UPDATE unusual_finding SET told_at = now()"))
    await conn.commit()
    await shelf.look()
    assert (shelf.version, live.told()) == (version, {"public_shelf": 1})
    await live.close()


async def test_of_too_many_findings_the_newest_are_shown_also_when_they_come_one_by_one(
    database: DatabaseAddress, conn: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "UNUSUAL_MAX", 5)
    monkeypatch.setattr(shelves, "CHANGED_MAX", 3)
    live = CountingLive(database)
    shelf = Shelf(live)
    await find(conn, 1, 5)
    await shelf.look()

    await find(conn, 6, 2)
    await shelf.look()
    assert sorted(shelf.unusual) == [3, 4, 5, 6, 7]

    live.told()
    await find(conn, 8, 4)
    await shelf.look()
    assert sorted(shelf.unusual) == [7, 8, 9, 10, 11]
    assert live.told()["public_unusual"] == 11, "more than are read one by one: all were read anew"
    await live.close()
