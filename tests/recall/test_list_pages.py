"""The pages of a long notice list: real text, a head and a number on each, nothing cut."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import pikepdf
import pypdfium2
import pytest

from recall.documents import flow, glyphs, pdf
from recall.documents.flow import Cell, Column, Flow, Furniture, Ink, Table, TooManyPages
from recall.documents.glyphs import faces, needs_shaping
from tests.recall.lists import HASH, notice_list

LONG: Final = "牧场农家奶酪（四百克装），请立即停止使用。" * 6


def _pages(content: bytes) -> list[str]:
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(content)]


def test_every_page_of_a_long_list_has_the_head_the_hash_and_its_number() -> None:
    rows, header = notice_list()
    content = pdf.content([row for row in rows for _ in range(12)], header)
    pages = _pages(content)
    assert len(pages) > 4
    for number, page in enumerate(pages, 1):
        assert all(words in page for words in (f"{number} / {len(pages)}", HASH, "Responsible", "R-2026-0007"))
    assert content == pdf.content([row for row in rows for _ in range(12)], header), "the same list, the same bytes"


def test_the_fonts_of_a_list_are_embedded_and_hold_only_what_is_shown() -> None:
    content = pdf.content(*notice_list())
    with pikepdf.open(io.BytesIO(content)) as document:
        fonts = dict(document.pages[0].Resources.Font)
        described = [set(font.DescendantFonts[0].FontDescriptor.keys()) for font in fonts.values()]
    assert len(fonts) >= 4, "Latin and Chinese, regular and bold"
    assert all({"/FontFile2", "/FontFile3"} & each for each in described)
    assert len(content) < 100_000


@pytest.mark.parametrize(("text", "expected"), [
    ("Käse, Żółć, Привет, 牧场农家奶酪 カナ 한국 µμ", False), ("สวัสดี", True), ("مرحبا", True), ("नमस्ते", True),
    ("e\u0301", True), ("", False),
])  # fmt: skip
def test_only_letters_whose_form_depends_on_their_neighbours_are_set_word_by_word(text: str, expected: bool) -> None:
    assert needs_shaping([text]) is expected


def test_a_list_in_a_script_that_joins_is_set_word_by_word_and_shows_the_same(tmp_path: Path) -> None:
    rows, header = notice_list()
    (path,) = pdf.write([{**rows[0], "place_name": "متجر"}, *rows[1:]], header, tmp_path / "list.pdf")
    text = "".join(_pages(path.read_bytes()))
    assert HASH in text and str(header.totals["items"]) in text


def test_characters_that_share_a_glyph_are_still_found_in_the_text() -> None:
    regular, _ = faces(["µμ ΩΩ"])
    assert {"µ", "μ"} <= regular.glyphs.keys()
    assert regular.glyph("\U0010fffd") == regular.glyph("?"), "what no font has is not left out in silence"


def _flow(*texts: str) -> Flow:
    return Flow(faces(texts), (300, 200), Ink(8), Ink(8, is_bold=True), margins=(30, 20, 30))


def test_chinese_lines_never_begin_with_a_mark_that_closes_nor_end_with_one_that_opens() -> None:
    page = _flow(LONG)
    for width in range(40, 200, 7):
        lines = page.lines(LONG, width, page.body)
        assert "".join(lines) == LONG
        assert not any(line[0] in "，。）" or line.endswith("（") for line in lines)


def test_a_word_longer_than_its_column_is_broken_and_not_cut() -> None:
    page = _flow("W" * 80)
    lines = page.lines("W" * 80, 50, page.body)
    assert "".join(lines) == "W" * 80
    assert all(page.faces[0].width(line, 8) <= 50 for line in lines)


def test_a_row_longer_than_a_page_goes_on_under_the_head_of_the_next() -> None:
    numbers = "\n".join(f"serial {number}" for number in range(40))
    page = _flow(numbers, "Lot")
    table = Table(page, [Column(1.0, ("Lot",))])
    table.head()
    table.row([Cell(numbers)])
    pages = _pages(page.written(Furniture("a", "a", "a"), title="t", subject="s", language="en"))
    assert len(pages) > 2
    assert [word for page in pages for word in page.split() if word.isdecimal()].count("39") == 1
    assert all("Lot" in page for page in pages)


def test_a_document_of_too_many_pages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "PAGES_MAX", 2)
    page = _flow("")
    page.turn()
    with pytest.raises(TooManyPages):
        page.turn()
    assert glyphs.SPECIMENS_MAX >= 2
