"""``tracemark capture-point``: steps of the work as data, put on record from a file, listed and shown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.given import FileMissing, bytes_of
from cli.installation import acting, open_installation
from cli.output import By, DataDir, Json, show, table
from ledger import capture_points
from ledger.capture_points_model import CapturePoint
from runtime.clock import system_clock
from runtime.refusals import Invalid

group = typer.Typer(help="Capture points: where goods are read, and what is asked for there.", no_args_is_help=True)

FILE_BYTES_MAX = 1024 * 1024
"""Largest file of definitions."""
POINTS_MAX = 1_000
"""Most points of one file."""


class DefinitionsNotReadable(Invalid):
    """{path} cannot be read: {problem}. Write one definition as JSON, or a list of at most {points_max}."""


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="capture-point")


@group.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="JSON: one definition, or a list of them.")],
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Put capture points on record, or new versions of them. All are read before the first is put."""
    definitions = [capture_points.read_definition(value) for value in _values(file)]
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> list[CapturePoint]:
            return [
                await capture_points.put(conn, definition, by=acting(by), clock=system_clock)
                for definition in definitions
            ]

        points = installation.run(work)
    _show(points, as_json=as_json)


@group.command("list")
def list_points(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the capture points."""
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> list[CapturePoint]:
            points: list[CapturePoint] = []
            while page := await capture_points.list_points(conn, after=points[-1].point_id if points else ""):
                points += page
            return points

        points = installation.run(work)
    _show(points, as_json=as_json)


@group.command("show")
def show_point(
    point_id: Annotated[str, typer.Argument(help="Id of the capture point.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Print a capture point as the file that makes it; with --json also its version and who defined it."""
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> CapturePoint:
            return await capture_points.get(conn, point_id)

        point = installation.run(work)
    definition = point.definition.model_dump(mode="json", exclude_defaults=True)
    whole = {"version": point.version, "defined_at": point.defined_at, "defined_by": point.defined_by}
    show({**whole, "definition": definition} if as_json else definition, as_json=True)


def _values(file: Path) -> list[object]:
    if not file.is_file():
        raise FileMissing(path=file)
    problem = ""
    try:
        value = orjson.loads(bytes_of(file)) if file.stat().st_size <= FILE_BYTES_MAX else None
        problem = "" if value is not None else f"it is empty, or larger than {FILE_BYTES_MAX:,} bytes"
    except orjson.JSONDecodeError as error:
        problem = f"{error.msg} (line {error.lineno}, column {error.colno})"
    else:
        values = value if isinstance(value, list) else [value]
        if not problem and 0 < len(values) <= POINTS_MAX:
            return values
    raise DefinitionsNotReadable(path=file, problem=problem or "it holds none or too many", points_max=POINTS_MAX)


def _show(points: list[CapturePoint], *, as_json: bool) -> None:
    if as_json:
        rows = [{"point_id": p.point_id, "version": p.version, **p.definition.model_dump(mode="json")} for p in points]
        show(rows, as_json=True)
        return
    columns = ["id", "version", "name", "work", "place"]
    table(
        columns, [(p.point_id, p.version, p.definition.name.en, p.definition.work, p.definition.place) for p in points]
    )
