"""What the typical application reads: rows as objects, with relationships; and its template, made of the portal's page.

Products, lots, places, parties and recalls are the very rows of the portal's own database. A row for each code, one for
each step of a lot's history and one for each scan are its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Table
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from benchmarks import lives_world, scan_world
from runtime.database import DatabaseAddress, Role

TABLES: Final = (
    "CREATE TABLE typical_code (gtin text, serial text, lot_id bigint NOT NULL, PRIMARY KEY (gtin, serial))",
    "CREATE TABLE typical_step (step_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, lot_id bigint NOT NULL,"
    " at timestamptz NOT NULL, step text NOT NULL, place_id bigint NOT NULL)",
    "CREATE TABLE typical_scan (scan_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, gtin text, serial text,"
    " at timestamptz NOT NULL, client text)",
)
INDEXES: Final = (
    "CREATE INDEX typical_step_lot ON typical_step (lot_id, at)",
    "CREATE INDEX typical_scan_code ON typical_scan (gtin, serial)",
    "ANALYZE typical_code, typical_step",
)
STEP_WORDS: Final = {
    "creating_class_instance": "Made",
    "packing": "Packed",
    "shipping": "Shipped",
    "receiving": "Received",
    "stocking": "Put on the shelf",
}
KIND_WORDS: Final = {"plant": "production site", "warehouse": "warehouse", "store": "shop"}
COUNTRY_WORDS: Final = {"GB": "United Kingdom"}

_FIRST: Final = "This is the first time it has been checked."
_WHERE: Final = "{{ place.kind|kind }}, {% if place.region %}{{ place.region }}, {% endif %}{{ place.country|country }}"
_STEPS: Final = (
    "{% for step in steps %}{% set place = step.place %}\n"
    '<li><b>{{ step.step|step }}</b><br><span class="soft">{{ step.at|day }} · '
    "{% if place.party.name_public %}{{ place.party.name }}, {% endif %}"
    + _WHERE
    + " · told by: {{ place.party.role }}"
    "</span></li>{% endfor %}\n"
)
_CASES: Final = (
    '{% for recall in lot.recalls %}<section class="card case">\n<h2>{{ recall.title }}</h2>\n'
    "<p>{{ recall.hazard }}</p>\n</section>\n{% endfor %}"
)
_COUNT: Final = (
    "{% if count == 1 %}" + _FIRST + "{% else %}Checked {{ count }} times, first on {{ first_at|day }}.{% endif %}"
)
_INSTANT: Final = re.compile(r"[A-Z][a-z]{2} \d{1,2}, \d{4} \d\d:\d\d UTC")
_LIFE: Final = re.compile(r'(<ol class="life">)\n.*?(</ol>)', re.DOTALL)
_CARD: Final = '<section class="card">'


class Base(DeclarativeBase):
    """The tables of the reference."""


class Product(Base):
    """A product."""

    __tablename__ = "product"
    product_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    gtin: Mapped[str]
    name: Mapped[str]
    brand: Mapped[str]
    checks: Mapped[str]
    allergens: Mapped[list[str]] = mapped_column(ARRAY(TEXT))


class Party(Base):
    """A legal entity."""

    __tablename__ = "party"
    party_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    name_public: Mapped[bool]


class Place(Base):
    """A place, and whose it is."""

    __tablename__ = "place"
    place_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("party.party_id"))
    kind: Mapped[str]
    region: Mapped[str | None]
    country: Mapped[str | None]
    party: Mapped[Party] = relationship()


affected_lot = Table(
    "affected_lot",
    Base.metadata,
    Column("affected_set_id", BigInteger, ForeignKey("publication.affected_set_id")),
    Column("lot_id", BigInteger, ForeignKey("lot.lot_id")),
)


class Recall(Base):
    """A published case."""

    __tablename__ = "publication"
    case_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    affected_set_id: Mapped[int] = mapped_column(BigInteger)
    title: Mapped[str]
    hazard: Mapped[str]


class Step(Base):
    """One step of a lot's history."""

    __tablename__ = "typical_step"
    step_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.lot_id"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    step: Mapped[str]
    place_id: Mapped[int] = mapped_column(ForeignKey("place.place_id"))
    place: Mapped[Place] = relationship()


