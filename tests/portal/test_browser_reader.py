"""Our reader of QR symbols, as browsers get it, over pictures of labels: it reads what is right, or nothing."""

from __future__ import annotations

import asyncio
import gzip
import random
from typing import Any, Final

import numpy as np
import pytest

from benchmarks.browser_reader import seen_by_ours
from benchmarks.pictures import Grey, Modules, Shot, printed, taken
from labels.symbol import matrix
from portal import browser_reader
from portal.browser_reader import ReaderTooLong
from tests.browser import browsing
from tests.portal.symbols import CORRECTED, LEVELS, alphanumeric, damaged, drawn, kanji, octets, spelled

LABEL: Final = "HTTPS://ID.CREAMERY.EXAMPLE/01/09520123456788/21/TQEBJREWGTB8"
OTHER: Final = "https://id.creamery.example/01/09520123456771/10/C1"
VERSIONS: Final = (1, 2, 5, 6, 7, 10, 14, 25, 40)
RNG: Final = np.random.default_rng(18004)
SMALL: Final[dict[str, Any]] = {"width": 360, "height": 300, "side": 200.0}

SHEET: Final = [f"{OTHER}/21/{number}" for number in range(100, 112)]

SHOTS: Final = {
    "straight": Shot(**SMALL),
    "turned by 90": Shot(**SMALL, turn_deg=90),
    "turned by 180": Shot(**SMALL, turn_deg=180),
    "turned by 37": Shot(**SMALL, turn_deg=37),
    "turned by 223": Shot(**SMALL, turn_deg=223),
    "tilted": Shot(**SMALL, turn_deg=11, tilt=0.15),
    "tilted and turned": Shot(**SMALL, turn_deg=130, tilt=0.12),
    "blurred": Shot(**SMALL, turn_deg=5, blur=0.6),
    "noisy": Shot(**SMALL, turn_deg=20, noise=40),
    "unevenly lit": Shot(**SMALL, turn_deg=20, shade=1.2, noise=3),
    "inverse": Shot(**SMALL, turn_deg=20, inverse=True),
    "in a mirror": Shot(**SMALL, turn_deg=70, mirrored=True),
    "faint": Shot(**SMALL, turn_deg=20, dark=110, light=140, noise=2),
    "far": Shot(width=360, height=300, side=85, turn_deg=8),
    "near": Shot(width=640, height=480, side=460, turn_deg=3),
    "on black": Shot(**SMALL, turn_deg=20, around=0),
    "in a large picture": Shot(width=1280, height=960, side=400, turn_deg=30, tilt=0.05, noise=12, blur=0.3),
}

