"""SQL of label jobs. Values in, values out; opens no transaction."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from labels import tables as t
from labels.model import Job, LabelRange, OutputFile
from labels.numbering import Numbering
from labels.refusals import JobNotFound
from ledger.tables import foreign_serial, place, product

CHANNEL: Final = "tracemark_codes"
"""Whoever answers scans is told here that codes were issued, commissioned or voided."""

_PARTS = re.split(r"^-- name: (\w+)$", Path(__file__).with_name("jobs.sql").read_text(encoding="utf-8"), flags=re.M)
_SQL: Final = {name: text(sql.strip().rstrip(";")) for name, sql in zip(_PARTS[1::2], _PARTS[2::2], strict=True)}


class ItemPlace(NamedTuple):
    """Where a commissioned item is, whose it is, and in what disposition ("" = none told)."""

    place_id: int
    owner_id: int
    disposition: str


async def find_job(conn: AsyncConnection, job_id: int) -> Job:
    """The label job of this number; raises ``JobNotFound``."""
    row = (await conn.execute(_SQL["job"], {"job_id": job_id})).mappings().one_or_none()
    if row is None:
        raise JobNotFound(job_id=job_id)
    values = dict(row)
    numbers = Numbering(values.pop("lo"), values.pop("n"), tuple(values.pop("skipped")))
    return Job(**values, numbers=numbers)


async def lock_job(conn: AsyncConnection, job_id: int) -> Job:
    """As ``find_job``; until the transaction ends nobody else changes what became of its labels."""
    await conn.execute(select(t.label_job.c.job_id).where(t.label_job.c.job_id == job_id).with_for_update())
    return await find_job(conn, job_id)


async def job_of_key(conn: AsyncConnection, idempotency_key: str) -> int | None:
    """The job that was ordered under this key."""
    found = select(t.label_job.c.job_id).where(t.label_job.c.idempotency_key == idempotency_key)
    job_id: int | None = (await conn.execute(found)).scalar_one_or_none()
    return job_id


async def add_job(conn: AsyncConnection, values: Mapping[str, Any]) -> int | None:
    """The new job's number; None when its idempotency key was used a moment ago."""
    added = insert(t.label_job).values(**values).on_conflict_do_nothing(constraint="label_job_idempotency_key")
    job_id: int | None = (await conn.execute(added.returning(t.label_job.c.job_id))).scalar_one_or_none()
    return job_id


async def older_blocks(conn: AsyncConnection, gtin: str, epoch: int) -> dict[int, list[tuple[int, int]]]:
    """The blocks (lo, n) of a product's label jobs by key epoch, of epochs before this one."""
    blocks: dict[int, list[tuple[int, int]]] = {}
    for row in await conn.execute(_SQL["blocks"], {"gtin": gtin, "epoch": epoch}):
        blocks.setdefault(row.key_epoch, []).append((row.lo, row.n))
    return blocks


async def reason_recalled(conn: AsyncConnection, lot_id: int) -> str | None:
    """Why the lot counts as recalled as a whole; None when it does not."""
    reason: str | None = (await conn.execute(_SQL["recalls"], {"lot_id": lot_id})).scalars().first()
    return reason


async def reason_items_recalled(conn: AsyncConnection, lot_id: int, runs: Sequence[tuple[int, int]]) -> str | None:
    """Why some of these numbers (lo, n) of the lot count as recalled; None when none does."""
    values = {"lot_id": lot_id, "los": [lo for lo, _ in runs], "ns": [n for _, n in runs]}
    reason: str | None = (await conn.execute(_SQL["recalled_among"], values)).scalars().first()
    return reason


async def recalled_runs(conn: AsyncConnection, lot_id: int, lo: int, n: int) -> list[tuple[int, int]]:
    """The runs (lo, n) of recalled items that meet these numbers of the lot."""
    rows = await conn.execute(_SQL["recalled_runs"], {"lot_id": lot_id, "lo": lo, "n": n})
    return [(row.lo, row.n) for row in rows]


