"""Probes for whoever runs the process: alive, and ready to be sent requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web.problems import RETRY_AFTER_S

Check = Callable[[], Awaitable[str | None]]
"""Says what is wrong, in a sentence; None when all is well. Must not raise and must end within its own deadline."""


def routes(checks: Mapping[str, Check]) -> list[Route]:
    """``/livez`` (200 while the process answers) and ``/readyz`` (503 with the reasons while a check finds fault)."""

    async def livez(_request: Request) -> Response:
        return Response(b'{"status":"alive"}', media_type="application/json", headers={"Cache-Control": "no-store"})

    async def readyz(_request: Request) -> Response:
        faults = {name: fault for name, check in checks.items() if (fault := await check()) is not None}
        headers = {"Cache-Control": "no-store"} | ({"Retry-After": str(RETRY_AFTER_S)} if faults else {})
        body = orjson.dumps({"status": "not ready" if faults else "ready", "faults": faults})
        return Response(body, 503 if faults else 200, headers, "application/json")

    return [Route("/livez", livez), Route("/readyz", readyz)]
