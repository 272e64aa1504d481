"""The columns that the ledger reads and writes. The truth is schema/sql; a test compares the two."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()

_INSTANT = DateTime(timezone=True)


def _table(called: str, /, **columns: Any) -> Table:
    return Table(called, metadata, *(Column(column, kind) for column, kind in columns.items()))


_ADDRESS: Final[dict[str, Any]] = {"country": Text, "region": Text, "city": Text, "address": Text}
_FATE: Final[dict[str, Any]] = {
    "unit_id": BigInteger,
    "since": _INSTANT,
    "event_id": BigInteger,
    "place_id": BigInteger,
    "owner_id": BigInteger,
    "disposition": Text,
}

party = _table(
    "party",
    party_id=BigInteger,
    uri=Text,
    gln=Text,
    name=Text,
    role=Text,
    channel=Text,
    **_ADDRESS,
    name_public=Boolean,
    changed_in=BigInteger,
)
contact = _table(
    "contact",
    contact_id=BigInteger,
    party_id=BigInteger,
    kind=Text,
    name=Text,
    phone=Text,
    email=Text,
    language=Text,
    hours=Text,
)
place = _table(
    "place",
    place_id=BigInteger,
    uri=Text,
    gln=Text,
    name=Text,
    kind=Text,
    party_id=BigInteger,
    **_ADDRESS,
    changed_in=BigInteger,
)
product = _table(
    "product",
    product_id=BigInteger,
    gtin=Text,
    name=Text,
    texts=JSONB,
    brand=Text,
    brand_party_id=BigInteger,
    profile=Text,
    ours=Boolean,
    shelf_life_days=Integer,
    date_kind=Text,
    allergens=ARRAY(Text),
    image=Text,
    checks=Text,
    changed_in=BigInteger,
)
lot = _table(
    "lot",
    lot_id=BigInteger,
    product_id=BigInteger,
    code=Text,
    made_on=Date,
    best_before_on=Date,
    made_at_place_id=BigInteger,
    supplier_id=BigInteger,
    status=Text,
    status_reason=Text,
    quantity=Numeric,
    uom=Text,
    changed_in=BigInteger,
)

event = _table(
    "event",
    event_id=BigInteger,
    type=Text,
    action=Text,
    event_time=_INSTANT,
    event_offset=Text,
    record_time=_INSTANT,
    biz_step=Text,
    disposition=Text,
    read_point_id=BigInteger,
    biz_location_id=BigInteger,
    source_id=Text,
    hash=Text,
    body=JSONB,
    captured_by=Text,
    capture_id=Uuid,
)
event_key = _table("event_key", source_id=Text, declaration=Boolean, event_id=BigInteger)
event_thing = _table("event_thing", event_id=BigInteger, lot_id=BigInteger, unit_id=BigInteger)
event_query = _table("event_query", name=Text, query=JSONB, created_at=_INSTANT, created_by=Text)
ended_page_token = _table("ended_page_token", token_hash=LargeBinary, until=_INSTANT)
event_arrival = _table(
    "event_arrival", arrival_id=BigInteger, event_ids=ARRAY(BigInteger), number=BigInteger, changed_in=BigInteger
)
event_subscription = _table(
    "event_subscription",
    subscription_id=Uuid,
    query_name=Text,
    dest=Text,
    sealed_token=LargeBinary,
    schedule=JSONB(none_as_null=True),
    report_if_empty=Boolean,
    initial_record_time=_INSTANT,
    created_at=_INSTANT,
    created_by=Text,
    next_at=_INSTANT,
    after_number=BigInteger,
    first_number=BigInteger,
    past_after=BigInteger,
    past_until=BigInteger,
    looked_at=_INSTANT,
    reports=BigInteger,
    ended_reason=Text,
)
event_report = _table(
    "event_report",
    report_id=Uuid,
    subscription_id=Uuid,
    number=BigInteger,
    event_ids=ARRAY(BigInteger),
    made_at=_INSTANT,
    state=Text,
    attempts=Integer,
    last_at=_INSTANT,
    last_reason=Text,
)
event_declared_wrong = _table("event_declared_wrong", event_id=BigInteger, by_event_id=BigInteger, reason=Text)
capture = _table(
    "capture",
    capture_id=Uuid,
    created_at=_INSTANT,
    finished_at=_INSTANT,
    behaviour=Text,
    running=Boolean,
    success=Boolean,
    events=Integer,
    known=Integer,
    errors=JSONB,
    warnings=JSONB,
    captured_by=Text,
)

number_block = _table(
    "number_block",
    lo=BigInteger,
    n=BigInteger,
    kind=Text,
    gtin=Text,
    lot_id=BigInteger,
    key_epoch=Integer,
    skipped=ARRAY(BigInteger),
    changed_in=BigInteger,
)
number_allocator = _table("number_allocator", single=Boolean, next=BigInteger)
foreign_serial = _table("foreign_serial", gtin=Text, serial=Text, number=BigInteger, changed_in=BigInteger)
code_key = _table("code_key", epoch=Integer, wrapped=LargeBinary, created_at=_INSTANT)

unit = _table(
    "unit",
    unit_id=BigInteger,
    uri=Text,
    sscc=Text,
    number=BigInteger,
    parent_id=BigInteger,
    since=_INSTANT,
    event_id=BigInteger,
    place_id=BigInteger,
    owner_id=BigInteger,
    disposition=Text,
)
unit_history = _table(
    "unit_history",
    unit_id=BigInteger,
    parent_id=BigInteger,
    since=_INSTANT,
    until=_INSTANT,
    event_id=BigInteger,
    place_id=BigInteger,
    owner_id=BigInteger,
    disposition=Text,
)
unit_quantity = _table("unit_quantity", unit_id=BigInteger, lot_id=BigInteger, uom=Text, quantity=Numeric)
code_run = _table("code_run", lo=BigInteger, n=BigInteger, lot_id=BigInteger, **_FATE, changed_in=BigInteger)
code_run_history = _table("code_run_history", lo=BigInteger, n=BigInteger, lot_id=BigInteger, **_FATE, until=_INSTANT)

lot_holding = _table(
    "lot_holding",
    lot_id=BigInteger,
    place_id=BigInteger,
    owner_id=BigInteger,
    disposition=Text,
    uom=Text,
    quantity=Numeric,
    since=_INSTANT,
)
loose_quantity = _table(
    "loose_quantity",
    lot_id=BigInteger,
    place_id=BigInteger,
    owner_id=BigInteger,
    disposition=Text,
    uom=Text,
    quantity=Numeric,
    since=_INSTANT,
)
lot_shipment = _table(
    "lot_shipment",
    event_id=BigInteger,
    lot_id=BigInteger,
    uom=Text,
    quantity=Numeric,
    from_owner_id=BigInteger,
    to_owner_id=BigInteger,
    from_place_id=BigInteger,
    to_place_id=BigInteger,
    at=_INSTANT,
    documents=ARRAY(Text),
)

operation = _table(
    "operation",
    operation_id=BigInteger,
    transformation_id=Text,
    event_id=BigInteger,
    place_id=BigInteger,
    line=Text,
    team=Text,
    operator=Text,
    equipment=Text,
    parameters=JSONB,
)
_SIDE: Final[dict[str, Any]] = {
    "operation_id": BigInteger,
    "lot_id": BigInteger,
    "at": _INSTANT,
    "event_id": BigInteger,
    "quantity": Numeric,
    "uom": Text,
    "lo": BigInteger,
    "n": BigInteger,
}
operation_input = _table("operation_input", **_SIDE)
operation_output = _table("operation_output", **_SIDE)
persistent_disposition = _table(
    "persistent_disposition",
    lot_id=BigInteger,
    lo=BigInteger,
    n=BigInteger,
    word=Text,
    set_by=BigInteger,
    unset_by=BigInteger,
    at=_INSTANT,
)
inspection = _table(
    "inspection",
    inspection_id=BigInteger,
    lot_id=BigInteger,
    at=_INSTANT,
    result=Text,
    report=Text,
    inspector=Text,
    measurements=JSONB,
)
capture_point = _table(
    "capture_point", point_id=Text, version=Integer, definition=JSONB, defined_at=_INSTANT, defined_by=Text
)
capture_reading = _table(
    "capture_reading",
    point_id=Text,
    reading_id=Text,
    version=Integer,
    event_id=BigInteger,
    hash=LargeBinary,
    alarms=JSONB,
    reviewed=ARRAY(BigInteger),
    taken_at=_INSTANT,
    taken_by=Text,
)
