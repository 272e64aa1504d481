"""The columns that the labels room reads and writes. The truth is schema/sql; a test compares the two."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Identity,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
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
    start_cell=Integer,
    right_mm=Float,
    down_mm=Float,
    recipe=JSONB,
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
replaced_code = _table("replaced_code", number=BigInteger, by_number=BigInteger, lot_id=BigInteger, at=_INSTANT)
label_template = _table(
    "label_template", name=Text, measures=JSONB, page=Text, style=Text, added_by=Text, added_at=_INSTANT
)
product_label = _table("product_label", product_id=BigInteger, template=Text)
label_delivery = _table(
    "label_delivery", "delivery_id", job_id=BigInteger, to_name=Text, receipt=Text, by_actor=Text, at=_INSTANT
)
label_check = _table("label_check", session=Text, number=BigInteger, at=_INSTANT, by_actor=Text)
sscc_series = _table("sscc_series", company_prefix=Text, extension=SmallInteger, next=BigInteger)
logistics_job = _table(
    "logistics_job",
    "logistics_job_id",
    kind=Text,
    company_prefix=Text,
    extension=SmallInteger,
    serial_lo=BigInteger,
    count=Integer,
    base_url=Text,
    idempotency_key=Text,
    commissioned_event_id=BigInteger,
    ordered_by=Text,
    ordered_at=_INSTANT,
)
