"""The receipt of a check: what was asked, as of when, and what was found, signed so that nobody can alter it later."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from portal.live import Live
from portal.signing import Signer, encoded
from runtime.clock import rfc3339
from runtime.refusals import NotFound

KIND: Final = "tracemark-check-receipt"
WITHIN_S: Final = 0.5
ID_CHARACTERS_MAX: Final = 40


class NoSuchReceipt(NotFound):
    """There is no receipt {receipt_id}. Receipts are kept for a limited time; check the file you were given instead."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a receipt is about: hashes of what came in and of what went out, never the codes themselves."""

    rows: int
    counts: Mapping[str, int]
    input_sha256: str
    result_sha256: str
    revision: int
    confirmed_at: datetime | None
    file_name: str = ""


class Receipts:
    """Makes, keeps and reads receipts."""

    def __init__(self, live: Live, signer: Signer, base_url: str) -> None:
        self._live = live
        self._signer = signer
        self._base_url = base_url

    async def make(self, asked: Asked, now: datetime, *, key: str = "") -> dict[str, Any] | None:
        """The receipt, kept and signed; None when the database did not take it in time: then there is none.

        ``key``: of a request that may be repeated. The same key, question and answer have one receipt.
        """
        name = f"{key}\0{asked.input_sha256}\0{asked.result_sha256}\0{asked.revision}"
        receipt_id = encoded(hashlib.sha256(name.encode()).digest()[:18]) if key else encoded(secrets.token_bytes(18))
        payload = orjson.dumps(
            {
                "id": receipt_id,
                "issuer": self._base_url,
                "checked_at": rfc3339(now),
                "confirmed_at": rfc3339(asked.confirmed_at) if asked.confirmed_at is not None else None,
                "revision": asked.revision,
                "rows": asked.rows,
                "counts": dict(asked.counts),
                "input_sha256": asked.input_sha256,
                "result_sha256": asked.result_sha256,
                "file_name": asked.file_name[:200],
            }
        )
        document = orjson.dumps(self._signer.sign(payload, KIND)).decode()
        sql = "SELECT public_keep_receipt($1, $2, $3) AS document"
        rows = await self._live.fetch(sql, receipt_id, document, now, within_s=WITHIN_S)
        return self._shown(rows[0]["document"]) if rows else None

    async def find(self, receipt_id: str) -> dict[str, Any] | None:
        """A kept receipt with whether its signature holds. Raises ``NoSuchReceipt``; None without an answer in time."""
        if len(receipt_id) > ID_CHARACTERS_MAX or not receipt_id.isascii() or "\0" in receipt_id:
            raise NoSuchReceipt(receipt_id=receipt_id[:ID_CHARACTERS_MAX])
        rows = await self._live.fetch("SELECT public_receipt($1) AS document", receipt_id, within_s=WITHIN_S)
        if rows is None:
            return None
        if rows[0]["document"] is None:
            raise NoSuchReceipt(receipt_id=receipt_id)
        return self._shown(rows[0]["document"])

    def _shown(self, document: str) -> dict[str, Any]:
        """The receipt to read, and the signed form of the same."""
        signed = orjson.loads(document)
        payload = self._signer.payload_of(signed, KIND)
        said: dict[str, Any] = orjson.loads(payload) if payload is not None else {"id": None}
        return {"receipt": said, "is_valid": payload is not None, "signed": signed}


def hash_of_codes(codes: list[str]) -> str:
    """The hash of a pasted list: of its codes in UTF-8, each followed by a line feed."""
    digest = hashlib.sha256()
    for code in codes:
        digest.update(code.encode(errors="surrogatepass") + b"\n")
    return digest.hexdigest()


def pdf(html: str) -> bytes:
    """A page as PDF. Nothing is fetched for it."""
    from weasyprint import HTML  # here: it loads Pango, without which a portal starts as well

    made: bytes = HTML(string=html, url_fetcher=_fetch_nothing).write_pdf()
    return made


def _fetch_nothing(url: str) -> Any:
    raise ValueError(f"nothing is fetched for a receipt: {url}")
