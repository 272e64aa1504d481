"""Sheets are rasterised and read by readers that are not ours."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import read_back
from benchmarks.label_peers import GLABELS, ZINT, installed, missing


def test_a_sheet_that_was_rasterised_is_read_whole_and_one_symbol_too_many_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_back, "LABELS", {})
    case = next(read_back.sheets(tmp_path))

    found = read_back.read(case)
    missed = read_back.read(replace(case, expected=case.expected | {"https://id.example.com/never"}))

    assert (found.symbols, found.zxing, found.is_whole) == (2, 2, True)
    assert (missed.symbols, missed.zxing, missed.is_whole) == (3, 2, False)
    assert (tmp_path / "case-en-1.png").read_bytes().startswith(b"\x89PNG")


_HALF = """#!/bin/sh
for word; do case $word in */~~~~~.svg) out=${word%/*};; esac; done
for number in 1 2 3; do echo '<svg/>' > "$out/0000$number.svg"; done
"""
_BLANK = f"""#!{sys.executable}
import sys
import pypdfium2
pages = pypdfium2.PdfDocument.new()
for _ in range(int("PAGES")):
    pages.new_page(595, 842)
pages.save(sys.argv[sys.argv.index("-o") + 1])
"""


@pytest.mark.parametrize(
    ("program", "text", "remark"),
    [
        (ZINT, _HALF, "made 3 of 1,000 symbols"),
        (ZINT, "#!/bin/sh\nexit 1\n", "zint made nothing (status 1)"),
        (GLABELS, _BLANK.replace("PAGES", "41"), "made 41 of 42 pages"),
        (GLABELS, _BLANK.replace("PAGES", "42"), "made 0 of 24 symbols of the first page that are read"),
    ],
    ids=["half of them", "nothing", "a page too few", "blank pages"],
)
def test_a_program_of_others_that_makes_less_than_it_was_asked_for_is_not_told_as_fast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, text: str, remark: str
) -> None:
    stand_in = tmp_path / program
    stand_in.write_text(text, "ascii")
    stand_in.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    work = {case.split(",")[0]: work for case, _, work in installed()}

    assert work[program.removesuffix("-3-batch")]().limited == remark


def test_a_program_of_others_is_compared_or_said_to_be_missing() -> None:
    here = {case.split(",")[0] for case, _, _ in installed()}

    for program in (ZINT, GLABELS):
        assert (program.removesuffix("-3-batch") in here) != any(program in said for said in missing())
