"""Guards around a face, as pure ASGI middleware: size of bodies, security headers, requests from other sites.

What a guard refuses, the face shows (``answer``) as it shows every other problem: to people as a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.refusals import NotAllowed, TooMany
from web.problems import Answer, as_json, of_refusal

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class BodyTooLarge(TooMany):
    """The body has more than {bytes_max} bytes, the most that is taken at this address. Send less, or split it."""


class OtherSite(NotAllowed):
    """This request was sent by another site. Open this page directly and try again."""


class BodyLimit:
    """Refuses a body larger than ``bytes_max``; ``by_prefix`` gives other limits to paths (the longest prefix wins).

    The declared length is believed when it is too large; what really arrives is counted all the same.
    """

    def __init__(
        self, app: ASGIApp, bytes_max: int, by_prefix: Mapping[str, int] | None = None, answer: Answer = as_json
    ) -> None:
        self.app = app
        self.answer = answer
        self.bytes_max = bytes_max
        self.by_prefix = sorted((by_prefix or {}).items(), key=lambda pair: -len(pair[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = next((n for prefix, n in self.by_prefix if scope["path"].startswith(prefix)), self.bytes_max)
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            refused = of_refusal(BodyTooLarge(bytes_max=limit))
            await self.answer(Request(scope), refused)(scope, receive, send)
            return
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > limit:
                raise BodyTooLarge(bytes_max=limit)
            return message

        await self.app(scope, counted, send)


class SecurityHeaders:
    """Adds the headers every answer carries; an answer that sets one itself keeps its own.

    ``csp`` is the Content-Security-Policy; ``https`` adds HSTS (only when the public address is https).
    """

    def __init__(self, app: ASGIApp, csp: str, *, https: bool = False) -> None:
        self.app = app
        self.headers = {**_HEADERS, "Content-Security-Policy": csp}
        if https:
            self.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers)


class SameOrigin:
    """Refuses unsafe requests that another site made a browser send.

    A browser says so itself (``Sec-Fetch-Site``), older ones by ``Origin``. A request with neither and without a cookie
    is no browser's (a key, a command line) and passes: it carries no authority that it does not hold itself.
    """

    def __init__(self, app: ASGIApp, origins: Iterable[str] = (), answer: Answer = as_json) -> None:
        self.app = app
        self.answer = answer
        self.hosts = frozenset(urlsplit(origin).netloc for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and not self._is_ours(Headers(scope=scope)):
            await self.answer(Request(scope), of_refusal(OtherSite()))(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _is_ours(self, headers: Headers) -> bool:
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        origin = headers.get("origin")
        if origin is not None:
            host = urlsplit(origin).netloc
            return bool(host) and (host == headers.get("host") or host in self.hosts)
        return "cookie" not in headers
