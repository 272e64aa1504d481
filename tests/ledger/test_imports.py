"""Files of trading partners into the ledger: whole, or not at all."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import holders, imports, master_data
from ledger.codes import KeyRing
from ledger.genealogy import Reached
from ledger.imports import HeaderWrong, ImportRefused, ImportReport, UnknownKind, import_file, kinds, template
from tests.ledger.records import gtin

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
BRAND, SHOP, PLANT, STORE = "9521141000014", "9521141000045", "9521141000021", "9521141000038"
CHEESE = gtin(2)
SSCC = "095211410000000014"


async def take(conn: AsyncConnection, kind: str, data: str | bytes | Path, **options: Any) -> ImportReport:
    told = data.encode() if isinstance(data, str) else data
    return await import_file(conn, kind, told, by="test", clock=lambda: NOW, keys=KeyRing({}), **options)


async def count(conn: AsyncConnection, table: str) -> int:
    rows = int((await conn.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())
    await conn.rollback()
    return rows


def workbook(*rows: list[Any]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return out.getvalue()


@pytest.fixture
async def world(conn: AsyncConnection) -> AsyncConnection:
    await take(conn, "parties", f"gln,name,role\n{BRAND},Meadow Creamery,brand\n{SHOP},Corner Shop,retailer\n")
    await take(conn, "places", f"gln,name,kind,party\n{PLANT},Plant,plant,{BRAND}\n{STORE},Shop,store,{SHOP}\n")
    await take(conn, "products", f"gtin,name,brand,allergens\n{CHEESE},Cheese,Meadow,milk; nuts\n")
    await take(conn, "lots", f"gtin,lot,quantity\n{CHEESE},C1,1000\n{CHEESE},C2,500\n")
    return conn


async def test_a_party_comes_with_its_channel_and_its_contacts(conn: AsyncConnection) -> None:
    report = await take(
        conn,
        "parties",
        "gln,name,role,channel,country,name_public,recall_name,recall_phone,recall_email,responsible_name\n"
        f"{SHOP},Corner Shop,retailer,retail,nz,yes,Ana,+64 7,ana@example.com,Bo\n",
    )

    party = await master_data.find_party(conn, SHOP)
    assert party is not None and (party.channel, party.country, party.role) == ("retail", "NZ", "retailer")
    assert party.name_public
    contacts = await master_data.contacts_of(conn, [party.party_id])
    assert {(c.kind, c.name, c.phone) for c in contacts} == {("recall", "Ana", "+64 7"), ("responsible", "Bo", None)}
    assert (report.rows, report.new, report.encoding) == (1, 1, "utf-8")


async def test_the_same_file_again_changes_nothing_and_an_empty_cell_keeps_what_is_known(
    world: AsyncConnection,
) -> None:
    again = await take(world, "products", f"gtin,name,brand,allergens\n{CHEESE},Cheese,Meadow,milk; nuts\n")
    renamed = await take(world, "products", f"gtin,name,brand\n{CHEESE},Soft cheese,\n")
    party = await take(world, "parties", f"gln,name\n{SHOP},Corner Shop\n")

    product = await master_data.find_product(world, CHEESE)
    assert (again.unchanged, renamed.changed, party.unchanged) == (1, 1, 1)
    assert product is not None and (product.name, product.brand, product.allergens) == (
        "Soft cheese", "Meadow", ("milk", "nuts"),
    )  # fmt: skip


async def test_a_file_with_one_wrong_row_is_not_taken_at_all(world: AsyncConnection) -> None:
    with pytest.raises(ImportRefused, match="Nothing was changed") as refused:
        await take(world, "lots", f"gtin,lot,made_on\n{CHEESE},C7,2026-03-01\n{CHEESE},C8,03/04/2026\n")

    [fault] = refused.value.faults
    assert fault.where == "row 3, column made_on"
    assert "03/04/2026" in fault.what and "2026-03-31" in fault.what
    assert await master_data.find_lot(world, CHEESE, "C7") is None


async def test_a_dry_run_shows_what_would_change_and_changes_nothing(world: AsyncConnection) -> None:
    report = await take(
        world,
        "lots",
        f"gtin,lot,quantity\n{CHEESE},C1,1000\n{CHEESE},C2,7\n{CHEESE},C3,1\n{gtin(9)},C4,1\n",
        dry_run=True,
    )

    assert (report.new, report.changed, report.unchanged, report.dry_run) == (1, 1, 1, True)
    [refused] = report.refused
    assert (refused.line, refused.column, refused.value) == (
        5,
        "gtin",
        gtin(9),
    ) and "Import the product" in refused.reason
    assert await count(world, "lot") == 2


async def test_a_misspelt_column_is_named_with_the_nearest_known_one(conn: AsyncConnection) -> None:
    with pytest.raises(HeaderWrong, match="did you mean name"):
        await take(conn, "parties", f"gln,nmae\n{SHOP},Shop\n")
    with pytest.raises(HeaderWrong, match="column name is missing"):
        await take(conn, "parties", f"gln\n{SHOP}\n")
    with pytest.raises(HeaderWrong, match="stands twice"):
        await take(conn, "parties", f"gln,name,Name\n{SHOP},a,b\n")


async def test_an_unknown_kind_is_refused_with_the_known_ones(conn: AsyncConnection) -> None:
    with pytest.raises(UnknownKind, match="parties"):
        await take(conn, "partys", "a\n")
    with pytest.raises(UnknownKind):
        template("partys")


@pytest.mark.parametrize("kind", ["parties", "suppliers", "places", "products", "lots", "inspections", "shipments"])
async def test_each_template_is_a_file_that_the_import_takes(conn: AsyncConnection, kind: str) -> None:
    assert kind in kinds()
    for needed in ("parties", "places", "products", "lots"):
        if needed == kind:
            break
        rows = template(needed)
        if needed == "parties":
            rows += f"{SHOP},,Corner Shop,retailer\r\n"
        if needed == "places":
            rows += f"{STORE},,Shop,store\r\n"
        await take(conn, needed, rows)

    report = await take(conn, kind, template(kind))

    assert (report.rows, report.new) == (1, 1) or kind == "suppliers"


async def test_a_workbook_is_taken_with_its_dates_and_numbers(world: AsyncConnection) -> None:
    made = datetime(2026, 3, 1)  # noqa: DTZ001 - a cell of a workbook has no offset
    book = workbook(
        ["gtin", "lot", "made_on", "quantity"], [int(CHEESE), "C5", made, 12.5], [CHEESE, 2044, "20260302", 3]
    )

    report = await take(world, "lots", book)

    five, numeric = await master_data.get_lot(world, CHEESE, "C5"), await master_data.get_lot(world, CHEESE, "2044")
    assert five.made_on == made.date() and five.quantity is not None and float(five.quantity) == 12.5
    assert numeric.made_on is not None and numeric.made_on.day == 2
    assert report.encoding == "xlsx" and len(report.notes) == 1 and "number, not text" in report.notes[0]


async def test_what_a_spreadsheet_damaged_is_refused_with_what_to_do(world: AsyncConnection) -> None:
    made_a_date = datetime(2026, 3, 1)  # noqa: DTZ001
    book = workbook(["gtin", "lot"], [CHEESE, made_a_date], ["9.52E+12", "C5"], [CHEESE, "1-Mar"], [CHEESE, "'1-Mar"])

    with pytest.raises(ImportRefused) as refused:
        await take(world, "lots", book)

    faults = refused.value.faults
    assert [fault.where for fault in faults] == ["row 2, column lot", "row 3, column gtin", "row 4, column lot"]
    assert all("format the column as text" in fault.what for fault in faults)


async def test_text_that_looks_like_a_formula_is_text(conn: AsyncConnection) -> None:
    await take(conn, "parties", f"gln,name,recall_name,recall_phone\n{SHOP},=1+1,@Ana,+64 7\n")

    party = await master_data.find_party(conn, SHOP)
    assert party is not None and party.name == "=1+1"


async def test_an_inspection_decides_whether_the_lot_may_be_used(world: AsyncConnection) -> None:
    header = "gtin,lot,inspected_at,result,report\n"
    await take(world, "inspections", header + f"{CHEESE},C1,2026-03-02T08:00+00:00,failed,R2\n")
    late = await take(world, "inspections", header + f"{CHEESE},C1,2026-03-01T08:00+00:00,passed,R1\n")
    again = await take(world, "inspections", header + f"{CHEESE},C1,2026-03-01T08:00+00:00,passed,R1\n")

    lot = await master_data.get_lot(world, CHEESE, "C1")
    assert (lot.status, lot.status_reason) == ("rejected", "inspection failed, R2")
    assert (late.new, again.unchanged) == (1, 1)
    with pytest.raises(ImportRefused, match="no lot C9"):
        await take(world, "inspections", header + f"{CHEESE},C9,2026-03-01T08:00+00:00,passed,R1\n")


SHIPPED = "shipped_at,received_at,document,from_place,from_party,to_place,to_party,gtin,lot,quantity,sscc,code\n"


async def test_a_delivery_note_moves_the_goods_and_is_shown_with_its_document(world: AsyncConnection) -> None:
    note = (
        f"2026-03-05T09:00+00:00,,DN 1,{PLANT},{BRAND},{STORE},{SHOP},{CHEESE},C1,30,,\n"
        f"2026-03-05T09:00+00:00,,DN 1,{PLANT},{BRAND},{STORE},{SHOP},{CHEESE},C1,10,,\n"
        f"2026-03-05T09:00+00:00,2026-03-06T09:00+00:00,DN 2,{PLANT},{BRAND},{STORE},{SHOP},{CHEESE},C2,5,,\n"
    )

    report = await take(world, "shipments", SHIPPED + note)
    again = await take(world, "shipments", SHIPPED + note)

    c1, c2 = [await master_data.get_lot(world, CHEESE, code) for code in ("C1", "C2")]
    [sent] = await holders.shipments(world, [c1.lot_id])
    assert int(sent.quantity) == 40 and sent.documents == ("urn:epcglobal:cbv:bt:9521141000014:DN%201",)
    held = await holders.holdings(world, [Reached(lot.lot_id, True, (), None, "scope") for lot in (c1, c2)])
    assert {(h.lot_id, h.disposition, int(h.quantity)) for h in held if h.quantity > 0} == {
        (c1.lot_id, "in_transit", 40), (c2.lot_id, "in_progress", 5),
    }  # fmt: skip
    assert (report.new, again.unchanged) == (3, 3)
    assert await count(world, "event") == 3


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        (f"{PLANT},{BRAND},{STORE},{SHOP},{CHEESE},C1,,,", "quantity of a lot"),
        (f"{PLANT},{BRAND},{STORE},{SHOP},{CHEESE},C9,5,,", "no lot C9"),
        (f"{PLANT},{BRAND},{STORE},{SHOP},,,,,", "one of them must be filled in"),
        (f"{PLANT},{BRAND},{STORE},{SHOP},{CHEESE},C1,5,{SSCC},", "one of them must be filled in"),
        (f"{PLANT},{BRAND},{STORE},{SHOP},,,,{SSCC},", "Nothing is on record"),
        (f"{PLANT},{BRAND},{STORE},{SHOP},,,,,not a code", "cannot be read"),
        (f"{PLANT},{BRAND},{STORE},{SHOP},,,,,https://id.gs1.org/01/{CHEESE}", "write the quantity"),
        (f",,{STORE},{SHOP},{CHEESE},C1,5,,", "say where or from whom"),
        (f"{PLANT},{BRAND},9521141000052,{SHOP},{CHEESE},C1,5,,", "No place is known"),
        (f"{PLANT},9521141000052,{STORE},{SHOP},{CHEESE},C1,5,,", "No party is known"),
    ],
)
async def test_a_line_that_names_the_unknown_is_refused(world: AsyncConnection, cells: str, what: str) -> None:
    with pytest.raises(ImportRefused, match=what) as refused:
        await take(world, "shipments", f"{SHIPPED}2026-03-05T09:00+00:00,,DN,{cells}\n")

    assert refused.value.faults[0].where.startswith("row 2") and await count(world, "event") == 0


async def test_a_line_received_before_it_was_shipped_is_refused(world: AsyncConnection) -> None:
    line = f"2026-03-05T09:00+00:00,2026-03-04T09:00+00:00,DN,{PLANT},{BRAND},{STORE},{SHOP},{CHEESE},C1,5,,\n"

    with pytest.raises(ImportRefused, match="before shipped_at"):
        await take(world, "shipments", SHIPPED + line)


async def test_rows_that_do_not_fit_their_columns_are_refused(conn: AsyncConnection) -> None:
    with pytest.raises(ImportRefused, match="no column"):
        await take(conn, "parties", f"gln,name\n{SHOP},Smith, Jones\n")
    with pytest.raises(ImportRefused, match="column name: is empty"):
        await take(conn, "parties", f"gln,name,role\n{SHOP},,brand\n")
    with pytest.raises(ImportRefused, match="contact has a phone"):
        await take(conn, "parties", f"gln,name,recall_phone\n{SHOP},Shop,+64\n")
    with pytest.raises(ImportRefused, match="is empty, and so is uri"):
        await take(conn, "parties", "gln,name\n,Shop\n")


async def test_faults_beyond_the_limit_are_announced_and_not_hidden(
    conn: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "FAULTS_MAX", 2)

    with pytest.raises(ImportRefused) as refused:
        await take(conn, "parties", "gln,name\n" + "1,Shop\n" * 5)

    assert len(refused.value.faults) == 3 and "not looked at" in refused.value.faults[-1].what


async def test_a_file_is_named_by_its_path(conn: AsyncConnection, tmp_path: Path) -> None:
    path = tmp_path / "partner list.csv"
    path.write_text(f"gln,name\n{SHOP},Shop\n")

    assert (await take(conn, "parties", path)).name == "partner list.csv"
