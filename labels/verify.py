"""Reading labels back with an independent reader before they leave the house.

The encoder is `qrcode`, the reader is zxing-cpp: they share no code. Reading says that the right address comes out; it
says nothing about how well a printer put it on the material. Only a verifier on the printed label does (ISO/IEC 15415).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pypdfium2
import zxingcpp

from labels.layout import MM_PER_INCH, Placement, Template
from labels.model import LinkForm
from labels.refusals import SymbolReadsWrong
from labels.symbol import QUIET_ZONE_MODULES, Drawn, unpack

READ_TOGETHER: Final = 256
"""Symbols whose pictures are in memory at a time."""
PIXELS_PER_MODULE: Final = 1
"""A picture of nothing but a symbol needs no more, and is made and read the faster."""
READER: Final = f"zxing-cpp {version('zxing-cpp')}"
"""The independent reader, as reports name it."""
LABELS_READ_MAX: Final = 1_000
"""A job of up to so many labels is rasterised and read again whole; of a larger one the first pages and the last,
and of a part after the first one sheet and the last."""
READ_DPI: Final = 300
_NOTHING: Final = "nothing"


def checked(form: LinkForm, drawn: Iterable[Drawn], side: int) -> Iterator[Drawn]:
    """Hand on symbols only after each has been read back; SymbolReadsWrong names the first that reads otherwise."""
    for piece in drawn:
        check_symbols(form, piece, side)
        yield piece


def check_symbols(form: LinkForm, drawn: Drawn, side: int) -> None:
    """Read each symbol of a piece and compare it with its link."""
    links = form.links(drawn.serials)
    for start in range(0, len(links), READ_TOGETHER):
        part = slice(start, start + READ_TOGETHER)
        compare_cells(drawn.first_label + start, links[part], unpack(drawn.modules[part], side))


def compare_cells(first_label: int, links: Sequence[str], cells: npt.NDArray[np.uint8]) -> None:
    """Read symbols given as cells of 0 and 1, without quiet zone; SymbolReadsWrong at the first that is not its link.

    At most READ_TOGETHER at once: their pictures are in memory together.
    """
    compare_labels(range(first_label, first_label + len(links)), links, cells)


def compare_labels(labels: Sequence[int], links: Sequence[str], cells: npt.NDArray[np.uint8]) -> None:
    """As compare_cells, for labels in any order."""
    for label, link, picture in zip(labels, links, _pictures(cells), strict=True):
        compare(label, link, read_symbol(picture))


def read_symbol(picture: npt.NDArray[np.uint8]) -> str | None:
    """The text of a picture that holds nothing but one upright symbol with its quiet zone; None when unreadable."""
    found = zxingcpp.read_barcode(
        picture, formats=_qr_only(), try_rotate=False, try_downscale=False, try_invert=False,
        binarizer=zxingcpp.Binarizer.FixedThreshold, is_pure=True,
    )  # fmt: skip
    return found.text if found is not None and found.valid else None


def _qr_only() -> zxingcpp.BarcodeFormats:
    """Made anew each time: kept in a module, its library reports it as leaked when a process of a pool ends."""
    return zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])


def compare(label_number: int, expected: str, read: str | None) -> None:
    """SymbolReadsWrong unless what was read is what was meant."""
    if read != expected:
        raise SymbolReadsWrong(label_number=label_number, expected=expected, read=read or _NOTHING)


@dataclass(slots=True)
class PageSample:
    """Which labels stand where on the pages that will be rasterised: the first ones and the last."""

    labels_max: int = LABELS_READ_MAX
    labels: int = 0
    pages: dict[int, list[tuple[int, int, str]]] = field(default_factory=dict)
    last: tuple[int, list[tuple[int, int, str]]] | None = None

    def keep(self, page: int, cells: list[tuple[int, int, str]]) -> None:
        """Remember a page's (cell, label number, link) while there is room, and always the newest page."""
        self.last = page, cells
        if self.labels + len(cells) <= self.labels_max:
            self.pages[page] = cells
            self.labels += len(cells)

    def chosen(self) -> dict[int, list[tuple[int, int, str]]]:
        """The pages to read."""
        return self.pages if self.last is None else {**self.pages, self.last[0]: self.last[1]}


@dataclass(frozen=True, slots=True)
class PagesRead:
    """How much of a file's raster was read back."""

    labels: int
    pages: tuple[int, ...]
    dpi: int


def read_pages(
    path: Path, chosen: Mapping[int, Sequence[tuple[int, int, str]]], template: Template, placement: Placement
) -> PagesRead:
    """Rasterise the chosen pages of a finished PDF and read each label where its cell lies."""
    with pypdfium2.PdfDocument(path) as document:
        for page_number, cells in chosen.items():
            page = document[page_number - 1]
            picture = page.render(scale=READ_DPI / 72, grayscale=True).to_numpy()
            for cell, label_number, link in cells:
                compare(
                    label_number,
                    link,
                    _read_cell(picture[..., 0] if picture.ndim == 3 else picture, cell, template, placement),
                )
            page.close()
    return PagesRead(sum(map(len, chosen.values())), tuple(chosen), READ_DPI)


def _read_cell(picture: npt.NDArray[np.uint8], cell: int, template: Template, placement: Placement) -> str | None:
    box, per_mm = template.cell(cell), READ_DPI / MM_PER_INCH
    left, top = box.left_mm + placement.left_mm - placement.quiet_mm, box.top_mm + placement.top_mm - placement.quiet_mm
    side = placement.side_mm + 2 * placement.quiet_mm
    cut = picture[
        int(top * per_mm) : int((top + side) * per_mm) + 1, int(left * per_mm) : int((left + side) * per_mm) + 1
    ]
    return read_picture(np.ascontiguousarray(cut))


def read_cells(cells: npt.NDArray[np.uint8]) -> str | None:
    """The text of one symbol given as cells of 0 and 1, without quiet zone."""
    return read_symbol(_pictures(cells[None])[0])


def read_picture(picture: npt.NDArray[np.uint8]) -> str | None:
    """The text of the one QR symbol somewhere on a grey picture; None when there is none."""
    found = zxingcpp.read_barcode(picture, formats=_qr_only(), try_rotate=False, try_invert=False)
    return found.text if found is not None and found.valid else None


def _pictures(cells: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Grey pictures of one pixel a module, with quiet zones."""
    quiet = (QUIET_ZONE_MODULES, QUIET_ZONE_MODULES)
    return np.pad(cells, ((0, 0), quiet, quiet)) - np.uint8(1)  # 1, dark, to 0; 0, light, to 255
