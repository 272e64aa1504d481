"""What a case is under: it takes a profile when it is opened, facts are told, and its clocks are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from recall import clocks, profiles, rules_store, store
from recall.clocks import DutyClock, Fact
from recall.model import Case
from recall.profiles import Catalogue, Profile
from recall.rules_refusals import FactInFuture, FactNotUsable, NoProfile
from recall.rules_store import Override
from runtime.clock import Clock
from runtime.database import transaction

NOTE_CHARACTERS_MAX: Final = 1_000
FACTS_SHOWN_MAX: Final = 500
RISK_KNOWN: Final = "risk_known"
"""The event that most clocks start with; until somebody tells when, it is the opening of the case."""


@dataclass(frozen=True, slots=True)
class RulesOfCase:
    """What a case is governed by at an instant: profile, clocks, facts, and overrides of its wording."""

    number: str
    hazard_class: int
    profile: Profile
    clocks: tuple[DutyClock, ...]
    facts: tuple[Fact, ...]
    overrides: tuple[Override, ...]
    names: tuple[str, ...]
    at: datetime


async def adopt(
    conn: AsyncConnection, case: Case, wanted: str, *, by: str, at: datetime, catalogue: Catalogue | None = None
) -> Profile:
    """Let a new case take the profile named (``name`` or ``name/version``), inside the verb that opens it."""
    profile = profiles.choose(profiles.shipped() if catalogue is None else catalogue, wanted, at.date())
    await rules_store.put_rules(conn, case.case_id, profile, by=by, at=at)
    return profile


async def tell_fact(
    conn: AsyncConnection, number: str, name: str, *, by: str, clock: Clock, at: datetime | None = None, note: str = ""
) -> None:
    """Write down that an event of the case came, or that a duty was done. Refuses names that the profile has not."""
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        profile = await _profile(conn, case)
        known = clocks.event_names(profile)
        now = clock()
        when = at or now
        if name not in known or len(note) > NOTE_CHARACTERS_MAX:
            raise FactNotUsable(name=name[:100], profile=profile.key, known=", ".join(known))
        if when > now:
            raise FactInFuture(name=name, at=when, now=now)
        await rules_store.put_fact(conn, case.case_id, Fact(name, when, by, note.strip()), told_at=now)
        await audit.note(conn, by, "recall.fact", number, {"name": name, "at": when.isoformat(), "note": note}, clock)


async def read_rules(conn: AsyncConnection, number: str, *, clock: Clock) -> RulesOfCase:
    """The clocks of a case as they stand; raises ``NoSuchCase`` and ``NoProfile``."""
    case = await store.find_case(conn, number)
    profile = await _profile(conn, case)
    told = await rules_store.facts_of(conn, case.case_id)
    facts = [*told, *await _own_facts(conn, case, told)]
    facts.sort(key=lambda fact: fact.at)
    now = clock()
    return RulesOfCase(
        number, case.hazard_class, profile, clocks.run(profile, case.hazard_class, facts, now), tuple(facts),
        await rules_store.overrides_of(conn, case.case_id), clocks.event_names(profile), now,
    )  # fmt: skip


async def _own_facts(conn: AsyncConnection, case: Case, told: Sequence[Fact]) -> list[Fact]:
    """What the case itself says: opened, published, completed."""
    own = [Fact("opened", case.opened_at, case.opened_by)]
    if not any(fact.name == RISK_KNOWN for fact in told):
        own.append(Fact(RISK_KNOWN, case.opened_at, case.opened_by, "the opening of the case; nobody told when"))
    if not case.is_drill and (first := await rules_store.first_published(conn, case.case_id)) is not None:
        own.append(Fact("published", first.published_at, first.published_by))
    if case.closed_at is not None:
        own.append(Fact("completed", case.closed_at, case.closed_by or ""))
    return own


async def _profile(conn: AsyncConnection, case: Case) -> Profile:
    found = await rules_store.profile_of(conn, case.case_id)
    if found is None:
        raise NoProfile(number=case.number)
    return found
