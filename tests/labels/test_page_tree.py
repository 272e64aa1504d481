"""A finished file is walked by its page tree as another program would; a file that leads elsewhere is not released."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from labels.furniture import Furniture
from labels.render import pdf
from labels.render.files import replacing
from labels.render.page_tree import NotAsWritten, Page, pages_of, require
from labels.render.pdf import join_pdf, write_pdf
from labels.render.picture import rasterise
from labels.symbol import SymbolPlan
from labels.verify import PageSample, read_picture
from tests.labels.conftest import Batches


@pytest.fixture
def long_roll(tmp_path: Path, roll: Furniture, plan: SymbolPlan, batches: Batches) -> Path:
    """Three hundred labels: more pages than one block has."""
    return write_pdf(tmp_path / "roll.pdf", roll, plan, batches(300), rasterised_max=2).path


def test_the_page_tree_leads_to_the_same_pages_as_another_reader_finds(long_roll: Path) -> None:
    walked = list(pages_of(long_roll))

    with pikepdf.open(long_roll) as document:
        assert document.check_pdf_syntax() == []
        found = [Page((page.Contents[0].objgen[0],), page.Contents[1].read_raw_bytes()) for page in document.pages]
    assert walked == found


def _told(path: Path) -> str:
    """What the writer of a roll tells of its pages."""
    digest = hashlib.sha256()
    for page in pages_of(path):
        digest.update(b"%d:%d:" % (*page.shared, len(page.stream)) + page.stream)
    return digest.hexdigest()


def _swapped(text: bytes) -> bytes:
    """Two streams of one length in each other's place."""
    by_length: dict[bytes, re.Match[bytes]] = {}
    for found in re.finditer(rb"obj\n<</Length (\d+)/Filter/FlateDecode>>stream\n", text):
        other = by_length.setdefault(found[1], found)
        if other is not found:
            length = int(found[1])
            one, two = text[other.end() :][:length], text[found.end() :][:length]
            return (
                text[: other.end()]
                + two
                + text[other.end() + length : found.end()]
                + one
                + text[found.end() + length :]
            )
    raise AssertionError("no two streams have one length")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace(b"/Count 300", b"/Count 301"),
        lambda text: re.sub(rb"Kids\[(\d+ 0 R) (\d+ 0 R)\]", rb"Kids[\2 \1]", text),
        lambda text: re.sub(rb"Kids\[(\d+ 0 R) (\d+ 0 R)\]", rb"Kids[\1 \1]", text),
        lambda text: re.sub(rb"startxref\n\d+", b"startxref\n9", text),
        lambda text: text.replace(b"/Type/ObjStm", b"/Type/ObjStn", 1),
        lambda text: text.replace(b"%PDF-1.5\n", b"%PDF-1.5\n\n", 1),
        lambda text: text[:-1000],
        _swapped,
    ],
    ids=["one too many", "out of order", "twice", "elsewhere", "no block", "moved by a byte", "cut off", "another's"],
)
def test_a_file_whose_structure_was_spoiled_is_not_released(long_roll: Path, spoil: Callable[[bytes], bytes]) -> None:
    text = long_roll.read_bytes()
    told = _told(long_roll)
    spoiled = spoil(text)
    assert spoiled != text

    require(long_roll, told)
    long_roll.write_bytes(spoiled)
    with pytest.raises(NotAsWritten):
        require(long_roll, told)


def test_a_roll_that_is_joined_is_pictured_by_its_first_page_and_its_last(
    tmp_path: Path, roll: Furniture, plan: SymbolPlan, batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "PAGES_OPENED_MAX", 3)
    parts = [write_pdf(tmp_path / f"{n}.pdf", roll, plan, batches(2, first_label=n)).path for n in (1, 3, 5)]
    links = [link for batch in batches(6) for link in plan.form.links(batch.serials)]
    sample = PageSample(1)
    sample.keep(1, [(0, 1, links[0])])
    sample.keep(6, [(0, 6, links[5])])

    with replacing(tmp_path / "joined.pdf") as file:
        read = join_pdf(file, roll, plan, parts, sample)

    assert (read.labels, read.pages) == (2, (1, 6))
    pictures = rasterise((tmp_path / "joined.pdf").read_bytes(), 300)
    assert [read_picture(picture) for picture in pictures] == links
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.pdf", "3.pdf", "5.pdf", "joined.pdf"]


def test_a_part_of_another_label_is_not_joined(
    tmp_path: Path, roll: Furniture, sheet: Furniture, plan: SymbolPlan, batches: Batches
) -> None:
    other = write_pdf(tmp_path / "sheet.pdf", sheet, plan, batches(2)).path

    with pytest.raises(NotAsWritten), replacing(tmp_path / "joined.pdf") as file:
        join_pdf(file, roll, plan, [other], PageSample())
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.pdf"]
