"""The poster of a public recall, for whoever sold the product: one sheet, with a symbol that leads to the page."""

from __future__ import annotations

import re

import zxingcpp
from markupsafe import Markup

_SIZED = re.compile(r'<svg width="([0-9]+)" height="([0-9]+)"[^>]*>')


def symbol(address: str) -> Markup:
    """A QR symbol of an address as a picture in the page, four modules of light around it; it grows with its place."""
    drawn = zxingcpp.create_barcode(address, zxingcpp.BarcodeFormat.QRCode).to_svg()
    sized = _SIZED.search(drawn)
    assert sized is not None  # the library's own form
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {sized[1]} {sized[2]}" aria-hidden="true">'
    return Markup(head + drawn[sized.end() :])  # noqa: S704 - drawn here
