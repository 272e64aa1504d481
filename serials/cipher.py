"""From the number of an item to its serial and back, under one key and one product."""

from __future__ import annotations

import numpy as np

from serials.alphabet import (
    NUMBERS_MAX,
    Numbers,
    Serials,
    block_of,
    blocks_of,
    text_of,
    texts_of,
)
from serials.ff1 import FF1Block

KEY_BYTES = 32


class SerialCipher:
    """The keyed permutation of one product in one epoch: no two numbers below 2**60 share a serial.

    The tweak is the 14 digits of the GTIN, so the same number has unrelated serials under different products.
    A serial that decodes says nothing about having been issued: FF1 is not a seal, and every twelve characters
    decode to some number. Issued is what the ledger's ranges contain. One object belongs to one thread.
    """

    def __init__(self, key: bytes, gtin: str) -> None:
        """`key` is the epoch's AES-256 key (32 bytes); `gtin` has 14 digits. ValueError for anything else."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"the serial key has {len(key)} bytes; AES-256 needs {KEY_BYTES}")
        if len(gtin) != 14 or not (gtin.isascii() and gtin.isdigit()):
            raise ValueError(f"the GTIN {gtin!r} is not 14 digits; pad it with zeros on the left")
        self.gtin = gtin
        self._ff1 = FF1Block(key, gtin.encode("ascii"))
        self.number_of_block = self._ff1.decrypt
        """The number that the 60 bits of a serial stand for, for who has read the twelve characters himself."""

    def serial(self, number: int) -> str:
        """The serial of one number, 0 <= number < 2**60; ValueError outside."""
        if not 0 <= number < NUMBERS_MAX:
            raise ValueError(f"the number {number} is not in 0 .. 2**60 - 1")
        return text_of(self._ff1.encrypt(number))

    def number(self, serial: str) -> int | None:
        """The number a serial decodes to; None when it is not twelve characters of the alphabet, as printed."""
        block = block_of(serial)
        return None if block is None else self._ff1.decrypt(block)

    def serials(self, numbers: Numbers) -> Serials:
        """As serial, for many: shape (n, 12), ASCII. ValueError names the first number out of range."""
        outside = np.flatnonzero((numbers < 0) | (numbers >= NUMBERS_MAX))
        if outside.size:
            row = int(outside[0])
            raise ValueError(f"row {row}: the number {int(numbers[row])} is not in 0 .. 2**60 - 1")
        return texts_of(self._ff1.encrypt_many(numbers.astype(np.int64, copy=False)))

    def numbers(self, serials: Serials) -> Numbers:
        """As number, for many; SerialNotReadable names the first row that is not a serial."""
        return self._ff1.decrypt_many(blocks_of(serials))
