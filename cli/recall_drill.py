"""``tracemark recall drill``: a timed practice, with its notice list and its report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.case_preview import reached
from cli.installation import acting, open_installation
from cli.output import By, DataDir, Json, show
from cli.recall_documents import Language
from labels import symbol
from ledger import codes
from recall import casework, documents, print_documents
from recall.model import DrillReport
from recall.print_documents import Asked
from runtime.clock import system_clock


def register(group: typer.Typer) -> None:
    group.command()(drill)


def drill(
    code: Annotated[str, typer.Option(help="What the practice starts from.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the notice list of the drill.")] = None,
    report: Annotated[Path | None, typer.Option(help="Folder for the report of the drill, as PDF and JSON.")] = None,
    lang: Annotated[Language, typer.Option(help="Of the report: en or zh.")] = Language.EN,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Practise a recall with a stopwatch. The public never sees a drill.

    Its report can be made again when answers are in: recall document D-2026-0001 --kind drill-report.
    """
    with open_installation(data_dir=data_dir) as installation:
        asked = Asked(
            lang.value, symbol.matrix, installation.settings.base_url, installation.master_secret, system_clock
        )

        async def practise(conn: AsyncConnection) -> tuple[DrillReport, list[Path]]:
            keys = await codes.KeyRing.load(conn, installation.master_secret)
            done = await casework.drill(conn, code, by=acting(by), clock=system_clock, keys=keys)
            files: list[Path] = []
            if out:
                files += await documents.write_notices(conn, done.number, ("xlsx", "csv", "pdf", "json"), out)
            if report:
                files += await print_documents.write(conn, done.number, "drill-report", asked, report)
            return done, files

        done, files = installation.run(practise)
    answer = {
        "case": done.number,
        "trace_ms": done.trace_ms,
        "list_ms": done.list_ms,
        "published": done.published,
        "files": files,
    }
    show(answer, as_json=as_json, text="\n".join([drill_sentence(done), *map(str, files)]))


def drill_sentence(report: DrillReport) -> str:
    """A drill in one line."""
    return (
        f"{report.number}: {reached(report.published)}; "
        f"traced in {report.trace_ms:,} ms, notice list after {report.list_ms:,} ms"
    )
