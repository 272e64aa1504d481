"""The notice list as documents: the same rows in each, its hash in each, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from pathlib import Path

import pypdfium2
import pytest
from python_calamine import CalamineWorkbook

from recall.documents import WRITERS
from recall.documents.csv import guarded
from recall.documents.header import put_in_place
from recall.documents.pdf import LINES_MAX
from recall.model import Kind
from recall.notices import NOTICE_COLUMNS
from recall.refusals import NoticeListTooLong
from tests.recall.lists import HASH, notice_list


def _written(tmp_path: Path, name: str, kind: Kind = Kind.RECALL) -> list[Path]:
    rows, header = notice_list(kind)
    return list(WRITERS[name](rows, header, tmp_path / f"list.{name}"))


def _pages(path: Path) -> list[str]:
    document = pypdfium2.PdfDocument(path)
    return [page.get_textpage().get_text_range().replace("\r\n", "\n") for page in document]


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_the_json_holds_the_rows_and_the_totals(tmp_path: Path) -> None:
    rows, header = notice_list()
    (path,) = _written(tmp_path, "json")
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["rows"] == list(rows)
    assert [list(row) for row in document["rows"]] == [list(NOTICE_COLUMNS)] * len(rows)
    assert (document["hash"], document["drill"], document["case"]["number"]) == (HASH, False, "R-2026-0007")
    assert document["totals"] == header.totals


def test_the_csv_holds_the_same_rows(tmp_path: Path) -> None:
    rows, header = notice_list()
    path, totals = _written(tmp_path, "csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        read = list(csv.DictReader(file))
    assert read == [{name: str(guarded(row[name])) for name in NOTICE_COLUMNS} for row in rows]
    with totals.open(encoding="utf-8-sig", newline="") as file:
        summed = list(csv.DictReader(file))
    assert int(summed[-1]["items"]) == header.totals["items"] == 50
    assert {row["affected_set_hash"] for row in summed} == {HASH}


def test_the_xlsx_holds_the_same_rows_with_counts_as_numbers(tmp_path: Path) -> None:
    rows, header = notice_list()
    (path,) = _written(tmp_path, "xlsx")
    book = CalamineWorkbook.from_path(path)
    assert book.sheet_names == ["notices", "totals", "case"]
    head, *cells = book.get_sheet_by_name("notices").to_python(skip_empty_area=False)
    assert tuple(head) == NOTICE_COLUMNS
    assert [[value if value != "" else None for value in line] for line in cells] == [
        [row[name] or (row[name] if row[name] == 0 else None) for name in NOTICE_COLUMNS] for row in rows
    ]
    last = book.get_sheet_by_name("totals").to_python()[-1]
    assert (last[0], last[4]) == ("all", header.totals["items"])
    assert HASH in [line[1] for line in book.get_sheet_by_name("case").to_python()]


def test_no_cell_of_the_xlsx_is_a_formula_or_a_link(tmp_path: Path) -> None:
    (path,) = _written(tmp_path, "xlsx")
    with zipfile.ZipFile(path) as parts:
        sheets = [parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
    assert len(sheets) == 3
    assert not any(b"<f>" in sheet or b"<hyperlink" in sheet for sheet in sheets)


@pytest.mark.parametrize("text", ["=1+1", "+44 20", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x"])
def test_text_that_begins_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["1+1", "a=b", "", "Corner Shop", "'=1"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text


def test_the_pdf_shows_every_value_of_every_row_and_the_hash_on_every_page(tmp_path: Path) -> None:
    rows, header = notice_list()
    (path,) = _written(tmp_path, "pdf")
    pages = _pages(path)
    text = _plain("".join(pages))
    shown_once = {"channel", "kind", "uom", "case_version"}
    for row in rows:
        for name in NOTICE_COLUMNS:
            if name not in shown_once and row[name] is not None:
                assert _plain(str(row[name])) in text, f"{name} of {row['owner_name']}"
    assert all(HASH in _plain(page) and "R-2026-0007v2" in _plain(page) for page in pages)
    assert f"Allchannels全部渠道+100.5LTR{header.totals['items_expected_on_hand']}" in text
    assert "Mira<b>" in text, "markup in a name is text"


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_a_drill_says_so_in_every_format(tmp_path: Path, name: str) -> None:
    path = _written(tmp_path, name, Kind.DRILL)[0]
    if name == "pdf":
        assert all("DRILL演练" in _plain(page) for page in _pages(path))
    elif name == "xlsx":
        book = CalamineWorkbook.from_path(path)
        assert all(sheet.startswith("DRILL ") for sheet in book.sheet_names)
        with zipfile.ZipFile(path) as parts:
            sheets = [parts.read(f"xl/worksheets/sheet{n}.xml").decode() for n in (1, 2, 3)]
        assert all("DRILL 演练</oddHeader>" in sheet for sheet in sheets)
    elif name == "csv":
        _assert_marked(path.read_text(encoding="utf-8-sig").splitlines()[1:])
    else:
        document = json.loads(path.read_text(encoding="utf-8"))
        _assert_marked([json.dumps(row) for row in document["rows"]])
        assert document["drill"]


def _assert_marked(rows: list[str]) -> None:
    assert len(rows) > 1
    assert all("DRILL, for practice only: do nothing" in row for row in rows)


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_a_recall_is_not_marked_as_a_drill(tmp_path: Path, name: str) -> None:
    path = _written(tmp_path, name)[0]
    text = "".join(_pages(path)) if name == "pdf" else path.read_bytes().decode("utf-8", errors="replace")
    assert "DRILL" not in text


def test_a_list_that_is_too_long_for_reading_is_refused_and_not_cut(tmp_path: Path) -> None:
    rows, header = notice_list()
    with pytest.raises(NoticeListTooLong, match=r"Use xlsx, csv or json\."):
        WRITERS["pdf"]((rows[0],) * (LINES_MAX + 1), header, tmp_path / "list.pdf")
    assert list(tmp_path.iterdir()) == []


def test_a_document_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    out = tmp_path / "list.csv"
    out.write_text("old")

    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        put_in_place(out, fail)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("list.csv", "old")]
