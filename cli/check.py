"""``tracemark check``: a list of codes in, a status for each row out; the portal's own verdict, offline."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cli.files import FileMissing
from cli.installation import Installation, open_installation
from cli.output import DataDir, Json, say, show, table
from portal import checks
from portal.live import Live
from portal.refresh import Refresher
from runtime.clock import system_clock
from runtime.refusals import Conflict, TooMany

ROWS_MAX = 1_000_000
FILE_BYTES_MAX = 200 * 1024 * 1024
SHOWN_MAX = 40
FOUND_RECALLED = 3


class FileTooLarge(TooMany):
    """{path} has {bytes:,} bytes; at most {most:,} are read. Split the list."""


class OutputExists(Conflict):
    """{path} exists already. Name another file with --out."""


def register(app: typer.Typer) -> None:
    app.command()(check)


def check(
    file: Annotated[Path, typer.Argument(help="CSV with a column of codes, or a text file with one code a line.")],
    out: Annotated[Path | None, typer.Option(help="Write the list with its statuses here, as CSV.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> int:
    """Say of each code in a list whether it is recalled. Exit status 3: at least one is."""
    if not file.is_file():
        raise FileMissing(path=file)
    if file.stat().st_size > FILE_BYTES_MAX:
        raise FileTooLarge(path=file, bytes=file.stat().st_size, most=FILE_BYTES_MAX)
    if out is not None and out.exists():
        raise OutputExists(path=out)
    codes = checks.codes_of_file(file.read_bytes())
    with open_installation(data_dir=data_dir) as installation:
        rows = asyncio.run(_rows(installation, codes))
    if out is not None:
        out.write_bytes(checks.as_csv(rows))
    found = checks.summary(rows)
    if as_json:
        show({"summary": found, "rows": [row.document() for row in rows]}, as_json=True)
    else:
        _print(rows, found, out)
    affected = (checks.Status.RECALLED, checks.Status.CHECK_THE_SERIAL)
    return FOUND_RECALLED if any(row.status in affected for row in rows) else 0


async def _rows(installation: Installation, codes: list[str]) -> list[checks.Row]:
    settings = installation.settings
    refresher = Refresher(
        installation.address,
        installation.master_secret,
        clock=system_clock,
        sweep_every_s=settings.sweep_every_s,
        confirm_within_s=settings.confirm_within_s,
    )
    await refresher.look()
    live = Live(installation.address)
    try:
        return await checks.check(
            codes,
            snapshot=refresher.snapshot,
            # read a moment ago, and judged as of then however long the list is
            confirmation=refresher.confirmation(),
            today=system_clock().date(),
            live=live,
            rows_max=ROWS_MAX,
        )
    finally:
        await live.close()
        refresher.close()


def _print(rows: list[checks.Row], found: dict[str, int], out: Path | None) -> None:
    shown = sorted(rows, key=lambda row: row.status is checks.Status.NOT_RECALLED)[:SHOWN_MAX]
    table(
        ["status", "code", "product", "lot", "recalls", "remark"],
        [(row.status.value, row.code, row.product, row.lot, " ".join(row.recalls), row.what) for row in shown],
    )
    if len(rows) > len(shown):
        say(f"… and {len(rows) - len(shown):,} more{'' if out is None else f', all in {out}'}")
    say("  ".join(f"{status} {n:,}" for status, n in found.items()))
