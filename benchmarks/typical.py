"""A reference: the portal's page as it is usually made, with everything read for each request and nothing kept.

FastAPI with a session of SQLAlchemy's ORM as a dependency, asyncpg beneath, Jinja2Templates. For each scan: the code
with its lot and product in one statement, the history with places and parties in a second, the recalls in a third; the
scan is put in; its checks are counted where the product's are; the page is rendered; commit. As a careful programmer
leaves it: each look-up has its index, there is no query in a loop, connections are pooled, uvicorn runs on uvloop and
httptools and logs no requests. What the page says without looking is in the template, word by word.

Run as ``python -m benchmarks.typical PORT DATABASE_URL FOLDER`` with the templates in FOLDER.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import joinedload

from benchmarks.loopback import HOST
from benchmarks.typical_world import COUNTRY_WORDS, KIND_WORDS, STEP_WORDS, Code, Lot, Place, Scan, Step, day, minute

POOL_SIZE: Final = 10
LATEST_STEPS: Final = 12
TIME_TOLD_STEP_MIN: Final = 5


async def session_of(request: Request) -> AsyncIterator[AsyncSession]:
    """A session for one request, as the framework's own book has it."""
    async with request.app.state.sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(session_of)]


async def scan(request: Request, gtin: str, serial: str, session: Session) -> Response:
    """The page of one code."""
    wanted = (
        select(Code)
        .where(Code.gtin == gtin, Code.serial == serial)
        .options(
            joinedload(Code.lot).joinedload(Lot.product),
            joinedload(Code.lot).joinedload(Lot.made_at),
            joinedload(Code.lot).selectinload(Lot.recalls),
            joinedload(Code.lot).selectinload(Lot.steps).joinedload(Step.place).joinedload(Place.party),
        )
    )
    code = (await session.execute(wanted)).scalar_one_or_none()
    if code is None:
        raise HTTPException(404, "unknown code")
    session.add(Scan(gtin=gtin, serial=serial, at=datetime.now(UTC), client=request.headers.get("user-agent", "")))
    product, count, first_at = code.lot.product, 0, None
    if product.checks == "exact":
        await session.flush()
        counting = select(func.count(), func.min(Scan.at)).where(Scan.gtin == gtin, Scan.serial == serial)
        count, first_at = (await session.execute(counting)).one()
    told = {"code": code, "lot": code.lot, "product": product, "steps": code.lot.steps[-LATEST_STEPS:]}
    told |= {"count": count, "first_at": first_at, "now": _time_told(datetime.now(UTC))}
    templates: Jinja2Templates = request.app.state.templates
    page = templates.TemplateResponse(request, f"{product.checks}.html", told)
    await session.commit()
    return page


def create_app(database_url: str, folder: Path) -> FastAPI:
    """The reference as an application."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = create_async_engine(database_url, pool_size=POOL_SIZE, max_overflow=0)
        app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
        app.state.templates = _templates(folder)
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)
    app.get("/01/{gtin}/21/{serial}", response_class=HTMLResponse)(scan)
    return app


def _templates(folder: Path) -> Jinja2Templates:
    found = Jinja2Templates(folder)
    words = {"step": STEP_WORDS, "kind": KIND_WORDS, "country": COUNTRY_WORDS}
    found.env.filters |= {name: by_word.__getitem__ for name, by_word in words.items()}
    found.env.filters |= {"day": day, "minute": minute}
    return found


def _time_told(now: datetime) -> datetime:
    return now.replace(minute=now.minute - now.minute % TIME_TOLD_STEP_MIN, second=0, microsecond=0)


def main(arguments: list[str]) -> None:
    """As a program of its own."""
    port, url, folder = arguments
    app = create_app(url, Path(folder))
    uvicorn.run(app, host=HOST, port=int(port), access_log=False, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1:])
