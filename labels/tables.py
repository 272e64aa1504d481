"""The columns that the labels room reads and writes. The truth is schema/sql; a test compares the two."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Identity, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()

_INSTANT = DateTime(timezone=True)


def _table(called: str, identity: str | None = None, /, **columns: Any) -> Table:
    made = [Column(identity, BigInteger, Identity(always=True), primary_key=True)] if identity else []
    return Table(called, metadata, *made, *(Column(column, kind) for column, kind in columns.items()))


label_job = _table(
    "label_job",
    "job_id",
    product_id=BigInteger,
    lot_id=BigInteger,
    count=BigInteger,
    number_lo=BigInteger,
    template=Text,
    base_url=Text,
    lot_in_link=Boolean,
    best_before_on=Date,
    state=Text,
    idempotency_key=Text,
    reprint_of=BigInteger,
    ordered_by=Text,
    ordered_at=_INSTANT,
)
label_output = _table(
    "label_output",
    "output_id",
    job_id=BigInteger,
    format=Text,
    path=Text,
    sha256=Text,
    bytes=BigInteger,
    label_first=BigInteger,
    label_last=BigInteger,
    verified=BigInteger,
    report=JSONB,
    made_by=Text,
    made_at=_INSTANT,
)
label_range = _table(
    "label_range",
    job_id=BigInteger,
    label_first=BigInteger,
    label_last=BigInteger,
    state=Text,
    reason=Text,
    by_actor=Text,
    at=_INSTANT,
    event_id=BigInteger,
    replaced_by_job_id=BigInteger,
)
void_code = _table("void_code", lo=BigInteger, n=BigInteger, at=_INSTANT, changed_in=BigInteger)
label_render = _table(
    "label_render",
    "render_id",
    job_id=BigInteger,
    format=Text,
    target=Text,
    in_parts=Boolean,
    labels=BigInteger,
    state=Text,
    problem=Text,
    asked_by=Text,
    asked_at=_INSTANT,
    started_at=_INSTANT,
    ended_at=_INSTANT,
)
label_part = _table(
    "label_part",
    render_id=BigInteger,
    part=Integer,
    firsts=ARRAY(BigInteger),
    lasts=ARRAY(BigInteger),
    label_first=BigInteger,
    label_last=BigInteger,
    labels=BigInteger,
    name=Text,
    state=Text,
    sha256=Text,
    bytes=BigInteger,
    verified=BigInteger,
    report=JSONB,
    made_at=_INSTANT,
    given_to=Text,
    given_at=_INSTANT,
    resolved_by=Text,
    reason=Text,
)
