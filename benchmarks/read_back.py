"""``python -m benchmarks.read_back --out DIR``: sheets as pictures, for the eye and for two independent readers.

A4 sheet, roll, case and pallet, in English and Chinese, are rasterised in the dots of the printer that each is made for
(zbar misses symbols whose modules end between two dots) and decoded whole by zxing-cpp, and by zbar where ``zbarimg``
is installed. The PDFs and pictures stay in the folder. Exit status 1 when a symbol was not
read.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

import numpy as np
import zxingcpp

from benchmarks.label_work import GTIN, LOT, batches
from gs1 import check_digit
from labels import furniture
from labels.layout import load_template, template_names
from labels.logistics_page import LogisticsLabel, Paper, write_labels
from labels.logistics_store import Content
from labels.model import LabelText, Language, LinkForm
from labels.render.pdf import write_pdf
from labels.render.picture import rasterise
from labels.render.png import png_bytes
from labels.symbol import SymbolPlan

UNITS_DPI: Final = 300
LABELS: Final = {name: 2 * load_template(name).cells for name in template_names()}
UNITS: Final[dict[str, Paper]] = {"case": "100x150", "pallet": "a5"}
_HOST: Final = "https://id.example.com"
_ENGLISH: Final = LabelText(
    "Farmhouse Cheese", "Meadow", GTIN, LOT, "en", date(2027, 1, 31), net_content="400 g", allergens=("milk",)
)
_TEXTS: Final[dict[Language, LabelText]] = {
    "en": _ENGLISH,
    "zh": replace(
        _ENGLISH,
        product_name="草原农家奶酪",
        brand="青青牧场",
        language="zh",
        net_content="400 克",
        allergens=("牛奶", "大豆"),
    ),
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A PDF, and what its symbols must say."""

    path: Path
    expected: frozenset[str]
    dpi: int


@dataclass(frozen=True, slots=True)
class Reading:
    """How many of a sheet's symbols each reader read; ``zbar`` is None where it is not installed."""

    name: str
    symbols: int
    zxing: int
    zbar: int | None

    @property
    def is_whole(self) -> bool:
        """Whether every reader read every symbol."""
        return self.symbols == self.zxing == (self.symbols if self.zbar is None else self.zbar)


def sheets(folder: Path) -> Iterator[Sheet]:
    """Make each sheet in both languages."""
    plan = SymbolPlan(LinkForm(_HOST, GTIN))
    for language, text in _TEXTS.items():
        for name, count in LABELS.items():
            cell = furniture.compose(text, load_template(name), plan.side)
            path = folder / f"{name}-{language}.pdf"
            write_pdf(path, cell, plan, batches(count))
            links = [link for batch in batches(count) for link in plan.form.links(batch.serials)]
            yield Sheet(path, frozenset(links), cell.placement.dpi)
        for kind, paper in UNITS.items():
            label = _unit(kind, text)
            path = folder / f"{kind}-{language}.pdf"
            write_labels(path, [label], paper=paper, copies=1, language=language)
            yield Sheet(path, frozenset({label.link, f"(00){label.sscc}"}), UNITS_DPI)


def read(sheet: Sheet) -> Reading:
    """Rasterise a sheet beside itself and read its pictures."""
    pictures, zxing = [], set[str]()
    for number, grey in enumerate(rasterise(sheet.path.read_bytes(), sheet.dpi), 1):
        zxing |= {found.text for found in zxingcpp.read_barcodes(np.ascontiguousarray(grey)) if found.valid}
        picture = sheet.path.with_name(f"{sheet.path.stem}-{number}.png")
        picture.write_bytes(png_bytes(grey < 128, sheet.dpi))
        pictures.append(picture)
    zbar = _read_by_zbar(pictures)
    # zbar leaves out the brackets of an element string
    by_zbar = None if zbar is None else sum(text.replace("(", "").replace(")", "") in zbar for text in sheet.expected)
    return Reading(sheet.path.name, len(sheet.expected), len(sheet.expected & zxing), by_zbar)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make, read, tell; 0 when every symbol was read."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.read_back", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the PDFs and their pictures")
    folder: Path = parser.parse_args(arguments).out
    folder.mkdir(parents=True, exist_ok=True)
    readings = [read(sheet) for sheet in sheets(folder)]
    for reading in readings:
        zbar = "zbar is not installed" if reading.zbar is None else f"zbar {reading.zbar}"
        print(f"{reading.name}: {reading.symbols} symbols; zxing-cpp {reading.zxing}; {zbar}")
    return 0 if all(reading.is_whole for reading in readings) else 1


def _unit(kind: str, text: LabelText) -> LogisticsLabel:
    payload = ("0" if kind == "case" else "3") + "9506000130000001"
    sscc = payload + check_digit.compute(payload)
    content = Content(GTIN, text.product_name, LOT, date(2027, 1, 31), Decimal(240), "")
    return LogisticsLabel(kind, sscc, f"{_HOST}/00/{sscc}", (content,))


def _read_by_zbar(pictures: Sequence[Path]) -> set[str] | None:
    program = shutil.which("zbarimg")
    if program is None:
        return None
    words = [program, "--quiet", "--raw", *map(str, pictures)]
    told = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300).stdout
    return set(told.splitlines())


if __name__ == "__main__":
    sys.exit(main())
