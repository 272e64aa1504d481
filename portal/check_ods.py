"""An OpenDocument spreadsheet written row by row, texts as texts (ISO/IEC 26300: parts 2 and 3 of OpenDocument 1.3)."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

MEDIA_TYPE: Final = "application/vnd.oasis.opendocument.spreadsheet"
_LEVEL: Final = 1
_MANIFEST: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest manifest:version="1.3"'
    ' xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{MEDIA_TYPE}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)
_BEGIN: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><office:document-content office:version="1.3"'
    ' xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
    '<office:body><office:spreadsheet><table:table table:name="checked">'
)
_END: Final = "</table:table></office:spreadsheet></office:body></office:document-content>"
_NO_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_WHITE = re.compile(r"^ | (?= )| $|\t")


class OpenDocument:
    """A workbook of one sheet. What XML cannot hold (FNC1 among it) stands there as U+FFFD."""

    def __init__(self, path: Path) -> None:
        self._packed = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        # First and not compressed, so that programs know the file by its first bytes (part 2, 3.3).
        self._packed.writestr(zipfile.ZipInfo("mimetype"), MEDIA_TYPE, zipfile.ZIP_STORED)
        self._packed.writestr("META-INF/manifest.xml", _MANIFEST)
        self._content = self._packed.open("content.xml", "w", force_zip64=True)
        self._content.write(_BEGIN.encode())

    def write(self, cells: Sequence[str]) -> None:
        """Write one row."""
        row = "".join(_cell(str(cell)) for cell in cells)
        self._content.write(f"<table:table-row>{row}</table:table-row>".encode())

    def close(self) -> None:
        """Finish the file."""
        self._content.write(_END.encode())
        self._content.close()
        self._packed.close()


def _cell(text: str) -> str:
    if not text:
        return "<table:table-cell/>"
    lines = escape(_NO_CHARACTER.sub("\ufffd", text)).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    paragraphs = "".join(f"<text:p>{_WHITE.sub(_kept, line)}</text:p>" for line in lines)
    return f'<table:table-cell office:value-type="string">{paragraphs}</table:table-cell>'


def _kept(found: re.Match[str]) -> str:
    """White space that a reader would otherwise fold into one blank (part 3, 6.1.2)."""
    return "<text:tab/>" if found[0] == "\t" else "<text:s/>"
