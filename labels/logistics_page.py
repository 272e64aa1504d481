"""The sheet of a case or pallet: what is in it, its SSCC as GS1-128 and as a Digital Link QR code, read back.

GS1-128 in general distribution has modules of at least 0.495 mm, ten of them light at each side, and bars at least
31.75 mm high (General Specifications, 5.12.3.2 and 6.6): larger paper makes the bars longer, never thinner.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import jinja2
import numpy as np
import numpy.typing as npt
import pypdfium2
import zxingcpp

from gs1 import element_string
from gs1.identifier import Identifier
from labels.layout import MM_PER_INCH, TEMPLATES_FOLDER
from labels.logistics_store import Content
from labels.model import Language
from labels.refusals import CopiesNotUsable, SymbolReadsWrong
from labels.render.files import replacing
from labels.symbol import QUIET_ZONE_MODULES, matrix
from labels.wording import LOGISTICS_WORDS

Paper = Literal["100x150", "a6", "a5"]
PAPERS_MM: Final[dict[Paper, tuple[float, float]]] = {
    "100x150": (100.0, 150.0),
    "a6": (105.0, 148.0),
    "a5": (148.0, 210.0),
}
ROWS_BY_PAPER: Final[dict[Paper, int]] = {"100x150": 5, "a6": 5, "a5": 12}
"""Lots that are named on a sheet; of more, the rest is counted and the QR code tells them."""
LARGE_ROWS_MAX: Final = 6
"""Lots up to which a large sheet names them in large letters."""
COPIES_MAX: Final = 4
BAR_MODULE_MM: Final = 0.495
BAR_HEIGHT_MM: Final = 32.0
BAR_QUIET_MODULES: Final = 10
READ_DPI: Final = 200
_SANS: Final = '"Noto Sans", "Noto Sans CJK SC", "DejaVu Sans", sans-serif'


@dataclass(frozen=True, slots=True)
class LogisticsLabel:
    """What stands on one sheet; ``contents`` is empty when the ledger does not know the unit."""

    kind: str
    sscc: str
    link: str
    contents: tuple[Content, ...]


def write_labels(
    target: Path, labels: Sequence[LogisticsLabel], *, paper: Paper, copies: int, language: Language
) -> None:
    """Write a PDF with ``copies`` pages for each label. SymbolReadsWrong leaves no file; so does CopiesNotUsable."""
    if not 1 <= copies <= COPIES_MAX:
        raise CopiesNotUsable(copies=copies, copies_max=COPIES_MAX)
    from weasyprint import HTML  # here, because it loads Pango and half a second of it

    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as file:
        pdf = HTML(string=page_of(labels, paper=paper, copies=copies, language=language)).write_pdf()
        _read_back(pdf, labels, copies)
        file.write(pdf)


def page_of(
    labels: Sequence[LogisticsLabel], *, paper: Paper, copies: int, language: Language, dpi: int | None = None
) -> str:
    """The document before it is composed; with ``dpi`` each module of a symbol is a whole number of printer's dots."""
    qr_mm = 44.0 if paper == "a5" else 32.0
    bar_mm = BAR_MODULE_MM
    if dpi is not None:
        dot_mm, modules = MM_PER_INCH / dpi, len(matrix(labels[0].link)) + 2 * QUIET_ZONE_MODULES
        bar_mm = math.ceil(BAR_MODULE_MM / dot_mm) * dot_mm
        qr_mm = int(qr_mm / modules / dot_mm) * dot_mm * modules
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES_FOLDER), autoescape=True, undefined=jinja2.StrictUndefined
    )
    width_mm, height_mm = PAPERS_MM[paper]
    sheets = [
        {
            "kind": label.kind,
            "sscc": label.sscc,
            "rows": label.contents[: ROWS_BY_PAPER[paper]],
            "more": len(label.contents) - ROWS_BY_PAPER[paper],
            "bars": bars_svg(label.sscc, bar_mm),
            "qr": qr_svg(label.link),
        }
        for label in labels
        for _ in range(copies)
    ]
    return environment.get_template("logistics.html").render(
        sheets=sheets, words=LOGISTICS_WORDS[language], scale=_scale(labels, paper),
        width_mm=width_mm, height_mm=height_mm, sans=_SANS,
        qr_mm=round(qr_mm, 4),
    )  # fmt: skip


def _scale(labels: Sequence[LogisticsLabel], paper: Paper) -> float:
    """How large the words are: on large paper with room they are read from a forklift."""
    if paper != "a5":
        return 1.0
    return 1.5 if max(len(label.contents) for label in labels) <= LARGE_ROWS_MAX else 1.1


def bars_svg(sscc: str, module_mm: float = BAR_MODULE_MM) -> str:
    """The SSCC as GS1-128 with FNC1, quiet zones included, one unit of the drawing being a module."""
    text = element_string.format_bracketed(Identifier("00", sscc))
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128, gs1=True)
    line = np.array(barcode.to_image(scale=1, add_quiet_zones=False))[0] < 128
    steps = np.diff(np.pad(line.astype(np.int8), 1))
    begins, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    path = "".join(
        f"M{begin + BAR_QUIET_MODULES} 0h{end - begin}v1h{begin - end}z"
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
    )
    width = len(line) + 2 * BAR_QUIET_MODULES
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * module_mm:.4f}mm" height="{BAR_HEIGHT_MM}mm" '
        f'viewBox="0 0 {width} 1" preserveAspectRatio="none"><path d="{path}"/></svg>'
    )


def qr_svg(link: str) -> str:
    """The link as a QR code with its quiet zone, one unit of the drawing being a module."""
    cells = np.pad(matrix(link).astype(np.int8), ((0, 0), (1, 1)))
    steps = np.diff(cells, axis=1)
    begins, ends = np.argwhere(steps == 1).tolist(), np.argwhere(steps == -1)[:, 1].tolist()
    quiet = QUIET_ZONE_MODULES
    path = "".join(f"M{x + quiet} {y + quiet}h{end - x}v1h{x - end}z" for (y, x), end in zip(begins, ends, strict=True))
    width = len(cells) + 2 * quiet
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="100%" viewBox="0 0 {width} {width}">'
        f'<path d="{path}"/></svg>'
    )


def _read_back(pdf: bytes, labels: Sequence[LogisticsLabel], copies: int) -> None:
    """Read both symbols of each page from its raster."""
    with pypdfium2.PdfDocument(io.BytesIO(pdf)) as document:
        for index, page in enumerate(document):
            picture = page.render(scale=READ_DPI / 72, grayscale=True).to_numpy()
            require_both(picture, index // copies + 1, labels[index // copies])
            page.close()


def require_both(picture: npt.NDArray[np.uint8], number: int, label: LogisticsLabel) -> None:
    """SymbolReadsWrong unless both symbols of a label are read from a grey picture of it."""
    read = {found.text for found in zxingcpp.read_barcodes(picture) if found.valid}
    for expected in (label.link, f"(00){label.sscc}"):
        if expected not in read:
            told = ", ".join(sorted(read)) or "nothing"
            raise SymbolReadsWrong(label_number=number, expected=expected, read=told)
