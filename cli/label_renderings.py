"""``tracemark labels job``, ``cancel``, ``resolve``: renderings while they are made and after they were handed over."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.installation import Installation, acting, open_installation
from cli.output import By, DataDir, Json, progress_console, say, show, table, tell
from labels import job_lists, progress, rendering
from labels.progress import Progress
from ledger.codes import KeyRing
from runtime.clock import system_clock

if TYPE_CHECKING:
    from rich.table import Table

_LOOK_EVERY_S: Final = 0.5
_COLUMNS: Final = (
    "rendering",
    "format",
    "state",
    "made",
    "read back",
    "of",
    "labels/s",
    "remaining s",
    "parts",
    "remark",
)


class Word(StrEnum):
    """What a person says of a part that was handed over."""

    DELIVERED = "delivered"
    NOT_PRINTED = "not-printed"
    VOID = "void"


def register(group: typer.Typer) -> None:
    group.command(name="job")(show_job)
    group.command()(cancel)
    group.command()(resolve)


def show_job(
    job: Annotated[int, typer.Argument(help="Job number.")],
    watch: Annotated[bool, typer.Option("--watch", help="Keep looking until nothing is being made.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """A job, what became of its labels, and how far its renderings are."""
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> Any:
            return await job_lists.find_job(conn, job)

        line = installation.run(work)
        renderings = _watched(installation, job) if watch else _look(installation, job)
    if as_json:
        show({"job": line, "renderings": renderings}, as_json=True)
        return
    say(
        f"job {job}: {line.count:,} labels for {line.gtin} lot {line.lot} = "
        f"{line.commissioned:,} commissioned + {line.void:,} void + {line.unused:,} unused"
    )
    if renderings:
        table(_COLUMNS, [_row(each) for each in renderings])


def cancel(
    job: Annotated[int, typer.Argument(help="Job number.")],
    rendering_: Annotated[int, typer.Option("--rendering", help="Which of its renderings.")],
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Stop a rendering after the part at hand; what was made of it is thrown away."""
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> Any:
            return await rendering.cancel(conn, job, rendering_, by=acting(by), clock=system_clock)

        ended = installation.run(work)
    show(ended, as_json=as_json, text=f"rendering {rendering_} of job {job} is cancelled")


def resolve(
    rendering_: Annotated[int, typer.Argument(metavar="RENDERING", help="Number of the rendering.")],
    part: Annotated[int, typer.Option(help="Which of its parts.")],
    word: Annotated[Word, typer.Option("--as", help="delivered, not-printed or void.")],
    reason: Annotated[str, typer.Option(help="How it is known; kept.")],
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Say what became of a part that was handed over, or may have been.

    not-printed: it may be handed over again. void: nobody knows, so its labels are taken out of use for good.
    """
    from labels import handing_over  # voiding loads what a ledger needs to take an event

    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection, keys: KeyRing) -> Any:
            said: Any = word.value.replace("-", "_")
            return await handing_over.resolve(
                conn, rendering_, part, said, reason, by=acting(by), clock=system_clock, keys=keys
            )

        resolved = installation.run_with_keys(work)
    show(resolved, as_json=as_json, text=f"part {part} of rendering {rendering_} is {resolved.state}: {reason}")


def tell_made(made: int, labels: int) -> None:
    """A line of progress of a rendering of several parts."""
    if made < labels:
        tell(f"{made:,} of {labels:,} labels are made")


def _look(installation: Installation, job: int) -> tuple[Progress, ...]:
    async def work(conn: AsyncConnection) -> tuple[Progress, ...]:
        return await progress.progress_of(conn, job, clock=system_clock)

    return installation.run(work)


def _watched(installation: Installation, job: int) -> tuple[Progress, ...]:
    """Look again and again, drawing on stderr, until no rendering is asked for or being made."""
    renderings = _look(installation, job)
    from rich.live import Live  # here: who does not watch does not wait for it

    with Live(_drawn(renderings), console=progress_console(), transient=True) as live:
        while any(each.state in ("asked", "making") for each in renderings):
            time.sleep(_LOOK_EVERY_S)
            renderings = _look(installation, job)
            live.update(_drawn(renderings))
    return renderings


def _drawn(renderings: tuple[Progress, ...]) -> Table:
    from rich.table import Table

    drawn = Table(*_COLUMNS, box=None, pad_edge=False)
    for each in renderings:
        drawn.add_row(*("" if cell is None else f"{cell:,}" if isinstance(cell, int) else cell for cell in _row(each)))
    return drawn


def _row(each: Progress) -> tuple[int | str | None, ...]:
    parts = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in sorted(each.parts.items()))
    rate = None if each.labels_per_s is None else round(each.labels_per_s)
    left = None if each.remaining_s is None else round(each.remaining_s)
    return (
        each.render_id, each.format, each.state, each.made, each.read_back, each.labels, rate, left, parts,
        each.problem or "",
    )  # fmt: skip
