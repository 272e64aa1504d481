"""Packs for print houses: the columns and rolls they asked for, sealed, signed, received."""

from __future__ import annotations

import asyncio
import csv
import json
import time
from pathlib import Path
from typing import Any

import pytest
import pyzipper
from sqlalchemy.ext.asyncio import AsyncConnection

from labels import deliveries, job_lists, packs, printing, rendering, whole_files
from labels.model import OutputFile
from labels.pack_manifest import public_key_of, verify_pack
from labels.packs import Pack, PackOrder
from labels.refusals import (
    ColumnUnknown,
    JobNotReleased,
    LotNotPrintable,
    OutputExists,
    PackBroken,
    PackFormatUnknown,
    PackNotReadable,
    ReceiptNotUsable,
    RenderCancelled,
    RollNotUsable,
)
from labels.render.files import GoOn
from ledger import master_data
from ledger.codes import KeyRing
from ledger.model import LotDraft
from ledger.spreadsheets import read_rows
from runtime.database import DatabaseAddress, Role, transaction
from tests.labels.world import CHEESE, SECRET, arranged, noon, number, ordered


async def packed(conn: AsyncConnection, keys: KeyRing, out: Path, asked: PackOrder, count: int = 10) -> Pack:
    job = await ordered(conn, count=count)
    return await packs.make_pack(conn, job.job_id, out, asked, by="ada", clock=noon, keys=keys, master_secret=SECRET)


async def test_each_roll_is_a_file_with_the_columns_that_were_asked_for(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    job = await ordered(conn)
    await printing.void(conn, job.job_id, 3, 4, "torn", by="ada", clock=noon, keys=keys)
    asked = PackOrder("Printers & Sons", "csv", ("roll", "label_number", "element_string"), per_roll=5)

    pack = await packs.make_pack(
        conn, job.job_id, tmp_path / "p", asked, by="ada", clock=noon, keys=keys, master_secret=SECRET
    )

    serials = await printing.serials(conn, job, keys)
    lists = [list(csv.reader((tmp_path / "p" / f"roll-0000{roll}.csv").open(newline=""))) for roll in (1, 2)]
    assert [row[:2] for row in lists[0][1:]] == [["1", "1"], ["1", "2"], ["1", "5"], ["1", "6"], ["1", "7"]]
    assert lists[1][-1] == ["2", "10", f"(01){CHEESE}(21){serials[9]}(17)270120(10)C1"]
    told = json.loads((tmp_path / "p" / "manifest.json").read_text())["manifest"]
    assert (told["labels"], told["first_label"], told["last_label"]) == (8, 1, 10)
    assert [(file["labels"], file["first_label"]) for file in told["files"]] == [(5, 1), (3, 8)]
    assert (pack.files, pack.labels) == (2, 8)
    assert (await printing.find_job(conn, job.job_id)).state == "released"


@pytest.mark.parametrize("kind", ["txt", "xlsx"])
async def test_lists_come_as_text_or_as_a_workbook(conn: AsyncConnection, tmp_path: Path, kind: str) -> None:
    keys = await arranged(conn)
    await packed(conn, keys, tmp_path / "p", PackOrder("P", kind, ("serial", "label_number")), count=3)

    table = read_rows((tmp_path / "p" / f"codes.{kind}").read_bytes(), kind)

    assert table.header == ("serial", "label_number")
    assert [row.cells[0] for row in table.rows] == await printing.serials(conn, 1, keys)


async def test_a_sealed_pack_opens_with_its_password_alone_and_is_proved_whole(
    conn: AsyncConnection, tmp_path: Path
) -> None:
    keys = await arranged(conn)
    password = packs.new_password()
    await packed(conn, keys, tmp_path / "p.zip", PackOrder("Printers & Sons", password=password))

    found = verify_pack(tmp_path / "p.zip", password=password, master_secret=SECRET)

    assert (found.labels, found.files, found.recipient, found.ours) == (10, 1, "Printers & Sons", True)
    assert found.public_key == public_key_of(SECRET)
    other = verify_pack(tmp_path / "p.zip", password=password, master_secret="another secret, of another installation")
    assert not other.ours
    for wrong in (None, "guessed"):
        with pytest.raises(PackNotReadable, match="password"):
            verify_pack(tmp_path / "p.zip", password=wrong, master_secret=SECRET)
    with pyzipper.AESZipFile(tmp_path / "p.zip") as archive:
        assert all(entry.flag_bits & 1 for entry in archive.infolist())


async def test_a_pack_that_was_changed_is_found_out(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    folder = tmp_path / "p"
    await packed(conn, keys, folder, PackOrder("P"))
    manifest, codes = folder / "manifest.json", folder / "codes.csv"
    good_manifest, good_codes = manifest.read_bytes(), codes.read_bytes()
    changes = (
        (codes, good_codes.replace(b"C1", b"C9", 1)),
        (codes, good_codes + b"\r\n"),
        (manifest, good_manifest.replace(b'"lot": "C1"', b'"lot": "C9"')),
        (folder / "more.csv", b"x"),
    )
    for path, content in changes:
        before = path.read_bytes() if path.exists() else None
        path.write_bytes(content)
        with pytest.raises(PackBroken):
            verify_pack(folder, password=None, master_secret=SECRET)
        path.unlink() if before is None else path.write_bytes(before)
    assert verify_pack(folder, password=None, master_secret=SECRET).ours
    manifest.write_bytes(b"{}")
    with pytest.raises(PackNotReadable):
        verify_pack(folder, password=None, master_secret=SECRET)


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        (PackOrder("P", columns=("serial", "price")), ColumnUnknown),
        (PackOrder("P", columns=("serial", "serial")), ColumnUnknown),
        (PackOrder("P", "pdf"), PackFormatUnknown),
        (PackOrder("P", per_roll=0), RollNotUsable),
    ],
)
async def test_a_pack_that_cannot_be_made_leaves_nothing(
    conn: AsyncConnection, tmp_path: Path, asked: PackOrder, refusal: type[Exception]
) -> None:
    keys = await arranged(conn)
    with pytest.raises(refusal):
        await packed(conn, keys, tmp_path / "p", asked)
    (tmp_path / "there").mkdir()
    with pytest.raises(OutputExists):
        await packed(conn, keys, tmp_path / "there", PackOrder("P"))
    async with transaction(conn):
        await master_data.put_lot(conn, LotDraft(gtin=CHEESE, code="C1", status="held"))
    with pytest.raises(LotNotPrintable):
        await packs.make_pack(
            conn, 1, tmp_path / "p", PackOrder("P"), by="ada", clock=noon, keys=keys, master_secret=SECRET
        )
    assert [each.name for each in tmp_path.iterdir()] == ["there"]
    assert await number(conn, "SELECT count(*) FROM label_output") == 0


