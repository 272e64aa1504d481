"""What is typed for a new case, read: lots, time windows, texts by language."""

from __future__ import annotations

from pathlib import Path

import orjson

from cli.dates import read_instant
from cli.given import bytes_of
from recall.model import Text, WindowDraft
from runtime.refusals import Invalid


class LotUnreadable(Invalid):
    """{text} is not a lot. Write GTIN:LOT, such as 09506000134352:C1."""


class TextsUnreadable(Invalid):
    """{path} does not hold texts by language: {problem}."""


class WindowIncomplete(Invalid):
    """A window in time needs --from, --to, and --place or --line."""


def read_lot(text: str) -> tuple[str, str]:
    """``GTIN:LOT`` as a pair; raises ``LotUnreadable``."""
    gtin, colon, lot = text.partition(":")
    if not colon or not gtin.isdigit() or not lot:
        raise LotUnreadable(text=text)
    return gtin.zfill(14), lot


def read_window(start: str | None, end: str | None, place: str | None, line: str | None) -> tuple[WindowDraft, ...]:
    """A window in time, if one is told; raises ``WindowIncomplete``."""
    if not (start or end or place or line):
        return ()
    if not (start and end and (place or line)):
        raise WindowIncomplete()
    return (WindowDraft(read_instant(start), read_instant(end), place, line),)


def read_texts(path: Path | None) -> dict[str, Text]:
    """The texts of a file; raises ``TextsUnreadable``, or that there is no such file."""
    if path is None:
        return {}
    try:
        by_language = orjson.loads(bytes_of(path))
        return {
            language: Text(
                title=str(text["title"]),
                hazard=str(text["hazard"]),
                actions=tuple(map(str, text.get("actions", ()))),
                remedies=tuple(map(str, text.get("remedies", ()))),
            )
            for language, text in by_language.items()
        }
    except orjson.JSONDecodeError as error:
        raise TextsUnreadable(path=path, problem=error) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise TextsUnreadable(
            path=path, problem='expected {"zh": {"title": …, "hazard": …, "actions": […]}}'
        ) from error
