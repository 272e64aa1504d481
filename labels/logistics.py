"""Labels of cases and pallets: SSCCs from a series, each used once; their sheets; and the units on record.

An SSCC is an extension digit, the GS1 company prefix, a serial reference and a check digit (General Specifications,
2.2.1). References are counted upwards per prefix and extension digit and never given back.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from gs1 import check_digit, digital_link
from gs1.identifier import Identifier
from labels import logistics_store as store
from labels.logistics_page import LogisticsLabel, Paper, write_labels
from labels.logistics_store import LogisticsJob
from labels.logistics_zpl import write_zpl
from labels.model import Language
from labels.refusals import (
    CompanyPrefixNotUsable,
    KeyForAnotherOrder,
    LogisticsCountNotUsable,
    LogisticsJobNotFound,
    LogisticsKindUnknown,
    OutputExists,
    SsccsUsedUp,
)
from ledger import capture
from ledger.codes import KeyRing
from runtime.clock import Clock, rfc3339
from runtime.database import transaction

KINDS: Final = {"case": 0, "pallet": 3}
"""What is labelled, and the extension digit of its series unless another is asked for."""
COUNT_MAX: Final = 1_000
"""SSCCs of one job: one file of labels, one event of commissioning."""
LISTED_MAX: Final = 1_000
ORDERED, RENDERED, COMMISSIONED = "logistics.order", "logistics.render", "logistics.commission"
_REFERENCE_AND_PREFIX: Final = 16
_PREFIX = re.compile(r"[0-9]{4,12}")


async def order(
    conn: AsyncConnection, *, kind: str, count: int, company_prefix: str, extension: int | None = None, base_url: str,
    by: str, clock: Clock, idempotency_key: str | None = None,
) -> LogisticsJob:  # fmt: skip
    """Reserve ``count`` SSCCs; nothing is printed yet and no unit exists. The same key is the same order.

    Refuses another kind than case or pallet, a count outside 1 … COUNT_MAX, a company prefix that is not 4 to 12
    digits, a series that has not so many numbers left, and a key that was used for another order.
    """
    if kind not in KINDS:
        raise LogisticsKindUnknown(kind=kind[:40], known=", ".join(KINDS))
    if not 1 <= count <= COUNT_MAX:
        raise LogisticsCountNotUsable(count=count, count_max=COUNT_MAX)
    digit = KINDS[kind] if extension is None else extension
    if _PREFIX.fullmatch(company_prefix) is None or not 0 <= digit <= 9:
        raise CompanyPrefixNotUsable(prefix=company_prefix[:40], extension=digit)
    async with transaction(conn):
        known = None if idempotency_key is None else await store.of_key(conn, idempotency_key)
        if known is None:
            lo = await store.take(conn, company_prefix, digit, count)
            if lo + count > 10 ** (_REFERENCE_AND_PREFIX - len(company_prefix)):
                raise SsccsUsedUp(prefix=company_prefix, extension=digit)
            values = {
                "kind": kind, "company_prefix": company_prefix, "extension": digit, "serial_lo": lo, "count": count,
                "base_url": base_url, "idempotency_key": idempotency_key, "ordered_by": by, "ordered_at": clock(),
            }  # fmt: skip
            job_id = await store.add(conn, values)
            if job_id is None:  # the same order came twice at once: the other one's numbers count, ours are a gap
                raise KeyForAnotherOrder(key=idempotency_key, job_id="that was ordered a moment ago")
            details = {"kind": kind, "count": count, "first": sscc_at(company_prefix, digit, lo)}
            await audit.note(conn, by, ORDERED, _subject(job_id), details, clock)
            known = await store.find(conn, job_id)
            assert known is not None  # it was added above
        elif (known.kind, known.count, known.company_prefix, known.extension) != (kind, count, company_prefix, digit):
            raise KeyForAnotherOrder(key=idempotency_key, job_id=known.logistics_job_id)
    return known


async def find_job(conn: AsyncConnection, job_id: int) -> LogisticsJob:
    """The job of this number; raises ``LogisticsJobNotFound``."""
    job = await store.find(conn, job_id)
    if job is None:
        raise LogisticsJobNotFound(job_id=job_id)
    return job


async def list_jobs(conn: AsyncConnection) -> list[LogisticsJob]:
    """The newest LISTED_MAX jobs."""
    return await store.newest(conn, LISTED_MAX)


def ssccs(job: LogisticsJob) -> list[str]:
    """The SSCCs of a job, in their order."""
    return [sscc_at(job.company_prefix, job.extension, job.serial_lo + k) for k in range(job.count)]


def sscc_at(company_prefix: str, extension: int, reference: int) -> str:
    """The SSCC of one serial reference: 18 digits."""
    digits = _REFERENCE_AND_PREFIX - len(company_prefix)
    payload = f"{extension}{company_prefix}{reference:0{digits}}"
    return payload + check_digit.compute(payload)


async def render(
    conn: AsyncConnection, job_id: int, out: Path, *, paper: Paper, copies: int = 1, language: Language = "en",
    zpl_dpi: int | None = None, by: str, clock: Clock,
) -> int:  # fmt: skip
    """Write the labels of a job as PDF, a page each and ``copies`` of it, every symbol read back; the labels' number.

    With ``zpl_dpi`` it is a print file for a label printer of that resolution. A unit that the ledger knows is labelled
    with what is in it now. Refuses a file that is there already.
    """
    if out.exists():
        raise OutputExists(path=out, job_id=job_id)
    async with transaction(conn):
        job = await find_job(conn, job_id)
        labels = [await _label(conn, job, sscc) for sscc in ssccs(job)]
    if zpl_dpi is None:
        await asyncio.to_thread(write_labels, out, labels, paper=paper, copies=copies, language=language)
    else:
        await asyncio.to_thread(write_zpl, out, labels, paper=paper, copies=copies, language=language, dpi=zpl_dpi)
    async with transaction(conn):
        details = {"file": out.name, "paper": paper, "labels": len(labels), "copies": copies}
        await audit.note(conn, by, RENDERED, _subject(job_id), details, clock)
    return len(labels)


async def commission(
    conn: AsyncConnection, job_id: int, *, place: str | None = None, by: str, clock: Clock, keys: KeyRing
) -> tuple[int, bool]:
    """The units of a job exist from now on: one event of commissioning. Its id, and whether this call told it.

    ``place`` (GLN or URI) is where they stand. Refuses an unknown job, and what capture refuses of the place.
    """
    async with transaction(conn):
        job = await store.find(conn, job_id, lock=True)
        if job is None:
            raise LogisticsJobNotFound(job_id=job_id)
        if job.commissioned_event_id is not None:
            return job.commissioned_event_id, False
        event_ids = await capture.record(conn, [_commissioning(job, place, clock)], by=by, clock=clock, keys=keys)
        await store.set_commissioned(conn, job_id, event_ids[0])
        await audit.note(conn, by, COMMISSIONED, _subject(job_id), {"event_id": event_ids[0]}, clock)
    return event_ids[0], True


def _commissioning(job: LogisticsJob, place: str | None, clock: Clock) -> dict[str, object]:
    event: dict[str, object] = {
        "type": "ObjectEvent",
        "eventTime": rfc3339(clock()),
        "eventTimeZoneOffset": "+00:00",
        "action": "ADD",
        "bizStep": "commissioning",
        "disposition": "active",
        "epcList": [digital_link.canonical(Identifier("00", sscc)) for sscc in ssccs(job)],
    }
    if place is not None:
        event["bizLocation"] = {"id": place if ":" in place else digital_link.canonical(Identifier("414", place))}
    return event


async def _label(conn: AsyncConnection, job: LogisticsJob, sscc: str) -> LogisticsLabel:
    contents: Sequence[store.Content] = await store.contents(conn, sscc)
    return LogisticsLabel(job.kind, sscc, digital_link.build(Identifier("00", sscc), job.base_url), tuple(contents))


def _subject(job_id: int) -> str:
    return f"logistics job {job_id}"
