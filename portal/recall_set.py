"""The whole public recall state as one signed document, for scanners that work without a network."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from portal.recall_index import Index
from portal.signing import Signer
from runtime.clock import rfc3339

KIND: Final = "tracemark-recall-set"
VALID_FOR: Final = timedelta(hours=24)
"""Older than this a set clears nothing: who uses it has to fetch it again."""


def signed(index: Index, signer: Signer, base_url: str, confirmed_at: datetime) -> bytes:
    """The set with its signature (portal/signing.py): about 15 bytes an item, and the names of lots and cases."""
    payload = orjson.dumps(document(index, base_url, confirmed_at))
    return orjson.dumps(signer.sign(payload, KIND))


def document(index: Index, base_url: str, confirmed_at: datetime) -> dict[str, Any]:
    """What is signed. Lots name their cases by number; items have keys only: the cases are asked for by code."""
    return {
        "version": 1,
        "issuer": base_url,
        "revision": index.revision,
        "as_of": rfc3339(confirmed_at),
        "expires_at": rfc3339(confirmed_at + VALID_FOR),
        "cases": [
            {
                "number": case.number,
                "version": case.version,
                "title": case.title,
                "hazard_class": case.hazard_class,
                "url": f"{base_url}/recalls/{case.number}",
            }
            for case in index.cases
        ],
        "lots": [[lot.gtin, lot.lot, "part" if lot.in_part else "whole", list(lot.cases)] for lot in index.lots],
        "ask": list(index.ask),
        "items": {
            "hash": "sha256-64",
            "count": len(index.items),
            # of a code that is not recalled and has the key of one that is; a recalled one is never missed
            "false_positive_rate": len(index.items) / 2**64,
            "keys": base64.b64encode(index.items.astype(">u8").tobytes()).decode(),
        },
    }
