"""A page of labels is read back from its bytes; whatever is not as it must be keeps the file from being released."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

import pytest

from labels.furniture import Furniture
from labels.refusals import SymbolReadsWrong
from labels.render.page_reader import Expected, PageReader
from labels.render.stamps import Stamps, finder_path
from labels.symbol import SymbolPlan
from tests.labels.conftest import Batches

Page = tuple[bytes, Expected, PageReader]


@pytest.fixture
def page(sheet: Furniture, plan: SymbolPlan, batches: Batches) -> Page:
    """Five labels from the third cell of a sheet on, and what they must say."""
    (drawn,) = plan.draw_all(batches(5))
    stamps = Stamps(sheet, plan)
    links = plan.form.links(drawn.serials)
    expected = [(2 + row, 1 + row, link) for row, link in enumerate(links)]
    reader = PageReader(sheet, plan.form, plan.side, finder_path(plan.side))
    return stamps.page(2, stamps.stamped(drawn))[1], expected, reader


def test_a_page_says_what_its_labels_must_say(page: Page) -> None:
    text, expected, reader = page

    reader.read([((zlib.compress(text),), expected)])


def _moved(text: bytes) -> bytes:
    at = text.rindex(b" ", 0, text.index(b" cm/Finders")) + 1
    return text[:at] + b"9" + text[at:]


def _spelt_otherwise(text: bytes) -> bytes:
    at = text.index(b"Tm<") + 3
    return text[: at + 4] + text[at : at + 4] + text[at + 8 :]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace(b"ET\n", b"ET\n0 0 9 9 re f\n"),
        lambda text: text.replace(b"0 0 0 1 k", b"0 0 0 0 k"),
        lambda text: text.replace(b" 1 re\n", b" 2 re\n", 300),
        lambda text: text.replace(b" 1 re\n", b" 1 l\n", 1),
        lambda text: text.replace(b" 1 re\n", b" 99 re\n", 1),
        lambda text: text.replace(b"f Q\n", b"", 1),
        lambda text: text.replace(b"/Cell Do", b"/Sell Do", 1),
        lambda text: re.sub(rb"Finders Do\n(.{13}\n)", rb"Finders Do\n\1\1", text, count=1),
        lambda text: text.replace(b" 01 1 re\n", b" 00 1 re\n", 1),
        _moved,
        _spelt_otherwise,
    ],
    ids=[
        "a bar over it",
        "white ink",
        "fat modules",
        "a line",
        "beyond its side",
        "not filled",
        "another form",
        "a module twice",
        "a run of nothing",
        "elsewhere",
        "letters",
    ],
)
def test_a_page_that_was_spoiled_is_not_released(page: Page, spoil: Callable[[bytes], bytes]) -> None:
    text, expected, reader = page
    spoiled = spoil(text)
    assert spoiled != text

    with pytest.raises(SymbolReadsWrong):
        reader.read([((zlib.compress(spoiled),), expected)])


def test_a_label_that_is_missing_twice_there_or_in_anothers_place_is_found(page: Page) -> None:
    text, expected, reader = page
    swapped = [(expected[1][0], *expected[0][1:]), (expected[0][0], *expected[1][1:]), *expected[2:]]

    for wrong in (expected[1:], [*expected, (9, 6, expected[0][2])], swapped):
        with pytest.raises(SymbolReadsWrong):
            reader.read([((zlib.compress(text),), wrong)])
