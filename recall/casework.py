"""The verbs of a case: open, preview, submit, approve, publish, widen, narrow, update, close, cancel, and the drill.

Each verb is one transaction: all of it or nothing. A published version never changes; what is found later makes the
next version. Publishing freezes the affected set while no event can come in between, so that the notice list, the
public record and the ledger's dispositions say the same thing at the same revision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from ledger.codes import KeyRing
from recall import algebra, lifecycle, naming, proposals_store, reconciliation, store, wording_gate
from recall.drafting import check_texts, open_draft
from recall.drill import drill
from recall.lifecycle import Step
from recall.model import (
    Case,
    CaseDraft,
    Change,
    FirstTotals,
    OperationDraft,
    Preview,
    Published,
    State,
    SupplierDraft,
    Text,
    WindowDraft,
)
from recall.previewing import TellFirst, preview_of, totals_of
from recall.publishing import publish_version, take_back
from recall.refusals import (
    AfterReviewMissing,
    ExclusionNeedsReason,
    NothingAdded,
    NothingExcluded,
    ReasonNeeded,
)
from recall.scope import Exclusion, ScopeLine, as_json, describe, meet
from runtime.clock import Clock
from runtime.database import transaction

__all__ = [
    "approve", "cancel", "close", "drill", "narrow", "open_case", "preview", "publish", "reopen", "send_back",
    "start_closing", "submit", "update_texts", "widen",
]  # fmt: skip

REASON_CHARACTERS_MAX: Final = 2_000


async def open_case(conn: AsyncConnection, draft: CaseDraft, *, by: str, clock: Clock, keys: KeyRing) -> Case:
    """Open a draft case. Refuses a draft that lacks something, and every code, lot, unit and place that is unknown."""
    async with transaction(conn):
        case = await open_draft(conn, draft, by=by, clock=clock, keys=keys)
        named = {"kind": case.kind.value, "title": case.title, "named": _named(case.scope.include)}
        await audit.note(conn, by, "recall.open", case.number, named, clock)
        return case


async def preview(conn: AsyncConnection, number: str, *, clock: Clock, first: TellFirst | None = None) -> Preview:
    """What publishing the case would freeze now. Has no side effects: the database itself is told to refuse any.

    ``first`` is told the totals before the rest is worked out.
    """
    async with transaction(conn):
        await conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        return await preview_of(conn, await store.find_case(conn, number), clock=clock, first=first)


async def preview_totals(conn: AsyncConnection, number: str) -> FirstTotals:
    """The totals of ``preview``, which are known long before its lines. Has no side effects, as ``preview``."""
    async with transaction(conn):
        await conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        return await totals_of(conn, await store.find_case(conn, number))


async def submit(conn: AsyncConnection, number: str, *, by: str, clock: Clock) -> Case:
    """Hand a draft in for review."""
    return await _step(conn, number, Step.SUBMIT, by=by, clock=clock)


async def send_back(conn: AsyncConnection, number: str, *, reason: str, by: str, clock: Clock) -> Case:
    """Give a case that is not published back to its author, with the reason; an approval is void."""
    check_reason(reason, Step.SEND_BACK)
    return await _step(
        conn, number, Step.SEND_BACK, by=by, clock=clock, note=reason, approved_by=None, approved_at=None
    )


async def approve(conn: AsyncConnection, number: str, *, by: str, clock: Clock) -> Case:
    """Approve a case, as a second person: whoever opened it is refused. A draft is handed in for review on the way."""
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        lifecycle.check_second_person(case.opened_by, by)
        state = lifecycle.after(case.state, Step.SUBMIT, case.kind) if case.state is State.DRAFT else case.state
        state = lifecycle.after(state, Step.APPROVE, case.kind)
        case = await store.change_case(conn, case.case_id, state=state, approved_by=by, approved_at=clock())
        await _note(conn, case, Step.APPROVE, by, clock, opened_by=case.opened_by)
        return case


async def publish(
    conn: AsyncConnection, number: str, *, by: str, clock: Clock, keys: KeyRing, override_wording: str | None = None
) -> Published:
    """Publish an approved case: freeze the affected set, write the notice list, mark the goods as recalled, show it.

    A drill does all but the last two. Refuses wording that may not stand (``WordingNotPublishable``) unless
    ``override_wording`` gives a reason, which is kept; refuses a case that affects nothing.
    """
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        state = lifecycle.after(case.state, Step.PUBLISH, case.kind)
        await wording_gate.require(conn, case, override_wording)
        case = await store.change_case(conn, case.case_id, published_by=by, published_at=clock())
        published = await publish_version(
            conn, case, state=state, change=Change.INITIAL, note=override_wording, by=by, clock=clock, keys=keys
        )
        await wording_gate.require_dates(conn, number, override_wording)
        await _note(conn, case, Step.PUBLISH, by, clock, **_frozen(published), override_wording=override_wording)
        return published


async def widen(
    conn: AsyncConnection,
    number: str,
    *,
    by: str,
    clock: Clock,
    keys: KeyRing,
    codes: Sequence[str] = (),
    lots: Sequence[tuple[str, str]] = (),
    ranges: Sequence[tuple[str, str]] = (),
    windows: Sequence[WindowDraft] = (),
    suppliers: Sequence[SupplierDraft] = (),
    operations: Sequence[OperationDraft] = (),
    whole_lot: bool = False,
    reason: str | None = None,
) -> Published:
    """Add to a published case and publish the next version at once: telling more people waits for no second person."""
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        state = lifecycle.after(case.state, Step.WIDEN, case.kind)
        lines = await naming.scope_lines(
            conn, keys, codes=codes, lots=lots, ranges=ranges, windows=windows, suppliers=suppliers,
            operations=operations, whole_lot=whole_lot,
        )  # fmt: skip
        scope = case.scope.widened(lines)
        if scope == case.scope:
            raise NothingAdded(number=number, named=_named(lines))
        case = await store.change_case(conn, case.case_id, scope=as_json(scope))
        published = await publish_version(
            conn, case, state=state, change=Change.WIDENED, note=reason, by=by, clock=clock, keys=keys
        )
        await _note(conn, case, Step.WIDEN, by, clock, **_frozen(published), added=_named(lines), reason=reason)
        return published


async def narrow(
    conn: AsyncConnection,
    number: str,
    *,
    reason: str,
    by: str,
    approved_by: str,
    clock: Clock,
    keys: KeyRing,
    codes: Sequence[str] = (),
    lots: Sequence[tuple[str, str]] = (),
    ranges: Sequence[tuple[str, str]] = (),
) -> Published:
    """Take something out of a published case, with the reason, and publish the next version.

    The one step that gives goods free: it needs a second person (``approved_by``), who is not ``by``. The disposition
    *recalled* is taken back where no other public recall names the goods.
    """
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        lines = await naming.scope_lines(conn, keys, codes=codes, lots=lots, ranges=ranges)
        return await narrow_by(conn, case, lines, reason=reason, by=by, approved_by=approved_by, clock=clock, keys=keys)


async def narrow_by(
    conn: AsyncConnection,
    case: Case,
    lines: Sequence[ScopeLine],
    *,
    reason: str,
    by: str,
    approved_by: str,
    clock: Clock,
    keys: KeyRing,
) -> Published:
    """As ``narrow``, by the lines of a scope, of a locked case in the caller's transaction."""
    await check_narrowing(conn, case, lines, reason)
    lifecycle.check_second_person(by, approved_by)
    state = lifecycle.after(case.state, Step.NARROW, case.kind)
    scope = case.scope.narrowed(Exclusion(line, reason, approved_by) for line in lines)
    case = await store.change_case(conn, case.case_id, scope=as_json(scope))
    published = await publish_version(
        conn, case, state=state, change=Change.NARROWED, note=reason, by=by, clock=clock, keys=keys, by_two=True
    )
    details = {"removed": _named(lines), "reason": reason, "approved_by": approved_by}
    await _note(conn, case, Step.NARROW, by, clock, **_frozen(published), **details)
    return published


