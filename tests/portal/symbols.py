"""QR symbols for the reader's tests: of any version and level, spelled bit by bit, and damaged codeword by codeword."""

from __future__ import annotations

from typing import Final

import numpy as np
import qrcode
from qrcode import base, util

from benchmarks.pictures import Modules

LEVELS: Final = {
    "L": qrcode.ERROR_CORRECT_L,
    "M": qrcode.ERROR_CORRECT_M,
    "Q": qrcode.ERROR_CORRECT_Q,
    "H": qrcode.ERROR_CORRECT_H,
}
CORRECTED: Final = {"L": 2, "M": 4, "Q": 6, "H": 8}
"""Codewords of version 1 that may be wrong (ISO/IEC 18004, table 9: r)."""


def drawn(text: str, level: str = "M", version: int | None = None) -> Modules:
    """The symbol of a text, dark modules True; the smallest where no version is named. Texts of other lengths have
    other masks: choosing the best would be most of the work."""
    code = qrcode.QRCode(version=version, error_correction=LEVELS[level], border=0, mask_pattern=len(text) % 8)
    code.add_data(text)
    code.make(fit=version is None)
    return np.array(code.modules, dtype=np.bool_)


def spelled(*parts: tuple[int, int], version: int = 2) -> Modules:
    """A symbol at level M of these values, each with its count of bits; terminated and padded (7.4.10)."""
    blocks = base.rs_blocks(version, LEVELS["M"])
    words = sum(block.data_count for block in blocks)
    bits = "".join(f"{value:0{count}b}" for value, count in parts)
    bits += "0" * min(4, words * 8 - len(bits))
    bits += "0" * (-len(bits) % 8)
    pads = ("11101100", "00010001")
    bits += "".join(pads[i % 2] for i in range(words - len(bits) // 8))
    buffer = util.BitBuffer()
    for bit in bits:
        buffer.put_bit(bit == "1")
    code = qrcode.QRCode(version=version, error_correction=LEVELS["M"], border=0)
    code.data_cache = util.create_bytes(buffer, blocks)
    code.makeImpl(False, 3)
    return np.array(code.modules, dtype=np.bool_)


def alphanumeric(text: str) -> list[tuple[int, int]]:
    """An alphanumeric segment of versions up to 9 (7.4.4)."""
    values = ["0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:".index(each) for each in text]
    pairs = [(values[i] * 45 + values[i + 1], 11) for i in range(0, len(values) - 1, 2)]
    return [(2, 4), (len(text), 9), *pairs, *([(values[-1], 6)] if len(text) % 2 else [])]


def octets(content: bytes) -> list[tuple[int, int]]:
    """A byte segment of versions up to 9 (7.4.5)."""
    return [(4, 4), (len(content), 8), *((each, 8) for each in content)]


def kanji(text: str) -> list[tuple[int, int]]:
    """A kanji segment of versions up to 9 (7.4.6)."""
    codes = [int.from_bytes(each.encode("shift_jis")) for each in text]
    offsets = [code - (0x8140 if code < 0xE040 else 0xC140) for code in codes]
    return [(8, 4), (len(text), 8), *((offset // 256 * 0xC0 + offset % 256, 13) for offset in offsets)]


def damaged(modules: Modules, codewords: int) -> Modules:
    """A symbol of version 1 with one module turned over in each of its first ``codewords``, at most 12 (7.7.3)."""
    turned = modules.copy()
    for word in range(codewords):
        pair, place = divmod(word, 3)
        turned[20 - 4 * place if pair % 2 == 0 else 9 + 4 * place, 20 - 2 * pair] ^= True
    return turned
