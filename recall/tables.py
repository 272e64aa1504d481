"""The columns that the recall room writes. The truth is schema/sql; a test compares the two."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

_INSTANT = DateTime(timezone=True)


def _table(name: str, **columns: Any) -> Table:
    return Table(name, metadata, *(Column(column, kind) for column, kind in columns.items()))


recall_case = _table(
    "recall_case", case_id=BigInteger, number=Text, kind=Text, state=Text, version=Integer, title=Text, hazard=Text,
    hazard_class=SmallInteger, depth=Text, scope=JSONB, texts=JSONB, contact=JSONB, deadline_on=Date, remedy=Text,
    opened_by=Text, opened_at=_INSTANT, approved_by=Text, approved_at=_INSTANT, published_by=Text,
    published_at=_INSTANT, closed_by=Text, closed_at=_INSTANT, closing_reason=Text,
    public_reason=Text,
)  # fmt: skip
recall_number = _table("recall_number", kind=Text, year=Integer, next=Integer)
affected_set = _table(
    "affected_set", affected_set_id=BigInteger, case_id=BigInteger, scope=JSONB, ledger_event=BigInteger, hash=Text,
    lots=Integer, items=Numeric, owners=Integer, totals=JSONB, took_ms=Integer, frozen_at=_INSTANT,
)  # fmt: skip
affected_lot = _table(
    "affected_lot", affected_set_id=BigInteger, lot_id=BigInteger, whole=Boolean, reached_at=_INSTANT, basis=Text,
    via_operation_id=BigInteger, from_lot_id=BigInteger,
)  # fmt: skip
affected_run = _table("affected_run", affected_set_id=BigInteger, lot_id=BigInteger, lo=BigInteger, n=BigInteger)
notice_line = _table(
    "notice_line", affected_set_id=BigInteger, line=Integer, channel=Text, owner_id=BigInteger, place_id=BigInteger,
    lot_id=BigInteger, row=JSONB,
)  # fmt: skip
case_version = _table(
    "case_version", case_id=BigInteger, version=Integer, affected_set_id=BigInteger, change=Text, note=Text,
    texts=JSONB, published_by=Text, published_at=_INSTANT, revision=BigInteger,
)  # fmt: skip
publication = _table(
    "publication", case_id=BigInteger, number=Text, version=Integer, kind=Text, state=Text, title=Text, hazard=Text,
    hazard_class=SmallInteger, texts=JSONB, contact=JSONB, published_at=_INSTANT, updated_at=_INSTANT,
    affected_set_id=BigInteger, revision=BigInteger,
)  # fmt: skip
recall_comparison = _table(
    "recall_comparison", case_id=BigInteger, version=Integer, ledger_event=BigInteger, compared_at=_INSTANT
)
recall_proposal = _table(
    "recall_proposal", proposal_id=BigInteger, case_id=BigInteger, version=Integer, kind=Text, ledger_event=BigInteger,
    content=JSONB, reason=Text, made_by=Text, made_at=_INSTANT, state=Text, decided_by=Text, decided_at=_INSTANT,
    decision=Text,
)  # fmt: skip
recall_hold = _table(
    "recall_hold", case_id=BigInteger, lot_id=BigInteger, lo=BigInteger, n=BigInteger, held_at=_INSTANT
)
recall_after_review = _table(
    "recall_after_review", case_id=BigInteger, reason=Text, published_by=Text, published_at=_INSTANT, due_at=_INSTANT,
    reviewed_by=Text, reviewed_at=_INSTANT, finding=Text,
)  # fmt: skip
