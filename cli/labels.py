"""``tracemark labels``: order, render, commission, void, reprint, list."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from cli import label_logistics, label_packs, label_renderings, label_templates
from cli.dates import read_date, read_instant
from cli.given import bytes_of
from cli.installation import acting, open_installation
from cli.output import By, DataDir, Json, counted, show, table
from labels import job_lists, rendering
from labels.compiled import cells_folder
from labels.layout import Feed
from ledger.codes import KeyRing
from runtime.clock import system_clock

group = typer.Typer(help="Codes and labels.", no_args_is_help=True)


class Format(StrEnum):
    """What a printer takes."""

    PDF = "pdf"
    ZPL = "zpl"
    PNG = "png"
    SVG = "svg"
    CODES = "codes"


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="labels")


@group.command()
def order(
    gtin: Annotated[str, typer.Option(help="Product.")],
    lot: Annotated[str, typer.Option(help="Lot code.")],
    count: Annotated[int | None, typer.Option(help="How many labels; with --serials, as many as the file has.")] = None,
    serials: Annotated[Path | None, typer.Option(help="CSV or XLSX with your own serials, one a row.")] = None,
    best_before: Annotated[str | None, typer.Option(help="2026-12-31; without it, from the lot.")] = None,
    template: Annotated[
        str | None, typer.Option(help="Name of a template; without it, the product's, else a4-24.")
    ] = None,
    lot_in_link: Annotated[
        bool, typer.Option("--lot-in-link", help="Print the lot in the code too, for tills that block lots.")
    ] = False,
    idempotency_key: Annotated[
        str | None, typer.Option(help="The same key is the same order, however often it is sent.")
    ] = None,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Draw serials for a lot; nothing is printed yet."""
    from labels import customer_serials, printing  # load what a ledger needs to take an event; rendering goes without

    best_before_on = None if best_before is None else read_date(best_before)
    if (count is None) == (serials is None):
        raise typer.BadParameter("give either --count or --serials", param_hint="--count")
    with open_installation(data_dir=data_dir) as installation:
        chosen = installation.settings

        async def work(conn: AsyncConnection, keys: KeyRing) -> Any:
            if serials is not None:
                return await customer_serials.order_brought(
                    conn, gtin=gtin, lot=lot, data=bytes_of(serials), name=serials.name, template=template,
                    best_before_on=best_before_on, lot_in_link=lot_in_link, base_url=chosen.base_url, by=acting(by),
                    clock=system_clock, keys=keys, labels_max=chosen.labels_max,
                )  # fmt: skip
            return await printing.order(
                conn, gtin=gtin, lot=lot, count=count or 0, template=template, best_before_on=best_before_on,
                lot_in_link=lot_in_link, base_url=chosen.base_url, by=acting(by), clock=system_clock,
                master_secret=installation.master_secret, labels_max=chosen.labels_max,
                idempotency_key=idempotency_key,
            )  # fmt: skip

        job = installation.run_with_keys(work)
    show(
        {"job": job.job_id, "gtin": job.gtin, "lot": job.lot, "count": job.count},
        as_json=as_json,
        text=f"job {job.job_id}: {counted(job.count, 'label')} for {job.gtin} lot {job.lot}\n"
        f"next: tracemark labels render {job.job_id} --format pdf --out labels.pdf",
    )


