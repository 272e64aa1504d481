"""What the commands of ``tracemark recall`` have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.installation import open_installation
from ledger import codes

Case = Annotated[str, typer.Argument(help="Case number, such as R-2026-0001.")]


def verb(data_dir: Path | None, work: Callable[[AsyncConnection, codes.KeyRing], Awaitable[Any]]) -> Any:
    """Run ``work`` on the installation, with the serial keys in force."""
    with open_installation(data_dir=data_dir) as installation:

        async def with_keys(conn: AsyncConnection) -> Any:
            return await work(conn, await codes.KeyRing.load(conn, installation.master_secret))

        return installation.run(with_keys)