class Lot(Base):
    """A lot."""

    __tablename__ = "lot"
    lot_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.product_id"))
    code: Mapped[str]
    made_on: Mapped[date]
    best_before_on: Mapped[date]
    made_at_place_id: Mapped[int] = mapped_column(ForeignKey("place.place_id"))
    product: Mapped[Product] = relationship()
    made_at: Mapped[Place] = relationship()
    steps: Mapped[list[Step]] = relationship(order_by=Step.at)
    recalls: Mapped[list[Recall]] = relationship(secondary=affected_lot, viewonly=True)


class Code(Base):
    """A code."""

    __tablename__ = "typical_code"
    gtin: Mapped[str] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.lot_id"))
    lot: Mapped[Lot] = relationship()


class Scan(Base):
    """An opening of a code's address."""

    __tablename__ = "typical_scan"
    scan_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    gtin: Mapped[str]
    serial: Mapped[str]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    client: Mapped[str]


async def fill(database: DatabaseAddress, lot_by_path: Mapping[str, int]) -> None:
    """A row for each code of the load, and the steps of its lot."""
    lots = sorted(set(lot_by_path.values()))
    steps = [
        (lot, lives_world.step_at(lot, k), step, lives_world.place_of(lot, k))
        for lot in lots
        for k, step in enumerate(lives_world.STEPS)
    ]
    codes = [(*path.split("/")[2:5:2], lot) for path, lot in lot_by_path.items()]
    raw = await database.connect(Role.OWNER)
    try:
        for sql in TABLES:
            await raw.execute(sql)
        await raw.copy_records_to_table("typical_code", columns=["gtin", "serial", "lot_id"], records=codes)
        await raw.copy_records_to_table("typical_step", columns=["lot_id", "at", "step", "place_id"], records=steps)
        for sql in INDEXES:
            await raw.execute(sql)
    finally:
        await raw.close()


def template_of(page: str, lot: int) -> str:
    """The portal's page of an item of this lot as a template, with everything that is read of it left open.

    ValueError when the page does not say what is to be left open: then the reference would say less.
    """
    page, steps = _LIFE.subn(lambda found: f"{found[1]}{_open(_STEPS)}{found[2]}", page, count=1)
    page, times = _INSTANT.subn(_open("{{ now|minute }}"), page)
    if not steps or not times or _CARD not in page:
        raise ValueError("the page has no history, no product or no time")
    page = page.replace(_CARD, _open(_CASES) + _CARD, 1).replace(_FIRST, _open(_COUNT))
    for words, expression in _facts_of(lot):
        if words not in page:
            raise ValueError(f"the page does not say {words!r}")
        page = page.replace(words, _open(expression))
    return "{% raw %}" + page + "{% endraw %}"


def _facts_of(lot: int) -> Sequence[tuple[str, str]]:
    """What the page says, and where it is read; longer words before those that are part of them."""
    name, code = scan_world.words_of_lot(lot)
    made, until = scan_world.MADE_ON, scan_world.BEST_BEFORE
    where = "production site, Somerset, United Kingdom"
    return (
        (name, "{{ product.name }}"),
        (f">{where}<", ">{% set place = lot.made_at %}" + _WHERE + "<"),
        (f">{scan_world.BRAND}<", ">{{ product.brand }}<"),
        (f'"{scan_world.BRAND}"', '"{{ product.brand }}"'),
        (code, "{{ lot.code }}"),
        (scan_world.gtin_of_lot(lot), "{{ product.gtin }}"),
        (">milk<", ">{{ product.allergens|join(', ') }}<"),
        (day(made), "{{ lot.made_on|day }}"),
        (day(until), "{{ lot.best_before_on|day }}"),
        (made.isoformat(), "{{ lot.made_on }}"),
        (until.isoformat(), "{{ lot.best_before_on }}"),
    )


def day(on: date) -> str:
    """January 1, 2026."""
    return f"{on:%B} {on.day}, {on.year}"


def minute(at: datetime) -> str:
    """Jan 1, 2026 08:00 UTC."""
    return f"{at:%b} {at.day}, {at:%Y %H:%M} UTC"


def _open(expression: str) -> str:
    return "{% endraw %}" + expression + "{% raw %}"
