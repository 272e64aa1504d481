"""Whether a case may be published with its wording: the one door to ``notice_check`` for the verbs of a case."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from recall import notice_check, rules_store, store, wording
from recall.model import Case
from recall.profiles import Profile
from recall.refusals import WordingNotPublishable
from recall.wording import Finding
from runtime.refusals import Fault


async def findings(
    conn: AsyncConnection, case: Case, *, are_dates_told: bool = True, profile: Profile | None = None
) -> tuple[Finding, ...]:
    """All that the linter says of the notice of this case, by its own words and by the profile it is under.

    ``profile`` is for a case that is not stored and so is under none yet.
    """
    profile = profile or await rules_store.profile_of(conn, case.case_id)
    return notice_check.check(notice_check.of_case(case, profile, are_dates_told=are_dates_told), profile)


async def require(conn: AsyncConnection, case: Case, override: str | None) -> None:
    """Refuses (``WordingNotPublishable``) what blocks, but for a drill or with a reason to override it."""
    _refuse(await findings(conn, case), case, override)


async def require_dates(conn: AsyncConnection, number: str, override: str | None) -> None:
    """The same once the lines are frozen, inside the verb that froze them: they say when goods went out."""
    case = await store.find_case(conn, number)
    frozen = await store.frozen_set(conn, case)
    if await rules_store.are_dates_missing(conn, frozen.affected_set_id):
        _refuse(await findings(conn, case, are_dates_told=False), case, override)


def _refuse(found: tuple[Finding, ...], case: Case, override: str | None) -> None:
    blocking = wording.blocking(found)
    if blocking and not case.is_drill and not (override and override.strip()):
        faults = [Fault(finding.where, finding.what) for finding in blocking]
        raise WordingNotPublishable(problems="; ".join(f"{f.where}: {f.what}" for f in faults), faults=faults)
