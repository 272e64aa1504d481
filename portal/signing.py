"""Signatures that anybody can check with the published key: JSON Web Signatures by Ed25519 (RFC 7515, RFC 8037)."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEYS_PATH: Final = "/.well-known/tracemark-keys.json"
_PURPOSE: Final = b"tracemark/signing-key/v1"


class Signer:
    """The installation's signing key: it follows from the master secret, and is made anew from it after a restore."""

    def __init__(self, master_secret: str) -> None:
        seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(master_secret.encode())
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        x = encoded(self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
        # RFC 7638: the hash of the required members in the order of their names
        thumbprint = hashlib.sha256(orjson.dumps({"crv": "Ed25519", "kty": "OKP", "x": x})).digest()
        self.key_id = encoded(thumbprint)
        self._public = {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.key_id, "use": "sig", "alg": "EdDSA"}

    def keys(self) -> dict[str, Any]:
        """The public key as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [self._public]}

    def sign(self, payload: bytes, kind: str) -> dict[str, str]:
        """The payload with its signature (flattened JSON serialization); ``kind`` is told in ``typ``."""
        protected = encoded(orjson.dumps({"alg": "EdDSA", "kid": self.key_id, "typ": kind}))
        text = encoded(payload)
        signature = self._key.sign(f"{protected}.{text}".encode())
        return {"payload": text, "protected": protected, "signature": encoded(signature)}

    def payload_of(self, signed: dict[str, Any], kind: str) -> bytes | None:
        """What was signed here as ``kind``; None for anything that was not, or was altered."""
        try:
            protected, text, signature = (str(signed[name]) for name in ("protected", "payload", "signature"))
            self._key.public_key().verify(decoded(signature), f"{protected}.{text}".encode())
            header = orjson.loads(decoded(protected))
            return decoded(text) if header.get("typ") == kind else None
        except (InvalidSignature, KeyError, ValueError):
            return None


def encoded(content: bytes) -> str:
    """base64url without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The inverse of ``encoded``; ValueError for what is none."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
