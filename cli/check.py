"""``tracemark check``: a list of codes in, a status for each row out; the portal's own verdict, offline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cli.given import FileMissing
from cli.installation import Installation, open_installation
from cli.output import DataDir, Json, say, show, table, tell
from portal import check_files, check_tables
from portal.check_files import Done
from portal.check_rows import Row
from portal.checks import Checker
from portal.live import PATIENCE_OF_A_FILE, Live
from portal.refresh import read_once
from runtime.clock import rfc3339, system_clock
from runtime.refusals import Conflict, Invalid

SHOWN_MAX = 40
TELL_EVERY_ROWS = 50_000
UNITS_MAX = 100_000
"""Cases and pallets that one list may have looked into."""
STATEMENT_MS = 30_000
FOUND_RECALLED = 3


class OutputExists(Conflict):
    """{path} exists already. Name another file with --out."""


class ColumnOptionWrong(Invalid):
    """--column {text} cannot be read. Write ROLE=NUMBER, the role one of {roles}, the number from 1."""


def register(app: typer.Typer) -> None:
    app.command()(check)


def check(
    file: Annotated[Path, typer.Argument(help="CSV, XLSX or ODS with a column of codes, or one code a line.")],
    out: Annotated[Path | None, typer.Option(help="Write the same list with its statuses here.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="ROLE=NUMBER where no heading says it: code, sscc, gtin, lot, serial.")
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> int:
    """Say of each code in a list whether it is recalled. Exit status 3: at least one is."""
    if not file.is_file():
        raise FileMissing(path=file)
    if out is not None and out.exists():
        raise OutputExists(path=out)
    columns = _columns(file, column or [])
    rows: list[Row] = []
    with open_installation(data_dir=data_dir) as installation:
        done = asyncio.run(_check(installation, file, out, columns, rows.append if as_json else lambda row: None))
    if as_json:
        show({"summary": _counted(done), "rows": [row.document() for row in rows]}, as_json=True)
    else:
        _print(done, out)
    return FOUND_RECALLED if done.found_recalled else 0


def _columns(file: Path, options: list[str]) -> check_tables.Columns:
    seen = check_tables.preview(file)
    if not options:
        if seen.mapping is None:
            raise check_tables.NoColumnOfCodes()
        return seen.mapping
    chosen: dict[str, int | bool] = {"has_header": seen.mapping is not None and seen.mapping.has_header}
    for text in options:
        role, _, number = text.partition("=")
        if role not in check_tables.ROLES or not number.isdecimal():
            raise ColumnOptionWrong(text=text, roles=", ".join(check_tables.ROLES))
        chosen[role] = int(number) - 1
    return check_tables.Columns.of(chosen, seen.columns)


async def _check(
    installation: Installation,
    file: Path,
    out: Path | None,
    columns: check_tables.Columns,
    keep: Callable[[Row], None],
) -> Done:
    snapshot, confirmation = await read_once(installation.address, installation.master_secret, clock=system_clock)
    address = replace(installation.address, portal_statement_timeout_ms=STATEMENT_MS)
    live = Live(address, patience=PATIENCE_OF_A_FILE)
    checker = Checker(snapshot, confirmation, system_clock().date(), live, units_max=UNITS_MAX)
    confirmed_at = rfc3339(confirmation.at) if confirmation.at is not None else ""
    try:
        return await check_files.check_file(
            file, out, columns, checker, confirmed_at=confirmed_at, tell=_progress, keep=keep
        )
    finally:
        await live.close()


def _progress(rows: int) -> None:
    if rows % TELL_EVERY_ROWS == 0:
        tell(f"{rows:,} rows checked")


def _counted(done: Done) -> dict[str, int]:
    return {status: n for status, n in sorted(done.counts.items()) if n}


def _print(done: Done, out: Path | None) -> None:
    shown = done.shown[:SHOWN_MAX]
    table(
        ["status", "code", "product", "lot", "recalls", "remark"],
        [(row.status.value, row.code, row.product, row.lot, " ".join(row.recalls), row.what) for row in shown],
    )
    if done.rows > len(shown):
        say(f"… and {done.rows - len(shown):,} more{'' if out is None else f', all in {out}'}")
    say("  ".join(f"{status} {n:,}" for status, n in _counted(done).items()))
