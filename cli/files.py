"""``tracemark import`` and ``tracemark capture``: facts that come as files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import uuid4

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.given import FileMissing, bytes_of
from cli.installation import Installation, acting, open_installation
from cli.output import By, DataDir, Json, counted, say, show, tell
from ledger import capture as capturing
from ledger import codes, imports
from ledger.capture_file import capture_file
from ledger.epcis.read import read_document
from ledger.taking import Asked
from runtime.clock import system_clock
from runtime.refusals import Fault, Invalid, NotFound, Refusal

FILES_MAX = 100_000
_SUFFIXES = (".json", ".jsonld", ".xml")


class Kind(StrEnum):
    """What a file holds."""

    PARTIES = "parties"
    PLACES = "places"
    PRODUCTS = "products"
    LOTS = "lots"
    INSPECTIONS = "inspections"
    SHIPMENTS = "shipments"
    SUPPLIERS = "suppliers"


class TemplateLanguage(StrEnum):
    """In which language the headers of a template are written."""

    EN = "en"
    ZH = "zh"


class Behaviour(StrEnum):
    """What happens to the rest of a document when one of its events cannot be taken."""

    ROLLBACK = "rollback"
    PROCEED = "proceed"


class NothingToCapture(NotFound):
    """No .json or .jsonld file is in {paths}."""


class RowsRefused(Invalid):
    """{name} would not be taken: {refused} values are wrong. Nothing was written."""


class SomeRefused(Invalid):
    """{refused} of {files} documents were refused; the others were taken."""


def register(app: typer.Typer) -> None:
    app.command(name="import")(import_file)
    app.command()(capture)


def import_file(
    kind: Annotated[Kind, typer.Argument(help="What the file holds.")],
    file: Annotated[Path | None, typer.Argument(help="CSV or XLSX, one header row.")] = None,
    template: Annotated[bool, typer.Option("--template", help="Print an empty file of this kind and stop.")] = False,
    language: Annotated[TemplateLanguage, typer.Option(help="Of the headers of the template.")] = TemplateLanguage.EN,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; change nothing.")] = False,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Take parties, places, products, lots, inspections, suppliers or shipments from a file, whole or not at all."""
    if template:
        typer.echo(imports.template(kind.value, language="zh" if language is TemplateLanguage.ZH else "en"), nl=False)
        return
    if file is None or not file.is_file():
        raise FileMissing(path=file or "(none named)")
    path = file
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> Any:
            keys = await codes.KeyRing.load(conn, installation.master_secret)
            return await imports.import_file(
                conn, kind.value, path, by=acting(by), clock=system_clock, keys=keys, dry_run=dry_run
            )

        report = installation.run(work)
    show(report, as_json=as_json, text=_sentence(report))
    if report.refused:
        faults = [row.fault() for row in report.refused]
        raise RowsRefused(name=report.name, refused=len(faults), faults=faults)


def capture(
    paths: Annotated[list[Path], typer.Argument(help="EPCIS documents (JSON, JSON-LD, XML), or folders of them.")],
    on_error: Annotated[
        Behaviour, typer.Option(help="Refuse the whole document, or take its good events.")
    ] = Behaviour.ROLLBACK,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Record events. Each document is taken or refused by itself; a document told before changes nothing."""
    documents = list(_documents(paths))
    with open_installation(data_dir=data_dir) as installation:
        outcomes = [
            _one(installation, path, "proceed" if on_error is Behaviour.PROCEED else "rollback", acting(by))
            for path in documents
        ]
    refused = [outcome for outcome in outcomes if outcome["refused"]]
    if as_json:
        show(outcomes, as_json=True)
    elif not refused:
        events = sum(outcome["events"] for outcome in outcomes)
        known = sum(outcome["known"] for outcome in outcomes)
        say(f"{counted(len(outcomes), 'document')}: {counted(events, 'event')} recorded, {known:,} known before")
    if refused:
        faults = [Fault(f"{o['file']} {f['where']}", f["what"]) for o in refused for f in o["faults"]]
        raise SomeRefused(refused=len(refused), files=len(outcomes), faults=faults)


def _sentence(report: imports.ImportReport) -> str:
    verb = "would be" if report.dry_run else "are"
    lines = [
        f"{report.name}: {counted(report.rows, 'row')} ({report.encoding}): {report.new:,} {verb} new, "
        f"{report.changed:,} changed, {report.unchanged:,} as before"
    ]
    return "\n".join([*lines, *(f"note: {note}" for note in report.notes)])


def _one(installation: Installation, path: Path, behaviour: Literal["rollback", "proceed"], by: str) -> dict[str, Any]:
    async def work(conn: AsyncConnection) -> Any:
        keys = await codes.KeyRing.load(conn, installation.master_secret)
        if path.stat().st_size > installation.settings.capture_at_once_bytes_max:
            return await capture_file(conn, path, path.name, Asked(uuid4(), by, system_clock, keys, behaviour))
        return await capturing.capture(
            conn, read_document(bytes_of(path), path.name), by=by, clock=system_clock, keys=keys, behaviour=behaviour
        )

    try:
        report = installation.run(work)
    except Refusal as refusal:
        faults = refusal.faults or (Fault("", str(refusal)),)
        return {
            "file": str(path),
            "refused": True,
            "events": 0,
            "known": 0,
            "reason": str(refusal),
            "faults": [{"where": fault.where, "what": fault.what} for fault in faults],
        }
    for what, places in _gathered(report.warnings).items():
        more = f" (and in {len(places) - 1:,} more places)" if len(places) > 1 else ""
        tell(f"warning: {path}: {places[0]}: {what}{more}")
    return {
        "file": str(path),
        "refused": not report.success,
        "events": report.events,
        "known": report.known,
        "reason": "",
        "faults": [{"where": where, "what": what} for where, what in report.errors],
    }


def _gathered(warnings: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Where each warning stands: a wrong number that is used in every event is one thing to mend."""
    places: dict[str, list[str]] = {}
    for where, what in warnings:
        places.setdefault(what, []).append(where)
    return places


def _documents(paths: Sequence[Path]) -> Iterator[Path]:
    found = 0
    for path in paths:
        if not path.exists():
            raise FileMissing(path=path)
        inside = sorted(p for p in path.rglob("*") if p.suffix in _SUFFIXES) if path.is_dir() else [path]
        for file in inside:
            found += 1
            if found > FILES_MAX:
                raise Invalid(faults=[Fault(str(path), f"more than {FILES_MAX:,} files; name smaller folders")])
            yield file
    if not found:
        raise NothingToCapture(paths=", ".join(map(str, paths)))
