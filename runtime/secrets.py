"""The installation's master secret: it wraps the serial keys and signs links."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from runtime.refusals import Conflict
from runtime.settings import Settings

FILE = "master_secret"


class MasterSecretMissing(Conflict):
    """In production the master secret must be given: set TRACEMARK_MASTER_SECRET_FILE to a file with 32 or more random
    characters (to {path}, if codes were printed with the one that was made there), and keep a copy of it apart from the
    database: without it no printed code can be read."""


class MasterSecretUnreadable(Conflict):
    """The master secret in {path} cannot be read ({problem}). Run the command as the user who owns the file."""


def master_secret(settings: Settings) -> str:
    """The secret that was set, or the one kept in the data directory; a demo makes one (0600) when there is none.

    Raises ``MasterSecretMissing`` in production, ``MasterSecretUnreadable`` when the file is somebody else's.
    """
    if settings.master_secret is not None:
        return settings.master_secret.get_secret_value()
    path = settings.data_dir / FILE
    try:
        if settings.environment == "production":  # also when one was made here before: it lies beside the database
            raise MasterSecretMissing(path=path)
        return path.read_text(encoding="ascii").strip() if path.exists() else _make(path)
    except OSError as error:
        raise MasterSecretUnreadable(path=path, problem=error.strerror) from error


def link_code(secret: str, purpose: str, number: int) -> str:
    """The code in a link that whoever holds it may use for ``number``: 32 characters, made again from the secret."""
    return hmac.new(secret.encode(), f"{purpose}/{number}".encode(), hashlib.sha256).hexdigest()[:32]


def is_link_code(secret: str, purpose: str, number: int, code: str) -> bool:
    """Whether ``code`` was made for this, compared in constant time."""
    return hmac.compare_digest(link_code(secret, purpose, number), code) if code.isascii() else False


def _make(path: Path) -> str:
    """Written whole under another name first, and linked: two commands that start at once both read the winner's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = secrets.token_urlsafe(48)
    draft = path.with_name(f".{FILE}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return path.read_text(encoding="ascii").strip()
    finally:
        draft.unlink()
    return text
