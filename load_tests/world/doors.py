"""The doors of a running installation, as people and machines use them in a recall: over HTTP, each with its rights."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from access import accounts, api_keys
from access.model import Act, operator
from load_tests.world.cohorts import LotName
from runtime.clock import Clock
from runtime.refusals import Conflict

CODES_A_LIST: Final = 5_000
SEEN_WITHIN_S: Final = 120.0
_PASSWORD: Final = "green meadow at dawn, and nobody there"
_INSTANT: Final = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
_PUBLIC: Final = ("/recalls", "/recalls.json", "/recalls.atom", "/feed.json", "/v1/recall-set")


class NotAnswered(Conflict):
    """{method} {path} was answered with {status}: {text}"""


class NotSeen(Conflict):
    """The portal did not say within {within_s} s what stands on record: {what}."""


@dataclass(frozen=True, slots=True)
class Doors:
    """``author`` and ``approver`` are keys of two people, ``screen`` is a signed-in viewer, ``phone`` is anybody."""

    author: httpx2.AsyncClient
    approver: httpx2.AsyncClient
    screen: httpx2.AsyncClient
    phone: httpx2.AsyncClient

    async def call(self, who: httpx2.AsyncClient, method: str, path: str, body: Any = None) -> httpx2.Response:
        """An answer that is no refusal; raises ``NotAnswered``."""
        answer = await who.request(method, path, json=body)
        if not answer.is_success:
            raise NotAnswered(method=method, path=path, status=answer.status_code, text=answer.text[:500])
        return answer

    async def screen_of(self, number: str) -> str:
        """The screen of a case."""
        return (await self.call(self.screen, "GET", f"/console/cases/{number}")).text

    async def notices(self, number: str, form: str) -> bytes:
        """The notice list of a case in this form."""
        return (await self.call(self.author, "GET", f"/v1/recalls/{number}/notices?format={form}")).content

    async def checked(self, codes: Sequence[str]) -> list[dict[str, Any]]:
        """What the public list check says of each code, in this order."""
        rows: list[dict[str, Any]] = []
        for start in range(0, len(codes), CODES_A_LIST):
            some = {"codes": list(codes[start : start + CODES_A_LIST])}
            rows += (await self.call(self.phone, "POST", "/v1/checks", some)).json()["rows"]
        return rows

    async def scanned(self, path: str) -> dict[str, Any]:
        """What a scan of this code is told."""
        answer: dict[str, Any] = (await self.phone.get(path, headers={"Accept": "application/json"})).json()
        return answer

    async def until_public(self, lot: LotName, revision: int) -> None:
        """Wait until the portal answers from this revision of the public record; raises ``NotSeen``."""
        until = time.monotonic() + SEEN_WITHIN_S
        while (await self.scanned(f"/recall-status{path_of_lot(lot)}")).get("revision", -1) < revision:
            if time.monotonic() > until:
                raise NotSeen(within_s=SEEN_WITHIN_S, what=f"revision {revision}")
            await asyncio.sleep(0.02)

    async def public_bytes(self, codes: Sequence[str]) -> list[bytes]:
        """All that the public reads of recalls, and of these codes; instants taken out, for time goes on.

        First waits until the portal knows these codes: that it gets to know one is no work of a case.
        """
        until = time.monotonic() + SEEN_WITHIN_S
        for code in codes:
            while (await self.scanned(f"/recall-status{code}")).get("verdict") == "unknown_code":
                if time.monotonic() > until:
                    raise NotSeen(within_s=SEEN_WITHIN_S, what=code)
                await asyncio.sleep(0.02)
        paths = [*_PUBLIC, *(f"/recall-status{code}" for code in codes)]
        return [_timeless((await self.call(self.phone, "GET", path)).content) for path in paths]


@asynccontextmanager
async def opened(conn: AsyncConnection, base_url: str, clock: Clock) -> AsyncIterator[Doors]:
    """The doors of the installation at ``base_url`` with the database of ``conn``; keys and the account are made."""
    by_author = await _key(conn, "world-author", "ada", {Act.VIEW, Act.AUTHOR_RECALL}, clock)
    by_approver = await _key(conn, "world-approver", "grace", {Act.VIEW, Act.APPROVE_RECALL, Act.PUBLISH_RECALL}, clock)
    await accounts.add_account(
        conn, name="viewer", role="viewer", password=_PASSWORD, by=operator("worlds"), clock=clock
    )
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(httpx2.AsyncClient(base_url=base_url, headers=headers, timeout=60))
            for headers in (by_author, by_approver, {"Accept-Language": "en"}, {"Accept-Language": "en"})
        ]
        doors = Doors(*clients)
        form = {"name": "viewer", "password": _PASSWORD}
        entered = await doors.screen.post("/console/sign-in", data=form, headers={"Origin": base_url})
        if entered.status_code != 303:
            raise NotAnswered(method="POST", path="/console/sign-in", status=entered.status_code, text=entered.text)
        yield doors


def path_of_lot(lot: LotName) -> str:
    """The path of a lot's Digital Link."""
    return f"/01/{lot.gtin}/10/{lot.code}"


def path_of_item(item: tuple[str, str]) -> str:
    """The path of an item's Digital Link."""
    gtin, serial = item
    return f"/01/{gtin}/21/{serial}"


async def _key(conn: AsyncConnection, name: str, by: str, acts: set[Act], clock: Clock) -> dict[str, str]:
    secret = await api_keys.create(conn, name, acts, operator(by), clock)
    return {"Authorization": f"Bearer {secret}"}


def _timeless(content: bytes) -> bytes:
    """Without instants; a signed document is compared by what it signs."""
    if content.startswith(b"{") and b'"payload"' in content:
        payload = orjson.loads(content)["payload"]
        content = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    return _INSTANT.sub(b"", content)