async def add_replaced(conn: AsyncConnection, *, number: int, by_number: int, lot_id: int, at: datetime) -> None:
    """Keep under which number the item of an old one goes on."""
    values = {"number": number, "by_number": by_number, "lot_id": lot_id, "at": at}
    await conn.execute(insert(t.replaced_code).values(values))


async def brought_serials(conn: AsyncConnection, numbers: Sequence[int]) -> list[str]:
    """The serials that a customer brought for these numbers, in their order."""
    f = foreign_serial.c
    rows = await conn.execute(select(f.number, f.serial).where(f.number == func.any(list(numbers))))
    serial_by_number = {row.number: row.serial for row in rows}
    return [serial_by_number[number] for number in numbers]


async def brought_by_length(conn: AsyncConnection, gtin: str) -> dict[int, int]:
    """How many serials that were not made here are on record for a product, by their length."""
    length = func.length(foreign_serial.c.serial)
    counted = select(length, func.count()).where(foreign_serial.c.gtin == gtin).group_by(length)
    return {row[0]: row[1] for row in await conn.execute(counted)}


async def add_delivery(conn: AsyncConnection, job_id: int, *, to: str, receipt: str, by: str, at: datetime) -> None:
    """Keep who received the codes of a job."""
    values = {"job_id": job_id, "to_name": to, "receipt": receipt, "by_actor": by, "at": at}
    await conn.execute(insert(t.label_delivery).values(values))


async def deliveries(conn: AsyncConnection, job_id: int) -> list[tuple[str, str, str, datetime]]:
    """Name, receipt, by whom and when of each handing over of a job, in order."""
    d = t.label_delivery.c
    rows = await conn.execute(
        select(d.to_name, d.receipt, d.by_actor, d.at).where(d.job_id == job_id).order_by(d.delivery_id)
    )
    return [(row.to_name, row.receipt, row.by_actor, row.at) for row in rows]


async def job_of_number(conn: AsyncConnection, number: int) -> Job | None:
    """The label job that a number belongs to."""
    job_id = (await conn.execute(_SQL["job_of_number"], {"number": number})).scalar_one_or_none()
    return None if job_id is None else await find_job(conn, job_id)


async def add_check(conn: AsyncConnection, session: str, number: int, *, by: str, at: datetime) -> bool:
    """Remember a label in a session of a line; False when it was there before."""
    seen = insert(t.label_check).values(session=session, number=number, by_actor=by, at=at)
    new = seen.on_conflict_do_nothing(constraint="label_check_pkey").returning(t.label_check.c.number)
    return (await conn.execute(new)).scalar_one_or_none() is not None


async def count_checks(conn: AsyncConnection, session: str) -> int:
    """How many labels were seen in a session."""
    counted = select(func.count()).where(t.label_check.c.session == session)
    return int((await conn.execute(counted)).scalar_one())


async def forget_checks(conn: AsyncConnection, *, before: datetime) -> None:
    """Drop what was seen on lines before this instant."""
    await conn.execute(t.label_check.delete().where(t.label_check.c.at < before))


async def epochs(conn: AsyncConnection) -> list[tuple[int, datetime, int, int]]:
    """Epoch, when it was made, its blocks and their numbers; the newest first."""
    rows = await conn.execute(_SQL["epochs"])
    return [(row.epoch, row.created_at, row.blocks, row.numbers) for row in rows]


async def party_of_place(conn: AsyncConnection, place_id: int) -> int:
    """Whose place it is; 0 = unknown."""
    return int((await conn.execute(select(place.c.party_id).where(place.c.place_id == place_id))).scalar_one())


async def brand_party(conn: AsyncConnection, product_id: int) -> int:
    """Whose brand a product is; 0 = unknown."""
    brand = select(product.c.brand_party_id).where(product.c.product_id == product_id)
    return int((await conn.execute(brand)).scalar_one())


async def item_place(conn: AsyncConnection, number: int) -> ItemPlace:
    """Where a commissioned item is."""
    row = (await conn.execute(_SQL["item"], {"number": number})).one()
    return ItemPlace(row.place_id, row.owner_id, row.disposition)


