"""Serials that the customer brought: each row judged, nothing half taken, and from then on labels like all others."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from gs1.identifier import Identifier
from labels import customer_serials, printing
from labels.data_matrix import data_matrix, element_string_of
from labels.model import Job
from labels.refusals import ColumnMissing, ExpiryMissing, SerialsNotTaken, SerialsTooDense, TooManyLabels
from ledger import codes, master_data
from ledger.codes import KeyRing
from ledger.model import LotDraft, ProductDraft
from runtime.database import transaction
from tests.labels.world import BASE_URL, CHEESE, arranged, noon, number
from tests.printed import links_on

TABLETS = "09506000134376"


async def brought(conn: AsyncConnection, keys: KeyRing, serials: list[str], **changes: object) -> Job:
    asked = {
        "gtin": CHEESE, "lot": "C1", "name": "serials.csv", "template": None, "best_before_on": None,
        "lot_in_link": False, "base_url": BASE_URL, "by": "ada", "clock": noon, "labels_max": 1_000,
        "data": "\n".join(["serial", *serials]).encode(),
    }  # fmt: skip
    return await customer_serials.order_brought(conn, keys=keys, **(asked | changes))  # type: ignore[arg-type]


async def test_brought_serials_are_printed_scanned_commissioned_and_replaced(
    conn: AsyncConnection, tmp_path: Path
) -> None:
    keys = await arranged(conn)
    serials = ["A/1", "b\"2%&'", "0000000000", "20-characters-long-X", "7"]

    job = await brought(conn, keys, serials)

    assert job.count == 5
    await printing.render(conn, job.job_id, "pdf", tmp_path / "b.pdf", by="ada", clock=noon, keys=keys)
    assert sorted(links_on(tmp_path / "b.pdf")) == sorted(job.form.link(serial) for serial in serials)
    await printing.commission(conn, job.job_id, 1, 3, by="ada", clock=noon, keys=keys)
    found = [await codes.find(conn, Identifier.item(CHEESE, serial), keys) for serial in serials]
    assert [each.commissioned for each in found] == [True, True, True, False, False]
    assert found[1].lot_id == job.lot_id
    await printing.void(conn, job.job_id, 2, 2, "torn", by="ada", clock=noon, keys=keys)
    assert await number(conn, "SELECT count(*) FROM code_run WHERE disposition = 'inactive'") == 1
    balance = await printing.balance(conn, job.job_id)
    assert (balance.commissioned, balance.void, balance.unused) == (2, 1, 2)


async def test_a_file_with_bad_rows_names_each_and_leaves_nothing(conn: AsyncConnection) -> None:
    keys = await arranged(conn)
    await brought(conn, keys, ["TAKEN"])
    rows = ["GOOD", "has space", "x" * 21, "GOOD", "长"]

    with pytest.raises(SerialsNotTaken, match="row 3") as refused:
        await brought(conn, keys, rows)
    assert [fault.where for fault in refused.value.faults] == ["row 3", "row 4", "row 5", "row 6"]
    with pytest.raises(SerialsNotTaken, match="TAKEN is on record"):
        await brought(conn, keys, ["NEW", "TAKEN"])
    with pytest.raises(ColumnMissing):
        await brought(conn, keys, [], data=b"number\n1")
    with pytest.raises(SerialsNotTaken, match="no serials"):
        await brought(conn, keys, [])
    with pytest.raises(TooManyLabels):
        await brought(conn, keys, ["A", "B"], labels_max=1)
    assert await number(conn, "SELECT count(*) FROM label_job") == 1
    assert await number(conn, "SELECT count(*) FROM foreign_serial") == 1


async def test_the_same_serial_may_stand_on_another_product(conn: AsyncConnection) -> None:
    keys = await arranged(conn)
    await medicine(conn)
    dice = random.Random(7)
    serials = ["".join(dice.choices("0123456789ABCDEFGHJK", k=14)) for _ in range(5)]
    await brought(conn, keys, serials)

    other = await brought(conn, keys, serials, gtin=TABLETS, lot="T1")

    assert other.gtin == TABLETS


async def medicine(conn: AsyncConnection, expires_on: date | None = date(2028, 3, 31)) -> None:
    async with transaction(conn):
        await master_data.put_product(conn, ProductDraft(gtin=TABLETS, name="Tablets 20 mg", profile="pharma"))
        await master_data.put_lot(conn, LotDraft(gtin=TABLETS, code="T1", best_before_on=expires_on))


@pytest.mark.parametrize(
    "serials",
    [
        [f"{n:020}" for n in range(40)],  # running numbers
        ["4711", "0815", "2342"],  # 3 of 10,000
        [f"PK{n:010}" for n in range(0, 4_000, 100)],  # every hundredth
    ],
    ids=["running", "short", "regular"],
)
async def test_serials_of_a_medicine_that_can_be_guessed_are_refused(conn: AsyncConnection, serials: list[str]) -> None:
    keys = await arranged(conn)
    await medicine(conn)

    with pytest.raises(SerialsTooDense, match="1 in 10000"):
        await brought(conn, keys, serials, gtin=TABLETS, lot="T1")
    assert (await brought(conn, keys, serials)).count == len(serials)  # a cheese may run


async def test_a_medicines_label_has_a_data_matrix_with_expiry_and_lot(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    await medicine(conn)
    dice = random.Random(1)
    serials = ["".join(dice.choices("0123456789ABCDEFGHJK", k=14)) for _ in range(3)]

    job = await brought(conn, keys, serials, gtin=TABLETS, lot="T1", template="roll-50x30")

    await printing.render(conn, job.job_id, "pdf", tmp_path / "t.pdf", by="ada", clock=noon, keys=keys)
    told = [f"(01){TABLETS}(21){serial}(17)280331(10)T1" for serial in serials]
    assert sorted(links_on(tmp_path / "t.pdf")) == sorted(told)
    await medicine_without_expiry(conn)
    with pytest.raises(ExpiryMissing):
        await brought(conn, keys, ["QW" + serials[0][2:]], gtin=TABLETS, lot="T2")


async def medicine_without_expiry(conn: AsyncConnection) -> None:
    async with transaction(conn):
        await master_data.put_lot(conn, LotDraft(gtin=TABLETS, code="T2"))


def test_a_data_matrix_is_smaller_than_its_quiet_neighbour_and_square() -> None:
    cells = data_matrix(1, element_string_of(TABLETS, "A%1-/b", date(2028, 3, 31), "L-1"))

    assert cells.shape[0] == cells.shape[1] <= 26
    assert cells[:, 0].all()  # the solid border of a Data Matrix