_CHINESE, _GREEK, _KANJI = "鲜牛奶", "γάλα", "牛乳"
SPELLED: Final[dict[str, tuple[Modules, tuple[str, int] | None]]] = {
    "FNC1 before GS1 elements": (
        spelled((5, 4), *alphanumeric("010952012345678810M1%21A%%B")),
        ("010952012345678810M1\x1d21A%B", 1),
    ),
    "the same without FNC1": (spelled(*alphanumeric("10M1%21A%%B")), ("10M1%21A%%B", 0)),
    "FNC1 in the second place, letter": (spelled((9, 4), (165, 8), *alphanumeric("X%1")), ("AX\x1d1", 2)),
    "FNC1 in the second place, number": (spelled((9, 4), (7, 8), *alphanumeric("X")), ("07X", 2)),
    "FNC1 before bytes": (spelled((5, 4), *octets(b"10M1\x1d21A%%")), ("10M1\x1d21A%%", 1)),
    "UTF-8 named": (spelled((7, 4), (26, 8), *octets(_CHINESE.encode())), (_CHINESE, 0)),
    "UTF-8 not named": (spelled(*octets(_CHINESE.encode())), (_CHINESE, 0)),
    "no UTF-8": (spelled(*octets("Crème".encode("latin-1"))), ("Crème", 0)),
    "Greek named": (spelled((7, 4), (9, 8), *octets(_GREEK.encode("iso8859-7"))), (_GREEK, 0)),
    "GB 18030 named": (spelled((7, 4), (32, 8), *octets(_CHINESE.encode("gb18030"))), (_CHINESE, 0)),
    "kanji": (spelled(*kanji(_KANJI)), (_KANJI, 0)),
    "several segments": (
        spelled((1, 4), (5, 10), (123, 10), (45, 7), *alphanumeric("A-1"), *octets(b"b")),
        ("12345A-1b", 0),
    ),
    "a character set that is not known": (spelled((7, 4), (170, 8), *octets(b"abc")), None),
    "bytes that are not of the set named": (spelled((7, 4), (26, 8), *octets(b"\xff\xfe")), None),
    "a part of a longer text": (spelled((3, 4), (0, 4), (1, 4), (7, 8), *octets(b"abc")), None),
    "three digits of 1,000 or more": (spelled((1, 4), (3, 10), (1000, 10)), None),
    "a pair that is none": (spelled((2, 4), (2, 9), (2025, 11)), None),
    "more characters than there are": (spelled((4, 4), (200, 8), (65, 8)), None),
    "a mode that is none": (spelled((6, 4), (1, 8), (65, 8)), None),
    "no text": (spelled((0, 4)), None),
}


