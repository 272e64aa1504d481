"""The work of the labels benchmark, done in processes of their own so that each one's memory can be told.

Every function writes one file and returns seconds, bytes and its process's peak of memory. What is done once per job
whatever its size (composing the cell, the tables of the symbol) is prepared before the clock starts.
"""

from __future__ import annotations

import base64
import functools
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.machine import peak_bytes
from labels import furniture as composing
from labels.furniture import Furniture
from labels.layout import load_template
from labels.masks import Words
from labels.model import Batch, LabelText, LinkForm, texts
from labels.render.code_pack import write_code_pack
from labels.render.files import Tally, replacing
from labels.render.pdf import stamp_pages, write_pdf
from labels.render.png import png_bytes
from labels.render.zpl import draw_labels, write_zpl
from labels.symbol import QUIET_ZONE_MODULES, SymbolPlan, unpack
from labels.verify import PageSample, check_symbols
from serials.cipher import SerialCipher

GTIN: Final = "09506000134352"
LOT: Final = "C1"
SHEET: Final = "a4-24"
ROLL: Final = "roll-50x30"
_BATCH: Final = 24_000
_REFERENCE_DPI: Final = 300
_KEY: Final = bytes(range(32))
_TEXT: Final = LabelText(
    "Meadow Farmhouse Cheese 400 g", "Meadow", GTIN, LOT, best_before_on=date(2027, 1, 31), allergens=("milk",)
)


@dataclass(frozen=True, slots=True)
class Work:
    """One round: ``seconds`` of work, ``cpu_s`` of them on a processor, ``bytes`` of the file written, and the most
    memory that the process has held so far."""

    seconds: float
    cpu_s: float
    bytes: int
    peak_bytes: int


def batches(count: int) -> Iterator[Batch]:
    """Labels 1 to ``count`` with the serials of numbers 1 to ``count``, drawn as they are asked for."""
    cipher = SerialCipher(_KEY, GTIN)
    for start in range(0, count, _BATCH):
        numbers = np.arange(start + 1, min(start + _BATCH, count) + 1, dtype=np.int64)
        yield Batch(start + 1, cipher.serials(numbers))


def compose(_count: int) -> Work:
    """The cell of a sheet composed by WeasyPrint: once per job."""
    return _clocked(lambda: len(composing.compose(_TEXT, load_template(SHEET), _plan().side).pdf))


def pdf(count: int) -> Work:
    """A PDF of sheets, each label read back from the bytes of its page, the first pages and the last from the file."""
    cell, plan = _cell(SHEET), _plan()
    return _written("labels.pdf", lambda path: write_pdf(path, cell, plan, batches(count)).bytes)


def roll(count: int) -> Work:
    """As ``pdf``, on a roll: a page for each label."""
    cell, plan = _cell(ROLL), _plan()
    return _written("labels.pdf", lambda path: write_pdf(path, cell, plan, batches(count)).bytes)


def pdf_drawn(count: int) -> Work:
    """The same PDF without any reading back: what drawing and writing alone cost."""
    cell, plan = _cell(SHEET), _plan()

    def write(path: Path) -> int:
        with replacing(path) as file:
            drawn = plan.draw_all(batches(count))
            stamp_pages(file, cell, plan, drawn, Tally("pdf", count), sample=PageSample(0), read_back=False)
            return file.bytes

    return _written("labels.pdf", write)


def zpl_drawn(count: int) -> Work:
    """The same print file without any reading back."""
    cell, plan = _cell(ROLL), _plan()

    def write(path: Path) -> int:
        with replacing(path) as file:
            draw_labels(file, cell, plan, plan.draw_all(batches(count)), Tally("zpl", count), read_back=False)
            return file.bytes

    return _written("labels.zpl", write)


def zpl(count: int) -> Work:
    """A print file of exact bitmaps, each symbol read back from it."""
    cell, plan = _cell(ROLL), _plan()
    return _written("labels.zpl", lambda path: write_zpl(path, cell, plan, batches(count)).bytes)


