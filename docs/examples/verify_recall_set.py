"""Check codes against a recall set without a network. Needs Python 3.11 and `cryptography`, nothing of Tracemark.

    python verify_recall_set.py recall-set.json keys.json GTIN/LOT/SERIAL GTIN//SERIAL GTIN/LOT GTIN

`recall-set.json` is what `/v1/recall-set` answered, `keys.json` what `/.well-known/tracemark-keys.json` answered; fetch
the keys once, over a way you trust, and keep them. Answers, one line each:

    RECALLED           a recall names this
    CHECK_THE_SERIAL   some of it is recalled; the serial says which
    ASK                this set cannot tell: ask by code, at /v1/checks
    NO_RECALL          no recall known as of the time in the set
    CANNOT_CONFIRM     the set has expired: fetch it again

A set knows nothing of codes that were never issued: NO_RECALL does not say that a code exists.
"""

from __future__ import annotations

import base64
import bisect
import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KIND = "tracemark-recall-set"


class RecallSet:
    """A set whose signature holds; else InvalidSignature, ValueError or LookupError is raised."""

    def __init__(self, signed: dict[str, str], key_set: dict[str, Any]) -> None:
        header = json.loads(_decoded(signed["protected"]))
        if header.get("alg") != "EdDSA" or header.get("typ") != KIND:
            raise ValueError("this is no recall set")
        key = {key["kid"]: key for key in key_set["keys"]}[header["kid"]]
        text = f"{signed['protected']}.{signed['payload']}".encode()
        Ed25519PublicKey.from_public_bytes(_decoded(key["x"])).verify(_decoded(signed["signature"]), text)
        content = json.loads(_decoded(signed["payload"]))
        if content["version"] != 1 or content["items"]["hash"] != "sha256-64":
            raise ValueError("this set is of a version that is not read here")
        self.as_of: str = content["as_of"]
        self.expires_at = datetime.fromisoformat(content["expires_at"])
        self._lots = {(gtin, lot): part for gtin, lot, part, _ in content["lots"]}
        self._ask = set(content["ask"])
        self._products = {gtin for gtin, _ in self._lots} | self._ask
        keys = base64.b64decode(content["items"]["keys"])
        self._items = [keys[at : at + 8] for at in range(0, len(keys), 8)]

    def status(self, gtin: str, lot: str = "", serial: str = "", *, now: datetime | None = None) -> str:
        """What the set says of a product (14 digits), a lot, or an item. The worst news of lot and serial counts."""
        part = self._lots.get((gtin, lot))
        if part == "whole" or (serial and self._has(gtin, serial)):
            return "RECALLED"  # told from an expired set too: a recall is not taken back by time
        if (now or datetime.now(UTC)) >= self.expires_at:
            return "CANNOT_CONFIRM"
        if serial:
            return "ASK" if gtin in self._ask else "NO_RECALL"
        if lot:
            return "CHECK_THE_SERIAL" if part == "part" else "NO_RECALL"
        return "CHECK_THE_SERIAL" if gtin in self._products else "NO_RECALL"

    def _has(self, gtin: str, serial: str) -> bool:
        token = f"/01/{gtin}/21/{quote(serial, safe='-._~')}"
        key = hashlib.sha256(token.encode()).digest()[:8]
        at = bisect.bisect_left(self._items, key)
        return at < len(self._items) and self._items[at] == key


def main(arguments: list[str]) -> int:
    """Answer for the codes on the command line; 3 when one of them is recalled, 2 when the set cannot be trusted."""
    try:
        signed, keys = (json.loads(Path(name).read_text()) for name in arguments[:2])
        recall_set = RecallSet(signed, keys)
    except InvalidSignature:
        sys.stderr.write(
            "The signature does not hold: the set was altered, or the keys are not its own. Fetch both again.\n"
        )
        return 2
    except (OSError, ValueError, LookupError, TypeError) as error:
        sys.stderr.write(f"This is no recall set with its keys that can be read here: {error!r}\n")
        return 2
    statuses = []
    for code in arguments[2:]:
        gtin, lot, serial = (*code.split("/"), "", "")[:3]
        statuses.append(recall_set.status(gtin.zfill(14), lot, serial))
        sys.stdout.write(f"{statuses[-1]}\t{code}\tas of {recall_set.as_of}\n")
    return 3 if "RECALLED" in statuses else 0


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
