"""Labels in ZPL II for thermal printers: the composed cell stored once, then a bitmap and a serial for each label.

The symbol is an exact bitmap (^GFA): left to itself (^BQ) the printer's firmware would choose version, level and modes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from labels.furniture import Furniture
from labels.model import Batch, OutputFile, VerifyReport
from labels.refusals import SheetOnLabelPrinter
from labels.render.files import HashedFile, Tally, replacing
from labels.render.picture import Dots, LabelPicture
from labels.symbol import Drawn, SymbolPlan, as_bytes
from labels.verify import READ_TOGETHER, compare_cells
from serials.alphabet import SERIAL_CHARACTERS

LABELS_MAX: Final = 500_000
"""Labels of one print file."""
_GRAPHIC: Final = "R:TRACEMRK.GRF"
_COPIED_TOGETHER: Final = 1 << 20
_COLON: Final = ord(":")
_DIGITS: Final = np.frombuffer(b"0123456789ABCDEF", dtype=np.uint8)
_VALUES: Final = np.zeros(256, dtype=np.uint8)
_VALUES[_DIGITS] = np.arange(16)


def write_zpl(target: Path, furniture: Furniture, plan: SymbolPlan, batches: Iterable[Batch]) -> OutputFile:
    """Write a print file; every symbol is read back from the hexadecimal digits that the printer will get.

    SheetOnLabelPrinter when the template has more than one cell.
    """
    template = furniture.template
    if template.cells != 1:
        raise SheetOnLabelPrinter(template=template.name, cells=template.cells)
    tally = Tally("zpl", LABELS_MAX)
    with replacing(target) as file:
        draw_labels(file, furniture, plan, plan.draw_all(batches), tally, read_back=True)
        return tally.output(target, file, VerifyReport(tally.labels, tally.labels, from_bytes=tally.labels))


def draw_labels(
    file: HashedFile, furniture: Furniture, plan: SymbolPlan, drawn: Iterable[Drawn], tally: Tally, *, read_back: bool
) -> None:
    """Write a whole print file. With ``read_back`` every label is read from its commands before it is written."""
    picture = LabelPicture(furniture)
    shape = _LabelShape(furniture, picture)
    file.write(_store_graphic(picture.furniture))
    for piece in drawn:
        tally.add(piece.first_label, len(piece.serials))
        commands = shape.labels(piece)
        if read_back:
            _compare(piece, plan, shape, commands)
        file.write(commands.tobytes())
    tally.require_labels()
    file.write(f"^XA^ID{_GRAPHIC}^FS^XZ\n".encode("ascii"))


def _compare(piece: Drawn, plan: SymbolPlan, shape: _LabelShape, commands: npt.NDArray[np.uint8]) -> None:
    links = plan.form.links(piece.serials)
    for start in range(0, len(links), READ_TOGETHER):
        part = slice(start, start + READ_TOGETHER)
        compare_cells(piece.first_label + start, links[part], shape.cells(commands[part]))


class _LabelShape:
    """The commands of a label: all labels of a job have the same length, so they are rows of one array."""

    def __init__(self, furniture: Furniture, picture: LabelPicture) -> None:
        serial, per_point = furniture.serial, picture.dpi / 72
        self._dots, self._side = picture.dots_per_module, picture.side
        side = self._side * self._dots
        row_bytes = -(-side // 8)
        x, y = round(serial.matrix[4] * per_point), picture.height - round(serial.matrix[5] * per_point)
        height, width = round(serial.size_pt * per_point), round(serial.advance_pt * per_point * 1.6)
        head = (
            f"^XA^PW{picture.width}^LL{picture.height}^LH0,0^FO0,0^XG{_GRAPHIC},1,1^FS"
            f"^FO{picture.symbol_left},{picture.symbol_top}^GFA,{side * row_bytes},{side * row_bytes},{row_bytes},"
        )
        middle = f"^FS^FT{x},{y}^A0N,{height},{width}^FD"
        self._digits = row_bytes * 2
        self._by_byte = _digits_by_byte(self._dots)
        self._line = self._digits + self._dots - 1
        self._bitmap = slice(len(head), len(head) + self._side * self._line)
        serial_at = self._bitmap.stop + len(middle)
        self._serial = slice(serial_at, serial_at + SERIAL_CHARACTERS)
        blank = f"{head}{':' * (self._side * self._line)}{middle}{' ' * SERIAL_CHARACTERS}^FS^XZ\n"
        self._blank = np.frombuffer(blank.encode("ascii"), dtype=np.uint8)

    def labels(self, drawn: Drawn) -> npt.NDArray[np.uint8]:
        """One row of commands for each label. A line of dots is sent once per module; a colon repeats it."""
        count = len(drawn.serials)
        commands = np.broadcast_to(self._blank, (count, self._blank.size)).copy()
        digits = self._by_byte[as_bytes(drawn.modules, self._side)].reshape(count, self._side, -1)
        bitmaps = np.full((count, self._side, self._line), _COLON, dtype=np.uint8)
        bitmaps[:, :, : self._digits] = digits[:, :, : self._digits]
        commands[:, self._bitmap] = bitmaps.reshape(count, -1)
        commands[:, self._serial] = drawn.serials
        return commands

    def cells(self, commands: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The modules that a printer would burn from rows of commands, from the middle of each line's dots."""
        bitmaps = commands[:, self._bitmap].reshape(len(commands), self._side, self._line)
        if (bitmaps[:, :, self._digits :] != _COLON).any():
            raise AssertionError("a line of dots is not followed by its repetitions")
        values = _VALUES[bitmaps[:, :, : self._digits]]
        dots = np.unpackbits(values[:, :, ::2] * np.uint8(16) + values[:, :, 1::2], axis=2)
        middle = self._dots // 2
        return dots[:, :, middle : self._side * self._dots : self._dots]


def _digits_by_byte(dots: int) -> npt.NDArray[np.uint8]:
    """For each eight modules, each ``dots`` dots wide, the hexadecimal digits of their line."""
    modules = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    lines = np.packbits(modules.repeat(dots, axis=1), axis=1)
    return _DIGITS[np.stack((lines >> 4, lines & 15), axis=2)].reshape(256, dots * 2)


def _store_graphic(dots: Dots) -> bytes:
    lines = np.packbits(dots, axis=1)
    digits = lines.tobytes().hex().upper()
    return f"~DG{_GRAPHIC},{lines.size},{lines.shape[1]},{digits}\n".encode("ascii")


def join_zpl(file: HashedFile, parts: Iterable[Path]) -> None:
    """Write one print file of several: each brings its stored graphic and takes it away again."""
    for part in parts:
        with part.open("rb") as opened:
            while piece := opened.read(_COPIED_TOGETHER):
                file.write(piece)
