"""Symbols as SVG artwork for a designer or a print house: vector modules, quiet zone, and the codes in words below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from labels.layout import Placement
from labels.model import Batch, LinkForm, OutputFile, texts
from labels.render.archive import write_archive
from labels.symbol import QUIET_ZONE_MODULES, Drawn, SymbolPlan, unpack

_LINE_MODULES = 2.4
_TYPE_MODULES = 2.0


def write_svg(target: Path, placement: Placement, plan: SymbolPlan, batches: Iterable[Batch]) -> OutputFile:
    """A ZIP of symbols as SVG, sized in millimetres; each symbol is read back from its modules before it is drawn."""

    def draw(drawn: Drawn) -> Iterator[bytes]:
        for symbol, serial in zip(unpack(drawn.modules, plan.side), texts(drawn.serials), strict=True):
            yield svg_bytes(symbol, plan.form, serial, placement.module_mm)

    return write_archive(target, "svg", plan, batches, draw=draw, read=None)


def svg_bytes(symbol: npt.NDArray[np.uint8], form: LinkForm, serial: str, module_mm: float) -> bytes:
    """One symbol with its quiet zone and its human-readable lines; one unit of the drawing is one module."""
    lines = [f"(01) {form.gtin}", *([] if form.lot is None else [f"(10) {form.lot}"]), f"(21) {serial}"]
    width = len(symbol) + 2 * QUIET_ZONE_MODULES
    height = width + _LINE_MODULES * len(lines)
    baseline = width + _TYPE_MODULES * 0.8
    words = "".join(
        f'<text x="{QUIET_ZONE_MODULES}" y="{baseline + _LINE_MODULES * row:g}">{escape(line)}</text>'
        for row, line in enumerate(lines)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'width="{width * module_mm:.3f}mm" height="{height * module_mm:.3f}mm" '
        f'viewBox="0 0 {width} {height:g}"><rect width="100%" height="100%" fill="#fff"/>'
        f'<path transform="translate({QUIET_ZONE_MODULES} {QUIET_ZONE_MODULES})" d="{_path(symbol)}"/>'
        f"<g font-family=\"'DejaVu Sans Mono','Noto Sans Mono',monospace\" font-size=\"{_TYPE_MODULES}\">"
        f"{words}</g></svg>\n"
    ).encode()


def _path(symbol: npt.NDArray[np.uint8]) -> str:
    """All dark runs as one path, so that no seam shows between neighbours."""
    padded = np.pad(symbol, ((0, 0), (1, 1))).astype(np.int8)
    steps = np.diff(padded, axis=1)
    begins, ends = np.argwhere(steps == 1), np.argwhere(steps == -1)
    return "".join(
        f"M{x} {y}h{end - x}v1h{x - end}z" for (y, x), end in zip(begins.tolist(), ends[:, 1].tolist(), strict=True)
    )
