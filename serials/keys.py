"""Keys for serials: one root key per epoch, one derived key per product, the root kept under the master secret.

The root key of an epoch is stored only inside an envelope; whoever has the master secret of the installation can
open it. Losing the master secret means that no printed serial can be decoded again: back it up apart from the
database.
"""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ROOT_KEY_BYTES: Final = 32
MASTER_SECRET_BYTES_MIN: Final = 32
ENVELOPE_VERSION: Final = 1
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_ENVELOPE_BYTES: Final = 1 + _NONCE_BYTES + ROOT_KEY_BYTES + _TAG_BYTES


class KeysError(ValueError):
    """A key, a secret or an envelope that cannot be used, with what to do about it."""


class WeakMasterSecret(KeysError):
    """The master secret is too short to protect anything."""


class WrongMasterSecret(KeysError):
    """The envelope was not sealed with this master secret for this epoch, or it was altered."""


class BrokenEnvelope(KeysError):
    """The stored envelope is not one that this version writes."""


def new_root_key() -> bytes:
    """A fresh root key for one epoch: 32 bytes from the system's random source."""
    return secrets.token_bytes(ROOT_KEY_BYTES)


def derive_key(root_key: bytes, *, gtin: str, epoch: int) -> bytes:
    """The AES-256 key of one product in one epoch (HKDF-SHA256, RFC 5869): always the same for the same inputs."""
    _check_root_key(root_key)
    return _hkdf(root_key, f"tracemark/serial-key/v1/{epoch}/{gtin}")


def wrap_root_key(root_key: bytes, *, master_secret: bytes, epoch: int) -> bytes:
    """Seal a root key for storage: version byte, nonce, AES-256-GCM over the key, bound to the epoch."""
    _check_root_key(root_key)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(_wrapping_key(master_secret)).encrypt(nonce, root_key, _bound_to(epoch))
    return bytes([ENVELOPE_VERSION]) + nonce + sealed


def unwrap_root_key(envelope: bytes, *, master_secret: bytes, epoch: int) -> bytes:
    """Open what wrap_root_key sealed. BrokenEnvelope when the form is foreign, WrongMasterSecret when it won't open."""
    if envelope[:1] != bytes([ENVELOPE_VERSION]):
        raise BrokenEnvelope(
            f"the envelope of epoch {epoch} has version {envelope[0] if envelope else 'none'}; this program reads "
            f"version {ENVELOPE_VERSION}. Use the version of the program that wrote it, or restore a backup."
        )
    if len(envelope) != _ENVELOPE_BYTES:
        raise BrokenEnvelope(
            f"the envelope of epoch {epoch} has {len(envelope)} bytes instead of {_ENVELOPE_BYTES}; "
            "restore it from a backup"
        )
    nonce, sealed = envelope[1 : 1 + _NONCE_BYTES], envelope[1 + _NONCE_BYTES :]
    wrapping_key = _wrapping_key(master_secret)
    try:
        return AESGCM(wrapping_key).decrypt(nonce, sealed, _bound_to(epoch))
    except InvalidTag:
        raise WrongMasterSecret(
            f"the serial key of epoch {epoch} does not open with this master secret. Give the secret that the "
            "installation was set up with, or restore it from its backup; serials cannot be decoded without it."
        ) from None


def pack_signing_seed(master_secret: bytes) -> bytes:
    """The 32 bytes of the Ed25519 key with which code packs are signed: always the same for the same secret."""
    _check_master_secret(master_secret)
    return _hkdf(master_secret, "tracemark/pack-signing/v1")


def seal_text(text: str, *, master_secret: bytes, bound_to: str) -> bytes:
    """Seal a text that waits in the database, such as the password of a pack: AES-256-GCM, bound to its purpose."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(_text_key(master_secret)).encrypt(nonce, text.encode("utf-8"), bound_to.encode("utf-8"))


def open_text(envelope: bytes, *, master_secret: bytes, bound_to: str) -> str:
    """Open what seal_text sealed; WrongMasterSecret when it will not."""
    nonce, sealed = envelope[:_NONCE_BYTES], envelope[_NONCE_BYTES:]
    try:
        return AESGCM(_text_key(master_secret)).decrypt(nonce, sealed, bound_to.encode("utf-8")).decode("utf-8")
    except (InvalidTag, ValueError):
        raise WrongMasterSecret(
            f"what was sealed for {bound_to} does not open with this master secret; ask for it again"
        ) from None


def _check_root_key(root_key: bytes) -> None:
    if len(root_key) != ROOT_KEY_BYTES:
        raise KeysError(f"a root key has {ROOT_KEY_BYTES} bytes, this one has {len(root_key)}")


def _wrapping_key(master_secret: bytes) -> bytes:
    _check_master_secret(master_secret)
    return _hkdf(master_secret, "tracemark/root-key-wrapping/v1")


def _text_key(master_secret: bytes) -> bytes:
    _check_master_secret(master_secret)
    return _hkdf(master_secret, "tracemark/text-sealing/v1")


def _check_master_secret(master_secret: bytes) -> None:
    if len(master_secret) < MASTER_SECRET_BYTES_MIN:
        raise WeakMasterSecret(
            f"the master secret has {len(master_secret)} bytes; at least "
            f"{MASTER_SECRET_BYTES_MIN} random bytes are needed"
        )


def _hkdf(secret: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode("ascii")).derive(secret)


def _bound_to(epoch: int) -> bytes:
    return f"tracemark/epoch/{epoch}".encode("ascii")