@group.command()
def render(
    job: Annotated[int, typer.Argument(help="Job number.")],
    format: Annotated[Format, typer.Option(help="pdf, zpl, png, svg or codes.")],  # noqa: A002 - the contract's name for the option
    out: Annotated[Path, typer.Option(help="File (or folder) to write.")],
    parts: Annotated[
        bool, typer.Option("--parts/--one-file", help="A file for each part of up to 24,000 labels, or one for all.")
    ] = False,
    start_cell: Annotated[int, typer.Option(help="First free cell of the first sheet, row by row.")] = 1,
    right: Annotated[float, typer.Option(help="Move everything right by so many mm, in steps of 0.1.")] = 0.0,
    down: Annotated[float, typer.Option(help="Move everything down by so many mm, in steps of 0.1.")] = 0.0,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make the labels of a job; each one is read back before the file is released.

    The same command after an interruption goes on with the first part that was not made.
    """
    with open_installation(data_dir=data_dir) as installation:
        chosen = installation.settings

        async def work(conn: AsyncConnection, keys: KeyRing) -> Any:
            return await rendering.render(
                conn,
                job,
                format.value,
                out,
                by=acting(by),
                clock=system_clock,
                keys=keys,
                feed=Feed(start_cell, right, down),
                in_parts=parts,
                cells_folder=cells_folder(chosen.data_dir),
                processes=chosen.label_processes,
                told=label_renderings.tell_made,
            )

        files = installation.run_with_keys(work)
    text = "\n".join(f"{f.path}  labels {f.labels_first:,}-{f.labels_last:,}  {f.bytes:,} bytes" for f in files)
    remark = "the print house makes the symbols" if format is Format.CODES else "every label was read back"
    show({"job": job, "files": files}, as_json=as_json, text=f"{text}\n{remark}")


@group.command()
def commission(
    job: Annotated[int, typer.Argument(help="Job number.")],
    first: Annotated[int | None, typer.Option(help="First label; without it, all.")] = None,
    last: Annotated[int | None, typer.Option(help="Last label, included.")] = None,
    first_code: Annotated[str | None, typer.Option(help="Code scanned from the first label of a roll.")] = None,
    last_code: Annotated[str | None, typer.Option(help="Code scanned from the last one.")] = None,
    applied: Annotated[
        Path | None, typer.Option(help="CSV or XLSX with the codes or serials that were really applied.")
    ] = None,
    place: Annotated[
        str | None, typer.Option(help="GLN where the labels were applied; without it, where the lot was made.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="When they were applied: 2026-12-31T08:30:00+01:00; without it, now.")
    ] = None,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Say that the labels are on the items: from now on their codes are active."""
    from labels import applied as line  # loads what a ledger needs to take an event; rendering goes without
    from labels import printing

    applied_at = None if at is None else read_instant(at)
    ways = [applied is not None, first_code is not None or last_code is not None, (first, last) != (None, None)]
    if sum(ways) > 1 or (first_code is None) != (last_code is None):
        raise typer.BadParameter("give two numbers, two codes or one file", param_hint="--first")
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection, keys: KeyRing) -> Any:
            told: dict[str, Any] = {
                "place": place, "at": applied_at, "by": acting(by), "clock": system_clock, "keys": keys,
            }  # fmt: skip
            if applied is not None:
                return await line.commission_file(conn, job, bytes_of(applied), applied.name, **told)
            if first_code is not None and last_code is not None:
                return await line.commission_codes(conn, job, first_code, last_code, **told)
            return await printing.commission(conn, job, first, last, **told)

        done = installation.run_with_keys(work)
    text = f"labels {done.label_first:,}-{done.label_last:,} of job {job} are active"
    show(done, as_json=as_json, text=text if done.changed else f"{text}: they were before")


@group.command()
def void(
    job: Annotated[int, typer.Argument(help="Job number.")],
    first: Annotated[int, typer.Option(help="First label.")],
    last: Annotated[int, typer.Option(help="Last label, included.")],
    reason: Annotated[str, typer.Option(help="Why; kept.")],
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Take labels out of use for good: spoiled, lost, stolen."""
    from labels import printing  # loads what a ledger needs to take an event; rendering goes without

    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection, keys: KeyRing) -> Any:
            return await printing.void(
                conn, job, first, last, reason=reason, by=acting(by), clock=system_clock, keys=keys
            )

        done = installation.run_with_keys(work)
    show(done, as_json=as_json, text=f"labels {first:,}-{last:,} of job {job} are void: {reason}")


@group.command()
def reprint(
    job: Annotated[int, typer.Argument(help="Job number.")],
    serial: Annotated[str, typer.Option(help="The serial of the label that is replaced.")],
    reason: Annotated[str, typer.Option(help="Why; kept.")],
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Order a new label with a new serial; the old one becomes void."""
    from labels import printing  # loads what a ledger needs to take an event; rendering goes without

    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> Any:
            return await printing.reprint(
                conn, job, serial, reason, by=acting(by), clock=system_clock, master_secret=installation.master_secret
            )

        new = installation.run(work)
    show({"job": new.job_id}, as_json=as_json, text=f"job {new.job_id}: one new label; {serial} is void")


@group.command(name="list")
def list_jobs(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Label jobs, newest first, with what became of their labels."""
    with open_installation(data_dir=data_dir) as installation:
        jobs = installation.run(job_lists.list_jobs)
    if as_json:
        show(jobs, as_json=True)
    else:
        table(
            ["job", "gtin", "lot", "ordered", "commissioned", "void", "unused", "state", "by"],
            [(j.job_id, j.gtin, j.lot, j.count, j.commissioned, j.void, j.unused, j.state, j.ordered_by) for j in jobs],
        )


for _part in (label_renderings, label_logistics, label_packs, label_templates):
    _part.register(group)