async def own_outputs(conn: AsyncConnection, job_id: int, path: Path) -> set[str]:
    """The hashes of what this job rendered to that path before."""
    hashes = select(t.label_output.c.sha256).where(
        t.label_output.c.job_id == job_id, t.label_output.c.path == str(path)
    )
    return set((await conn.execute(hashes)).scalars())


async def output_hash(conn: AsyncConnection, job_id: int, path: Path) -> str | None:
    """The hash of what this job rendered to that path last."""
    o = t.label_output.c
    newest = select(o.sha256).where(o.job_id == job_id, o.path == str(path)).order_by(o.output_id.desc()).limit(1)
    found: str | None = (await conn.execute(newest)).scalar_one_or_none()
    return found


async def add_output(conn: AsyncConnection, job_id: int, output: OutputFile, *, by: str, at: datetime) -> None:
    """Record a rendering, and that the job is released."""
    report = output.verified
    await conn.execute(
        insert(t.label_output).values(
            job_id=job_id, format=output.format, path=str(output.path), sha256=output.sha256, bytes=output.bytes,
            label_first=output.labels_first, label_last=output.labels_last,
            verified=0 if report is None else report.symbols, report={} if report is None else asdict(report),
            made_by=by, made_at=at,
        )
    )  # fmt: skip
    await conn.execute(t.label_job.update().where(t.label_job.c.job_id == job_id).values(state="released"))


async def ranges(conn: AsyncConnection, job_id: int, first: int, last: int) -> list[LabelRange]:
    """What became of the labels first … last: every range that reaches into them, whole, in order."""
    r = t.label_range.c
    columns = (r.label_first, r.label_last, r.state, r.reason, r.by_actor, r.at, r.event_id, r.replaced_by_job_id)
    reaching = select(*columns).where(r.job_id == job_id, r.label_first <= last, r.label_last >= first)
    rows: Any = await conn.execute(reaching.order_by(r.label_first))
    return [LabelRange(*row) for row in rows]


async def put_ranges(
    conn: AsyncConnection, job_id: int, removed: Iterable[LabelRange], added: Sequence[LabelRange]
) -> None:
    """Take ranges out and put others in their place."""
    firsts = [each.first for each in removed]
    if firsts:
        r = t.label_range.c
        await conn.execute(t.label_range.delete().where(r.job_id == job_id, r.label_first == func.any(firsts)))
    if added:
        await conn.execute(insert(t.label_range), [_range_row(job_id, each) for each in added])


async def add_void_codes(conn: AsyncConnection, runs: Sequence[tuple[int, int]], at: datetime) -> None:
    """Say to whoever scans these numbers that their labels are void."""
    await conn.execute(insert(t.void_code), [{"lo": lo, "n": n, "at": at} for lo, n in runs])


async def tell_scanners(conn: AsyncConnection) -> None:
    """A hint, sent when the transaction commits."""
    await conn.execute(select(func.pg_notify(CHANNEL, "")))


def _range_row(job_id: int, each: LabelRange) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "label_first": each.first,
        "label_last": each.last,
        "state": each.state,
        "reason": each.reason,
        "by_actor": each.by,
        "at": each.at,
        "event_id": each.event_id,
        "replaced_by_job_id": each.replaced_by_job_id,
    }


def job_values(
    *,
    product_id: int,
    lot_id: int,
    numbers: Numbering,
    template: str,
    base_url: str,
    lot_in_link: bool,
    best_before_on: date | None,
    by: str,
    at: datetime,
    idempotency_key: str | None = None,
    reprint_of: int | None = None,
) -> dict[str, Any]:
    """The row of a new job."""
    return {
        "product_id": product_id, "lot_id": lot_id, "count": numbers.count, "number_lo": numbers.lo,
        "template": template,
        "base_url": base_url, "lot_in_link": lot_in_link, "best_before_on": best_before_on,
        "idempotency_key": idempotency_key, "reprint_of": reprint_of, "ordered_by": by, "ordered_at": at,
    }  # fmt: skip
