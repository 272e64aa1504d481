"""The people of these tests, and a clock that goes when it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from access.accounts import add_account
from access.model import Account, operator

PASSWORD = "green meadow at dawn"
OPERATOR = operator("operator")


class HandClock:
    """Says the same instant until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


async def person(conn: AsyncConnection, name: str, role: str, clock: HandClock) -> Account:
    return await add_account(conn, name=name, role=role, password=PASSWORD, by=OPERATOR, clock=clock)
