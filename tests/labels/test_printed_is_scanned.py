"""Whatever GTIN, lot and serial: what is printed is what is scanned, in every format."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gs1 import scan_data
from gs1.identifier import Identifier
from labels.furniture import Furniture
from labels.layout import place_symbol
from labels.model import Batch, LinkForm, texts
from labels.render.pdf import write_pdf
from labels.render.png import write_png
from labels.render.svg import write_svg
from labels.render.zpl import write_zpl
from labels.symbol import SymbolPlan
from serials.cipher import SerialCipher
from tests.labels.readers import burn, read_svg
from tests.labels.test_said_is_read import gtins
from tests.labels.test_said_is_read import texts as lots
from tests.printed import links_on


@settings(max_examples=2, deadline=None)
@given(st.tuples(gtins, st.none() | lots), st.tuples(st.binary(min_size=32, max_size=32), st.integers(0, 2**40)))
def test_every_format_prints_what_is_scanned(
    tmp_path_factory: pytest.TempPathFactory, roll: Furniture, item: tuple[str, str | None], drawn: tuple[bytes, int]
) -> None:
    (gtin, lot), (key, number) = item, drawn
    folder, plan = tmp_path_factory.mktemp("printed"), SymbolPlan(LinkForm("https://q.cn", gtin, lot))
    serials = SerialCipher(key, gtin).serials(np.arange(number, number + 2, dtype=np.int64))
    batches, placed = [Batch(1, serials)], replace(roll, placement=place_symbol(roll.template, plan.side))

    write_pdf(folder / "labels.pdf", placed, plan, batches)
    write_zpl(folder / "labels.zpl", placed, plan, batches)
    write_png(folder / "pictures.zip", placed, plan, batches)
    write_svg(folder / "drawings.zip", placed.placement, plan, batches)

    _, *commands, _ = (folder / "labels.zpl").read_text("ascii").splitlines()
    pictures = [Image.open(io.BytesIO(content)).convert("L") for content in unzipped(folder / "pictures.zip")]
    scanned: dict[str, Sequence[str | None]] = {
        "pdf": links_on(folder / "labels.pdf"),
        "zpl": [burn(label, placed) for label in commands],
        "png": [found.text for picture in pictures for found in zxingcpp.read_barcodes(picture)],
        "svg": [read_svg(content.decode(), plan.side) for content in unzipped(folder / "drawings.zip")],
    }
    meant = [Identifier.item(gtin, serial, lot) for serial in texts(serials)]
    for kind, links in scanned.items():
        assert [scan_data.read(link or "") for link in links] == meant, kind


def unzipped(path: Path) -> list[bytes]:
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in archive.namelist()]
