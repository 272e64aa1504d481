"""``tracemark labels pack``, ``delivered`` and ``keys``: what a print house gets, and the key behind the serials."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.given import text_of
from cli.installation import acting, open_installation
from cli.output import By, DataDir, Json, counted, show, table, tell
from ledger.codes import KeyRing
from runtime.clock import system_clock

pack = typer.Typer(help="Packs of codes for print houses.", no_args_is_help=True)
keys = typer.Typer(help="The keys behind the serials.", no_args_is_help=True)

BACKUP_WARNING = (
    "Make a backup now: tracemark backup DIR. Without the new key, and without the master secret, nobody can read the "
    "codes that are printed from now on."
)


def register(group: typer.Typer) -> None:
    group.add_typer(pack, name="pack")
    group.add_typer(keys, name="keys")
    group.command(name="delivered")(delivered)


@pack.command()
def make(
    job: Annotated[int, typer.Argument(help="Job number.")],
    out: Annotated[Path, typer.Option(help="Folder to make, or with --encrypt the archive (ZIP).")],
    to: Annotated[str, typer.Option("--to", help="Who will print; stands in the manifest.")],
    format: Annotated[str, typer.Option(help="csv, txt (tabs) or xlsx.")] = "csv",  # noqa: A002 - the same word as in render
    columns: Annotated[
        str, typer.Option(help="Columns in their order, with commas.")
    ] = "digital_link,gtin,lot,serial,label_number",
    per_roll: Annotated[int | None, typer.Option(help="Labels of one file; without it, all in one.")] = None,
    encrypt: Annotated[bool, typer.Option("--encrypt", help="An AES-256 archive; its password is told once.")] = False,
    password_file: Annotated[Path | None, typer.Option(help="Take the archive's password from this file.")] = None,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List the codes of a job for a print house, with a signed manifest."""
    from labels import packs, sealed_packs  # loads workbook and archive writers, which other commands go without

    password = text_of(password_file) if password_file else packs.new_password() if encrypt else None
    if password is not None:
        sealed_packs.require_password(password)
    asked = packs.PackOrder(to, format, tuple(columns.split(",")), per_roll, password)
    with open_installation(data_dir=data_dir) as installation:
        secret = installation.master_secret

        async def work(conn: AsyncConnection, ring: KeyRing) -> Any:
            return await packs.make_pack(
                conn, job, out.absolute(), asked, by=acting(by), clock=system_clock, keys=ring, master_secret=secret
            )

        made = installation.run_with_keys(work)
    told = password if encrypt and not password_file else None
    if told:
        tell("The password is told here once and is kept nowhere; send it by another way than the archive.")
    text = f"{made.path}: {counted(made.labels, 'label')} in {counted(made.files, 'file')}, for {to}"
    show({"pack": made, "password": told}, as_json=as_json, text=f"{text}\npassword: {told}" if told else text)


@pack.command()
def verify(
    path: Annotated[Path, typer.Argument(help="Folder or archive.")],
    password_file: Annotated[Path | None, typer.Option(help="The archive's password is in this file.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Check that a pack is whole and signed: hashes, counts, signature."""
    from labels.pack_manifest import verify_pack  # loads the archive reader, which other commands go without

    password = text_of(password_file) if password_file else None
    with open_installation(data_dir=data_dir) as installation:
        found = verify_pack(path, password=password, master_secret=installation.master_secret)
    whose = "signed here" if found.ours else f"signed by another installation ({found.public_key})"
    text = f"{path} is whole: {counted(found.labels, 'label')} of job {found.job}, lot {found.lot}; {whose}"
    show(found, as_json=as_json, text=text)


def delivered(
    job: Annotated[int, typer.Argument(help="Job number.")],
    to: Annotated[str, typer.Option("--to", help="Who has the codes now.")],
    receipt: Annotated[str, typer.Option(help="By what receipt: its number, or what was said; kept.")],
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Keep who received the codes of a job; from then on the job is delivered."""
    from labels import deliveries  # loads what a ledger needs to take an event; rendering goes without

    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> Any:
            return await deliveries.deliver(conn, job, to=to, receipt=receipt, by=acting(by), clock=system_clock)

        kept = installation.run(work)
    show(kept, as_json=as_json, text=f"job {job} is delivered to {kept.to_name}: {kept.receipt}")


@keys.command()
def rotate(by: By = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Make a new key for the codes of jobs to come; codes that exist are read as before."""
    from labels import key_rotation  # loads what a ledger needs to take an event; rendering goes without

    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> int:
            return await key_rotation.rotate(conn, installation.master_secret, by=acting(by), clock=system_clock)

        epoch = installation.run(work)
    tell(BACKUP_WARNING)
    show({"epoch": epoch}, as_json=as_json, text=f"epoch {epoch}: new label jobs use a new key")


@keys.command(name="list")
def list_keys(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Keys by epoch, the newest first, with what was issued under each; never the keys themselves."""
    from labels import key_rotation  # loads what a ledger needs to take an event; rendering goes without

    with open_installation(data_dir=data_dir) as installation:
        found = installation.run(key_rotation.epochs)
    if as_json:
        show(found, as_json=True)
    else:
        table(["epoch", "since", "jobs", "numbers"], [(e.epoch, e.created_at, e.blocks, e.numbers) for e in found])
