"""Recall texts of others, as they are really written: read with a confidence, and a person asked where it is low."""

from __future__ import annotations

from pathlib import Path

import pytest

from recall import foreign_notices
from recall.foreign_notices import CHARACTERS_MAX, FindKind
from recall.rules_refusals import NoticeUnreadable, TextTooLong


def _read(text: str) -> list[tuple[str, str, str, bool]]:
    return [(f.kind.value, f.first, f.last, f.needs_person) for f in foreign_notices.read(text)]


@pytest.mark.parametrize(
    "text, found",
    [
        ("25 untis", [("quantity", "25", "untis", True)]),
        ("1056 cases (34 packs/case)", [("quantity", "1056", "cases", False), ("quantity", "34", "packs", False)]),
        ("3,099 (10 oz) units", [("quantity", "3099", "units", False)]),
        ("All Lots", [("all_lots", "", "", True)]),
        ("Lot BP20101301, Exp. 02/28/2016", [("lot", "BP20101301", "", False), ("date", "02/28/2016", "", False)]),
        (
            "Expiration dates from 01/19/2012 through 05/02/2012 and lot number from 00112 through 10412",
            [("date_range", "01/19/2012", "05/02/2012", False), ("lot_range", "00112", "10412", False)],
        ),
        ("lot 17044", [("lot", "17044", "", False)]),
        ("10-lb chubs, lot code 26166", [("lot", "26166", "", False)]),
        ("lots A12, B13 and C14", [("lot", "A12", "", False), ("lot", "B13", "", False), ("lot", "C14", "", False)]),
        ("lot A12 to B99", [("lot_range", "A12", "B99", True)]),
        ("lot 900 to 100", [("lot_range", "900", "100", True)]),
        ("批号：20260901、20260902", [("lot", "20260901", "", False), ("lot", "20260902", "", False)]),
        ("UPC 0 12345 67890 5", [("gtin", "012345678905", "", False)]),
        ("stamped XK77120 on the base", [("unread", "XK77120", "", True)]),
        ("We sold a lot of cheese.", []),
    ],
)  # fmt: skip
def test_free_text_becomes_lots_ranges_and_quantities(text: str, found: list[tuple[str, str, str, bool]]) -> None:
    assert _read(text) == found


def test_a_higher_threshold_asks_a_person_more_often() -> None:
    assert [f.needs_person for f in foreign_notices.read("lot 17044", threshold=0.95)] == [True]
    assert foreign_notices.read("All lots", threshold=0.5)[0].kind is FindKind.ALL_LOTS


def test_a_text_that_is_too_long_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TextTooLong):
        foreign_notices.read("x" * (CHARACTERS_MAX + 1))
    (tmp_path / "x.pdf").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(NoticeUnreadable):
        foreign_notices.text_of_file(tmp_path / "x.pdf")
    with pytest.raises(NoticeUnreadable):
        foreign_notices.text_of_file(tmp_path / "missing.txt")