async def test_a_receipt_makes_the_job_delivered(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    await packed(conn, keys, tmp_path / "p", PackOrder("P"))

    for _ in range(2):
        await deliveries.deliver(conn, 1, to="Printers & Sons", receipt="R-17", by="ada", clock=noon)

    assert (await job_lists.find_job(conn, 1)).state == "delivered"
    assert [(d.to_name, d.receipt, d.by) for d in await deliveries.deliveries_of(conn, 1)] == [
        ("Printers & Sons", "R-17", "ada")
    ]
    await printing.commission(conn, 1, by="ada", clock=noon, keys=keys)
    with pytest.raises(ReceiptNotUsable):
        await deliveries.deliver(conn, 1, to=" ", receipt="R-18", by="ada", clock=noon)
    with pytest.raises(JobNotReleased):
        await deliveries.deliver(conn, (await ordered(conn)).job_id, to="P", receipt="R", by="ada", clock=noon)


async def test_the_sealing_of_a_pack_that_a_worker_makes_ends_when_it_is_cancelled(
    conn: AsyncConnection, database: DatabaseAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = await arranged(conn)
    job = await ordered(conn)
    monkeypatch.setattr(whole_files, "LOOK_AGAIN_S", 0.01)
    asked = PackOrder("Printers & Sons", per_roll=1, password="a long password")
    render = await rendering.ask_pack(conn, job.job_id, asked, tmp_path, by="ada", clock=noon, master_secret=SECRET)
    engine, sealed = database.engine(Role.STAFF, pool_size=1), packs.seal_lists
    pieces = 0

    async def cancel() -> None:
        async with engine.connect() as other:
            await rendering.cancel(other, job.job_id, render.render_id, by="ada", clock=noon)
        await engine.dispose()

    def slowly(*words: Any, go_on: GoOn, **named: Any) -> OutputFile:
        """Somebody cancels when the first list is being sealed; the press is a slow one."""

        def waiting() -> None:
            nonlocal pieces
            pieces += 1
            if pieces == 1:
                asyncio.run(cancel())
            time.sleep(0.1)
            go_on()

        return sealed(*words, go_on=waiting, **named)

    monkeypatch.setattr(packs, "seal_lists", slowly)
    with pytest.raises(RenderCancelled):
        await rendering.carry_out(
            conn, render.render_id, by="ada", clock=noon, keys=keys, cells_folder=None, processes=1,
            master_secret=SECRET,
        )  # fmt: skip

    assert pieces < 10, "there are eleven files, and it did not come to the last"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