async def check_narrowing(conn: AsyncConnection, case: Case, lines: Sequence[ScopeLine], reason: str) -> None:
    """Refuses a narrowing without a reason, of a case that cannot be narrowed, and by lines that it does not cover."""
    if not reason.strip():
        raise ExclusionNeedsReason
    lifecycle.after(case.state, Step.NARROW, case.kind)
    covered = await store.frozen_area(conn, (await store.frozen_set(conn, case)).affected_set_id)
    if not meet(await algebra.area_of(conn, lines), covered):
        raise NothingExcluded(number=case.number, named=_named(lines))


async def update_texts(
    conn: AsyncConnection,
    number: str,
    texts: dict[str, Text] | None,
    *,
    by: str,
    clock: Clock,
    keys: KeyRing,
    override_wording: str | None = None,
) -> Published:
    """Publish the next version with these texts, worked out anew: what the ledger has learnt since comes in as well.

    None: the texts stay as they are.
    """
    if texts is not None:
        check_texts(texts)
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        state = lifecycle.after(case.state, Step.UPDATE, case.kind)
        told = dict(case.texts) if texts is None else texts
        await wording_gate.require(conn, replace(case, texts=told), override_wording)
        case = await store.change_case(conn, case.case_id, texts=store.texts_as_json(told))
        published = await publish_version(
            conn, case, state=state, change=Change.UPDATED, note=override_wording, by=by, clock=clock, keys=keys
        )
        await _note(conn, case, Step.UPDATE, by, clock, **_frozen(published), override_wording=override_wording)
        return published


async def start_closing(conn: AsyncConnection, number: str, *, by: str, clock: Clock) -> Case:
    """Begin to close: nothing more goes out, answers are still taken in. The public still sees the case."""
    return await _step(conn, number, Step.START_CLOSING, by=by, clock=clock)


async def reopen(conn: AsyncConnection, number: str, *, reason: str, by: str, clock: Clock) -> Case:
    """Take up a case again that was about to be closed."""
    check_reason(reason, Step.REOPEN)
    return await _step(conn, number, Step.REOPEN, by=by, clock=clock, note=reason)