def codes(count: int) -> Work:
    """A code pack with its manifest."""
    form = _plan().form
    return _written("codes.csv", lambda path: write_code_pack(path, form, LOT, batches(count)).bytes)


def serials(count: int) -> Work:
    """Serials alone."""
    return _clocked(lambda: sum(batch.serials.nbytes for batch in batches(count)))


def scan_side(count: int) -> Work:
    """Serials decoded one by one, as a scan does: twelve characters to their number."""
    cipher = SerialCipher(_KEY, GTIN)
    printed = [text for batch in batches(count) for text in texts(batch.serials)]
    return _clocked(lambda: sum(cipher.number(text) is not None for text in printed))


def symbols(count: int) -> Work:
    """Serials and symbols with the standard's best mask, in memory."""
    plan = _plan()
    return _clocked(lambda: sum(drawn.modules.nbytes for drawn in plan.draw_all(batches(count))))


def read_back(count: int) -> Work:
    """The independent reader on symbols in memory; drawing them is not counted."""
    plan = _plan()
    pieces = list(plan.draw_all(batches(count)))

    def read() -> int:
        for piece in pieces:
            check_symbols(plan.form, piece, plan.side)
        return 0

    return _clocked(read)


def weasyprint_alone(count: int) -> Work:
    """The reference: the same words and a PNG of each symbol in one HTML document of A4 sheets, set by WeasyPrint.

    The symbols are ours, because making them any other way would cost the reference more.
    """
    from weasyprint import HTML

    plan = _plan()

    def write(path: Path) -> int:
        cells = [
            _REFERENCE_CELL.format(image=image, name=_TEXT.product_name, gtin=GTIN, lot=LOT, serial=serial)
            for drawn in plan.draw_all(batches(count))
            for image, serial in zip(_images(plan, drawn.modules), texts(drawn.serials), strict=True)
        ]
        HTML(string=_REFERENCE_PAGE.format(cells="".join(cells))).write_pdf(path)
        return path.stat().st_size

    return _written("reference.pdf", write)


_REFERENCE_CELL: Final = (
    '<div class="cell"><img src="data:image/png;base64,{image}"><div class="text"><b>{name}</b><br>'
    "Best before 2027-01-31<br>(01) {gtin}<br>(10) {lot}<br>(21) {serial}</div></div>"
)
_REFERENCE_PAGE: Final = (
    "<style>@page {{size: A4; margin: 0}} body {{margin: 0; font: 7pt sans-serif}}"
    ".cell {{float: left; width: 70mm; height: 37mm; position: relative}}"
    "img {{position: absolute; left: 4mm; top: 4mm; width: 24mm; image-rendering: pixelated}}"
    ".text {{position: absolute; left: 30mm; top: 4mm; width: 38mm}}</style>{cells}"
)


def _images(plan: SymbolPlan, modules: Words) -> Iterator[str]:
    cells = np.pad(unpack(modules, plan.side), ((0, 0), (QUIET_ZONE_MODULES,) * 2, (QUIET_ZONE_MODULES,) * 2))
    for cell in cells:
        yield base64.b64encode(png_bytes(cell.astype(np.bool_), _REFERENCE_DPI)).decode("ascii")


@functools.cache
def _plan() -> SymbolPlan:
    return SymbolPlan(LinkForm("https://id.example.com", GTIN))


@functools.cache
def _cell(template: str) -> Furniture:
    return composing.compose(_TEXT, load_template(template), _plan().side)


def _written(name: str, write: Callable[[Path], int]) -> Work:
    with tempfile.TemporaryDirectory(prefix="tracemark-benchmark-") as folder:
        return _clocked(lambda: write(Path(folder) / name))


def _clocked(work: Callable[[], int]) -> Work:
    start, cpu_start = time.perf_counter(), time.process_time()
    size = work()
    return Work(time.perf_counter() - start, time.process_time() - cpu_start, size, peak_bytes())