def stripes(width: int, height: int, period: int) -> Grey:
    """Dark and light bars, as of a bar code or a shelf."""
    return np.tile(np.where(np.arange(width) // period % 2, 230, 30).astype(np.uint8), (height, 1))


def unlike(modules: Modules) -> Modules:
    """Three finders, timing and format information around modules of nobody."""
    false = modules.copy()
    false[9:, 9:] = RNG.random(false[9:, 9:].shape) < 0.5
    return false


def covered(modules: Modules, part: float) -> Grey:
    """A label with a white patch over the middle, of that part of its side."""
    picture = printed(modules, 4)
    side = len(picture)
    near, far = round(side * (0.55 - part / 2)), round(side * (0.55 + part / 2))
    picture[near:far, near:far] = 255
    return picture


NOTHING: Final[dict[str, Grey]] = {
    "noise": RNG.integers(0, 256, (300, 400), dtype=np.uint8),
    "coarse noise": np.kron(RNG.integers(0, 2, (60, 80), dtype=np.uint8) * 255, np.ones((5, 5), dtype=np.uint8)),
    "paper": np.full((300, 400), 240, dtype=np.uint8),
    "stripes": stripes(400, 300, 7),
    "squares": stripes(400, 300, 20) ^ stripes(300, 400, 20).T,
    "a symbol of nobody": printed(unlike(drawn("x" * 40)), 5),
    "half a symbol": printed(drawn(OTHER), 5)[:, :110],
    "a symbol half covered": covered(drawn(LABEL, "L"), 0.6),
    "not one pixel": np.zeros((1, 1), dtype=np.uint8),
}


def _texts() -> list[str]:
    chance = random.Random(18004)
    alphabets = ("0123456789", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", "abcßé %/:;鲜牛奶ё😀09AZ")
    return ["".join(chance.choices(chance.choice(alphabets), k=chance.randint(1, 60))) for _ in range(200)]


TEXTS: Final = _texts()


def _small(link: str) -> Grey:
    return taken(matrix(link), Shot(width=180, height=160, side=135, turn_deg=4), RNG)


def pictures() -> dict[tuple[str, ...], Grey]:
    """All that the reader is shown, in one sitting, by what it shows."""
    shown: dict[tuple[str, ...], Grey] = {}
    for version in VERSIONS:
        for level in LEVELS:
            modules = drawn(f"{version}{level}" * (1 if version == 1 else version * 4), level, version)
            shown["version", str(version), level] = printed(modules, 3)
    for level, corrected in CORRECTED.items():
        for wrong in (corrected, corrected + 1):
            shown["damage", level, str(wrong)] = printed(damaged(drawn("TRACE", level, 1), wrong), 4)
    shown["covered", ""] = covered(drawn(LABEL, "H"), 0.25)
    shown["two", ""] = np.hstack(
        [
            taken(matrix(LABEL), Shot(**SMALL, turn_deg=15), RNG),
            taken(matrix(OTHER), Shot(**SMALL, turn_deg=100, around=200), RNG),
        ]
    )
    rows = [[_small(link) for link in SHEET[first : first + 4]] for first in (0, 4, 8)]
    shown["sheet", ""] = np.vstack([np.hstack(row) for row in rows])
    shown |= {("shot", name): taken(matrix(LABEL), shot, RNG) for name, shot in SHOTS.items()}
    shown |= {("spelled", name): printed(modules, 4) for name, (modules, _) in SPELLED.items()}
    shown |= {("nothing", name): picture for name, picture in NOTHING.items()}
    return shown | {("text", text): printed(drawn(text), 3) for text in TEXTS}


Found = dict[tuple[str, ...], list[tuple[str, int]]]
"""Text and FNC1 of the symbols read, by what is shown."""


async def looked_at(shown: dict[tuple[str, ...], Grey]) -> Found:
    """What the reader says of each picture, in one browser."""
    async with browsing() as context:
        seen = await seen_by_ours(await context.new_page(), list(shown.values()))
    return {name: list(each.symbols) for name, each in zip(shown, seen, strict=True)}


@pytest.fixture(scope="module")
def found() -> Found:
    """What was read of all pictures."""
    return asyncio.run(looked_at(pictures()))


def test_symbols_of_small_and_large_versions_and_all_levels_are_read(found: Found) -> None:
    for version in VERSIONS:
        for level in LEVELS:
            text = f"{version}{level}" * (1 if version == 1 else version * 4)
            assert found["version", str(version), level] == [(text, 0)]


@pytest.mark.parametrize("name", SHOTS)
def test_a_label_is_read_as_cameras_see_it(name: str, found: Found) -> None:
    assert found["shot", name] == [(LABEL, 0)]


def test_two_labels_in_one_picture_are_both_read(found: Found) -> None:
    assert sorted(found["two", ""]) == sorted([(LABEL, 0), (OTHER, 0)])


def test_all_labels_of_a_sheet_are_read_and_none_is_made_of_two(found: Found) -> None:
    assert sorted(found["sheet", ""]) == [(link, 0) for link in SHEET]


def test_what_a_level_corrects_is_read_and_one_codeword_more_is_not(found: Found) -> None:
    for level, corrected in CORRECTED.items():
        assert found["damage", level, str(corrected)] == [("TRACE", 0)]
        assert found["damage", level, str(corrected + 1)] == []
    assert found["covered", ""] == [(LABEL, 0)]


@pytest.mark.parametrize("name", NOTHING)
def test_where_no_whole_symbol_is_nothing_is_read(name: str, found: Found) -> None:
    assert found["nothing", name] == []


@pytest.mark.parametrize("name", SPELLED)
def test_segments_are_read_as_the_standard_says_or_not_at_all(name: str, found: Found) -> None:
    expected = SPELLED[name][1]
    assert found["spelled", name] == ([] if expected is None else [expected])


def test_two_hundred_texts_come_back_as_they_were(found: Found) -> None:
    assert [text for text in TEXTS if found["text", text] != [(text, 0)]] == []


def test_the_script_is_short_and_one_that_grew_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    script = browser_reader.script()
    assert b"/**" not in script
    assert b"eval(" not in script
    assert len(gzip.compress(script, 5)) < 10_000

    monkeypatch.setattr(browser_reader, "SCRIPT_BYTES_MAX", len(script) - 1)
    with pytest.raises(ReaderTooLong):
        browser_reader.script()
