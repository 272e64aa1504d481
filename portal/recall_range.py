"""Questions that do not say what they ask for: all recalled things whose keys begin alike, among meaningless ones.

A client makes the tokens of what it holds (portal/recall_index.py), asks for the first five characters of each key, and
looks for the rest of the key in the answer. We learn one of a million prefixes, not the code.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime
from typing import Any, Final

import numpy as np

from portal.recall_index import Index, UInt64s, key, token
from runtime.clock import rfc3339
from runtime.refusals import Invalid

PREFIX_CHARACTERS: Final = 5
PADDED_TO: Final = 100
"""So many entries each answer has at least: its size does not tell whether anything is recalled."""
SECONDS: Final = 60
"""So long an answer may be kept by caches on its way."""
_KEY_CHARACTERS: Final = 16
_PREFIX = re.compile(r"[0-9a-f]{5}")


class PrefixWrong(Invalid):
    """The prefix {prefix} is none: give the first 5 of the 16 hexadecimal digits of a key, in lower case."""


class Ranges:
    """The keys of one index, sorted, with what each means."""

    def __init__(self, index: Index, secret: bytes) -> None:
        self.revision = index.revision
        self._items = index.items
        self._secret = secret
        named = {key(token(gtin)): "CHECK_THE_SERIAL" for gtin in index.products()}
        named |= {key(token(gtin, serial="")): "ASK" for gtin in index.ask}
        for lot in index.lots:
            named[key(token(lot.gtin, lot=lot.lot))] = "CHECK_THE_SERIAL" if lot.in_part else "RECALLED"
        self._named = named
        self._names: UInt64s = np.array(sorted(named), dtype=np.uint64)

    def entries(self, prefix: str) -> dict[str, str]:
        """What is recalled under the prefix, by the rest of the key, in the order of keys. Raises ``PrefixWrong``."""
        if not _PREFIX.fullmatch(prefix):
            raise PrefixWrong(prefix=prefix[:20])
        found = {f"{int(each):016x}": "RECALLED" for each in _under(self._items, prefix)}
        found |= {f"{int(each):016x}": self._named[int(each)] for each in _under(self._names, prefix)}
        for number in range(PADDED_TO - len(found)):
            text = f"{self.revision}/{prefix}/{number}".encode()
            made = prefix + hmac.new(self._secret, text, hashlib.sha256).hexdigest()[: 16 - PREFIX_CHARACTERS]
            found.setdefault(made, "RECALLED")
        return {full[PREFIX_CHARACTERS:]: found[full] for full in sorted(found)}

    def document(self, prefix: str, confirmed_at: datetime) -> dict[str, Any]:
        """The answer as JSON."""
        return {
            "prefix": prefix,
            "revision": self.revision,
            "as_of": rfc3339(confirmed_at.replace(second=0, microsecond=0)),
            "entries": self.entries(prefix),
        }


def _under(keys: UInt64s, prefix: str) -> UInt64s:
    shift = 4 * (_KEY_CHARACTERS - PREFIX_CHARACTERS)
    low = int(prefix, 16) << shift
    first = int(keys.searchsorted(np.uint64(low), "left"))
    last = int(keys.searchsorted(np.uint64(low + (1 << shift) - 1), "right"))
    return keys[first:last]
