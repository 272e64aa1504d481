"""Proposals, holds, comparisons and reviews: SQL in, values out. Opens no transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import and_, delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from recall.refusals import NoSuchProposal
from recall.scope import WHOLE, Area, area_of_runs
from recall.scope import merged as merged_areas
from recall.tables import (
    case_version,
    publication,
    recall_after_review,
    recall_case,
    recall_comparison,
    recall_hold,
    recall_proposal,
)
from runtime.database import raw

PROPOSALS_MAX: Final = 1_000
"""So many proposals of one case are listed, the newest."""


class Sort(StrEnum):
    """What a proposal proposes."""

    LATE_FACTS = "late_facts"
    NARROW = "narrow"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A step that waits for a person. ``made_by`` is the ledger's name when late facts propose it."""

    proposal_id: int
    case_id: int
    version: int
    kind: Sort
    ledger_event: int
    content: Mapping[str, Any]
    reason: str
    made_by: str
    made_at: datetime
    state: str
    decided_by: str | None
    decided_at: datetime | None
    decision: str | None


@dataclass(frozen=True, slots=True)
class AfterReview:
    """The look back on a case that one person published alone; ``reviewed_at`` is None while it is still to be done."""

    case_id: int
    reason: str
    published_by: str
    published_at: datetime
    due_at: datetime
    reviewed_by: str | None
    reviewed_at: datetime | None
    finding: str | None

    def is_overdue(self, now: datetime) -> bool:
        """Whether nobody has looked although the time is over."""
        return self.reviewed_at is None and now > self.due_at


async def propose(conn: AsyncConnection, **values: Any) -> Proposal:
    """Put a proposal in the place of the open one of its kind, which is superseded."""
    await supersede(conn, values["case_id"], values["made_at"], kind=values["kind"])
    row = (await conn.execute(insert(recall_proposal).values(**values).returning(*recall_proposal.c))).one()
    return _proposal(row)


async def supersede(conn: AsyncConnection, case_id: int, at: datetime, *, kind: str | None = None) -> None:
    """Close the open proposals of a case (of one kind, or all): something newer stands in their place."""
    statement = update(recall_proposal).where(recall_proposal.c.case_id == case_id, recall_proposal.c.state == "open")
    if kind is not None:
        statement = statement.where(recall_proposal.c.kind == kind)
    await conn.execute(statement.values(state="superseded", decided_at=at))


async def decide(conn: AsyncConnection, proposal_id: int, **values: Any) -> Proposal:
    """Write down what became of a proposal."""
    statement = update(recall_proposal).where(recall_proposal.c.proposal_id == proposal_id).values(**values)
    return _proposal((await conn.execute(statement.returning(*recall_proposal.c))).one())


async def find(conn: AsyncConnection, case_id: int, proposal_id: int, number: str) -> Proposal:
    """A proposal of this case; raises ``NoSuchProposal``."""
    wanted = and_(recall_proposal.c.proposal_id == proposal_id, recall_proposal.c.case_id == case_id)
    row = (await conn.execute(select(recall_proposal).where(wanted))).one_or_none()
    if row is None:
        raise NoSuchProposal(proposal=proposal_id, number=number)
    return _proposal(row)


async def proposals(conn: AsyncConnection, case_id: int, *, open_only: bool = False) -> tuple[Proposal, ...]:
    """The proposals of a case, the newest first, ``PROPOSALS_MAX`` of them."""
    statement = select(recall_proposal).where(recall_proposal.c.case_id == case_id)
    if open_only:
        statement = statement.where(recall_proposal.c.state == "open")
    statement = statement.order_by(recall_proposal.c.proposal_id.desc()).limit(PROPOSALS_MAX)
    return tuple(_proposal(row) for row in await conn.execute(statement))


async def publisher(conn: AsyncConnection, case_id: int, version: int) -> str:
    """Who published a version of a case."""
    wanted = and_(case_version.c.case_id == case_id, case_version.c.version == version)
    by: str = (await conn.execute(select(case_version.c.published_by).where(wanted))).scalar_one()
    return by


async def to_compare(conn: AsyncConnection, ledger_event: int) -> tuple[str, ...]:
    """The numbers of the public cases, closed ones left out, that were not compared with this revision yet."""
    done = and_(
        recall_comparison.c.case_id == publication.c.case_id,
        recall_comparison.c.ledger_event >= ledger_event,
        recall_comparison.c.version == publication.c.version,
    )
    statement = select(publication.c.number).outerjoin(recall_comparison, done)
    statement = statement.where(recall_comparison.c.case_id.is_(None), publication.c.state != "closed")
    return tuple((await conn.execute(statement.order_by(publication.c.case_id))).scalars())


