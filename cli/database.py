"""``migrate``, ``settings``, ``doctor``, ``backup``, ``restore``, ``verify-backup``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from cli import backups, doctor
from cli.installation import open_installation, reaching
from cli.output import DataDir, Json, counted, say, show, table, tell
from runtime import migrations, settings
from runtime.database import DatabaseAddress
from runtime.refusals import Invalid


class NotConfirmed(Invalid):
    """Writing the book anew stops all recording until it is done, hours on a large installation. Make a backup, then
    add --yes."""


def register(app: typer.Typer) -> None:
    app.command()(migrate)
    app.command(name="settings")(show_settings)
    app.command(name="doctor")(examine)
    app.command()(backup)
    app.command()(restore)
    app.command(name="verify-backup")(verify_backup)


def migrate(
    check: Annotated[bool, typer.Option("--check", help="Only say whether the schema is up to date.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Bring the database schema up to date."""
    chosen = settings.load(data_dir=data_dir)
    if check and chosen.database_url is not None:
        address = DatabaseAddress(chosen.database_url.get_secret_value())
        with reaching(address):
            version = asyncio.run(migrations.check(address))
    else:
        with open_installation(data_dir=data_dir, migrate=True):
            version = migrations.newest()
    show({"schema": version}, as_json=as_json, text=f"schema {version}, up to date")


def show_settings(data_dir: DataDir = None, as_json: Json = False) -> None:
    """All settings with their values; secrets are not shown."""
    chosen = settings.load(data_dir=data_dir)
    rows: list[dict[str, Any]] = []
    for name, field in settings.Settings.model_fields.items():
        value = getattr(chosen, name)
        shown = "(set)" if isinstance(value, SecretStr) else value
        rows.append({"name": f"{settings.PREFIX}{name.upper()}", "value": shown, "about": field.description or ""})
    if as_json:
        show(rows, as_json=True)
    else:
        table(["name", "value", "about"], [(row["name"], row["value"], row["about"]) for row in rows])


def examine(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="First write the ledger's book anew from its events (needs --yes).")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Nobody else can record anything while that lasts.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> int:
    """Look at this installation: libraries, fonts, database, and whether the ledger's books balance."""
    if rebuild and not yes:
        raise NotConfirmed
    with open_installation(data_dir=data_dir) as installation:
        if rebuild:
            events = installation.run(lambda conn: doctor.rebuild(conn, installation))
            tell(f"the book was written anew from {counted(events, 'event')}")
        findings = installation.run(lambda conn: doctor.examine(conn, installation))
    if as_json:
        show(findings, as_json=True)
    else:
        table(["", "what", "found"], [("ok" if f.good else "BAD", f.what, f.found) for f in findings])
    return 0 if all(f.good for f in findings) else 1


def backup(
    folder: Annotated[Path, typer.Argument(help="Where to put it; must not exist yet.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Save the database and the keys. Whoever has the folder can read every printed code: keep it so."""
    with open_installation(data_dir=data_dir) as installation:
        manifest = backups.save(installation, folder)
    show(
        manifest, as_json=as_json, text=f"saved to {folder}: {manifest['bytes']:,} bytes, {manifest['events']:,} events"
    )
    tell("The folder holds the master secret: keep it as safe as the keys to the plant.")


def restore(
    folder: Annotated[Path, typer.Argument(help="A folder that `tracemark backup` made.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Load a backup into an empty database."""
    manifest = backups.load(folder, data_dir=data_dir)
    show(manifest, as_json=as_json, text=f"restored {manifest['events']:,} events from {folder}")


def verify_backup(
    folder: Annotated[Path, typer.Argument(help="A folder that `tracemark backup` made.")],
    as_json: Json = False,
) -> None:
    """Restore a backup into a scratch database and compare it with its manifest."""
    report = backups.verify(folder)
    show(report, as_json=as_json)
    if not as_json:
        say("the backup is good")