async def close(
    conn: AsyncConnection, number: str, *, reason: str, by: str, clock: Clock, override: str | None = None
) -> Case:
    """Close a case, from published through closing. Goods that nobody brought back stay recalled.

    Refuses (``ClosingNotReady``) without a reconciliation of the last version, the disposition, the root cause and the
    corrective action, unless ``override`` gives a reason, which is kept.
    """
    check_reason(reason, Step.CLOSE)
    if override is not None:
        check_reason(override, Step.CLOSE)
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        published = case.state is State.PUBLISHED
        state = lifecycle.after(case.state, Step.START_CLOSING, case.kind) if published else case.state
        state = lifecycle.after(state, Step.CLOSE, case.kind)
        await reconciliation.check_closing(conn, case, override)
        review = await proposals_store.after_review(conn, case.case_id)
        if review is not None and review.reviewed_at is None:
            raise AfterReviewMissing(number=number, first=review.published_by)
        values = {"closed_by": by, "closed_at": clock(), "closing_reason": reason}
        case = await store.change_case(conn, case.case_id, state=state, **values)
        await _show(conn, case, clock)
        await _note(conn, case, Step.CLOSE, by, clock, reason=reason, override=override)
        return case


async def cancel(
    conn: AsyncConnection,
    number: str,
    *,
    reason: str,
    by: str,
    clock: Clock,
    keys: KeyRing,
    approved_by: str = "",
    public_reason: str | None = None,
) -> Case:
    """Cancel a case, with the reason. A published one is shown no more and its goods are free again, where no other
    public recall names them; its versions stay on record. ``public_reason`` is shown at the address of the case.

    Because it sets goods free, a published case needs a second person (``approved_by``), who is not ``by``.
    """
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        return await cancel_locked(
            conn,
            case,
            reason=reason,
            by=by,
            approved_by=approved_by,
            public_reason=public_reason,
            clock=clock,
            keys=keys,
        )


async def cancel_locked(
    conn: AsyncConnection,
    case: Case,
    *,
    reason: str,
    by: str,
    approved_by: str,
    public_reason: str | None,
    clock: Clock,
    keys: KeyRing,
) -> Case:
    """As ``cancel``, of a locked case in the caller's transaction."""
    check_reason(reason, Step.CANCEL)
    if public_reason is not None:
        check_reason(public_reason, Step.CANCEL)
    state = lifecycle.after(case.state, Step.CANCEL, case.kind)
    sets_free = bool(case.version) and not case.is_drill
    if sets_free:
        lifecycle.check_second_person(by, approved_by)
    if case.version:
        await take_back(conn, case, by=by, clock=clock, keys=keys)
    values = {"closed_by": by, "closed_at": clock(), "closing_reason": reason, "public_reason": public_reason}
    case = await store.change_case(conn, case.case_id, state=state, **values)
    await _note(conn, case, Step.CANCEL, by, clock, reason=reason, approved_by=approved_by if sets_free else None)
    return case


async def _step(
    conn: AsyncConnection, number: str, step: Step, *, by: str, clock: Clock, note: str | None = None, **values: Any
) -> Case:
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        state = lifecycle.after(case.state, step, case.kind)
        case = await store.change_case(conn, case.case_id, state=state, **values)
        await _show(conn, case, clock)
        await _note(conn, case, step, by, clock, reason=note)
        return case


async def _show(conn: AsyncConnection, case: Case, clock: Clock) -> None:
    """Let the public see the new state of a published case; of others there is nothing to see."""
    if case.version and not case.is_drill:
        frozen = await store.frozen_set(conn, case)
        revision = await store.next_public_revision(conn)
        await store.put_publication(
            conn, case, version=case.version, state=case.state, affected_set_id=frozen.affected_set_id, at=clock(),
            revision=revision,
        )  # fmt: skip


async def _note(conn: AsyncConnection, case: Case, step: Step, by: str, clock: Clock, **details: Any) -> None:
    """Write the step into the audit trail; last in each verb, because it holds the trail's lock."""
    told = {name: value for name, value in details.items() if value is not None}
    await audit.note(conn, by, f"recall.{step.value}", case.number, {"state": case.state.value, **told}, clock)


def check_reason(reason: str, step: Step) -> None:
    """Refuses (``ReasonNeeded``) no reason, and one that is too long."""
    if not reason.strip() or len(reason) > REASON_CHARACTERS_MAX:
        raise ReasonNeeded(step=step.value.replace("_", " "), characters_max=REASON_CHARACTERS_MAX)


def _frozen(published: Published) -> dict[str, Any]:
    return {
        "version": published.version, "hash": published.hash, "lots": published.lots, "items": published.items,
        "owners": published.owners,
    }  # fmt: skip


def _named(lines: Sequence[ScopeLine]) -> str:
    told = [describe(line) for line in lines[:_NAMED_MAX]]
    more = len(lines) - len(told)
    return ", ".join(told) + (f" and {more} more" if more else "")


_NAMED_MAX: Final = 20
"""So many lines are named in a sentence; the scope itself has them all."""