async def compared(conn: AsyncConnection, case_id: int, version: int, ledger_event: int, at: datetime) -> None:
    """Remember how far a case was compared."""
    values = {"version": version, "ledger_event": ledger_event, "compared_at": at}
    statement = upsert(recall_comparison).values(case_id=case_id, **values)
    await conn.execute(statement.on_conflict_do_update(constraint="recall_comparison_pkey", set_=values))


async def hold(conn: AsyncConnection, case_id: int, area: Area, at: datetime) -> None:
    """Hold this beside what is held of the case already."""
    rows: list[tuple[Any, ...]] = [(case_id, lot_id, None, None, at) for lot_id, cover in area.items() if cover.whole]
    rows += [(case_id, lot_id, lo, n, at) for lot_id, cover in area.items() for lo, n in cover.runs]
    driver = await raw(conn)
    columns = [column.name for column in recall_hold.columns]
    await driver.copy_records_to_table("recall_hold", records=rows, columns=columns)


async def held(conn: AsyncConnection, case_id: int) -> Area:
    """What is held of a case beyond its last version."""
    rows = (await conn.execute(select(recall_hold).where(recall_hold.c.case_id == case_id))).all()
    whole = {row.lot_id: WHOLE for row in rows if row.lo is None}
    return merged_areas([whole, area_of_runs((row.lot_id, row.lo, row.n) for row in rows if row.lo is not None)])


async def release(conn: AsyncConnection, case_id: int) -> None:
    """Hold nothing of a case beyond its last version."""
    await conn.execute(delete(recall_hold).where(recall_hold.c.case_id == case_id))


async def bump_publication(conn: AsyncConnection, case_id: int, revision: int) -> None:
    """Let the public record say that something of this case changed at ``revision``."""
    await conn.execute(update(publication).where(publication.c.case_id == case_id).values(revision=revision))


async def overlapping(conn: AsyncConnection, case_id: int, affected_set_id: int) -> tuple[tuple[str, int], ...]:
    """(number, lots in common) of the other public cases that name lots of this set."""
    rows = await conn.execute(
        text(
            """SELECT p.number, count(*) AS lots
               FROM affected_lot mine JOIN affected_lot other USING (lot_id)
               JOIN publication p ON p.affected_set_id = other.affected_set_id
               WHERE mine.affected_set_id = :mine AND p.case_id <> :case_id
                 AND (mine.whole OR other.whole OR EXISTS (
                    SELECT FROM affected_run a JOIN affected_run b
                      ON b.lot_id = a.lot_id AND b.lo < a.lo + a.n AND a.lo < b.lo + b.n
                    WHERE a.affected_set_id = mine.affected_set_id AND a.lot_id = mine.lot_id
                      AND b.affected_set_id = other.affected_set_id))
               GROUP BY p.number ORDER BY p.number"""
        ),
        {"mine": affected_set_id, "case_id": case_id},
    )
    return tuple((row.number, row.lots) for row in rows)


async def insert_review(conn: AsyncConnection, **values: Any) -> None:
    """Write down that a case waits for the look of a second person."""
    await conn.execute(insert(recall_after_review).values(**values))


async def after_review(conn: AsyncConnection, case_id: int) -> AfterReview | None:
    """The review of a case that one person published; None when two did."""
    wanted = recall_after_review.c.case_id == case_id
    row = (await conn.execute(select(recall_after_review).where(wanted))).one_or_none()
    return None if row is None else AfterReview(**row._mapping)


async def change_review(conn: AsyncConnection, case_id: int, **values: Any) -> None:
    """Write down what the second person found."""
    await conn.execute(update(recall_after_review).where(recall_after_review.c.case_id == case_id).values(**values))


async def reviews_due(conn: AsyncConnection) -> tuple[tuple[str, AfterReview], ...]:
    """(number, review) of the cases that still wait for a second person, the longest overdue first."""
    statement = select(recall_case.c.number, *recall_after_review.c).join_from(
        recall_after_review, recall_case, recall_case.c.case_id == recall_after_review.c.case_id
    )
    waiting = recall_after_review.c.reviewed_at.is_(None)
    rows = await conn.execute(statement.where(waiting).order_by(recall_after_review.c.due_at))
    return tuple((row[0], AfterReview(*row[1:])) for row in rows)


def _proposal(row: Any) -> Proposal:
    values = dict(row._mapping)
    return Proposal(**{**values, "kind": Sort(values["kind"])})
