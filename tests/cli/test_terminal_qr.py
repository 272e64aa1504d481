"""The symbol in the terminal is one that a phone reads."""

from __future__ import annotations

import re

import pytest
import zxingcpp
from PIL import Image

from cli import terminal_qr
from labels.symbol import matrix

LINK = "https://id.example.com/01/09506000134352/21/TQEBJREWGTB8"
PIXELS = 8
_UPPER_AND_LOWER = {" ": (False, False), "▀": (True, False), "▄": (False, True), "█": (True, True)}


@pytest.mark.parametrize("colour", [True, False], ids=["black on white", "a log viewer, light on dark"])
def test_a_phone_reads_the_symbol_in_the_terminal(colour: bool) -> None:
    lines = terminal_qr.lines(matrix(LINK).tolist(), colour=colour)

    found = zxingcpp.read_barcodes(picture(lines, ink_is_light=not colour))

    assert [result.text for result in found] == [LINK]
    assert len({len(line) for line in lines}) == 1
    assert all(line.startswith("\x1b[") == colour for line in lines)


def picture(lines: list[str], *, ink_is_light: bool) -> Image.Image:
    """What the terminal shows: each character is two modules, one above the other."""
    rows: list[list[bool]] = []
    for line in lines:
        halves = [_UPPER_AND_LOWER[character] for character in re.sub(r"\x1b\[[0-9;]*m", "", line)]
        rows += [[upper for upper, _lower in halves], [lower for _upper, lower in halves]]
    image = Image.new("L", (len(rows[0]), len(rows)))
    image.putdata([255 if inked == ink_is_light else 0 for row in rows for inked in row])
    return image.resize((image.width * PIXELS, image.height * PIXELS), Image.Resampling.NEAREST)
