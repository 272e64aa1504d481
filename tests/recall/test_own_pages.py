"""The PDF of a notice to one owner: the words that all owners read are set once, its own for it alone."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import pikepdf
import pypdfium2

from recall import own_pages
from recall.documents import glyphs
from recall.notices import NOTICE_COLUMNS, Row

SHARED: Final = ("我们正在召回以下产品。请立即停止销售和使用。", "危害：可能含有李斯特菌。")


def _letter(owner: str, place: str) -> bytes:
    row: Row = dict.fromkeys(NOTICE_COLUMNS)
    row |= {"product": "农家奶酪", "gtin": "09506000134352", "lot": "C1", "place_name": place, "items_shipped": 240}
    return own_pages.pdf(
        "召回 R-2026-0007", [owner, *SHARED], [("受影响的产品", [row])], languages=("zh",), stem="R-2026-0007 v1",
        drill_mark="", shared=SHARED,
    )  # fmt: skip


def test_letters_to_many_owners_set_the_words_that_they_share_once() -> None:
    first = _letter("晨光便利店", "上海")
    before = glyphs._face.cache_info().misses
    second = _letter("鑫淼超市", "苏州")
    assert glyphs._face.cache_info().misses - before == 1, "the second letter sets its own characters and no others"
    for letter, owner, place in ((first, "晨光便利店", "上海"), (second, "鑫淼超市", "苏州")):
        text = _text(letter)
        assert all(words.strip("。") in text for words in (owner, place, *SHARED, "农家奶酪", "09506000134352"))


def test_a_letter_holds_no_glyph_that_only_another_owners_name_needs() -> None:
    told = {
        owner: _characters(_letter(owner, place)) for owner, place in (("晨光便利店", "上海"), ("鑫淼超市", "苏州"))
    }
    assert set("鑫淼超苏州") <= told["鑫淼超市"] and not set("晨光便利店") & told["鑫淼超市"]
    assert set("晨光便利店") <= told["晨光便利店"] and not set("鑫淼超苏州") & told["晨光便利店"]


def _text(letter: bytes) -> str:
    pages: Sequence[str] = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(letter)]
    return "".join("".join(pages).split())


def _characters(letter: bytes) -> set[str]:
    """What the fonts of a letter can write, by their own maps to Unicode."""
    found: set[str] = set()
    with pikepdf.open(io.BytesIO(letter)) as document:
        for font in dict(document.pages[0].Resources.Font).values():
            told = glyphs._PAIR.findall(glyphs._mapped(font.ToUnicode.read_bytes()))
            found |= {bytes.fromhex(written.decode()).decode("utf-16-be") for _code, written in told}
    return found
