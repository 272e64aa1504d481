"""Steps that wait for a person: what late facts propose, and what takes two people because it sets goods free.

Over a network nobody may name the second person for them: the first one proposes, the second one accepts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from ledger.codes import KeyRing
from ledger.trace import ledger_revision
from recall import affected as affecting
from recall import casework, lifecycle, naming, store
from recall import proposals_store as proposals
from recall.deltas import area_hash
from recall.lifecycle import Step
from recall.model import Case, Change
from recall.proposals_store import Proposal, Sort
from recall.publishing import publish_version
from recall.refusals import ProposalDecided, ProposalOutdated
from recall.scope import line_as_json, line_of_json, more
from runtime.clock import Clock
from runtime.database import transaction


async def of_case(conn: AsyncConnection, number: str) -> tuple[Proposal, ...]:
    """The proposals of a case, decided ones too, the newest first."""
    return await proposals.proposals(conn, (await store.find_case(conn, number)).case_id)


async def propose_narrowing(
    conn: AsyncConnection,
    number: str,
    *,
    reason: str,
    by: str,
    clock: Clock,
    keys: KeyRing,
    codes: Sequence[str] = (),
    lots: Sequence[tuple[str, str]] = (),
    ranges: Sequence[tuple[str, str]] = (),
) -> Proposal:
    """Propose to take something out of a published case. Refuses what ``narrow`` refuses but one person."""
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        lines = await naming.scope_lines(conn, keys, codes=codes, lots=lots, ranges=ranges)
        await casework.check_narrowing(conn, case, lines, reason)
        content = {"lines": [*map(line_as_json, lines)]}
        return await _propose(conn, case, Sort.NARROW, content, reason=reason, by=by, clock=clock)


async def propose_cancelling(
    conn: AsyncConnection, number: str, *, reason: str, by: str, clock: Clock, public_reason: str | None = None
) -> Proposal:
    """Propose to cancel a published case."""
    casework.check_reason(reason, Step.CANCEL)
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        lifecycle.after(case.state, Step.CANCEL, case.kind)
        content = {"public_reason": public_reason}
        return await _propose(conn, case, Sort.CANCEL, content, reason=reason, by=by, clock=clock)


async def accept(
    conn: AsyncConnection, number: str, proposal_id: int, *, by: str, clock: Clock, keys: KeyRing
) -> Proposal:
    """Do what is proposed. What sets goods free is refused to who proposed it or published the version.

    Late facts are worked out once more; when they are not what was proposed (``ProposalOutdated``), nothing is done.
    """
    async with transaction(conn):
        case, proposal = await _open(conn, number, proposal_id)
        values = {"state": "accepted", "decided_by": by, "decided_at": clock()}
        decided = await proposals.decide(conn, proposal_id, **values)
        if proposal.kind is Sort.LATE_FACTS:
            await _take_over(conn, case, proposal, by=by, clock=clock, keys=keys)
        elif proposal.kind is Sort.NARROW:
            await casework.narrow_by(
                conn, case, tuple(map(line_of_json, proposal.content["lines"])), reason=proposal.reason,
                by=proposal.made_by, approved_by=by, clock=clock, keys=keys,
            )  # fmt: skip
        else:
            await casework.cancel_locked(
                conn, case, reason=proposal.reason, by=proposal.made_by, approved_by=by,
                public_reason=proposal.content["public_reason"], clock=clock, keys=keys,
            )  # fmt: skip
        return decided


async def dismiss(
    conn: AsyncConnection, number: str, proposal_id: int, *, reason: str, by: str, clock: Clock
) -> Proposal:
    """Do not do what is proposed, with the reason. Freeing goods held for late facts takes a second person."""
    casework.check_reason(reason, Step.NARROW)
    async with transaction(conn):
        case, proposal = await _open(conn, number, proposal_id)
        if proposal.kind is Sort.LATE_FACTS and await proposals.held(conn, case.case_id):
            lifecycle.check_second_person(await proposals.publisher(conn, case.case_id, case.version), by)
            await proposals.release(conn, case.case_id)
            await proposals.bump_publication(conn, case.case_id, await store.next_public_revision(conn))
        at = clock()
        values = {"state": "dismissed", "decided_by": by, "decided_at": at, "decision": reason}
        decided = await proposals.decide(conn, proposal_id, **values)
        await audit.note(conn, by, "recall.dismiss", number, {"proposal": proposal_id, "reason": reason}, clock)
        return decided


async def _take_over(
    conn: AsyncConnection, case: Case, proposal: Proposal, *, by: str, clock: Clock, keys: KeyRing
) -> None:
    state = lifecycle.after(case.state, Step.WIDEN, case.kind)
    await store.hold_ledger(conn)
    before = await store.frozen_area(conn, (await store.frozen_set(conn, case)).affected_set_id)
    after = (await affecting.trace(conn, case.scope, with_steps=False)).area
    removed, added = more(before, after), more(after, before)
    if proposal.content.get("area_hash", area_hash(after)) != area_hash(after) or not (added or removed):
        raise ProposalOutdated(proposal=proposal.proposal_id)
    if removed:
        lifecycle.check_second_person(await proposals.publisher(conn, case.case_id, case.version), by)
    change = Change.UPDATED if added and removed else Change.WIDENED if added else Change.NARROWED
    published = await publish_version(
        conn, case, state=state, change=change, note=proposal.reason, by=by, clock=clock, keys=keys, by_two=True
    )
    details = {"proposal": proposal.proposal_id, "version": published.version, "hash": published.hash}
    await audit.note(conn, by, "recall.accept_late_facts", case.number, details, clock)


async def _open(conn: AsyncConnection, number: str, proposal_id: int) -> tuple[Case, Proposal]:
    case = await store.lock_case(conn, number)
    proposal = await proposals.find(conn, case.case_id, proposal_id, number)
    if proposal.state != "open":
        raise ProposalDecided(proposal=proposal_id, state=proposal.state)
    return case, proposal


async def _propose(
    conn: AsyncConnection, case: Case, kind: Sort, content: dict[str, Any], *, reason: str, by: str, clock: Clock
) -> Proposal:
    made = await proposals.propose(
        conn, case_id=case.case_id, version=case.version, kind=kind.value, ledger_event=await ledger_revision(conn),
        content=content, reason=reason, made_by=by, made_at=clock(),
    )  # fmt: skip
    await audit.note(conn, by, f"recall.propose_{kind}", case.number, {"reason": reason, **content}, clock)
    return made
