"""Is it safe to parse this workbook? Looked at before the parser sees it.

A ZIP says how large its parts are, and lies as it likes: here every part is unpacked and counted, a piece at a time. A
sheet of two cells, A1 and XFD1048576, is read by parsers as 17 milliards of cells: here the cells are looked at.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

PARTS_MAX: Final = 512
"""Most files inside a workbook."""
UNPACKED_BYTES_MAX: Final = 512 * 1024 * 1024
"""Most bytes of all parts together, unpacked."""
RATIO_MAX: Final = 200
"""Most unpacked bytes per packed byte, of parts larger than ``RATIO_FROM_BYTES``."""
RATIO_FROM_BYTES: Final = 8 * 1024 * 1024
_PIECE_BYTES: Final = 1 << 20
_OVERLAP_BYTES: Final = 64

_CELL = re.compile(rb"""\br=["']\$?([A-Za-z]{0,7})\$?([0-9]{1,12})["']""")


class XlsxNotSafe(ValueError):
    """The workbook is not parsed; the message says why, for people."""


def check_xlsx(data: bytes, *, rows_max: int, columns_max: int) -> None:
    """Refuse a workbook that unpacks to too much, or whose sheets are too wide or too long. Raises ``XlsxNotSafe``."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, struct.error, ValueError, OSError) as error:
        raise XlsxNotSafe(f"the workbook is damaged ({error}); save it again as .xlsx.") from error
    if len(parts) > PARTS_MAX:
        raise XlsxNotSafe(f"the workbook has more than {PARTS_MAX} parts.")
    if not any(part.filename.lower().endswith("workbook.xml") for part in parts):
        raise XlsxNotSafe("it is a ZIP file but no .xlsx workbook.")
    total = 0
    for part in parts:
        is_sheet = "worksheets/" in part.filename.lower()
        tail, size = b"", 0
        for piece in _unpacked(data, part):
            size += len(piece)
            if total + size > UNPACKED_BYTES_MAX:
                raise XlsxNotSafe(f"the workbook unpacks to more than {UNPACKED_BYTES_MAX} bytes.")
            if size > RATIO_FROM_BYTES and size > RATIO_MAX * max(part.compress_size, 1):
                raise XlsxNotSafe(f"a part of the workbook unpacks to more than {RATIO_MAX} times its size.")
            if is_sheet:
                _check_cells(tail + piece, rows_max, columns_max)
                tail = piece[-_OVERLAP_BYTES:]
        total += size


def _unpacked(data: bytes, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of a part as they really are, whatever the directory says of their number."""
    header = data[part.header_offset : part.header_offset + 30]
    if len(header) < 30:
        raise XlsxNotSafe("the workbook is cut off; save it again as .xlsx.")
    name_length, extra_length = struct.unpack_from("<HH", header, 26)
    start = part.header_offset + 30 + name_length + extra_length
    packed = data[start : start + part.compress_size]
    if part.compress_type == zipfile.ZIP_STORED:
        yield packed
        return
    if part.compress_type != zipfile.ZIP_DEFLATED:
        raise XlsxNotSafe("a part of the workbook is packed in a way that no spreadsheet program uses.")
    unpacker = zlib.decompressobj(-15)
    try:
        while packed and not unpacker.eof:
            yield unpacker.decompress(packed, _PIECE_BYTES)
            packed = unpacker.unconsumed_tail
    except zlib.error as error:
        raise XlsxNotSafe(f"the workbook is damaged ({error}); save it again as .xlsx.") from error


def _check_cells(xml: bytes, rows_max: int, columns_max: int) -> None:
    for match in _CELL.finditer(xml):
        letters, digits = match.groups()
        if int(digits) > rows_max:
            raise XlsxNotSafe(f"the sheet has a row {int(digits)}; at most {rows_max} rows are taken.")
        if letters and _column(letters) > columns_max:
            raise XlsxNotSafe(f"the sheet has a column {letters.decode()}; at most {columns_max} columns are taken.")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
