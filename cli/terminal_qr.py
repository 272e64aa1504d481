"""A QR symbol in the terminal, two modules to a character, in explicit black on white: it scans on dark screens too."""

from __future__ import annotations

from collections.abc import Sequence

QUIET_MODULES = 4
_WHITE_ON, _OFF = "\x1b[30;107m", "\x1b[0m"


def lines(matrix: Sequence[Sequence[bool]], *, colour: bool) -> list[str]:
    """The symbol with its quiet zone. ``colour`` paints it; without, dark modules are blanks on a light page of blocks.

    Without colour the picture relies on a terminal with light text on dark ground, as a plain log viewer has.
    """
    side = len(matrix) + 2 * QUIET_MODULES
    dark = [[False] * side for _ in range(side + side % 2)]
    for y, row in enumerate(matrix):
        for x, module in enumerate(row):
            dark[y + QUIET_MODULES][x + QUIET_MODULES] = bool(module)
    halves = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
    if not colour:  # the ink of such a terminal is light: draw the light modules
        halves = {pair: halves[(not pair[0], not pair[1])] for pair in halves}
    drawn = ["".join(halves[pair] for pair in zip(dark[y], dark[y + 1], strict=True)) for y in range(0, len(dark), 2)]
    return [f"{_WHITE_ON}{line}{_OFF}" for line in drawn] if colour else drawn
