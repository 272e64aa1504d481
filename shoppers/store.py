"""Links, reports, findings and alerts: SQL in, values out. Opens no transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from shoppers.model import Alert, Host, Link, LinkDraft, Report, ReportState, Rule, Unusual

_LINKS = (
    "SELECT l.link_id, l.gtin, l.cpv, l.lot, l.type, l.target, l.title, l.languages, l.media_type, l.valid_from,"
    " l.valid_until, h.allowed_by IS NOT NULL AS is_allowed, l.added_by, l.added_at"
    " FROM resolver_link l JOIN link_host h USING (host) WHERE l.removed_at IS NULL"
)
_HOSTS = "SELECT host, asked_by, asked_at, allowed_by, allowed_at FROM link_host"
_REPORTS = (
    "SELECT report_id, reference, gtin, lot, serial, kind, words, contact, language, photo IS NOT NULL AS has_photo,"
    " state, taken_at, closed_by, closed_at, closing_note FROM problem_report"
)
_FINDINGS = (
    "SELECT finding_id, number, gtin, rule, effect, counted, within_days, found_at, cleared_by, cleared_at,"
    " clearing_reason FROM unusual_finding"
)
_ALERTS = (
    "SELECT a.alert_id, a.email, a.gtin, a.lot, a.language, coalesce(p.texts -> a.language ->> 'name', p.name, a.gtin),"
    " a.confirmed_at IS NOT NULL FROM recall_alert a LEFT JOIN product p USING (gtin)"
)

_OF_CASE = (
    "JOIN publication c ON c.case_id = :case_id WHERE a.confirmed_at IS NOT NULL AND a.ended_at IS NULL"
    " AND EXISTS (SELECT FROM affected_lot f JOIN lot l USING (lot_id) JOIN product q USING (product_id)"
    " WHERE f.affected_set_id = c.affected_set_id AND q.gtin = a.gtin AND a.lot IN ('', l.code))"
    " AND NOT EXISTS (SELECT FROM recall_alert_letter s WHERE s.alert_id = a.alert_id AND s.case_id = c.case_id"
    " AND s.version = c.version)"
)


async def count_links(conn: AsyncConnection) -> int:
    """Links in force."""
    return await _count(conn, "SELECT count(*) FROM resolver_link WHERE removed_at IS NULL")


async def has_product(conn: AsyncConnection, gtin: str) -> bool:
    """Whether the product is on record."""
    return bool(await _count(conn, "SELECT count(*) FROM product WHERE gtin = :gtin", gtin=gtin))


async def insert_link(conn: AsyncConnection, draft: LinkDraft, *, host: str, by: str, at: datetime) -> int | None:
    """The number of the new link; None when it is there already."""
    sql = text(
        "INSERT INTO resolver_link (gtin, cpv, lot, type, target, host, title, languages, media_type, valid_from,"
        " valid_until, added_by, added_at) VALUES (:gtin, :cpv, :lot, :type, :target, :host, :title, :languages,"
        " :media_type, :valid_from, :valid_until, :by, :at)"
        " ON CONFLICT (gtin, cpv, lot, type, target, languages) WHERE removed_at IS NULL DO NOTHING RETURNING link_id"
    ).bindparams(bindparam("languages", type_=ARRAY(Text)))
    values = asdict(draft) | {"languages": list(draft.languages), "host": host, "by": by, "at": at}
    found: int | None = (await conn.execute(sql, values)).scalar_one_or_none()
    return found


async def find_link(conn: AsyncConnection, link_id: int) -> Link | None:
    """The link, when it is in force."""
    rows = await _rows(conn, f"{_LINKS} AND l.link_id = :link_id", link_id=link_id)
    return _link(rows[0]) if rows else None


async def list_links(conn: AsyncConnection, *, gtin: str | None, after: int | None, limit: int) -> Sequence[Link]:
    """A page of the links in force."""
    sql = (
        f"{_LINKS} AND l.link_id > :after AND (CAST(:gtin AS text) IS NULL OR l.gtin = :gtin)"
        " ORDER BY l.link_id LIMIT :limit"
    )
    return [_link(row) for row in await _rows(conn, sql, gtin=gtin, after=after or 0, limit=limit)]


async def remove_link(conn: AsyncConnection, link_id: int, *, by: str, at: datetime) -> bool:
    """Whether there was such a link."""
    sql = (
        "UPDATE resolver_link SET removed_by = :by, removed_at = :at WHERE link_id = :link_id AND removed_at IS NULL"
        " RETURNING link_id"
    )
    return bool(await _rows(conn, sql, link_id=link_id, by=by, at=at))


async def ask_for_host(conn: AsyncConnection, host: str, *, by: str, at: datetime, allowed_by: str | None) -> None:
    """Put the host on record; allowed at once when ``allowed_by`` says by whom."""
    sql = (
        "INSERT INTO link_host AS h (host, asked_by, asked_at, allowed_by, allowed_at) VALUES (:host, :by, :at,"
        " :allowed_by, CASE WHEN CAST(:allowed_by AS text) IS NOT NULL THEN CAST(:at AS timestamptz) END)"
        " ON CONFLICT (host) DO UPDATE SET allowed_by = excluded.allowed_by, allowed_at = excluded.allowed_at"
        " WHERE h.allowed_by IS NULL AND excluded.allowed_by IS NOT NULL"
    )
    await conn.execute(text(sql), {"host": host, "by": by, "at": at, "allowed_by": allowed_by})


async def find_host(conn: AsyncConnection, host: str) -> Host | None:
    """The host on record."""
    rows = await _rows(conn, f"{_HOSTS} WHERE host = :host", host=host)
    return Host(*rows[0]) if rows else None


async def list_hosts(conn: AsyncConnection, limit: int) -> Sequence[Host]:
    """Hosts, those that wait first."""
    sql = f"{_HOSTS} ORDER BY allowed_by IS NOT NULL, asked_at DESC LIMIT :limit"
    return [Host(*row) for row in await _rows(conn, sql, limit=limit)]


async def allow_host(conn: AsyncConnection, host: str, *, by: str, at: datetime) -> None:
    """Let links lead there."""
    sql = "UPDATE link_host SET allowed_by = :by, allowed_at = :at WHERE host = :host"
    await conn.execute(text(sql), {"host": host, "by": by, "at": at})


async def forbid_host(conn: AsyncConnection, host: str) -> bool:
    """Whether there was such a host."""
    sql = "UPDATE link_host SET allowed_by = NULL, allowed_at = NULL WHERE host = :host RETURNING host"
    return bool(await _rows(conn, sql, host=host))


async def list_reports(conn: AsyncConnection, *, state: str | None, before: int | None, limit: int) -> Sequence[Report]:
    """A page of reports, the newest first."""
    sql = (
        f"{_REPORTS} WHERE (CAST(:state AS text) IS NULL OR state = :state)"
        " AND (CAST(:before AS bigint) IS NULL OR report_id < :before) ORDER BY report_id DESC LIMIT :limit"
    )
    return [_report(row) for row in await _rows(conn, sql, state=state, before=before, limit=limit)]


async def put_report(
    conn: AsyncConnection, reference: str, *, state: str, note: str | None, by: str, at: datetime
) -> Report | None:
    """The report in its new state."""
    sql = (
        "UPDATE problem_report SET state = :state, closing_note = coalesce(CAST(:note AS text), closing_note),"
        " closed_by = CASE WHEN :state IN ('closed', 'spam') THEN CAST(:by AS text) END,"
        " closed_at = CASE WHEN :state IN ('closed', 'spam') THEN CAST(:at AS timestamptz) END"
        " WHERE reference = :reference"
    )
    values = {"reference": reference, "state": state, "note": note, "by": by, "at": at}
    await conn.execute(text(sql), values)
    rows = await _rows(conn, f"{_REPORTS} WHERE reference = :reference", reference=reference)
    return _report(rows[0]) if rows else None


async def photo_of(conn: AsyncConnection, reference: str) -> bytes | None:
    """The photo of a report."""
    sql = "SELECT photo FROM problem_report WHERE reference = :reference AND photo IS NOT NULL"
    rows = await _rows(conn, sql, reference=reference)
    return bytes(rows[0][0]) if rows else None


async def list_rules(conn: AsyncConnection) -> Sequence[Rule]:
    """All rules."""
    sql = "SELECT rule, threshold, within_days, effect, enabled FROM unusual_rule ORDER BY rule"
    return [Rule(*row) for row in await _rows(conn, sql)]


async def set_rule(conn: AsyncConnection, rule: Rule, *, by: str, at: datetime) -> bool:
    """Whether there is such a rule."""
    sql = (
        "UPDATE unusual_rule SET threshold = :threshold, within_days = :within_days, effect = :effect,"
        " enabled = :enabled, changed_by = :by, changed_at = :at WHERE rule = :rule RETURNING rule"
    )
    return bool(await _rows(conn, sql, **asdict(rule), by=by, at=at))


async def set_markets(conn: AsyncConnection, gtin: str, countries: Sequence[str]) -> None:
    """Replace the countries of a product."""
    await conn.execute(text("DELETE FROM product_market WHERE gtin = :gtin"), {"gtin": gtin})
    sql = text("INSERT INTO product_market (gtin, country) SELECT :gtin, unnest(CAST(:countries AS text[]))")
    await conn.execute(sql, {"gtin": gtin, "countries": list(countries)})


async def list_findings(conn: AsyncConnection, *, is_open: bool, before: int | None, limit: int) -> Sequence[Unusual]:
    """A page of findings, the newest first."""
    sql = (
        f"{_FINDINGS} WHERE (cleared_at IS NULL) = :is_open"
        " AND (CAST(:before AS bigint) IS NULL OR finding_id < :before) ORDER BY finding_id DESC LIMIT :limit"
    )
    return [Unusual(*row) for row in await _rows(conn, sql, is_open=is_open, before=before, limit=limit)]


async def findings_to_tell(conn: AsyncConnection, limit: int) -> Sequence[Unusual]:
    """Open findings that the brand was not told of by mail."""
    sql = f"{_FINDINGS} WHERE cleared_at IS NULL AND told_at IS NULL ORDER BY finding_id LIMIT :limit"
    return [Unusual(*row) for row in await _rows(conn, sql, limit=limit)]


async def note_told(conn: AsyncConnection, finding_ids: Sequence[int], at: datetime) -> None:
    """The brand was told of these."""
    sql = "UPDATE unusual_finding SET told_at = :at WHERE finding_id = ANY (CAST(:ids AS bigint[]))"
    await conn.execute(text(sql), {"at": at, "ids": list(finding_ids)})


async def clear_finding(conn: AsyncConnection, finding_id: int, *, reason: str, by: str, at: datetime) -> bool:
    """Whether there was such an open finding."""
    sql = (
        "UPDATE unusual_finding SET cleared_by = :by, cleared_at = :at, clearing_reason = :reason"
        " WHERE finding_id = :finding_id AND cleared_at IS NULL RETURNING finding_id"
    )
    return bool(await _rows(conn, sql, finding_id=finding_id, reason=reason, by=by, at=at))


async def find_alert(conn: AsyncConnection, alert_id: int) -> Alert | None:
    """An alert that has not ended."""
    rows = await _rows(conn, f"{_ALERTS} WHERE a.alert_id = :alert_id AND a.ended_at IS NULL", alert_id=alert_id)
    return Alert(*rows[0]) if rows else None


async def alerts_to_tell(conn: AsyncConnection, case_id: int, limit: int) -> Sequence[Alert]:
    """Confirmed alerts of what a published case names, that were not told of its version yet."""
    sql = f"{_ALERTS} {_OF_CASE} ORDER BY a.alert_id LIMIT :limit"
    return [Alert(*row) for row in await _rows(conn, sql, case_id=case_id, limit=limit)]


async def publication(conn: AsyncConnection, case_id: int) -> Any:
    """The published case: number, version, title, hazard, texts, contact; None when it is shown no more."""
    sql = (
        "SELECT number, version, title, hazard, texts, contact FROM publication"
        " WHERE case_id = :case_id AND kind = 'recall'"
    )
    typed = text(sql).columns(texts=JSONB, contact=JSONB)
    return (await conn.execute(typed, {"case_id": case_id})).one_or_none()


async def note_letter(conn: AsyncConnection, alert_id: int, case_id: int, version: int, at: datetime) -> None:
    """This alert was told of this version."""
    sql = (
        "INSERT INTO recall_alert_letter (alert_id, case_id, version, sent_at) VALUES (:alert_id, :case_id, :version,"
        " :at) ON CONFLICT ON CONSTRAINT recall_alert_letter_pkey DO NOTHING"
    )
    await conn.execute(text(sql), {"alert_id": alert_id, "case_id": case_id, "version": version, "at": at})


async def end_alert(conn: AsyncConnection, alert_id: int, at: datetime) -> None:
    """Forget the address of an alert."""
    sql = "UPDATE recall_alert SET email = NULL, ended_at = :at WHERE alert_id = :alert_id AND ended_at IS NULL"
    await conn.execute(text(sql), {"alert_id": alert_id, "at": at})


async def forget(conn: AsyncConnection, at: datetime, *, scan_days: int, report_days: int, unconfirmed_h: int) -> None:
    """Drop what is older than its retention: scans, sightings, reports, wishes that nobody confirmed."""
    for sql, values in (
        ("DELETE FROM scan_log WHERE at < :at - make_interval(days => CAST(:n AS int))", scan_days),
        ("DELETE FROM code_sighting WHERE on_day < (:at - make_interval(days => CAST(:n AS int)))::date", scan_days),
        ("DELETE FROM problem_report WHERE taken_at < :at - make_interval(days => CAST(:n AS int))", report_days),
        (
            "UPDATE recall_alert SET email = NULL, ended_at = :at WHERE confirmed_at IS NULL AND ended_at IS NULL"
            " AND asked_at < :at - make_interval(hours => CAST(:n AS int))",
            unconfirmed_h,
        ),
    ):
        await conn.execute(text(sql.replace(":at", "CAST(:at AS timestamptz)")), {"at": at, "n": values})


async def _rows(conn: AsyncConnection, sql: str, **values: Any) -> Sequence[Any]:
    return (await conn.execute(text(sql), values)).all()


async def _count(conn: AsyncConnection, sql: str, **values: Any) -> int:
    found: int = (await conn.execute(text(sql), values)).scalar_one()
    return found


def _link(row: Any) -> Link:
    return Link(**dict(row._mapping) | {"languages": tuple(row.languages)})


def _report(row: Any) -> Report:
    return Report(**dict(row._mapping) | {"state": ReportState(row.state)})
