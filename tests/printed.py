"""What a phone would read from a printed page: the PDF rasterised, its symbols decoded by an independent reader."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
import zxingcpp

SCAN_DPI = 300


def links_on(pdf: Path) -> list[str]:
    """Every symbol of every page, page by page."""
    document = pypdfium2.PdfDocument(pdf)
    links: list[str] = []
    try:
        for page in document:
            image = page.render(scale=SCAN_DPI / 72).to_pil()
            links += [result.text for result in zxingcpp.read_barcodes(image)]
    finally:
        document.close()
    return links
