"""Labels as PNG, one bit per dot, at the resolution of the template's printer; an archive with one file per label."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from labels.furniture import Furniture
from labels.layout import MM_PER_INCH
from labels.model import Batch, OutputFile
from labels.render.archive import write_archive
from labels.render.picture import Dots, LabelPicture
from labels.symbol import Drawn, SymbolPlan
from labels.verify import read_picture

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


def write_png(target: Path, furniture: Furniture, plan: SymbolPlan, batches: Iterable[Batch]) -> OutputFile:
    """A ZIP of whole labels as PNG. Every picture is decoded again from its own bytes before it is written."""
    picture = LabelPicture(furniture)

    def draw(drawn: Drawn) -> Iterator[bytes]:
        for symbol, serial in zip(picture.symbols(drawn.modules), drawn.serials, strict=True):
            yield png_bytes(picture.label(symbol, serial), picture.dpi)

    return write_archive(target, "png", plan, batches, draw=draw, read=_read)


def png_bytes(dots: Dots, dpi: int) -> bytes:
    """A picture of dark and light dots as a 1-bit greyscale PNG that says its resolution."""
    height, width = dots.shape
    lines = np.packbits(~dots, axis=1)
    filtered = np.zeros((height, lines.shape[1] + 1), dtype=np.uint8)  # filter type 0 before each line
    filtered[:, 1:] = lines
    per_metre = round(dpi * 1000 / MM_PER_INCH)
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)),
            _chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
            _chunk(b"IDAT", zlib.compress(filtered.tobytes(), 6)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _read(content: bytes) -> str | None:
    from PIL import Image  # here: the other formats go without

    with Image.open(io.BytesIO(content)) as image:
        return read_picture(np.array(image.convert("L")))
