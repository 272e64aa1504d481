"""A partner's file: read in the usual forms, damage told, the same file back, and never a formula in it."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import pytest
import python_calamine
import xlsxwriter

from portal import check_cells, check_tables
from portal.check_ods import OpenDocument
from portal.check_tables import Columns
from runtime.refusals import Invalid
from tests.portal.arrangement import BROWSER, CHEESE, MILK, item, until

SERIAL = item(1001).rsplit("/", maxsplit=1)[1]


def workbook(path: Path, rows: list[list[Any]]) -> Path:
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    dated = book.add_format({"num_format": "yyyy-mm-dd"})
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(at, column, cell)
            elif hasattr(cell, "year"):
                sheet.write_datetime(at, column, cell, dated)
            else:
                sheet.write_number(at, column, cell)
    book.close()
    return path


async def sent(milk_recalled: httpx2.AsyncClient, name: str, content: bytes) -> str:
    """Send a file and wait until its columns can be confirmed, or it was refused; its address."""
    answer = await milk_recalled.post("/check", files={"file": (name, content)}, headers=BROWSER)
    assert answer.status_code == 303, answer.text
    here = answer.headers["location"].partition("?")[0]

    async def was_read() -> bool:
        return "refresh" not in (await milk_recalled.get(here)).headers

    await until(was_read)
    return str(here)


async def checked(
    milk_recalled: httpx2.AsyncClient, here: str, language: str = "en", **columns: str
) -> httpx2.Response:
    started = await milk_recalled.post(f"{here}/start?lang={language}", data=columns, headers=BROWSER)
    assert started.status_code == 303, started.text

    async def is_done() -> bool:
        return (await milk_recalled.get(f"{here}/result")).status_code == 200

    await until(is_done)
    return await milk_recalled.get(f"{here}/result")


async def test_what_is_remarked_in_a_workbook_is_said_in_the_language_of_the_page(
    milk_recalled: httpx2.AsyncClient, tmp_path: Path
) -> None:
    rows = [["编码"], [f"{MILK}:M1"], [f"{MILK}：Ｍ９"], ["1.2E+17"], [f"{CHEESE}:C1"]]
    here = await sent(milk_recalled, "清单.xlsx", workbook(tmp_path / "list.xlsx", rows).read_bytes())
    answer = await checked(milk_recalled, here, language="zh", has_header="yes", code="1")
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0)
    head, *told = [[str(cell) for cell in row] for row in sheet.to_python()]
    remarks = [row[head.index("remark")] for row in told]

    assert [row[head.index("tracemark_status")] for row in told] == [
        "RECALLED", "UNKNOWN_CODE", "UNREADABLE", "NOT_RECALLED"
    ]  # fmt: skip
    assert "召回" in remarks[0]
    assert remarks[1].endswith("：有这种产品，但没有这个批次或单件。")
    assert "近似值" in remarks[2]
    assert [row[head.index("product")] for row in told] == ["鲜牛奶 1 升", "鲜牛奶 1 升", "", "Hill cheese"]
    page = (await milk_recalled.get(f"{here}?lang=zh")).text
    assert "鲜牛奶 1 升" in page
    assert "The product is known" not in page


async def test_a_csv_comes_back_as_csv_with_its_own_columns_and_what_is_known(
    milk_recalled: httpx2.AsyncClient,
) -> None:
    text = f"商品;GTIN;批号;备注\n牛奶;{MILK};M1;=1+1\n奶酪;{CHEESE};C1;-5\n牛奶;{MILK};M1;再一次\n"
    here = await sent(milk_recalled, "stock.csv", text.encode("gb18030"))

    page = (await milk_recalled.get(f"{here}?lang=en")).text
    assert 'value="2" selected' in page  # the column of GTINs was seen
    answer = await checked(milk_recalled, here, has_header="yes", gtin="2", lot="3")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))

    assert [row["tracemark_status"] for row in rows] == ["RECALLED", "NOT_RECALLED", "RECALLED"]
    assert [row["duplicate_of_row"] for row in rows] == ["", "", "1"]
    assert [row["备注"] for row in rows] == ["'=1+1", "-5", "再一次"]
    assert rows[0]["recalls"] == "R-2026-0001"
    assert "stock-checked.csv" in answer.headers["content-disposition"]
    done = (await milk_recalled.get(f"{here}?lang=zh")).text
    assert "R-2026-0001" in done
    assert "/check/receipts/" in done


async def test_a_workbook_comes_back_as_one_and_its_damaged_cells_are_unreadable(
    milk_recalled: httpx2.AsyncClient, tmp_path: Path
) -> None:
    rows: list[list[Any]] = [
        ["gtin", "lot", "sscc"],
        [MILK, "M1", ""],
        [float(MILK), "M1", ""],
        ["", "", 395201234567890123.0],
        [MILK, date(2026, 3, 1), ""],
        [MILK, "M1", "3.95201234567890E+17"],
        ["=1+1", "", ""],
    ]
    here = await sent(milk_recalled, "stock.xlsx", workbook(tmp_path / "in.xlsx", rows).read_bytes())
    answer = await checked(milk_recalled, here, has_header="yes", gtin="1", lot="2", sscc="3")
    path = tmp_path / "out.xlsx"
    path.write_bytes(answer.content)
    back: list[list[Any]] = python_calamine.load_workbook(str(path)).get_sheet_by_index(0).to_python()

    assert back[0][:4] == ["gtin", "lot", "sscc", "tracemark_status"]
    assert [row[3] for row in back[1:]] == ["RECALLED", "RECALLED", *["UNREADABLE"] * 4]
    assert "rounded" in back[3][8]
    assert "date" in back[4][8]
    assert back[6][0] == "=1+1"  # a text, not what it would come to


def open_document(path: Path, rows: list[list[str]], *, below: str = "") -> Path:
    """As an office program saves a sheet, with what it leaves below the last row."""
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    names = "".join(f' xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text"))
    body = f'<office:body><office:spreadsheet><table:table table:name="stock">{cells}{below}</table:table>'
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("META-INF/manifest.xml", "<manifest/>")
        tail = "</office:spreadsheet></office:body></office:document-content>"
        packed.writestr("content.xml", f"<office:document-content{names}>{body}{tail}")
    return path


async def test_an_open_document_comes_back_as_one_with_every_text_as_it_was(
    milk_recalled: httpx2.AsyncClient, tmp_path: Path
) -> None:
    below = (
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="9"/>'
    )
    rows = [["gtin", "lot", "说明"], [MILK, "M1", "a&amp;b  c"], [CHEESE, "C1", "=1+1"]]
    source = open_document(tmp_path / "in.ods", rows, below=f"{below}</table:table-row>")
    here = await sent(milk_recalled, "stock.ods", source.read_bytes())
    answer = await checked(milk_recalled, here, has_header="yes", gtin="1", lot="2")
    path = tmp_path / "out.ods"
    path.write_bytes(answer.content)
    back: list[list[Any]] = python_calamine.load_workbook(str(path)).get_sheet_by_index(0).to_python()

    assert 'filename="stock-checked.ods"' in answer.headers["content-disposition"]
    assert back[0][:4] == ["gtin", "lot", "说明", "tracemark_status"]
    assert [row[3] for row in back[1:]] == ["RECALLED", "NOT_RECALLED"]
    assert [row[2] for row in back[1:]] == ["a&b  c", "=1+1"]
    with zipfile.ZipFile(path) as packed:
        assert packed.infolist()[0].filename == "mimetype"
        assert packed.infolist()[0].compress_type == zipfile.ZIP_STORED


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ('name;code\n"Corner\r\nShop";(01)1\n\n"a;b\nc";(01)2\n', ";"),  # a cell may hold a line break
        ("code,name\n" + '1,"over\nmany\nlines"\n' * 30, ","),
        ("(10)A,B\n(10)C\n(10)D,E\n", "\t"),  # a code may hold a comma
    ],
)
def test_rows_and_not_lines_tell_what_stands_between_the_cells(tmp_path: Path, text: str, delimiter: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8", newline="")

    assert check_tables.delimiter_of(path) == delimiter


def test_a_cell_of_an_open_document_keeps_its_white_space_and_holds_nothing_that_xml_cannot(tmp_path: Path) -> None:
    path = tmp_path / "x.ods"
    book = OpenDocument(path)
    book.write(["x", "", "  a  b ", "1\x1d2", "<&>", "one\ntwo", "a\tb"])
    book.close()
    content = zipfile.ZipFile(path).read("content.xml").decode()

    (row,) = python_calamine.load_workbook(str(path)).get_sheet_by_index(0).to_python()
    assert row[:6] == ["x", "", "  a  b ", "1\ufffd2", "<&>", "one\ntwo"]
    assert "<text:p><text:s/> a<text:s/> b<text:s/></text:p>" in content and "1\ufffd2" in content
    assert "<text:p>one</text:p><text:p>two</text:p>" in content and "a<text:tab/>b" in content
    assert check_tables.kind_of(path) is check_tables.Kind.OPEN_DOCUMENT


def test_a_small_open_document_that_would_unfold_into_a_huge_one_is_refused(tmp_path: Path) -> None:
    bomb = (
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"'
    )
    path = open_document(
        tmp_path / "x.ods",
        [],
        below=f'{bomb} office:value-type="string"><text:p>x</text:p></table:table-cell></table:table-row>',
    )

    with pytest.raises(check_tables.FileUnreadable):
        check_tables.preview(path)


async def test_a_file_that_is_stopped_is_gone_at_once(milk_recalled: httpx2.AsyncClient) -> None:
    here = await sent(milk_recalled, "codes.txt", f"{MILK}\n".encode())

    await milk_recalled.post(f"{here}/cancel", headers=BROWSER)

    assert (await milk_recalled.post(f"{here}/start", data={"code": "1"})).status_code == 409
    assert (await milk_recalled.get(f"{here}/result")).status_code == 404
    assert "stopped" in (await milk_recalled.get(f"{here}?lang=en")).text


@pytest.mark.parametrize("content", [b"PK\x03\x04 no workbook", b"\xd0\xcf\x11\xe0 an old one"])
def test_a_workbook_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(content)

    with pytest.raises(check_tables.FileUnreadable):
        check_tables.preview(path)


@pytest.mark.parametrize("chosen", [{"code": 1}, {}, {"lot": 0}, {"code": -1}])
def test_columns_that_are_not_there_or_tell_no_code_are_refused(chosen: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        Columns.of(chosen, 1)
    assert Columns.of({"code": 0}, 1).code == 0


@pytest.mark.parametrize("name", ["x", "A" * 22])
async def test_a_name_that_nobody_was_given_opens_no_file(milk_recalled: httpx2.AsyncClient, name: str) -> None:
    assert (await milk_recalled.get(f"/check/files/{name}")).status_code == 404
    assert (await milk_recalled.get(f"/check/files/{name}/result")).status_code == 404


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        ([["Batch No", "Digital Link"], ["x", "y"]], Columns(True, code=1)),
        ([["GTIN", "Lot", "serial"], ["1", "2", "3"]], Columns(True, gtin=0, lot=1, serial=2)),
        ([["A", "B"], ["1", MILK], ["2", MILK]], Columns(True, code=1)),
        ([[MILK, "1"], [MILK, "2"]], Columns(False, code=0)),
        ([["a", "b"], ["c", "d"]], None),
    ],
)
def test_columns_are_told_by_their_names_else_by_what_they_hold(rows: list[list[str]], columns: Columns | None) -> None:
    assert check_tables.detect(rows) == columns


def test_a_column_of_codes_with_commas_in_them_is_not_cut(tmp_path: Path) -> None:
    path = tmp_path / "codes.txt"
    path.write_text(f"(01){MILK}(10)A,B\n(01){MILK}(10)C\n")

    assert list(check_tables.rows_of(path)) == [[f"(01){MILK}(10)A,B"], [f"(01){MILK}(10)C"]]


def test_one_row_more_than_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_tables, "FILE_ROWS_MAX", 2)
    path = tmp_path / "codes.txt"
    path.write_text("h\n1\n2\n")
    assert len(list(check_tables.rows_of(path))) == 3

    path.write_text("h\n1\n2\n3\n")
    with pytest.raises(check_tables.FileTooLarge):
        list(check_tables.rows_of(path))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_text_is_read_in_the_encodings_of_the_trade(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "codes.csv"
    path.write_bytes(f"商品,gtin\n牛奶,{MILK}\n".encode(encoding))

    assert list(check_tables.rows_of(path)) == [["商品", "gtin"], ["牛奶", MILK]]


def test_noughts_that_a_spreadsheet_dropped_are_guessed_by_the_check_digit() -> None:
    assert "00012345678905" in check_cells.lost_zeros("12345678905")
    assert check_cells.lost_zeros("12345678906") == ""  # the check digit does not fit
    assert check_cells.lost_zeros("milk") == ""
