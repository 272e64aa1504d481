"""From an identifier to what a trace or a recall starts from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gs1 import digital_link
from ledger.genealogy import Start
from ledger.model import Found
from ledger.statements import named_statements
from runtime.refusals import NotFound, TooMany

LOTS_OF_PRODUCT_MAX: Final = 10_000
"""Most lots of one product that may be meant by naming the product."""
CONTENTS_MAX: Final = 200_000
"""Most runs of items that one unit may hold or have held."""

_SQL = named_statements(Path(__file__).with_name("trace.sql"))


class NothingOnRecord(NotFound):
    """Nothing is on record of {code}. Check the code, or capture the events that tell of it first."""


class TooManyLotsOfProduct(TooMany):
    """The product {gtin} has more than {lots_max} lots. Name the lots that are meant."""


class TooMuchInUnit(TooMany):
    """The unit {code} holds or held more than {runs_max} runs of items. Name its lots instead."""


async def starts_of(conn: AsyncConnection, found: Found) -> tuple[Start, ...]:
    """The lots, or the very items, that an identifier names.

    An item is its number in its lot; a product is all its lots; a logistic unit all that is or ever was in it (an SSCC
    is used once), another unit (a crate that goes round) what is in it now. A quantity that was packed without serials
    names its whole lot. Refuses what the ledger does not know.
    """
    if found.number is not None and found.lot_id is not None:
        return (Start(found.lot_id, found.number, 1),)
    if found.lot_id is not None:
        return (Start(found.lot_id),)
    code = digital_link.canonical(found.identifier.identity())
    starts: tuple[Start, ...] = ()
    if found.unit_id is not None:
        starts = await _contents(conn, found.unit_id, code, ever=found.identifier.sscc is not None)
    elif found.product_id is not None and found.identifier.lot is None and found.identifier.serial is None:
        starts = await _lots(conn, found.product_id, found.identifier.gtin or "")
    if not starts:
        raise NothingOnRecord(code=code)
    return starts


async def _contents(conn: AsyncConnection, unit_id: int, code: str, *, ever: bool) -> tuple[Start, ...]:
    values = {"unit_id": unit_id, "ever": ever, "runs_max": CONTENTS_MAX}
    rows = (await conn.execute(_SQL["contents_of_unit"], values)).all()
    if len(rows) > CONTENTS_MAX:
        raise TooMuchInUnit(code=code, runs_max=CONTENTS_MAX)
    return tuple(Start(*row) for row in rows)


async def _lots(conn: AsyncConnection, product_id: int, gtin: str) -> tuple[Start, ...]:
    values = {"product_id": product_id, "lots_max": LOTS_OF_PRODUCT_MAX}
    lots = (await conn.execute(_SQL["lots_of_product"], values)).scalars().all()
    if len(lots) > LOTS_OF_PRODUCT_MAX:
        raise TooManyLotsOfProduct(gtin=gtin, lots_max=LOTS_OF_PRODUCT_MAX)
    return tuple(Start(lot_id) for lot_id in lots)
