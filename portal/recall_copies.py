"""The index of the recalls, kept beside the copy it is made from, and made anew when the recalls have changed."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from weakref import ref

from portal import recall_index, recall_set
from portal.recall_index import Index
from portal.recall_range import Ranges
from portal.refresh import Refresher
from portal.signing import Signer
from portal.snapshot import Snapshot

LATE_S: Final = 60.0
"""Items newly told of an already recalled lot may come so late; a new recall never does."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One index in the forms in which it is asked for."""

    snapshot: ref[Snapshot]
    """What it was made from; it is not kept alive, as a copy may hold a million lots."""
    revision: int
    index: Index
    made_at_s: float
    confirmed_at: datetime
    ranges: Ranges
    signed_set: bytes

    @property
    def etag(self) -> str:
        """Changes with the recalls, and with the time at which they were confirmed."""
        return f'"{self.ranges.revision}-{int(self.confirmed_at.timestamp())}"'


class RecallCopies:
    """The current index; asked for by nobody, none is made."""

    def __init__(self, refresher: Refresher, signer: Signer, secret: str, base_url: str) -> None:
        self._refresher = refresher
        self._signer = signer
        self._secret = f"tracemark/recall-range/{secret}".encode()
        self._base_url = base_url
        self._kept: Copy | None = None
        self._making = asyncio.Lock()

    async def current(self) -> Copy | None:
        """An index of the recalls as they are now; None when the copy that it is made from was not confirmed in time.

        Raises ``recall_index.IndexTooLarge``.
        """
        if self._confirmed() is None:
            return None
        async with self._making:
            confirmed_at = self._confirmed()
            if confirmed_at is not None and (self._kept is None or not self._is_current(self._kept)):
                self._kept = await asyncio.to_thread(self._make, self._refresher.snapshot, confirmed_at, self._kept)
            return self._kept if confirmed_at is not None else None

    def _confirmed(self) -> datetime | None:
        confirmation = self._refresher.confirmation()
        return confirmation.at if confirmation.is_fresh else None

    def _is_current(self, copy: Copy) -> bool:
        if copy.revision != self._refresher.snapshot.revision:
            return False
        return time.monotonic() - copy.made_at_s < LATE_S

    def _make(self, snapshot: Snapshot, confirmed_at: datetime, old: Copy | None) -> Copy:
        is_same = old is not None and old.snapshot() is snapshot
        index = old.index if is_same and old is not None else recall_index.build(snapshot)
        return Copy(
            ref(snapshot),
            snapshot.revision,
            index,
            time.monotonic(),
            confirmed_at,
            old.ranges if is_same and old is not None else Ranges(index, self._secret),
            recall_set.signed(index, self._signer, self._base_url, confirmed_at),
        )
