"""A label as dots: what a PNG holds and what a thermal printer burns, dark or light and nothing between.

The composed cell and the characters of the serial are rasterised once; after that a label is a copy of an array with a
symbol and twelve character tiles set in.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pikepdf
import pypdfium2

from labels.furniture import Furniture
from labels.layout import MM_PER_INCH
from labels.masks import Words
from labels.refusals import TemplateBroken
from labels.symbol import unpack
from serials.alphabet import ALPHABET, SERIAL_CHARACTERS

Dots = npt.NDArray[np.bool_]
"""Dark dots, row by row from the top: shape (height, width)."""
_DARK_BELOW: Final = 160  # a little darker than the middle: thin strokes survive on a coarse printer
_WHITE: Final = 250
_CHECK_DPI: Final = 300


class LabelPicture:
    """Draws the labels of one job at the resolution that its symbol was placed for."""

    def __init__(self, furniture: Furniture) -> None:
        placement, template = furniture.placement, furniture.template
        self.dpi, self.dots_per_module, self.side = placement.dpi, placement.dots_per_module, placement.modules
        self.width = round(template.cell_width_mm / placement.dot_mm)
        self.height = round(template.cell_height_mm / placement.dot_mm)
        self.symbol_left = round(placement.left_mm / placement.dot_mm)
        self.symbol_top = round(placement.top_mm / placement.dot_mm)
        require_clear_quiet_zone(furniture)
        self.furniture = next(self._rasterise(furniture.pdf))
        self._tiles_top, self._tile_lefts, self._tiles = self._character_tiles(furniture)

    def symbols(self, modules: Words) -> npt.NDArray[np.bool_]:
        """Symbols in dots, without quiet zone: shape (n, side, side) times the dots of a module."""
        cells = unpack(modules, self.side).astype(np.bool_)
        return cells.repeat(self.dots_per_module, axis=1).repeat(self.dots_per_module, axis=2)

    def label(self, symbol: Dots, serial: npt.NDArray[np.uint8]) -> Dots:
        """One whole label: `symbol` in dots and the twelve ASCII codes of its serial."""
        dots = self.furniture.copy()
        side = len(symbol)
        dots[self.symbol_top : self.symbol_top + side, self.symbol_left : self.symbol_left + side] = symbol
        for position, code in enumerate(serial.tolist()):
            tile, left = self._tiles[position][code], self._tile_lefts[position]
            dots[self._tiles_top : self._tiles_top + tile.shape[0], left : left + tile.shape[1]] |= tile
        return dots

    def _rasterise(self, pdf: bytes) -> Iterator[Dots]:
        """The pages of a PDF, each cut or filled to the label's size."""
        for grey in rasterise(pdf, self.dpi):
            whole = np.zeros((self.height, self.width), dtype=np.bool_)
            height, width = min(self.height, grey.shape[0]), min(self.width, grey.shape[1])
            whole[:height, :width] = grey[:height, :width] < _DARK_BELOW
            yield whole

    def _character_tiles(self, furniture: Furniture) -> tuple[int, list[int], list[dict[int, Dots]]]:
        """For each of the twelve positions, each character cut out of a raster where it stands there."""
        serial = furniture.serial
        per_point = self.dpi / 72
        left_pt, baseline_pt = serial.matrix[4], serial.matrix[5]
        baseline = self.height - baseline_pt * per_point
        top = max(int(baseline - serial.size_pt * per_point), 0)
        bottom = min(int(baseline + serial.size_pt * per_point / 3) + 1, self.height)
        edges = [round((left_pt + k * serial.advance_pt) * per_point) for k in range(SERIAL_CHARACTERS + 1)]
        tiles: list[dict[int, Dots]] = [{} for _ in range(SERIAL_CHARACTERS)]
        for character, picture in zip(ALPHABET, self._rasterise(_alphabet_pages(furniture)), strict=True):
            for position in range(SERIAL_CHARACTERS):
                tiles[position][ord(character)] = picture[top:bottom, edges[position] : edges[position + 1]]
        return top, edges[:-1], tiles


def require_clear_quiet_zone(furniture: Furniture) -> None:
    """TemplateBroken when anything of the composed cell, even a hairline, stands in the symbol or its quiet zone."""
    placement, per_mm = furniture.placement, _CHECK_DPI / MM_PER_INCH
    grey = next(rasterise(furniture.pdf, _CHECK_DPI))
    rows, columns = (
        slice(max(round((start - placement.quiet_mm) * per_mm), 0), round((start + side) * per_mm))
        for start, side in (
            (placement.top_mm, placement.side_mm + placement.quiet_mm),
            (placement.left_mm, placement.side_mm + placement.quiet_mm),
        )
    )
    if (grey[rows, columns] < _WHITE).any():
        raise TemplateBroken(name=furniture.template.name, what="something stands in the symbol's quiet zone")


def rasterise(pdf: bytes, dpi: int) -> Iterator[npt.NDArray[np.uint8]]:
    """The pages of a PDF as grey pictures, 255 being white."""
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            grey = page.render(scale=dpi / 72, grayscale=True).to_numpy()
            yield grey[..., 0] if grey.ndim == 3 else grey


def _alphabet_pages(furniture: Furniture) -> bytes:
    """A page for each character of a serial, with the line of the serial made of nothing but that character."""
    serial = furniture.serial
    matrix = " ".join(f"{value:.5f}" for value in serial.matrix)
    with pikepdf.open(io.BytesIO(furniture.pdf)) as document:
        for code in serial.codes:
            document.pages.append(document.pages[0])
            line = f"0 0 0 1 k BT {serial.font} {serial.size:.5f} Tf {matrix} Tm <{code * SERIAL_CHARACTERS}> Tj ET"
            document.pages[-1].obj["/Contents"] = document.make_stream(line.encode("ascii"))
        del document.pages[0]
        out = io.BytesIO()
        document.save(out)
    return out.getvalue()
