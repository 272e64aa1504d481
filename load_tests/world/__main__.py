"""``python -m load_tests.world``: a world as files, every answer marked, or what each kind of noise costs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.installation import open_installation
from cli.output import say, table, tell
from ledger import codes
from load_tests.world import checking, copying, curve, recording, telling
from load_tests.world.blocks import deeds_in_blocks, lot_in, world_in_blocks
from load_tests.world.recording import party_uri, place_uri
from load_tests.world.scenarios import SCENARIOS, UnknownWorld
from load_tests.world.stages import Scenario
from runtime.clock import system_clock
from runtime.database import transaction


class Form(StrEnum):
    """How a world is written."""

    EPCIS = "epcis"
    CSV = "csv"
    COPY = "copy"


def main(  # noqa: PLR0917 - the options of a command
    scenario: Annotated[str, typer.Option(help="S1 to S13.")] = "S1",
    units: Annotated[int, typer.Option(help="About how many units; beyond 1,000 in blocks of 1,000.")] = 1_000,
    seed: Annotated[int, typer.Option(help="The same seed is the same world.")] = 1,
    to: Annotated[Form, typer.Option(help="EPCIS documents, import files, or rows of an empty ledger.")] = Form.EPCIS,
    out: Annotated[Path, typer.Option(help="Folder of the files; of --curve and --to copy the data directory.")] = Path(
        "world"
    ),
    noise: Annotated[bool, typer.Option("--curve", help="Print what each kind of noise costs, by rate.")] = False,
    check: Annotated[
        str | None,
        typer.Option(
            help="Tell this world, or all, to an empty ledger in --out, and mark every answer; 1 = one is wrong."
        ),
    ] = None,
) -> None:
    """Write a world as files, with its answer key; or mark every answer; or print the curve of its noise."""
    if check is not None:
        _check(check, units, seed, out)
        return
    if to is Form.COPY and not noise:
        _copy(scenario, units, seed, out)
        return
    world, blocks = world_in_blocks(scenario, units, seed)
    if noise:
        _curve(world, out, seed)
        return
    out.mkdir(parents=True, exist_ok=True)
    written = write_epcis(world, blocks, out) if to is Form.EPCIS else write_csv(world, blocks, out)
    say(f"{scenario}: {blocks:,} blocks, {written:,} {'events' if to is Form.EPCIS else 'shipments'} in {out}")


def write_epcis(world: Scenario, blocks: int, out: Path) -> int:
    """A document for each 200 events of a block; how many events. Only one block is in memory at a time."""
    _master_data(world, out)
    events = 0
    for block, deeds in deeds_in_blocks(world, blocks):
        for number, document in enumerate(recording.documents(recording.record(deeds, block=block))):
            name = out / f"events-{block:06d}-{number:04d}.json"
            name.write_bytes(orjson.dumps(document))
            events += len(document["epcisBody"]["eventList"])
    return events


def write_csv(world: Scenario, blocks: int, out: Path) -> int:
    """Files of the import's kinds, for each block the lots and the deliveries told by lot; how many deliveries."""
    _master_data(world, out)
    deliveries = 0
    for block, deeds in deeds_in_blocks(world, blocks):
        lots = [lot_in(lot, block) for lot in world.world.lots]
        _write(out / f"lots-{block:06d}.csv", ("gtin", "lot"), lots)
        (out / f"shipments-{block:06d}.csv").write_bytes(telling.shipments_file(deeds))
        deliveries += sum(map(telling.is_delivery, deeds))
    return deliveries


def _master_data(world: Scenario, out: Path) -> None:
    sites = {site.name: site for deed in world.world.deeds for site in (deed.site, deed.to) if site is not None}
    firms = {site.firm.name: site.firm for site in sites.values()}
    parties = [(party_uri(firm.name), firm.name, firm.role, firm.channel or "") for firm in firms.values()]
    _write(out / "parties.csv", ("uri", "name", "role", "channel"), parties)
    places = [(place_uri(site.name), site.name, site.kind, party_uri(site.firm.name)) for site in sites.values()]
    _write(out / "places.csv", ("uri", "name", "kind", "party"), places)
    products = [(number, f"Product {number}", "no") for number in sorted({lot.gtin for lot in world.world.lots})]
    _write(out / "products.csv", ("gtin", "name", "ours"), products)


def _write(path: Path, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


def _check(name: str, units: int, seed: int, data_dir: Path) -> None:
    worlds = list(checking.worlds_of(name))
    if not worlds:
        raise UnknownWorld(name=name, known=", ".join((checking.ALL, *SCENARIOS)))
    with open_installation(migrate=True, data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> list[checking.Checked]:
            async with transaction(conn):
                keys = await codes.ensure_key(conn, installation.master_secret, clock=system_clock)
            return await checking.check(conn, worlds, units, seed, by="world", clock=system_clock, keys=keys)

        found = installation.run(work)
    _marks(found)


def _copy(name: str, units: int, seed: int, data_dir: Path) -> None:
    with open_installation(migrate=True, data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> copying.Copied:
            async with transaction(conn):
                keys = await codes.ensure_key(conn, installation.master_secret, clock=system_clock)
            return await copying.put_down(
                conn, installation.address, name, units, seed, by="world", clock=system_clock, keys=keys, tell=tell
            )

        copied = installation.run(work)
    say(f"{name}: {copied.blocks:,} blocks, {copied.events:,} events on record in {data_dir}")
    _marks(copied.checked)


def _marks(found: Sequence[checking.Checked]) -> None:
    """The marks as a table; 1 when an answer is not as it has to be."""
    columns = ["world", "question", "lots", "goods", "missed", "extra", "missed lots", "extra lots", "as it has to be"]
    rows = [
        (c.world, c.question, c.lots, f"{c.goods:,}", c.missed, c.extra, c.missed_lots, c.extra_lots,
         "yes" if c.is_right else "NO")
        for c in found
    ]  # fmt: skip
    table(columns, rows)
    if not all(each.is_right for each in found):
        raise typer.Exit(1)


def _curve(world: Scenario, data_dir: Path, seed: int) -> None:
    with open_installation(migrate=True, data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> list[curve.Point]:
            async with transaction(conn):
                keys = await codes.ensure_key(conn, installation.master_secret, clock=system_clock)
            await recording.put_on_record(conn, world.world)
            return [
                await curve.measure(conn, world, *each, seed=seed, by="world", clock=system_clock, keys=keys)
                for each in curve.points()
            ]

        found = installation.run(work)
    columns = ["noise", "rate", "recall", "precision", "missed", "extra", "missed lots", "lots named as gaps"]
    rows = [
        (p.noise, f"{p.rate:.0%}", f"{p.recall:.4f}", f"{p.precision:.4f}", p.missed, p.extra, p.missed_lots, p.gaps)
        for p in found
    ]
    table(columns, rows)


if __name__ == "__main__":
    typer.run(main)
