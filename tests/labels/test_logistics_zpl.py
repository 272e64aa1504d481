"""Cases and pallets on a thermal printer: what its commands burn is read as both symbols, in modules of whole dots."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zxingcpp

from gs1 import check_digit
from labels.logistics_page import LogisticsLabel
from labels.logistics_zpl import dots_of, write_zpl
from labels.refusals import CopiesNotUsable, ResolutionNotUsable

SSCC = "39506000130000001" + check_digit.compute("39506000130000001")
PALLET = LogisticsLabel("pallet", SSCC, f"https://q.brand.example/00/{SSCC}", ())


def test_a_label_printer_burns_both_symbols_in_whole_dots(tmp_path: Path) -> None:
    out = tmp_path / "pallet.zpl"

    write_zpl(out, [PALLET], paper="100x150", copies=2, language="zh", dpi=203)

    commands = out.read_text("ascii")
    dots = dots_of(commands)
    assert commands.startswith("^XA^PW") and commands.endswith("^PQ2^XZ\n")
    found = zxingcpp.read_barcodes(np.where(dots, np.uint8(0), np.uint8(255)))
    assert {each.text for each in found} == {PALLET.link, f"(00){SSCC}"}
    (bars,) = [each for each in found if each.text.startswith("(00)")]
    across = dots[(bars.position.top_left.y + bars.position.bottom_left.y) // 2]
    runs = np.diff(np.flatnonzero(np.diff(across.astype(np.int8))))
    assert runs.min() == 4 and (runs % 4 == 0).all()


def test_a_resolution_or_number_of_copies_that_no_printer_has_leaves_no_file(tmp_path: Path) -> None:
    out = tmp_path / "pallet.zpl"

    with pytest.raises(ResolutionNotUsable):
        write_zpl(out, [PALLET], paper="100x150", copies=1, language="en", dpi=96)
    with pytest.raises(CopiesNotUsable):
        write_zpl(out, [PALLET], paper="100x150", copies=5, language="en", dpi=203)
    assert not out.exists()
