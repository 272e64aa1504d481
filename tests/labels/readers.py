"""What a scanner reads of a print file and of a drawing, written a second time: nothing here is the writer's."""

from __future__ import annotations

import re

import numpy as np
import zxingcpp

from labels.furniture import Furniture


def burn(label: str, roll: Furniture) -> str | None:
    """What a printer makes of a label's bitmap, read by a scanner."""
    field = re.search(r"\^GFA,(\d+),\d+,(\d+),([0-9A-F:]+)\^FS", label)
    assert field is not None
    digits = int(field[2]) * 2
    lines: list[str] = []
    for piece in re.findall(rf"[0-9A-F]{{{digits}}}|:", field[3]):
        lines.append(lines[-1] if piece == ":" else piece)
    assert len(lines) * int(field[2]) == int(field[1])
    dots = np.unpackbits(np.frombuffer(bytes.fromhex("".join(lines)), dtype=np.uint8).reshape(len(lines), -1), axis=1)
    quiet = 4 * roll.placement.dots_per_module
    found = zxingcpp.read_barcode(np.where(np.pad(dots, quiet), np.uint8(0), np.uint8(255)))
    return found.text if found else None


def read_svg(drawing: str, side: int) -> str | None:
    """Fill the path's runs on squared paper and read them."""
    cells = np.full(((side + 8) * 4, (side + 8) * 4), 255, dtype=np.uint8)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", drawing):
        top, left = (int(y) + 4) * 4, (int(x) + 4) * 4
        cells[top : top + 4, left : left + int(width) * 4] = 0
    found = zxingcpp.read_barcode(cells)
    return found.text if found else None
