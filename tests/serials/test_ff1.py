"""FF1 against the samples of NIST SP 800-38G, and the fast form against the standard's own steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serials import ff1

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
AES_256 = "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94"
AES_128, AES_192 = AES_256[:32], AES_256[:48]
TEN_DIGITS, NINETEEN = "0123456789", "0123456789abcdefghi"
NIST_SAMPLES = [
    (AES_128, 10, "", TEN_DIGITS, "2433477484"),
    (AES_128, 10, "39383736353433323130", TEN_DIGITS, "6124200773"),
    (AES_128, 36, "3737373770717273373737", NINETEEN, "a9tv40mll9kdu509eum"),
    (AES_192, 10, "", TEN_DIGITS, "2830668132"),
    (AES_192, 10, "39383736353433323130", TEN_DIGITS, "2496655549"),
    (AES_192, 36, "3737373770717273373737", NINETEEN, "xbj3kv35jrawxv32ysr"),
    (AES_256, 10, "", TEN_DIGITS, "6657667009"),
    (AES_256, 10, "39383736353433323130", TEN_DIGITS, "1001623463"),
    (AES_256, 36, "3737373770717273373737", NINETEEN, "xs8a0azh2avyalyzuwd"),
]
blocks = st.integers(min_value=0, max_value=2**60 - 1)


@pytest.mark.parametrize(("key", "radix", "tweak", "plain", "cipher"), NIST_SAMPLES)
def test_the_samples_of_the_standard_come_out(key: str, radix: int, tweak: str, plain: str, cipher: str) -> None:
    numerals = [DIGITS.index(digit) for digit in plain]

    encrypted = ff1.encrypt(bytes.fromhex(key), radix, bytes.fromhex(tweak), numerals)

    assert "".join(DIGITS[numeral] for numeral in encrypted) == cipher
    assert ff1.decrypt(bytes.fromhex(key), radix, bytes.fromhex(tweak), encrypted) == numerals


@given(block=blocks, key=st.binary(min_size=32, max_size=32), tweak=st.binary(max_size=14))
def test_the_fast_form_equals_the_standards_steps_for_any_key_and_tweak(block: int, key: bytes, tweak: bytes) -> None:
    numerals = [block >> shift & 31 for shift in range(55, -1, -5)]
    expected = 0
    for numeral in ff1.encrypt(key, ff1.RADIX, tweak, numerals):
        expected = expected << 5 | numeral
    fast = ff1.FF1Block(key, tweak)

    assert fast.encrypt(block) == expected
    assert fast.decrypt(expected) == block


def test_a_batch_larger_than_one_working_block_equals_one_by_one() -> None:
    fast = ff1.FF1Block(bytes.fromhex(AES_256), b"09501101530003")
    many = np.arange(ff1.BATCH_ROWS + 3, dtype=np.int64) + 2**59

    images = fast.encrypt_many(many)

    assert [fast.encrypt(int(block)) for block in many[-5:]] == images[-5:].tolist()
    assert np.array_equal(fast.decrypt_many(images), many)


def test_a_domain_below_a_million_texts_is_refused() -> None:
    assert len(ff1.encrypt(bytes(16), 10, b"", [0] * 6)) == 6
    with pytest.raises(ValueError, match="fewer than 1000000"):
        ff1.encrypt(bytes(16), 10, b"", [0] * 5)


def test_a_numeral_outside_the_radix_is_refused() -> None:
    with pytest.raises(ValueError, match="below the radix 10"):
        ff1.encrypt(bytes(16), 10, b"", [0] * 9 + [10])


def test_a_tweak_that_would_need_another_block_is_refused() -> None:
    with pytest.raises(ValueError, match="15 bytes"):
        ff1.FF1Block(bytes(32), bytes(15))
