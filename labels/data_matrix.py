"""GS1 DataMatrix: the symbol of a medicine's pack, with GTIN, serial, expiry and lot, read back as GS1 data."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import zxingcpp

from labels.refusals import BracketInElements, SymbolReadsWrong

Cells = npt.NDArray[np.bool_]
_PIXELS: int = 4
_QUIET_PIXELS: int = 8


def element_string_of(gtin: str, serial: str, expires_on: date, lot: str) -> str:
    """The data in bracketed form; AI 17 has the expiry as YYMMDD (General Specifications, 3.4.7).

    BracketInElements when lot or serial has a bracket: the form could not be taken apart again.
    """
    require_no_bracket(lot, serial)
    return f"(01){gtin}(21){serial}(17){expires_on:%y%m%d}(10){lot}"


def require_no_bracket(*values: str) -> None:
    """BracketInElements for the first value that has one."""
    for value in values:
        if "(" in value or ")" in value:
            raise BracketInElements(value=value)


def data_matrix(label_number: int, elements: str) -> Cells:
    """The symbol of a bracketed element string, dark cells True, without quiet zone.

    Square, as labels have a place for it: left alone, the encoder takes an oblong where that is smaller.
    SymbolReadsWrong unless it reads back as the same elements, in GS1 form with FNC1 first (symbology ]d2).
    """
    symbol = zxingcpp.create_barcode(elements, zxingcpp.BarcodeFormat.DataMatrix, gs1=True, force_square=True)
    cells: Cells = np.array(symbol.to_image(scale=1, add_quiet_zones=False)) < 128
    grey = np.where(cells, np.uint8(0), np.uint8(255)).repeat(_PIXELS, axis=0).repeat(_PIXELS, axis=1)
    read = zxingcpp.read_barcode(np.pad(grey, _QUIET_PIXELS, constant_values=255))
    text = read.text if read is not None and read.symbology_identifier == "]d2" else None
    if text != elements:
        raise SymbolReadsWrong(label_number=label_number, expected=elements, read=text or "nothing")
    return cells
