"""A trace as a file: workbook, CSV, JSON, EPCIS document, picture, or the sheet of FSMA 204."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import trace_events, trace_fsma, trace_picture, trace_sheets
from ledger.codes import KeyRing
from ledger.statements import named_statements
from ledger.trace_chart import holder_key, lot_key
from ledger.trace_proofs import Language
from ledger.trace_sheets import Sheet
from runtime.clock import Clock
from runtime.refusals import TooMany

PICTURE_LOTS_MAX: Final = 20_000
"""Most lots that one picture tells of."""
LINKS_MAX: Final = 200_000
"""Most links between lots, and most between lots and holders, that one picture is drawn from."""

_SQL: Final = named_statements(Path(__file__).with_name("trace.sql"))
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class TooMuchForAPicture(TooMany):
    """A picture tells of {lots_max} lots and {links_max} links at most. Trace a lot of it, or take the tables."""


@dataclass(frozen=True, slots=True)
class Format:
    """Media type and file name suffix."""

    media: str
    suffix: str


FORMATS: Final[Mapping[str, Format]] = {
    "json": Format("application/json", "json"),
    "xlsx": Format(_XLSX, "xlsx"),
    "csv": Format("text/csv", "csv"),
    "svg": Format("image/svg+xml", "svg"),
    "epcis": Format("application/ld+json", "jsonld"),
    "fsma204": Format(_XLSX, "fsma204.xlsx"),
}


async def content(
    conn: AsyncConnection, answer: Mapping[str, Any], form: str, keys: KeyRing, *, language: Language, clock: Clock
) -> bytes:
    """The file of a trace answer in one of ``FORMATS``. Raises the refusals of what is too large for it."""
    if form == "xlsx":
        return trace_sheets.xlsx_of(trace_sheets.sheets_of(answer))
    if form == "csv":
        return trace_sheets.csv_of(trace_sheets.sheets_of(answer))
    if form == "svg":
        return (await picture(conn, answer, language)).encode()
    if form == "epcis":
        document = await trace_events.document_of(conn, await _lots(conn, answer), keys, clock=clock)
        return orjson.dumps(document, option=orjson.OPT_INDENT_2)
    if form == "fsma204":
        rows = await trace_fsma.rows_of(conn, await _lots(conn, answer))
        return trace_sheets.xlsx_of([Sheet("fsma204", trace_fsma.COLUMNS, rows)])
    return orjson.dumps(answer, option=orjson.OPT_INDENT_2)


async def picture(conn: AsyncConnection, answer: Mapping[str, Any], language: Language) -> str:
    """The picture of a trace answer as SVG. Raises ``TooMuchForAPicture``."""
    lots = await _lots(conn, answer)
    if len(lots) > PICTURE_LOTS_MAX:
        raise TooMuchForAPicture(lots_max=PICTURE_LOTS_MAX, links_max=LINKS_MAX)
    named = {row.lot_id: lot_key(row.gtin, row.code) for row in await conn.execute(_SQL["lot_names"], {"lots": lots})}
    wanted = {"lots": lots, "rows_max": LINKS_MAX}
    links = (await conn.execute(_SQL["links"], wanted)).all()
    held = (await conn.execute(_SQL["holder_links"], wanted)).all()
    if max(len(links), len(held)) > LINKS_MAX:
        raise TooMuchForAPicture(lots_max=PICTURE_LOTS_MAX, links_max=LINKS_MAX)
    lines = [(named[row.source], named[row.target]) for row in links]
    lines += [(named[row.source], holder_key(row.owner, row.place)) for row in held]
    return trace_picture.svg_of(answer, lines, language)


async def _lots(conn: AsyncConnection, answer: Mapping[str, Any]) -> list[int]:
    """The lots of an answer, by their names."""
    shown = (*answer["starts"], *answer["upstream"]["lots"], *answer["downstream"]["lots"])
    names = sorted({(lot["gtin"], lot["lot"]) for lot in shown})
    columns = {"gtins": [gtin for gtin, _ in names], "codes": [code for _, code in names]}
    return list((await conn.execute(_SQL["lots_named"], columns)).scalars())
