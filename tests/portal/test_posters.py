"""The symbol of a poster leads to the recall's page."""

from __future__ import annotations

import re

import numpy as np
import zxingcpp

from portal.posters import symbol

ADDRESS = "https://id.creamery.example/recalls/R-2026-0001"


def test_the_symbol_on_a_poster_is_read_as_the_address_of_the_recall() -> None:
    drawn = symbol(ADDRESS)
    size = re.search(r'viewBox="0 0 ([0-9]+) ([0-9]+)"', drawn)
    assert size is not None

    modules = np.full((int(size[2]), int(size[1])), 255, dtype=np.uint8)
    for x, y, width, height in re.findall(r"M([0-9]+) ([0-9]+)h([0-9]+)v([0-9]+)h-", drawn):
        modules[int(y) : int(y) + int(height), int(x) : int(x) + int(width)] = 0

    assert [found.text for found in zxingcpp.read_barcodes(np.kron(modules, np.ones((6, 6), np.uint8)))] == [ADDRESS]
    assert (modules[:4] == 255).all()
    assert (modules[:, :4] == 255).all()
