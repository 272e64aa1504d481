"""What an address of the API is: one value per method and path.

The routes, the check of rights, the limits and the description in /openapi.json are all made from these values, so none
of them can be forgotten for one address.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.requests import Request
from starlette.responses import Response

from access.model import Act, Actor
from api.received import Received
from ledger.capture_together import Together
from ledger.codes import KeyRing, KeyRings
from runtime.clock import Clock
from runtime.settings import Settings

JSON: Final = "application/json"
CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

JSON_BYTES_MAX: Final = 1024 * 1024
FILE_BYTES_MAX: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class World:
    """What every operation of one process works on."""

    settings: Settings
    master_secret: SecretStr
    engine: AsyncEngine
    clock: Clock
    key_rings: KeyRings
    together: Together = field(default_factory=Together)

    @property
    def asking(self) -> AsyncEngine:
        """Its connections are for one look-up each, without the two questions that a transaction would be more."""
        return self.engine.execution_options(isolation_level="AUTOCOMMIT")


@dataclass(frozen=True, slots=True)
class Call:
    """One request that was let in: who calls, with which connection and which body."""

    request: Request
    world: World
    conn: AsyncConnection
    actor: Actor
    received: Received
    idempotency_key: str | None = None
    ring: KeyRing | None = None

    @property
    def body(self) -> bytes:
        """The body; empty when it is in a file."""
        return self.received.data

    @property
    def media_type(self) -> str:
        """Of the body."""
        return self.received.media_type

    @property
    def by(self) -> str:
        """The name on the records."""
        return self.actor.name

    @property
    def clock(self) -> Clock:
        return self.world.clock

    async def keys(self) -> KeyRing:
        """The serial keys in force now, or when the body had arrived."""
        return await self.world.key_rings.load(self.conn) if self.ring is None else self.ring


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of the path or of the query, and what it means."""

    name: str
    meaning: str
    where: str = "query"
    required: bool = False
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one path.

    ``acts``: one of these rights is needed; empty means that any valid key may. ``repeatable``: the verb knows its own
    repetitions, so a request that was cut off may begin again under its Idempotency-Key. ``takes`` are the media types
    of the body, each with the model of one record (None: a document that the standard describes). ``folder``: a body
    may be as large as the settings say, and one that is not taken at once is kept there, in the data directory.
    """

    method: str
    path: str
    work: Callable[[Call], Awaitable[Response]]
    summary: str
    acts: tuple[Act, ...]
    status: int = 200
    answers: type[BaseModel] | None = None
    answer_media: str = JSON
    takes: Mapping[str, type[BaseModel] | None] | None = None
    body_is_list: bool = False
    body_bytes_max: int = JSON_BYTES_MAX
    folder: str | None = None
    parameters: tuple[Parameter, ...] = ()
    refuses: tuple[int, ...] = ()
    repeatable: bool = False
    reads_codes: bool = False

    @property
    def keeps_answers(self) -> bool:
        """Whether an Idempotency-Key is heeded. A pack of codes is no record: asked for again it is made again."""
        return self.method == "POST" and self.answer_media == JSON

    @property
    def name(self) -> str:
        """``POST /v1/recalls``: how the records and the description call it."""
        return f"{self.method} {self.path}"
