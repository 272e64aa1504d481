"""Root keys are sealed under the master secret and open only with it, for the epoch they were made for."""

from __future__ import annotations

import pytest

from serials import keys

SECRET, OTHER_SECRET = b"s" * 32, b"t" * 32


def test_a_sealed_root_key_opens_with_the_same_secret() -> None:
    root_key = keys.new_root_key()

    envelope = keys.wrap_root_key(root_key, master_secret=SECRET, epoch=3)

    assert root_key not in envelope
    assert keys.unwrap_root_key(envelope, master_secret=SECRET, epoch=3) == root_key


def test_another_secret_or_another_epoch_does_not_open_it() -> None:
    envelope = keys.wrap_root_key(keys.new_root_key(), master_secret=SECRET, epoch=3)

    with pytest.raises(keys.WrongMasterSecret, match="epoch 3 does not open"):
        keys.unwrap_root_key(envelope, master_secret=OTHER_SECRET, epoch=3)
    with pytest.raises(keys.WrongMasterSecret, match="epoch 4"):
        keys.unwrap_root_key(envelope, master_secret=SECRET, epoch=4)


def test_an_altered_envelope_does_not_open() -> None:
    envelope = bytearray(keys.wrap_root_key(keys.new_root_key(), master_secret=SECRET, epoch=3))
    envelope[20] ^= 1

    with pytest.raises(keys.WrongMasterSecret):
        keys.unwrap_root_key(bytes(envelope), master_secret=SECRET, epoch=3)


@pytest.mark.parametrize("envelope", [b"", b"\x02" + bytes(60), b"\x01" + bytes(59)])
def test_a_foreign_envelope_is_refused_as_such(envelope: bytes) -> None:
    with pytest.raises(keys.BrokenEnvelope, match="epoch 3"):
        keys.unwrap_root_key(envelope, master_secret=SECRET, epoch=3)


def test_a_short_master_secret_is_refused() -> None:
    with pytest.raises(keys.WeakMasterSecret, match="31 bytes"):
        keys.wrap_root_key(keys.new_root_key(), master_secret=b"s" * 31, epoch=1)


def test_keys_differ_by_product_and_by_epoch_and_stay_the_same_otherwise() -> None:
    root_key = bytes(range(32))

    milk = keys.derive_key(root_key, gtin="09501101530003", epoch=1)

    assert milk == keys.derive_key(root_key, gtin="09501101530003", epoch=1)
    assert milk != keys.derive_key(root_key, gtin="09501101530010", epoch=1)
    assert milk != keys.derive_key(root_key, gtin="09501101530003", epoch=2)


def test_a_root_key_of_another_length_is_refused() -> None:
    with pytest.raises(keys.KeysError, match="this one has 16"):
        keys.derive_key(bytes(16), gtin="09501101530003", epoch=1)


def test_a_text_opens_with_its_secret_and_for_its_purpose_only() -> None:
    envelope = keys.seal_text("卷筒 12", master_secret=SECRET, bound_to="label job 3")

    assert keys.open_text(envelope, master_secret=SECRET, bound_to="label job 3") == "卷筒 12"
    for secret, purpose in ((OTHER_SECRET, "label job 3"), (SECRET, "label job 4")):
        with pytest.raises(keys.WrongMasterSecret, match=purpose):
            keys.open_text(envelope, master_secret=secret, bound_to=purpose)
