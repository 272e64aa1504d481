"""Labels in ZPL II for thermal printers: the composed cell stored once, then a bitmap and a serial for each label.

The symbol is an exact bitmap (^GFA): left to itself (^BQ) the printer's firmware would choose version, level and modes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from labels.furniture import Furniture
from labels.model import Batch, OutputFile, VerifyReport, texts
from labels.refusals import SheetOnLabelPrinter
from labels.render.files import Tally, replacing
from labels.render.picture import Dots, LabelPicture
from labels.symbol import Drawn, SymbolPlan
from labels.verify import checked, compare, read_cells

LABELS_MAX: Final = 500_000
"""Labels of one print file."""
_GRAPHIC: Final = "R:TRACEMRK.GRF"
_HEX: Final = np.frombuffer(b"0123456789ABCDEF", dtype=np.uint8)


def write_zpl(target: Path, furniture: Furniture, plan: SymbolPlan, batches: Iterable[Batch]) -> OutputFile:
    """Write a print file; every symbol is read back from the hexadecimal digits that the printer will get.

    SheetOnLabelPrinter when the template has more than one cell.
    """
    template = furniture.template
    if template.cells != 1:
        raise SheetOnLabelPrinter(template=template.name, cells=template.cells)
    picture, tally = LabelPicture(furniture), Tally("zpl", LABELS_MAX)
    with replacing(target) as file:
        file.write(_store_graphic(picture.furniture))
        shape = _LabelShape(furniture, picture)
        for drawn in checked(plan.form, plan.draw_all(batches), plan.side):
            tally.add(drawn.first_label, len(drawn.serials))
            bitmaps = _symbol_digits(picture, drawn)
            links = plan.form.links(drawn.serials)
            for row, (bitmap, serial) in enumerate(zip(bitmaps, texts(drawn.serials), strict=True)):
                compare(drawn.first_label + row, links[row], read_bitmap(bitmap, picture.dots_per_module, picture.side))
                file.write(shape.label(bitmap, serial))
        tally.require_labels()
        file.write(f"^XA^ID{_GRAPHIC}^FS^XZ\n".encode("ascii"))
        return tally.output(target, file, VerifyReport(tally.labels, tally.labels))


def read_bitmap(bitmap: bytes, dots_per_module: int, side: int) -> str | None:
    """Read the symbol that a printer would burn from these digits: each line, and `:` for the same line again."""
    row_digits = -(-side * dots_per_module // 8) * 2
    lines: list[bytes] = []
    position = 0
    while position < len(bitmap):
        if bitmap[position : position + 1] == b":":
            lines.append(lines[-1])
            position += 1
        else:
            lines.append(bitmap[position : position + row_digits])
            position += row_digits
    if len(lines) != side * dots_per_module:
        return None
    dots = np.frombuffer(bytes.fromhex(b"".join(lines).decode("ascii")), dtype=np.uint8).reshape(len(lines), -1)
    middle = dots_per_module // 2
    cells = np.unpackbits(dots, axis=1)[middle::dots_per_module, middle : side * dots_per_module : dots_per_module]
    return read_cells(cells)


class _LabelShape:
    """The commands of a label around its bitmap and its serial."""

    def __init__(self, furniture: Furniture, picture: LabelPicture) -> None:
        serial, per_point = furniture.serial, picture.dpi / 72
        side = picture.side * picture.dots_per_module
        row_bytes = -(-side // 8)
        x, y = round(serial.matrix[4] * per_point), picture.height - round(serial.matrix[5] * per_point)
        height, width = round(serial.size_pt * per_point), round(serial.advance_pt * per_point * 1.6)
        self._head = (
            f"^XA^PW{picture.width}^LL{picture.height}^LH0,0^FO0,0^XG{_GRAPHIC},1,1^FS"
            f"^FO{picture.symbol_left},{picture.symbol_top}^GFA,{side * row_bytes},{side * row_bytes},{row_bytes},"
        ).encode("ascii")
        self._middle = f"^FS^FT{x},{y}^A0N,{height},{width}^FD".encode("ascii")

    def label(self, bitmap: bytes, serial: str) -> bytes:
        """One label, on a line of its own."""
        return b"%s%s%s%s^FS^XZ\n" % (self._head, bitmap, self._middle, serial.encode("ascii"))


def _store_graphic(dots: Dots) -> bytes:
    lines = np.packbits(dots, axis=1)
    digits = lines.tobytes().hex().upper()
    return f"~DG{_GRAPHIC},{lines.size},{lines.shape[1]},{digits}\n".encode("ascii")


def _symbol_digits(picture: LabelPicture, drawn: Drawn) -> Iterator[bytes]:
    """The bitmaps of a piece in hexadecimal: one line per module, then a colon for each repetition of it."""
    symbols = picture.symbols(drawn.modules)[:, :: picture.dots_per_module]
    lines = np.packbits(symbols, axis=2)
    digits = np.full((*lines.shape[:2], lines.shape[2] * 2 + picture.dots_per_module - 1), ord(":"), dtype=np.uint8)
    digits[:, :, 0 : lines.shape[2] * 2 : 2] = _HEX[lines >> 4]
    digits[:, :, 1 : lines.shape[2] * 2 : 2] = _HEX[lines & 15]
    for symbol in digits:
        yield symbol.tobytes()
