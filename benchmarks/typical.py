"""A reference: the same page the usual way: an ORM row per code, a template for each request, an INSERT per scan.

Starlette, SQLAlchemy's ORM on asyncpg, Jinja2. Run as ``python -m benchmarks.typical PORT DATABASE_URL TEMPLATE_FILE``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import jinja2
import uvicorn
from sqlalchemy import BigInteger, DateTime, ForeignKey, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from benchmarks.loopback import HOST
from runtime.database import DatabaseAddress, Role

POOL_SIZE: Final = 10
TABLES: Final = (
    "CREATE TABLE typical_code (gtin text, serial text, lot_id bigint NOT NULL, PRIMARY KEY (gtin, serial))",
    "CREATE TABLE typical_scan (scan_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, gtin text, serial text,"
    " at timestamptz NOT NULL, client text)",
    "CREATE INDEX typical_scan_code ON typical_scan (gtin, serial)",
)


class Base(DeclarativeBase):
    """The tables of the reference."""


class Product(Base):
    """A product."""

    __tablename__ = "product"
    product_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str]


class Lot(Base):
    """A lot."""

    __tablename__ = "lot"
    lot_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.product_id"))
    code: Mapped[str]
    status: Mapped[str]
    product: Mapped[Product] = relationship()


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


async def fill(database: DatabaseAddress, paths: Sequence[str], lot_by_path: Sequence[int]) -> None:
    """A row for each code of the load."""
    connection = await database.connect(Role.OWNER)
    try:
        for sql in TABLES:
            await connection.execute(sql)
        rows = [(*path.split("/")[2:5:2], lot_id) for path, lot_id in zip(paths, lot_by_path, strict=True)]
        await connection.copy_records_to_table("typical_code", columns=["gtin", "serial", "lot_id"], records=rows)
        await connection.execute("ANALYZE typical_code")
    finally:
        await connection.close()


def template_of(page: str, product: str, lot: str) -> str:
    """The portal's own page as a template, with the places that differ left open."""
    escaped = page.replace("{", "{{ '{' }}")
    return escaped.replace(product, "{{ lot.product.name }}").replace(lot, "{{ lot.code }}")


def create_app(sessions: async_sessionmaker[AsyncSession], page: jinja2.Template) -> Starlette:
    """The reference as an application."""

    async def scan(request: Request) -> Response:
        gtin, serial = request.path_params["gtin"], request.path_params["serial"]
        async with sessions() as session:
            wanted = select(Code).where(Code.gtin == gtin, Code.serial == serial)
            wanted = wanted.options(joinedload(Code.lot).joinedload(Lot.product))
            code = (await session.execute(wanted)).scalar_one_or_none()
            if code is None:
                return HTMLResponse("unknown code", 404)
            client = request.headers.get("user-agent", "")
            session.add(Scan(gtin=gtin, serial=serial, at=datetime.now(UTC), client=client))
            await session.flush()
            counting = select(func.count()).select_from(Scan).where(Scan.gtin == gtin, Scan.serial == serial)
            count = (await session.execute(counting)).scalar_one()
            body = await page.render_async(lot=code.lot, count=count)
            await session.commit()
        return HTMLResponse(body)

    return Starlette(routes=[Route("/01/{gtin}/21/{serial}", scan)])


def main(arguments: Sequence[str]) -> None:
    """As a program of its own."""
    port, url, file = arguments
    engine = create_async_engine(url, pool_size=POOL_SIZE, max_overflow=0)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    page = jinja2.Environment(enable_async=True, autoescape=True).from_string(Path(file).read_text(encoding="utf-8"))
    uvicorn.run(create_app(sessions, page), host=HOST, port=int(port), access_log=False, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1:])
