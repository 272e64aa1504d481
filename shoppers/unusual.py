"""Unusual activity: the rules as data, what they found, and clearing it with a reason."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from access.model import Act, Actor
from access.permissions import require
from gs1 import gtin as gtins
from runtime.clock import Clock
from runtime.database import transaction
from shoppers import store
from shoppers.model import Rule, Unusual
from shoppers.refusals import FindingNotFound, ReasonMissing, RuleNotUsable

REASON_CHARACTERS_MAX: Final = 1_000
THRESHOLD_MAX: Final = 10_000
DAYS_MAX: Final = 400
COUNTRIES_MAX: Final = 250
PAGE: Final = 50
EFFECTS: Final = ("verdict", "alert")
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


async def rules(conn: AsyncConnection) -> Sequence[Rule]:
    """All rules."""
    return await store.list_rules(conn)


async def set_rule(
    conn: AsyncConnection,
    rule: str,
    *,
    threshold: int,
    within_days: int,
    effect: str,
    enabled: bool,
    by: Actor,
    clock: Clock,
) -> Rule:
    """Change a rule; it holds from the next check on. What it found before stays until somebody clears it."""
    require(by, Act.ADMINISTER)
    if not (1 <= threshold <= THRESHOLD_MAX and 1 <= within_days <= DAYS_MAX and effect in EFFECTS):
        raise RuleNotUsable(
            problem=f"a threshold of 1 to {THRESHOLD_MAX}, 1 to {DAYS_MAX} days, and the effect verdict or alert"
        )
    wanted = Rule(rule, threshold, within_days, effect, enabled)
    async with transaction(conn):
        if not await store.set_rule(conn, wanted, by=by.name, at=clock()):
            raise RuleNotUsable(problem=f"there is no rule {rule[:30]}")
        told = {"threshold": threshold, "within_days": within_days, "effect": effect, "enabled": enabled}
        await audit.note(conn, by.name, "unusual.rule", rule, told, clock)
    return wanted


async def set_markets(
    conn: AsyncConnection, gtin: str, countries: Collection[str], *, by: Actor, clock: Clock
) -> tuple[str, ...]:
    """Say in which countries a product is sold (two letters each); none: anywhere, and no check is off its market."""
    require(by, Act.HANDLE_REPORTS)
    gtins.validate(gtin)
    wanted = tuple(sorted(set(countries)))
    if len(wanted) > COUNTRIES_MAX or not all(_COUNTRY.fullmatch(country) for country in wanted):
        raise RuleNotUsable(problem="countries are written with two capital letters, such as CN")
    async with transaction(conn):
        await store.set_markets(conn, gtin, wanted)
        await audit.note(conn, by.name, "unusual.markets", gtin, {"countries": list(wanted)}, clock)
    return wanted


async def listed(conn: AsyncConnection, *, is_open: bool = True, before: int | None = None) -> Sequence[Unusual]:
    """What the rules found, the newest first, ``PAGE`` at a time."""
    return await store.list_findings(conn, is_open=is_open, before=before, limit=PAGE)


async def clear(conn: AsyncConnection, finding_id: int, *, reason: str, by: Actor, clock: Clock) -> None:
    """Clear a finding, with the reason. What was seen until now counts no more for its rule."""
    require(by, Act.HANDLE_REPORTS)
    if not reason.strip() or len(reason) > REASON_CHARACTERS_MAX:
        raise ReasonMissing(characters_max=REASON_CHARACTERS_MAX)
    async with transaction(conn):
        if not await store.clear_finding(conn, finding_id, reason=reason, by=by.name, at=clock()):
            raise FindingNotFound(finding_id=finding_id)
        await audit.note(conn, by.name, "unusual.clear", f"finding {finding_id}", {"reason": reason}, clock)
