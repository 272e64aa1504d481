"""``tracemark demo``: the main job, once through, on an embedded database; then it is served."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from cli import terminal_qr, worker
from cli.demo_story import Story, tell_story
from cli.demo_world import tell_world
from cli.installation import Installation, open_installation
from cli.output import Json, say, show, table, tell
from cli.serve import Face, check_port, listen
from labels.symbol import matrix
from runtime import settings
from runtime.embedded_postgres import erase
from runtime.refusals import Conflict

STORY_FILE = "demo.json"
RESULTS = ("labels", "notices", "drill")


class HoldsOtherWork(Conflict):
    """The database already holds a ledger that the demo did not make. Choose another --data-dir."""


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets a phone in the same network scan.")
    ] = "127.0.0.1",
    data_dir: Annotated[Path | None, typer.Option(help="Where everything is kept (default ./var).")] = None,
    base_url: Annotated[str | None, typer.Option(help="Address printed in the codes (default: host and port).")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Forget an earlier demo in this directory first.")] = False,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve when the story is told.")] = True,
    world: Annotated[
        str | None, typer.Option(help="Instead of the story: a made-up world with an answer key, S1 to S13.")
    ] = None,
    units: Annotated[int, typer.Option(help="With --world: how many units are made, up to 10⁸.")] = 1_000,
    seed: Annotated[int, typer.Option(help="With --world: the same seed is the same world.")] = 1,
    as_json: Json = False,
) -> None:
    """Print, scan, recall, scan again: the little dairy and a real food chain, then the faces over HTTP."""
    if serve:
        check_port(host, port)
    address = base_url or os.environ.get("TRACEMARK_BASE_URL") or f"http://{_shown(host)}:{port}"
    if reset:
        _forget(settings.load(data_dir=data_dir).data_dir)
    with open_installation(migrate=True, data_dir=data_dir, base_url=address) as installation:
        if world is not None:
            _world(installation, world, units, seed, as_json=as_json)
        else:
            story = _story(installation)
            if as_json:
                show(story, as_json=True)
            else:
                _print(story, installation)
        if serve:
            tell(f"\nserving on http://{_shown(host)}:{port}  (Ctrl-C stops)")
            with worker.beside(installation):
                listen(installation, Face.ALL, host, port)


def _story(installation: Installation) -> Story:
    """The story told in this directory: told now, or read again."""
    file = installation.settings.data_dir / STORY_FILE
    if file.exists():
        tell("this directory holds a demo already (start anew with --reset)")
        return Story(**orjson.loads(file.read_bytes()))

    async def work(conn: AsyncConnection) -> Story:
        return await tell_story(conn, installation, tell)

    if installation.run(_events):
        raise HoldsOtherWork()
    story = installation.run(work)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(orjson.dumps(story, option=orjson.OPT_INDENT_2))
    return story


def _world(installation: Installation, name: str, units: int, seed: int, *, as_json: bool) -> None:
    """Tell a world to an empty ledger, and set each answer beside the truth."""
    if installation.run(_events):
        raise HoldsOtherWork()
    told = installation.run(lambda conn: tell_world(conn, installation, name, units, seed, tell))
    if as_json:
        show(told, as_json=True)
    else:
        columns = ["question", "lots", "goods", "missed", "too many", "exact"]
        rows = [(q.name, q.lots, q.goods, q.missed, q.extra, "yes" if q.is_exact else "no") for q in told.questions]
        table(columns, rows, title=f"{told.world}: {told.events:,} events, {told.units:,} units, seed {told.seed}")


async def _events(conn: AsyncConnection) -> int:
    from ledger.trace import ledger_revision

    return await ledger_revision(conn)


def _forget(data_dir: Path) -> None:
    erase(data_dir)
    for name in (*RESULTS,):
        shutil.rmtree(data_dir / name, ignore_errors=True)
    for name in (STORY_FILE, "master_secret"):
        (data_dir / name).unlink(missing_ok=True)


def _shown(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not listened on


def _print(story: Story, installation: Installation) -> None:
    base = installation.settings.base_url
    say(f"\nRecalled: {story.recall_title} ({story.recall})")
    _qr(story.recalled_link)
    say("Not recalled: the sibling lot, made the same day from other milk")
    _qr(story.clear_link)
    say(f"Scan pages      {story.recalled_link}\n                {story.clear_link}")
    say(f"Recalls         {base}/recalls      Check a list   {base}/check")
    say(f"Console         {base}/console      API            {base}/docs")
    say(
        "Sign in         "
        + "\n                ".join(f"{a['name']} / {a['password']}   ({a['role']})" for a in story.accounts)
    )
    say(f"Labels          {story.labels_pdf}\n                {story.roll_pdf}")
    say("Notice list     " + "\n                ".join(story.notices))
    say(f"Drill           {story.drill_report}")
    say(f"Trace it        tracemark trace {story.recalled_link}" + _data_dir_option(installation))
    if "127.0.0.1" in base or "localhost" in base:
        say("\nA phone cannot reach 127.0.0.1. To scan with one, start again with")
        say(f"--reset --host 0.0.0.0 --base-url http://<name of this machine>:{base.rpartition(':')[2]}")


def _data_dir_option(installation: Installation) -> str:
    directory = installation.settings.data_dir
    return "" if directory == Path("var") else f" --data-dir {directory}"


def _qr(link: str) -> None:
    for line in terminal_qr.lines(matrix(link).tolist(), colour=sys.stdout.isatty()):
        sys.stdout.write(f"  {line}\n")
    sys.stdout.flush()
