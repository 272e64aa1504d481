"""The archive of a case: one zip with all that was decided, told and answered, its hashes, and a signature over them.

The signature is Ed25519 (RFC 8032) with a key that follows from the master secret: the same installation always signs
with the same key, and nothing has to be kept for it. Whoever checks an archive needs no installation, but the
fingerprint of the key from somewhere else: a zip that brings its own key proves only that it is whole.
"""

from __future__ import annotations

import hashlib
import zipfile
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from recall.documents.header import put_in_place
from recall.rules_refusals import ArchiveNotUsable

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "signature.json"
FILES_MAX: Final = 10_000
BYTES_MAX: Final = 4 * 1024**3
"""Most that an archive is unpacked to while it is checked: a zip may claim anything."""
_PURPOSE: Final = b"tracemark archives of recall cases"
_WHEN: Final = (1980, 1, 1, 0, 0, 0)  # the zip's own times say nothing: the same case gives the same bytes


@dataclass(frozen=True, slots=True)
class Checked:
    """An archive that is whole and signed: by which key, and what it has."""

    number: str
    version: int
    key: str
    files: int


def write(out: Path, files: Mapping[str, bytes], *, number: str, version: int, master_secret: str) -> Path:
    """Write the archive; ``files`` by name. It appears whole or not at all."""
    manifest = {
        "case": number,
        "version": version,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    }
    told = orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    key = signing_key(master_secret)
    signature = {
        "algorithm": "Ed25519", "public_key": b64encode(_raw(key.public_key())).decode(),
        "key": fingerprint(key.public_key()), "signature": b64encode(key.sign(told)).decode(),
    }  # fmt: skip

    def put(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in [*sorted(files.items()), (MANIFEST, told), (SIGNATURE, orjson.dumps(signature))]:
                archive.writestr(zipfile.ZipInfo(name, _WHEN), content, zipfile.ZIP_DEFLATED)

    out.parent.mkdir(parents=True, exist_ok=True)
    return put_in_place(out, put)


def verify(path: Path, *, key: str | None = None) -> Checked:
    """Check every hash and the signature; with ``key`` also that it is that key's. Raises ``ArchiveNotUsable``."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _verified(path, archive, key)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise ArchiveNotUsable(path=path, problem=str(error) or type(error).__name__) from error


def signing_key(master_secret: str) -> Ed25519PrivateKey:
    """The installation's key for archives."""
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_PURPOSE).derive(master_secret.encode())
    return Ed25519PrivateKey.from_private_bytes(derived)


def fingerprint(key: Ed25519PublicKey) -> str:
    """A public key in few enough characters to be read out: the first 32 of its SHA-256."""
    return hashlib.sha256(_raw(key)).hexdigest()[:32]


def _verified(path: Path, archive: zipfile.ZipFile, wanted: str | None) -> Checked:
    infos = archive.infolist()
    names = [info.filename for info in infos]
    if len(names) > FILES_MAX or sum(info.file_size for info in infos) > BYTES_MAX:
        raise ArchiveNotUsable(path=path, problem="it is larger than an archive may be")
    told = archive.read(MANIFEST)
    seal: dict[str, Any] = orjson.loads(archive.read(SIGNATURE))
    public = Ed25519PublicKey.from_public_bytes(b64decode(seal["public_key"]))
    try:
        public.verify(b64decode(seal["signature"]), told)
    except InvalidSignature as error:
        raise ArchiveNotUsable(path=path, problem="the signature does not fit the manifest") from error
    if wanted is not None and fingerprint(public) != wanted.strip().lower():
        raise ArchiveNotUsable(path=path, problem=f"it is signed with the key {fingerprint(public)}")
    manifest = orjson.loads(told)
    listed: dict[str, str] = manifest["files"]
    if sorted(names) != sorted([*listed, MANIFEST, SIGNATURE]):
        raise ArchiveNotUsable(path=path, problem="it has other files than its manifest names")
    for name, digest in listed.items():
        if hashlib.sha256(archive.read(name)).hexdigest() != digest:
            raise ArchiveNotUsable(path=path, problem=f"{name} was changed")
    return Checked(manifest["case"], manifest["version"], fingerprint(public), len(listed))


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
