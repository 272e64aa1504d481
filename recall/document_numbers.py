"""From the URI of a business transaction to the number that stands on the paper. Pure."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

_OF_A_PARTY: Final = "urn:epcglobal:cbv:bt:"
"""``urn:epcglobal:cbv:bt:{gln}:{number}`` (CBV 2.0, 8.5)."""
_OF_OURS: Final = "urn:tracemark:document:"


def document_number(uri: str) -> str:
    """What a person looks for in a folder of delivery notes. A name of another form stays as it is, whole."""
    if uri.startswith(_OF_A_PARTY):
        party, _, number = uri.removeprefix(_OF_A_PARTY).partition(":")
        return unquote(number) if party and number else uri
    if uri.startswith(_OF_OURS):
        return unquote(uri.removeprefix(_OF_OURS)) or uri
    return uri
