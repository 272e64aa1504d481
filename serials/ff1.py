"""FF1, the format-preserving encryption of NIST SP 800-38G: the standard's steps, and a fast form for 60-bit blocks.

`encrypt` and `decrypt` follow the publication line by line for any radix; they are what the fast form is compared
with. `FF1Block` is FF1 with radix 32, length 12 and a fixed tweak, and gives the same results: both halves are 30
bits, so a round is one AES block and an addition modulo 2**30. FF1 is built from single AES blocks (hence ECB below).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log2
from struct import Struct
from typing import Final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

ROUNDS: Final = 10
DOMAIN_MIN: Final = 1_000_000
"""SP 800-38G requires radix**length to be at least this."""
RADIX: Final = 32
LENGTH: Final = 12
HALF_BITS: Final = 30
HALF_MASK: Final = (1 << HALF_BITS) - 1
BATCH_ROWS: Final = 1 << 14
"""Rows that are worked on together: large enough for numpy, small enough to stay in the processor's cache."""
_ROUND_BYTE: Final = 11  # where the round number stands in the last block before the 4 bytes of the half
_TWEAK_BYTES_MAX: Final = 14
_SECOND_WORD: Final = Struct(">4xI8x").unpack
"""Of 16 bytes the four whose last 30 bits a round adds: FF1 adds the first 64 bits modulo 2**30."""


def encrypt(key: bytes, radix: int, tweak: bytes, numerals: Sequence[int]) -> list[int]:
    """FF1.Encrypt (SP 800-38G, algorithm 7). Key: 16, 24 or 32 bytes. Refuses a domain below 10**6 (ValueError)."""
    left, right = _halves(radix, numerals)
    for round_no in range(ROUNDS):
        length = len(left)
        addend = _round_value(key, radix, tweak, right, length=len(numerals), round_no=round_no)
        left, right = right, _numerals((_number(radix, left) + addend) % radix**length, radix, length)
    return left + right


def decrypt(key: bytes, radix: int, tweak: bytes, numerals: Sequence[int]) -> list[int]:
    """FF1.Decrypt (SP 800-38G, algorithm 8): the inverse of encrypt under the same key and tweak."""
    left, right = _halves(radix, numerals)
    for round_no in reversed(range(ROUNDS)):
        length = len(right)
        subtrahend = _round_value(key, radix, tweak, left, length=len(numerals), round_no=round_no)
        left, right = _numerals((_number(radix, right) - subtrahend) % radix**length, radix, length), left
    return left + right


