"""``tracemark labels logistics``: SSCC labels of cases and pallets."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.installation import acting, open_installation
from cli.output import By, DataDir, Json, counted, show, table
from ledger.codes import KeyRing
from runtime.clock import system_clock

logistics = typer.Typer(help="SSCC labels of cases and pallets.", no_args_is_help=True)


class Kind(StrEnum):
    """What is labelled."""

    CASE = "case"
    PALLET = "pallet"


class PaperSize(StrEnum):
    """On what it is printed."""

    ROLL = "100x150"
    A6 = "a6"
    A5 = "a5"


class LabelLanguage(StrEnum):
    """In which language."""

    EN = "en"
    ZH = "zh"


def register(group: typer.Typer) -> None:
    group.add_typer(logistics, name="logistics")


@logistics.command()
def order(
    kind: Annotated[Kind, typer.Option(help="case or pallet.")],
    count: Annotated[int, typer.Option(help="How many SSCCs.")],
    company_prefix: Annotated[
        str | None, typer.Option(help="GS1 company prefix; without it, the setting TRACEMARK_COMPANY_PREFIX.")
    ] = None,
    extension: Annotated[int | None, typer.Option(help="Extension digit; else 0 for cases, 3 for pallets.")] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="The same key is the same order, however often it is sent.")
    ] = None,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Reserve SSCCs; nothing is printed yet. A number is never given twice."""
    from labels import logistics as units  # loads what a ledger needs to take an event; rendering goes without

    with open_installation(data_dir=data_dir) as installation:
        chosen = installation.settings

        async def work(conn: AsyncConnection) -> Any:
            return await units.order(
                conn, kind=kind.value, count=count, company_prefix=company_prefix or chosen.company_prefix,
                extension=extension, base_url=chosen.base_url, by=acting(by), clock=system_clock,
                idempotency_key=idempotency_key,
            )  # fmt: skip

        job = installation.run(work)
    numbers = units.ssccs(job)
    text = f"logistics job {job.logistics_job_id}: {numbers[0]} to {numbers[-1]} ({counted(job.count, job.kind)})"
    show({"logistics_job": job.logistics_job_id, "ssccs": numbers}, as_json=as_json, text=text)


@logistics.command()
def render(
    job: Annotated[int, typer.Argument(help="Number of the logistics job.")],
    out: Annotated[Path, typer.Option(help="File to write; one that ends in .zpl is for a label printer.")],
    paper: Annotated[PaperSize, typer.Option(help="100x150, a6 or a5.")] = PaperSize.ROLL,
    copies: Annotated[int, typer.Option(help="Of each label: two for a pallet, on adjacent sides.")] = 1,
    dpi: Annotated[int, typer.Option(help="Dots per inch of the label printer: 203, 300 or 600.")] = 203,
    language: Annotated[LabelLanguage, typer.Option(help="en or zh.")] = LabelLanguage.EN,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make the labels, with what the ledger knows to be inside; both symbols of each are read back."""
    from labels import logistics as units  # loads what a ledger needs to take an event; rendering goes without

    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> int:
            return await units.render(
                conn, job, out, paper=paper.value, copies=copies, language=language.value,
                zpl_dpi=dpi if out.suffix.lower() == ".zpl" else None, by=acting(by), clock=system_clock,
            )  # fmt: skip

        made = installation.run(work)
    show({"file": out, "labels": made}, as_json=as_json, text=f"{out}: {counted(made, 'label')}, read back")


@logistics.command()
def commission(
    job: Annotated[int, typer.Argument(help="Number of the logistics job.")],
    place: Annotated[str | None, typer.Option(help="GLN where the units stand.")] = None,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Say that the units exist: from now on things can be packed into them."""
    from labels import logistics as units  # loads what a ledger needs to take an event; rendering goes without

    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection, keys: KeyRing) -> tuple[int, bool]:
            return await units.commission(conn, job, place=place, by=acting(by), clock=system_clock, keys=keys)

        event_id, changed = installation.run_with_keys(work)
    text = f"the units of logistics job {job} are on record"
    show(
        {"event": event_id, "changed": changed}, as_json=as_json, text=text if changed else f"{text}: they were before"
    )


@logistics.command(name="list")
def list_jobs(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Jobs of SSCC labels, newest first."""
    from labels import logistics as units  # loads what a ledger needs to take an event; rendering goes without

    with open_installation(data_dir=data_dir) as installation:
        jobs = installation.run(units.list_jobs)
    if as_json:
        show(jobs, as_json=True)
    else:
        rows = [(j.logistics_job_id, j.kind, units.ssccs(j)[0], j.count, j.ordered_by) for j in jobs]
        table(["job", "kind", "first SSCC", "count", "by"], rows)
