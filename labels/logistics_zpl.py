"""Labels of cases and pallets for a thermal printer: each a bitmap at the printer's dots, read back from its commands.

A printer without Chinese fonts prints Chinese all the same, and no firmware chooses modules: those of both symbols are
whole numbers of dots.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from labels.logistics_page import COPIES_MAX, LogisticsLabel, Paper, page_of, require_both
from labels.model import Language
from labels.refusals import CopiesNotUsable, ResolutionNotUsable
from labels.render.files import replacing
from labels.render.picture import rasterise

Dots = npt.NDArray[np.bool_]
PRINTER_DPI: Final = (203, 300, 600)
COMPOSED_TOGETHER: Final = 20
"""Labels whose pages are in memory together."""
_DARK_BELOW: Final = 128
_REST_LIGHT, _AS_ABOVE = ",", ":"
"""In a bitmap: the rest of this line is light; this line is as the one above (ZPL II, ^GF)."""


def write_zpl(
    target: Path, labels: Sequence[LogisticsLabel], *, paper: Paper, copies: int, language: Language, dpi: int
) -> None:
    """Write a print file with each label and how often it is printed. A label that does not read leaves no file
    (SymbolReadsWrong); refuses resolutions that no label printer has, and too many copies."""
    if dpi not in PRINTER_DPI:
        raise ResolutionNotUsable(dpi=dpi, dpi_min=PRINTER_DPI[0], dpi_max=PRINTER_DPI[-1])
    if not 1 <= copies <= COPIES_MAX:
        raise CopiesNotUsable(copies=copies, copies_max=COPIES_MAX)
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as file:
        for number, (label, dots) in enumerate(_pictures(labels, paper, language, dpi), 1):
            commands = _commands(dots, copies)
            burnt = dots_of(commands)
            require_both(np.where(burnt, np.uint8(0), np.uint8(255)), number, label)
            file.write(commands.encode("ascii"))


def dots_of(commands: str) -> Dots:
    """The dots that a printer burns from the bitmap of a label's commands."""
    total, _, row_bytes, bitmap = commands.partition("^GFA,")[2].partition("^FS")[0].split(",", 3)
    digits, lines, line = int(row_bytes) * 2, list[str](), ""
    for character in bitmap:
        if character == _AS_ABOVE:
            lines.append(lines[-1])
        elif character == _REST_LIGHT:
            lines.append(line.ljust(digits, "0"))
            line = ""
        else:
            line += character
            if len(line) == digits:
                lines.append(line)
                line = ""
    packed = np.frombuffer(bytes.fromhex("".join(lines)), dtype=np.uint8).reshape(-1, int(row_bytes))
    assert packed.size == int(total)  # what the printer is told to expect
    return np.unpackbits(packed, axis=1).astype(np.bool_)


def _pictures(
    labels: Sequence[LogisticsLabel], paper: Paper, language: Language, dpi: int
) -> Iterator[tuple[LogisticsLabel, Dots]]:
    from weasyprint import HTML  # here, because it loads Pango and half a second of it

    for start in range(0, len(labels), COMPOSED_TOGETHER):
        some = labels[start : start + COMPOSED_TOGETHER]
        pdf = HTML(string=page_of(some, paper=paper, copies=1, language=language, dpi=dpi)).write_pdf()
        for label, grey in zip(some, rasterise(pdf, dpi), strict=True):
            yield label, grey < _DARK_BELOW


def _commands(dots: Dots, copies: int) -> str:
    height, width = dots.shape
    packed = np.packbits(dots, axis=1)
    lines = [row.tobytes().hex().upper() for row in packed]
    pieces = [_line(line) if line != above else _AS_ABOVE for above, line in itertools.pairwise(["", *lines])]
    field = f"^GFA,{packed.size},{packed.size},{packed.shape[1]},{''.join(pieces)}^FS"
    return f"^XA^PW{width}^LL{height}^LH0,0^FO0,0{field}^PQ{copies}^XZ\n"


def _line(digits: str) -> str:
    dark = digits.rstrip("0")
    return digits if len(dark) == len(digits) else dark + _REST_LIGHT