class FF1Block:
    """FF1 over 60-bit blocks (radix 32, length 12) under one key and one tweak of at most 14 bytes.

    One object belongs to one thread, because it keeps an AES context.
    """

    def __init__(self, key: bytes, tweak: bytes) -> None:
        if len(tweak) > _TWEAK_BYTES_MAX:
            raise ValueError(f"the tweak has {len(tweak)} bytes; at most {_TWEAK_BYTES_MAX} are taken")
        self._aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
        # The first blocks of every round's CBC-MAC are the same, so they are chained once, here.
        half_bytes = HALF_BITS // 8 + 1
        tweak_block = tweak + bytes(-(len(tweak) + half_bytes + 1) % 16)
        chained = self._aes.update(_first_block(RADIX, LENGTH, len(tweak)))
        filled = tweak_block[: len(tweak_block) // 16 * 16]
        for start in range(0, len(filled), 16):
            chained = self._aes.update(_xor(chained, filled[start : start + 16]))
        rest = tweak_block[len(filled) :] + bytes(half_bytes + 1)
        mask = int.from_bytes(_xor(chained, rest[-16:]), "big")
        self._masks = [mask ^ round_no << 32 for round_no in range(ROUNDS)]
        self._masks_back = self._masks[::-1]
        self._mask_words = [np.frombuffer(m.to_bytes(16, "big"), dtype=">u4").astype(np.uint32) for m in self._masks]

    def encrypt(self, block: int) -> int:
        """The image of one block."""
        aes, word_of, left, right = self._aes.update, _SECOND_WORD, block >> HALF_BITS, block & HALF_MASK
        for mask in self._masks:
            left, right = right, left + word_of(aes((mask ^ right).to_bytes(16, "big")))[0] & HALF_MASK
        return left << HALF_BITS | right

    def decrypt(self, block: int) -> int:
        """The block that `encrypt` maps to this one."""
        # A scan waits for this: of the ways to cut out the word, and to go on by halves, this one costs the least.
        aes, word_of, left, right = self._aes.update, _SECOND_WORD, block >> HALF_BITS, block & HALF_MASK
        for mask in self._masks_back:
            left, right = right - word_of(aes((mask ^ left).to_bytes(16, "big")))[0] & HALF_MASK, left
        return left << HALF_BITS | right

    def encrypt_many(self, blocks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """As encrypt, for many blocks, in batches of BATCH_ROWS."""
        images = np.empty_like(blocks)
        for start in range(0, len(blocks), BATCH_ROWS):
            part = slice(start, start + BATCH_ROWS)
            left, right = _split(blocks[part])
            for round_no in range(ROUNDS):
                left, right = right, left + self._round_words(round_no, right) & np.uint32(HALF_MASK)
            images[part] = left.astype(np.int64) << HALF_BITS | right
        return images

    def decrypt_many(self, blocks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """As decrypt, for many blocks, in batches of BATCH_ROWS."""
        images = np.empty_like(blocks)
        for start in range(0, len(blocks), BATCH_ROWS):
            part = slice(start, start + BATCH_ROWS)
            left, right = _split(blocks[part])
            for round_no in reversed(range(ROUNDS)):
                left, right = right - self._round_words(round_no, left) & np.uint32(HALF_MASK), left
            images[part] = left.astype(np.int64) << HALF_BITS | right
        return images

    def _round_words(self, round_no: int, halves: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        words = np.empty((len(halves), 4), dtype=np.uint32)
        words[:] = self._mask_words[round_no]
        words[:, 3] ^= halves
        encrypted = np.frombuffer(self._aes.update(words.astype(">u4").tobytes()), dtype=">u4")
        return encrypted.reshape(-1, 4)[:, 1].astype(np.uint32)


def _split(blocks: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    return (blocks >> HALF_BITS).astype(np.uint32), (blocks & HALF_MASK).astype(np.uint32)


def _halves(radix: int, numerals: Sequence[int]) -> tuple[list[int], list[int]]:
    if radix ** len(numerals) < DOMAIN_MIN:
        raise ValueError(
            f"{len(numerals)} numerals of radix {radix} are fewer than {DOMAIN_MIN} texts; FF1 refuses them"
        )
    if any(not 0 <= numeral < radix for numeral in numerals):
        raise ValueError(f"each numeral must be at least 0 and below the radix {radix}")
    middle = len(numerals) // 2
    return list(numerals[:middle]), list(numerals[middle:])


def _round_value(key: bytes, radix: int, tweak: bytes, half: list[int], *, length: int, round_no: int) -> int:
    """Steps 6.i to 6.iv of the standard's algorithm 7."""
    half_bytes = ceil(ceil((length - length // 2) * log2(radix)) / 8)
    digest_bytes = 4 * ceil(half_bytes / 4) + 4
    padding = bytes(-(len(tweak) + half_bytes + 1) % 16)
    message = tweak + padding + bytes([round_no]) + _number(radix, half).to_bytes(half_bytes, "big")
    aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
    mac = aes.update(_first_block(radix, length, len(tweak)))
    for start in range(0, len(message), 16):
        mac = aes.update(_xor(mac, message[start : start + 16]))
    digest = mac
    for counter in range(1, ceil(digest_bytes / 16)):
        digest += aes.update(_xor(mac, counter.to_bytes(16, "big")))
    return int.from_bytes(digest[:digest_bytes], "big")


def _first_block(radix: int, length: int, tweak_bytes: int) -> bytes:
    """P of the standard: version 1, method 2, addition 1, radix, ten rounds, split, length, tweak length."""
    head = b"\x01\x02\x01" + radix.to_bytes(3, "big") + bytes([ROUNDS, (length // 2) % 256])
    return head + length.to_bytes(4, "big") + tweak_bytes.to_bytes(4, "big")


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(16, "big")


def _number(radix: int, numerals: Sequence[int]) -> int:
    value = 0
    for numeral in numerals:
        value = value * radix + numeral
    return value


def _numerals(value: int, radix: int, length: int) -> list[int]:
    numerals = []
    for _ in range(length):
        value, numeral = divmod(value, radix)
        numerals.append(numeral)
    return numerals[::-1]
