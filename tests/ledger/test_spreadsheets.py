"""Tables as people send them: encodings, separators, damage, and files that are meant to do harm."""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import xlsxwriter

from ledger import cells, spreadsheets
from ledger.cells import CellWrong, Notes
from ledger.spreadsheets import FileNotReadable, FileTooLarge, read_rows

TABLE = "gtin,name\r\n1,奶酪\r\n\r\n2,“x”\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_a_table_is_read_in_the_encodings_that_spreadsheets_write(encoding: str) -> None:
    table = read_rows(TABLE.encode(encoding), "file")

    assert table.header == ("gtin", "name")
    assert [(row.line, row.cells) for row in table.rows] == [(2, ("1", "奶酪")), (4, ("2", "“x”"))]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_the_one_of_the_header(separator: str) -> None:
    table = read_rows(f'a{separator}b\n1{separator}"x{separator}y\nz"\n2{separator}3\n'.encode(), "file")

    assert [(row.line, row.cells) for row in table.rows] == [(2, ("1", f"x{separator}y\nz")), (4, ("2", "3"))]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\n , \n", "empty"),
        (b"a,b\n\xff\xff", "byte"),
        (b'a,b\n"1,2\n', "quotation mark"),
        (b"a,b\n1,\x00\n", "null"),
        (b"\xd0\xcf\x11\xe0 old", "save it as .xlsx"),
        (b"PK\x03\x04 not really", "damaged"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(FileNotReadable, match=reason):
        read_rows(data, "file")


def test_each_limit_is_said_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(read_rows(b"a\n" + b"1\n" * 3, "file").rows) == 3
    monkeypatch.setattr(spreadsheets, "ROWS_MAX", 3)
    with pytest.raises(FileTooLarge, match="3 rows"):
        read_rows(b"a\n" + b"1\n" * 3, "file")
    with pytest.raises(FileTooLarge, match="200 columns"):
        read_rows(b"," * 200 + b"a", "file")
    with pytest.raises(FileTooLarge, match="4000 characters"):
        read_rows(b"x" * 4001, "file")
    monkeypatch.setattr(spreadsheets, "BYTES_MAX", 3)
    with pytest.raises(FileTooLarge, match="3 bytes"):
        read_rows(b"abcd", "file")


def book(cells: dict[str, object]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_numbers": False}) as written:
        sheet = written.add_worksheet()
        for place, value in cells.items():
            sheet.write(place, value)
    return out.getvalue()


def test_a_workbook_keeps_what_its_cells_are() -> None:
    table = read_rows(book({"A1": "a", "B1": "b", "A3": 12, "B3": "007"}), "file")

    assert [(row.line, row.cells) for row in table.rows] == [(3, (12.0, "007"))]


def test_a_workbook_of_two_far_cells_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(FileNotReadable, match="at most 200 columns"):
        read_rows(book({"A1": "a", "XFD1": "b"}), "file")
    with pytest.raises(FileNotReadable, match="at most 200000 rows"):
        read_rows(book({"A1": "a", "A1000000": "b"}), "file")


def repacked(data: bytes, part: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
    return out.getvalue()


def test_a_workbook_that_unpacks_to_too_much_is_refused() -> None:
    bomb = repacked(book({"A1": "a"}), "xl/sharedStrings.xml", b" " * (9 << 20))

    with pytest.raises(FileNotReadable, match="200 times its size"):
        read_rows(bomb, "file")


def test_a_workbook_that_lies_about_its_size_is_refused_all_the_same() -> None:
    bomb = bytearray(repacked(book({"A1": "a"}), "xl/sharedStrings.xml", b" " * (9 << 20)))
    told = struct.pack("<I", 9 << 20)
    while (at := bomb.find(told)) >= 0:
        bomb[at : at + 4] = struct.pack("<I", 64)

    with pytest.raises(FileNotReadable, match="200 times its size"):
        read_rows(bytes(bomb), "file")


def test_other_zip_files_and_too_many_parts_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(FileNotReadable, match=r"no \.xlsx"):
        read_rows(out.getvalue(), "file")
    with zipfile.ZipFile(out, "a") as archive:
        for number in range(600):
            archive.writestr(f"{number}", "x")
    with pytest.raises(FileNotReadable, match="512 parts"):
        read_rows(out.getvalue(), "file")


def read(reader: cells.Reader, cell: spreadsheets.Cell) -> tuple[object, list[str]]:
    notes = Notes()
    return reader(cell, notes), notes.told


def test_lost_zeros_are_put_back_only_where_the_check_digit_proves_it() -> None:
    assert read(cells.gtin, 9521141000106.0) == ("09521141000106", [])
    value, told = read(cells.gtin, "10000000016")
    assert value == "00010000000016" and "zeros" in told[0]
    value, told = read(cells.gln, 12345678905)
    assert value == "0012345678905" and "zeros" in told[0]
    with pytest.raises(CellWrong, match="check digit"):
        read(cells.gtin, "10000000017")


@pytest.mark.parametrize("cell", [1.0e17, 106141412345678908])
def test_a_long_number_in_a_numeric_cell_has_lost_its_digits(cell: float) -> None:
    with pytest.raises(CellWrong, match="last digits are lost"):
        read(cells.sscc, cell)
    assert read(cells.sscc, "106141412345678908") == ("106141412345678908", [])


@pytest.mark.parametrize("cell", ["1.06E+17", "9,52E+12", True, date(2026, 3, 1), "12a", "", "0", "123"])
def test_what_is_no_key_is_refused(cell: spreadsheets.Cell) -> None:
    with pytest.raises(CellWrong):
        read(cells.gtin, cell)


@pytest.mark.parametrize("cell", ["MAR-01", "1-Mar", "mar-2026", "1E+05", date(2026, 3, 1), "a b", "x" * 21, "奶"])
def test_a_lot_code_that_was_changed_or_cannot_be_is_refused(cell: spreadsheets.Cell) -> None:
    with pytest.raises(CellWrong):
        read(cells.lot_code, cell)


@pytest.mark.parametrize(("cell", "code"), [("MARS-01", "MARS-01"), ("2026-03-01", "2026-03-01"), ("'1-Mar", "1-Mar")])
def test_a_lot_code_that_only_resembles_one_is_taken(cell: str, code: str) -> None:
    assert read(cells.lot_code, cell) == (code, [])


@pytest.mark.parametrize(
    "cell", ["2026-03-01", "2026/3/1", "20260301", "2026.03.01", datetime(2026, 3, 1, 8, tzinfo=UTC)]
)
def test_a_day_is_read_in_the_ways_that_mean_one_day_only(cell: spreadsheets.Cell) -> None:
    assert read(cells.day, cell) == (date(2026, 3, 1), [])


@pytest.mark.parametrize("cell", ["01/03/2026", "2026-02-30", "1 March", 46082.0, "#N/A"])
def test_a_day_that_may_mean_another_one_is_refused(cell: spreadsheets.Cell) -> None:
    with pytest.raises(CellWrong):
        read(cells.day, cell)


def test_an_instant_without_an_offset_is_utc_and_that_is_told() -> None:
    at = datetime(2026, 3, 1, 6, tzinfo=UTC)
    assert read(cells.instant, "2026-03-01T14:00+08:00") == (at, [])
    value, told = read(cells.instant, "2026-03-01 06:00")
    assert value == at and "UTC" in told[0]
    with pytest.raises(CellWrong):
        read(cells.instant, "yesterday")


@pytest.mark.parametrize("cell", ["25 untis", "1,056", "1056 cases (34 packs/case)", "-1", "NaN", "1e400x", True])
def test_a_quantity_is_a_number_alone(cell: spreadsheets.Cell) -> None:
    with pytest.raises(CellWrong):
        read(cells.number, cell)
    assert read(cells.number, "12.5") == (Decimal("12.5"), [])


def test_words_of_a_column_are_matched_and_the_nearest_is_named() -> None:
    channel = cells.one_of(("retail", "food_service"))
    assert read(channel, "Food Service") == ("food_service", [])
    with pytest.raises(CellWrong) as wrong:
        read(channel, "retial")
    assert "did you mean retail" in wrong.value.hint


def test_small_things_are_checked_too() -> None:
    assert read(cells.yes_or_no, "是") == (True, []) and read(cells.yes_or_no, 0) == (False, [])
    assert read(cells.country, "cn") == ("CN", []) and read(cells.uom, "kgm") == ("KGM", [])
    assert read(cells.email, "a@example.com") == ("a@example.com", [])
    assert read(cells.gln_or_uri, "urn:party:x") == ("urn:party:x", [])
    for reader, cell in (
        (cells.yes_or_no, "maybe"), (cells.country, "XX"), (cells.uom, "kilo"), (cells.email, "a at b"),
        (cells.count, "1.5"), (cells.count, "0"), (cells.text, "a\x07b"), (cells.text, "x" * 501),
    ):  # fmt: skip
        with pytest.raises(CellWrong):
            read(reader, cell)
