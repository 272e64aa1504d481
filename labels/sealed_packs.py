"""A pack for somebody who waits for it at the console or the API: sealed with a password of theirs, and never on disk
afterwards."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from labels.packs import IN_REQUEST_MAX, Pack, PackOrder, make_pack
from labels.refusals import PasswordTooShort
from ledger.codes import KeyRing
from runtime.clock import Clock

PASSWORD_CHARACTERS_MIN: Final = 12


@dataclass(frozen=True, slots=True)
class SealedPack:
    """What a pack is, and the archive itself."""

    pack: Pack
    archive: bytes


def require_password(password: str | None) -> None:
    """PasswordTooShort unless an archive with codes can be sealed with it."""
    if len(password or "") < PASSWORD_CHARACTERS_MIN:
        raise PasswordTooShort(least=PASSWORD_CHARACTERS_MIN)


async def sealed_pack(
    conn: AsyncConnection, job_id: int, asked: PackOrder, *, by: str, clock: Clock, keys: KeyRing, master_secret: str
) -> SealedPack:
    """As ``make_pack``, of at most IN_REQUEST_MAX codes, as an archive in memory (some 30 bytes a code).

    Codes travel sealed only: PasswordTooShort for a password of less than PASSWORD_CHARACTERS_MIN characters or none.
    """
    require_password(asked.password)
    with tempfile.TemporaryDirectory(prefix="pack-") as folder:
        out = Path(folder) / f"pack-{job_id}.zip"
        pack = await make_pack(
            conn, job_id, out, asked, by=by, clock=clock, keys=keys, master_secret=master_secret, most=IN_REQUEST_MAX
        )
        return SealedPack(pack, out.read_bytes())
