"""The manifest of a code pack: what is in it, signed, and the proof that it still is."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import pyzipper
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from labels.refusals import PackBroken, PackNotReadable
from serials.keys import pack_signing_seed

MANIFEST_NAME: Final = "manifest.json"
MANIFEST_BYTES_MAX: Final = 16 * 1024 * 1024
UNPACKED_BYTES_MAX: Final = 8 * 1024**3
"""What the files of a pack may hold together when they are checked."""
_READ_TOGETHER: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class PackFile:
    """One list of a pack, and the labels in it."""

    name: str
    labels: int
    first_label: int
    last_label: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a pack was found to hold. ``ours``: it was signed with this installation's key."""

    job: int
    gtin: str
    lot: str
    labels: int
    files: int
    recipient: str
    created_at: str
    public_key: str
    ours: bool


def signed_manifest(about: dict[str, Any], files: Sequence[PackFile], master_secret: str) -> tuple[bytes, str]:
    """The manifest as JSON, and the public key in base64 that proves it."""
    key = Ed25519PrivateKey.from_private_bytes(pack_signing_seed(master_secret.encode("utf-8")))
    content = {**about, "files": [asdict(file) for file in files]}
    public_key = _public(key)
    signature = base64.b64encode(key.sign(_signed(content))).decode("ascii")
    document = {"manifest": content, "signed_with": "Ed25519", "public_key": public_key, "signature": signature}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n", public_key


def public_key_of(master_secret: str) -> str:
    """The key in base64 with which a print house proves the packs of this installation."""
    return _public(Ed25519PrivateKey.from_private_bytes(pack_signing_seed(master_secret.encode("utf-8"))))


def verify_pack(path: Path, *, password: str | None, master_secret: str) -> Verified:
    """Check a pack: signature, that every file is there and no other, lengths and hashes.

    PackNotReadable when it cannot be opened (no manifest, a wrong password), PackBroken with the first thing that is
    not as signed. A pack that another installation signed is whole, but not ``ours``.
    """
    source = _Source(path, password)
    try:
        document = orjson.loads(source.read(MANIFEST_NAME, MANIFEST_BYTES_MAX))
        content, public_key = document["manifest"], document["public_key"]
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(document["signature"], validate=True), _signed(content))
        _check_files(source, content["files"])
        shown = {name: content[name] for name in ("job", "gtin", "lot", "labels", "recipient", "created_at")}
    except InvalidSignature:
        raise PackBroken(path=path, what="the manifest is not what was signed") from None
    except (KeyError, TypeError, ValueError) as error:
        raise PackNotReadable(path=path, why=f"its manifest cannot be read ({error})") from error
    if sum(file["labels"] for file in content["files"]) != content["labels"]:
        raise PackBroken(path=path, what="its files do not hold as many labels as the manifest says")
    ours = public_key == public_key_of(master_secret)
    return Verified(**shown, files=len(content["files"]), public_key=public_key, ours=ours)


def _check_files(source: _Source, files: Sequence[dict[str, Any]]) -> None:
    told, there = {file["name"] for file in files}, set(source.names()) - {MANIFEST_NAME}
    if told != there:
        odd = ", ".join(sorted(told ^ there)[:5])
        raise PackBroken(path=source.path, what=f"{odd} is missing, or was not in it")
    for file in files:
        if source.sha256(file["name"], file["bytes"]) != file["sha256"]:
            raise PackBroken(path=source.path, what=f"{file['name']} is not what was signed")


class _Source:
    """A folder or an archive, read in the same way."""

    def __init__(self, path: Path, password: str | None) -> None:
        self.path = path
        self._archive: pyzipper.AESZipFile | None = None
        if path.is_dir():
            return
        try:
            self._archive = pyzipper.AESZipFile(path)
        except (OSError, pyzipper.BadZipFile) as error:
            raise PackNotReadable(path=path, why=f"it is neither a folder nor an archive ({error})") from error
        if password is not None:
            self._archive.setpassword(password.encode())

    def names(self) -> list[str]:
        if self._archive is not None:
            return [entry.filename for entry in self._archive.infolist()]
        return [path.name for path in self.path.iterdir()]

    def read(self, name: str, bytes_max: int) -> bytes:
        with self._open(name) as file:
            content: bytes = file.read(bytes_max + 1)
        if len(content) > bytes_max:
            raise PackNotReadable(path=self.path, why=f"{name} has more than {bytes_max} bytes")
        return content

    def sha256(self, name: str, length: int) -> str:
        """The hash; of a file that is longer than told, of so much of it that it cannot be equal."""
        digest, left = hashlib.sha256(), min(length, UNPACKED_BYTES_MAX) + 1
        with self._open(name) as file:
            while left > 0 and (piece := file.read(min(left, _READ_TOGETHER))):
                digest.update(piece)
                left -= len(piece)
        return digest.hexdigest()

    def _open(self, name: str) -> Any:
        try:
            return (self.path / name).open("rb") if self._archive is None else self._archive.open(name)
        except (OSError, KeyError) as error:
            raise PackNotReadable(path=self.path, why=f"it has no {name}") from error
        except RuntimeError as error:  # what the archive raises for a password that is missing or wrong
            raise PackNotReadable(path=self.path, why=f"the password does not open it ({error})") from error


def _public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode("ascii")


def _signed(content: dict[str, Any]) -> bytes:
    """What is signed: the content with sorted keys and no spaces, so that its layout does not matter."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
