"""What the commands of ``tracemark recall`` have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.installation import open_installation
from ledger import codes
from recall.model import Text
from runtime.refusals import Invalid

Case = Annotated[str, typer.Argument(help="Case number, such as R-2026-0001.")]


class TextsUnreadable(Invalid):
    """{path} does not hold texts by language: {problem}."""


def verb(data_dir: Path | None, work: Callable[[AsyncConnection, codes.KeyRing], Awaitable[Any]]) -> Any:
    """Run ``work`` on the installation, with the serial keys in force."""
    with open_installation(data_dir=data_dir) as installation:

        async def with_keys(conn: AsyncConnection) -> Any:
            return await work(conn, await codes.KeyRing.load(conn, installation.master_secret))

        return installation.run(with_keys)


def read_texts(path: Path | None) -> dict[str, Text]:
    """The texts by language that a JSON file holds; none without a file. Raises ``TextsUnreadable``."""
    if path is None:
        return {}
    try:
        by_language = orjson.loads(path.read_bytes())
        return {
            language: Text(
                title=str(text["title"]),
                hazard=str(text["hazard"]),
                actions=tuple(map(str, text.get("actions", ()))),
                remedies=tuple(map(str, text.get("remedies", ()))),
            )
            for language, text in by_language.items()
        }
    except (OSError, orjson.JSONDecodeError) as error:
        raise TextsUnreadable(path=path, problem=error) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise TextsUnreadable(
            path=path, problem='expected {"zh": {"title": …, "hazard": …, "actions": […]}}'
        ) from error
