"""The profile of a case and the facts of its clocks: SQL in, values out. The statements stand in ``rules.sql``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.statements import named_statements
from recall import profiles
from recall.clocks import Fact
from recall.profiles import Profile
from recall.rules_refusals import NotADrill

_SQL: Final = named_statements(Path(__file__).with_name("rules.sql"))


@dataclass(frozen=True, slots=True)
class Override:
    """A version whose wording went out in spite of findings, with the reason."""

    version: int
    reason: str
    by: str
    at: datetime


async def put_rules(conn: AsyncConnection, case_id: int, profile: Profile, *, by: str, at: datetime) -> None:
    """Let a case take a profile, for ever."""
    content = orjson.dumps(dict(profile.content)).decode()
    values = {"case_id": case_id, "profile": profile.name, "version": profile.version, "content": content}
    await conn.execute(_SQL["put_rules"], {**values, "by": by, "at": at})


async def profile_of(conn: AsyncConnection, case_id: int) -> Profile | None:
    """The profile that the case took, as it was then."""
    content = (await conn.execute(_SQL["rules_of"], {"case_id": case_id})).scalar_one_or_none()
    return None if content is None else profiles.read(content)


async def put_fact(conn: AsyncConnection, case_id: int, fact: Fact, *, told_at: datetime) -> None:
    """Append a fact."""
    values = {"case_id": case_id, "name": fact.name, "at": fact.at, "note": fact.note, "by": fact.by}
    await conn.execute(_SQL["put_fact"], {**values, "told_at": told_at})


async def facts_of(conn: AsyncConnection, case_id: int) -> list[Fact]:
    """What was told, in the order of time."""
    return [
        Fact(row.name, row.at, row.told_by, row.note)
        for row in await conn.execute(_SQL["facts_of"], {"case_id": case_id})
    ]


async def first_published(conn: AsyncConnection, case_id: int) -> Any:
    """(published_at, published_by) of the first version, or None."""
    return (await conn.execute(_SQL["first_published"], {"case_id": case_id})).one_or_none()


async def overrides_of(conn: AsyncConnection, case_id: int) -> tuple[Override, ...]:
    """The versions that were published in spite of their wording."""
    rows = await conn.execute(_SQL["overrides_of"], {"case_id": case_id})
    return tuple(Override(row.version, row.note, row.published_by, row.published_at) for row in rows)


async def are_dates_missing(conn: AsyncConnection, set_id: int) -> bool:
    """Whether goods left the house and no date of distribution is known."""
    found: bool = (await conn.execute(_SQL["are_dates_missing"], {"set_id": set_id})).scalar_one()
    return found


async def letters_of(
    conn: AsyncConnection, case_id: int, version: int, *, every: bool, recipient: str | None, limit: int
) -> dict[int, str]:
    """By delivery: the postal address. One delivery for each notice that is wanted, at most ``limit``."""
    values = {"case_id": case_id, "version": version, "every": every, "recipient": recipient, "limit": limit}
    return {row.delivery_id: row.address for row in await conn.execute(_SQL["letters_of"], values)}


async def brands_of(conn: AsyncConnection, gtins: set[str]) -> dict[str, str]:
    """The brand of each product that has one."""
    rows = await conn.execute(_SQL["brands_of"], {"gtins": sorted(gtins)})
    return {row.gtin: row.brand for row in rows}


async def firm(conn: AsyncConnection) -> dict[str, str]:
    """Name and GLN of the party whose recalls these are; empty when nobody was entered as brand or manufacturer."""
    row = (await conn.execute(_SQL["firm"])).one_or_none()
    return {} if row is None else {"firm": row.name, "gln": row.gln or ""}


async def trail(conn: AsyncConnection, case_id: int, number: str, *, limit: int) -> dict[str, list[dict[str, Any]]]:
    """Versions, answers and audit rows of a case, for its archive; at most ``limit`` + 1 each."""
    asked: dict[str, dict[str, Any]] = {
        "versions_of": {"case_id": case_id},
        "answers_of": {"case_id": case_id, "limit": limit + 1},
        "audit_of": {"number": number, "limit": limit + 1},
    }
    return {
        name.removesuffix("_of"): [dict(row._mapping) for row in await conn.execute(_SQL[name], values)]
        for name, values in asked.items()
    }


async def rehearsed(conn: AsyncConnection, number: str) -> dict[str, Any]:
    """What was noted of a drill when it was practised. Raises ``NotADrill``."""
    details = (await conn.execute(_SQL["rehearsed"], {"number": number})).scalar_one_or_none()
    if details is None:
        raise NotADrill(number=number)
    return dict(details)
