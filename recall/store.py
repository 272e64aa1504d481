"""Cases, versions, frozen sets, notice lines and the public record: SQL in, values out. Opens no transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import and_, delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from recall.affected import AffectedLot
from recall.intervals import Runs
from recall.model import Case, CaseSummary, Change, Depth, Kind, Remedy, State, Text
from recall.notices import Line, whole_row
from recall.notices import Row as NoticeRow
from recall.refusals import NoNoticesYet, NoSuchCase, NoSuchVersion
from recall.scope import Area, Cover, as_json, from_json
from recall.tables import (
    affected_lot,
    affected_run,
    affected_set,
    case_version,
    notice_line,
    publication,
    recall_after_review,
    recall_case,
    recall_number,
)
from runtime.database import raw

PAGE: Final = 50
PAGE_MAX: Final = 500
"""Most cases on one page of a list."""

_LETTERS: Final = {Kind.RECALL: "R", Kind.WITHDRAWAL: "W", Kind.DRILL: "D"}


@dataclass(frozen=True, slots=True)
class Frozen:
    """A frozen affected set as stored, with the version that it belongs to."""

    affected_set_id: int
    version: int
    change: Change
    hash: str
    ledger_event: int
    lots: int
    items: int
    owners: int
    totals: Mapping[str, Any]
    published_by: str
    published_at: datetime
    note: str | None
    revision: int | None


@dataclass(frozen=True, slots=True)
class NoticeList:
    """The notice list of one version of a case: what all its documents are made from."""

    case: Case
    frozen: Frozen
    rows: tuple[NoticeRow, ...]


async def next_number(conn: AsyncConnection, kind: Kind, year: int) -> str:
    """The next number of this kind and year: ``R-2026-0001``. The counter stays locked until the verb has ended."""
    statement = upsert(recall_number).values(kind=kind.value, year=year, next=2)
    statement = statement.on_conflict_do_update(
        constraint="recall_number_pkey", set_={"next": recall_number.c.next + 1}
    )
    following = (await conn.execute(statement.returning(recall_number.c.next))).scalar_one()
    return f"{_LETTERS[kind]}-{year}-{following - 1:04d}"


async def insert_case(conn: AsyncConnection, case: Case) -> Case:
    """Store a new case; ``case_id`` is given by the database."""
    values = {
        "number": case.number, "kind": case.kind, "state": case.state, "title": case.title, "hazard": case.hazard,
        "hazard_class": case.hazard_class, "depth": case.depth, "scope": as_json(case.scope),
        "texts": texts_as_json(case.texts), "contact": dict(case.contact), "deadline_on": case.deadline_on,
        "remedy": case.remedy, "opened_by": case.opened_by, "opened_at": case.opened_at,
    }  # fmt: skip
    rows = await conn.execute(insert(recall_case).values(**values).returning(*recall_case.c))
    return _case(rows.one())


async def find_case(conn: AsyncConnection, number: str) -> Case:
    """The case with this number; raises ``NoSuchCase``."""
    row = (await conn.execute(select(recall_case).where(recall_case.c.number == number))).one_or_none()
    if row is None:
        raise NoSuchCase(number=number)
    return _case(row)


async def lock_case(conn: AsyncConnection, number: str) -> Case:
    """As ``find_case``; nobody else can take a step with it until the verb has ended."""
    statement = select(recall_case).where(recall_case.c.number == number).with_for_update()
    row = (await conn.execute(statement)).one_or_none()
    if row is None:
        raise NoSuchCase(number=number)
    return _case(row)


async def change_case(conn: AsyncConnection, case_id: int, **values: Any) -> Case:
    """Set these columns; the case as it is then."""
    statement = update(recall_case).where(recall_case.c.case_id == case_id).values(**values)
    return _case((await conn.execute(statement.returning(*recall_case.c))).one())


async def list_cases(
    conn: AsyncConnection, *, limit: int = PAGE, before: int | None = None, kind: Kind | None = None
) -> tuple[CaseSummary, ...]:
    """A page of cases, newest first; ``before`` is the ``case_id`` of the last one on the page before."""
    c, v, a = recall_case.c, case_version.c, affected_set.c
    joined = recall_case.outerjoin(case_version, and_(v.case_id == c.case_id, v.version == c.version)).outerjoin(
        affected_set, a.affected_set_id == v.affected_set_id
    )
    review = recall_after_review.c
    joined = joined.outerjoin(recall_after_review, and_(review.case_id == c.case_id, review.reviewed_at.is_(None)))
    columns = (
        c.case_id, c.number, c.kind, c.state, c.version, c.title, c.hazard_class, c.opened_by, c.opened_at,
        c.published_at, c.texts, a["items"], a.lots, a.owners, review.due_at.label("review_due_at"),
    )  # fmt: skip
    statement = select(*columns).select_from(joined).order_by(c.case_id.desc()).limit(min(limit, PAGE_MAX))
    if before is not None:
        statement = statement.where(c.case_id < before)
    if kind is not None:
        statement = statement.where(c.kind == kind.value)
    return tuple(_summary(row) for row in await conn.execute(statement))


async def hold_ledger(conn: AsyncConnection) -> None:
    """Wait for running captures and keep new ones waiting until the verb ends: the affected set is then exact."""
    await conn.execute(text("SELECT hold_ledger()"))


async def freeze(
    conn: AsyncConnection,
    case: Case,
    *,
    ledger_event: int,
    hash: str,  # noqa: A002 - the word of the contract
    lots: Sequence[AffectedLot],
    lines: Sequence[Line],
    totals: Mapping[str, Any],
    took_ms: int,
    at: datetime,
) -> int:
    """Store an affected set with its notice lines, for ever; its id. By COPY: there may be a million lots."""
    values = {
        "case_id": case.case_id, "scope": as_json(case.scope), "ledger_event": ledger_event, "hash": hash,
        "lots": len(lots), "items": totals["items"], "owners": totals["owners"], "totals": dict(totals),
        "took_ms": took_ms, "frozen_at": at,
    }  # fmt: skip
    statement = insert(affected_set).values(**values).returning(affected_set.c.affected_set_id)
    set_id: int = (await conn.execute(statement)).scalar_one()
    await _copy_lots(conn, set_id, lots)
    await _copy_lines(conn, set_id, lines)
    return set_id


async def _copy_lots(conn: AsyncConnection, set_id: int, lots: Sequence[AffectedLot]) -> None:
    driver = await raw(conn)
    rows = [
        (set_id, x.lot_id, x.whole, x.reached.at, x.reached.basis, x.reached.via_operation_id, x.reached.from_lot_id)
        for x in lots
    ]
    await driver.copy_records_to_table("affected_lot", records=rows, columns=_names(affected_lot))
    runs = [(set_id, lot.lot_id, lo, n) for lot in lots if not lot.whole for lo, n in lot.runs]
    await driver.copy_records_to_table("affected_run", records=runs, columns=_names(affected_run))


def _names(table: Any) -> list[str]:
    return [column.name for column in table.columns]


async def _copy_lines(conn: AsyncConnection, set_id: int, lines: Sequence[Line]) -> None:
    driver = await raw(conn)
    rows = (
        (set_id, number, x.channel, x.owner_id, x.place_id, x.lot_id, orjson.dumps(x.row).decode())
        for number, x in enumerate(lines, 1)
    )
    await driver.copy_records_to_table("notice_line", records=rows, columns=_names(notice_line))


async def insert_version(
    conn: AsyncConnection,
    case: Case,
    *,
    version: int,
    affected_set_id: int,
    change: Change,
    note: str | None,
    by: str,
    at: datetime,
    revision: int | None,
) -> None:
    """Append a version of a case."""
    values = {
        "case_id": case.case_id, "version": version, "affected_set_id": affected_set_id, "change": change.value,
        "note": note, "texts": texts_as_json(case.texts), "published_by": by, "published_at": at, "revision": revision,
    }  # fmt: skip
    await conn.execute(insert(case_version).values(**values))


async def next_public_revision(conn: AsyncConnection) -> int:
    """Move the public record to its next revision, and tell every portal worker when the verb commits."""
    revision: int = (await conn.execute(text("SELECT next_public_revision()"))).scalar_one()
    return revision


async def put_publication(
    conn: AsyncConnection, case: Case, *, version: int, state: State, affected_set_id: int, at: datetime, revision: int
) -> None:
    """Show this case to the public as it is now. The database refuses a drill here, whoever asks."""
    values = {
        "number": case.number, "version": version, "kind": case.kind.value, "state": state.value, "title": case.title,
        "hazard": case.hazard, "hazard_class": case.hazard_class, "texts": texts_as_json(case.texts),
        "contact": dict(case.contact), "updated_at": at, "affected_set_id": affected_set_id, "revision": revision,
    }  # fmt: skip
    statement = upsert(publication).values(case_id=case.case_id, published_at=at, **values)
    await conn.execute(statement.on_conflict_do_update(constraint="publication_pkey", set_=values))


async def remove_publication(conn: AsyncConnection, case_id: int) -> None:
    """Show this case to the public no more; its versions stay on record."""
    await conn.execute(delete(publication).where(publication.c.case_id == case_id))


async def frozen_set(conn: AsyncConnection, case: Case, version: int | None = None) -> Frozen:
    """The frozen set of a version, the last one by default; raises ``NoNoticesYet`` and ``NoSuchVersion``."""
    if case.version == 0:
        raise NoNoticesYet(number=case.number)
    wanted = case.version if version is None else version
    statement = select(case_version, *(c for c in affected_set.c if c.name not in ("case_id", "affected_set_id")))
    statement = statement.join_from(
        case_version, affected_set, case_version.c.affected_set_id == affected_set.c.affected_set_id
    ).where(case_version.c.case_id == case.case_id, case_version.c.version == wanted)
    row = (await conn.execute(statement)).one_or_none()
    if row is None:
        raise NoSuchVersion(number=case.number, version=wanted, last=case.version)
    m = row._mapping
    return Frozen(
        m["affected_set_id"], m["version"], Change(m["change"]), m["hash"], m["ledger_event"], m["lots"],
        int(m["items"]), m["owners"], m["totals"], m["published_by"], m["published_at"], m["note"], m["revision"],
    )  # fmt: skip


async def notice_lines(conn: AsyncConnection, number: str, version: int | None = None) -> NoticeList:
    """The notice list of a version, by default the last. Raises NoSuchCase, NoNoticesYet, NoSuchVersion."""
    case = await find_case(conn, number)
    frozen = await frozen_set(conn, case, version)
    lines = select(notice_line.c.row).where(notice_line.c.affected_set_id == frozen.affected_set_id)
    rows = (await conn.execute(lines.order_by(notice_line.c.line))).scalars().all()
    return NoticeList(case, frozen, tuple(whole_row(row) for row in rows))


async def notice_page(conn: AsyncConnection, frozen: Frozen, *, before: int, rows: int) -> list[dict[str, Any]]:
    """So many lines of a frozen notice list, those after the first ``before``."""
    lines = select(notice_line.c.row).where(notice_line.c.affected_set_id == frozen.affected_set_id)
    found = await conn.execute(lines.order_by(notice_line.c.line).offset(before).limit(rows))
    return [whole_row(row) for row in found.scalars()]


async def frozen_area(conn: AsyncConnection, affected_set_id: int) -> Area:
    """What a frozen set covers."""
    runs: dict[int, list[tuple[int, int]]] = {}
    statement = (
        select(affected_run).where(affected_run.c.affected_set_id == affected_set_id).order_by(affected_run.c.lo)
    )
    for row in await conn.execute(statement):
        runs.setdefault(row.lot_id, []).append((row.lo, row.n))
    lots = select(affected_lot.c.lot_id, affected_lot.c.whole).where(affected_lot.c.affected_set_id == affected_set_id)
    return {r.lot_id: Cover(r.whole, () if r.whole else _runs(runs[r.lot_id])) for r in await conn.execute(lots)}


def texts_as_json(texts: Mapping[str, Text]) -> dict[str, Any]:
    """The texts by language, for storing."""
    return {
        language: {"title": t.title, "hazard": t.hazard, "actions": list(t.actions), "remedies": list(t.remedies)}
        for language, t in texts.items()
    }


def _texts(value: Mapping[str, Any]) -> dict[str, Text]:
    return {
        language: Text(t["title"], t["hazard"], tuple(t["actions"]), tuple(t["remedies"]))
        for language, t in value.items()
    }


def _runs(runs: Iterable[tuple[int, int]]) -> Runs:
    return tuple(runs)


def _case(row: Any) -> Case:
    m = dict(row._mapping)
    m.update(
        kind=Kind(m["kind"]), state=State(m["state"]), depth=Depth(m["depth"]), remedy=Remedy(m["remedy"]),
        texts=_texts(m["texts"]), scope=from_json(m["scope"]),
    )  # fmt: skip
    return Case(**m)


def _summary(row: Any) -> CaseSummary:
    m = row._mapping
    items = None if m["items"] is None else int(m["items"])
    return CaseSummary(
        m["case_id"], m["number"], Kind(m["kind"]), State(m["state"]), m["version"], m["title"], m["hazard_class"],
        m["opened_by"], m["opened_at"], m["published_at"], items, m["lots"], m["owners"],
        m["review_due_at"], {language: text["title"] for language, text in m["texts"].items()},
    )  # fmt: skip
