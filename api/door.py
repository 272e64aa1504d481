"""The door of the API: who calls, with what right, with which body, and whether it was answered before.

An operation's work begins only behind it. A key is checked before the body is read, and no database connection is held
while a slow body arrives.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from access import api_keys, idempotency, permissions
from access.model import Actor
from access.refusals import KeyNotValid
from api.operations import JSON, Call, Operation, World
from api.received import Received
from gs1.errors import GS1Error
from ledger.codes import KeyRing
from runtime.refusals import Refusal

_KEPT_HEADERS: Final = ("location", "link")


def door(world: World, operations: Mapping[str, Operation]) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of one path; ``operations`` by method."""

    async def endpoint(request: Request) -> Response:
        operation = operations["GET" if request.method == "HEAD" else request.method]
        actor = await _let_in(world, request, operation)
        body = _expected(request, operation)
        try:
            await _receive(world, request, operation, body)
            ring = await _ring(world) if operation.reads_codes else None
            async with world.engine.connect() as conn:
                key = request.headers.get("idempotency-key") if operation.keeps_answers else None
                call = Call(request, world, conn, actor, body, key, ring)
                return await (operation.work(call) if key is None else _once(call, operation, key))
        finally:
            body.discard()

    return endpoint


async def _let_in(world: World, request: Request, operation: Operation) -> Actor:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise KeyNotValid
    async with world.asking.connect() as conn:
        actor = await api_keys.actor_of_key(conn, secret.strip(), world.clock)
    permissions.require_one_of(actor, operation.acts)
    return actor


async def _ring(world: World) -> KeyRing:
    async with world.asking.connect() as conn:
        return await world.key_rings.load(conn)


def _expected(request: Request, operation: Operation) -> Received:
    """The body that will arrive; refuses a media type that is not taken."""
    query = request.url.query
    if operation.takes is None:
        return Received(f"{query}\n\n")
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower() or JSON
    if media_type not in operation.takes:
        raise HTTPException(415, f"{media_type} is not taken here. Send {' or '.join(operation.takes)}.")
    return Received(f"{query}\n{media_type}\n", media_type)


async def _receive(world: World, request: Request, operation: Operation, body: Received) -> None:
    """Take the body, where one is taken; a large document goes into a file of the data directory."""
    if operation.takes is None:
        return
    settings = world.settings
    if operation.folder is None:
        limit = min(operation.body_bytes_max, settings.capture_bytes_max)
        await body.read(request, bytes_max=limit, held_bytes_max=limit, folder=None)
        return
    await body.read(
        request,
        bytes_max=settings.capture_bytes_max,
        held_bytes_max=settings.capture_at_once_bytes_max,
        folder=settings.data_dir / operation.folder,
    )


async def _once(call: Call, operation: Operation, key: str) -> Response:
    """Do the work under an Idempotency-Key: once, and the same answer for every repetition."""
    route = f"{operation.method} {call.request.url.path}"
    kept = await idempotency.begin(
        call.conn,
        key=key,
        actor=call.by,
        route=route,
        request_hash=call.received.digest,
        clock=call.clock,
        repeatable=operation.repeatable,
    )
    if kept is not None:
        headers = {**kept.body["headers"], "Idempotent-Replayed": "true", "Cache-Control": "no-store"}
        return Response(orjson.dumps(kept.body["body"]), kept.status, headers, JSON)
    async with _released_on_refusal(call, key):
        response = await operation.work(call)
    assert not isinstance(response, FileResponse)  # POSTs answer with JSON, which can be kept
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    body = {"headers": headers, "body": orjson.loads(response.body) if response.body else None}
    await idempotency.keep(call.conn, key=key, actor=call.by, status=response.status_code, body=body)
    return response


@asynccontextmanager
async def _released_on_refusal(call: Call, key: str) -> AsyncIterator[None]:
    try:
        yield
    except (Refusal, HTTPException, GS1Error):
        await idempotency.release(call.conn, key=key, actor=call.by)
        raise
