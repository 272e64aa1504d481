"""SQL of documents that wait, as files, to be captured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Waiting:
    """A document that waits: the name of its file, what was asked for, and which attempt this is."""

    file: str
    behaviour: str
    by: str
    attempt: int


async def add(conn: AsyncConnection, capture_id: UUID, file: str) -> None:
    """The document of this capture is in this file."""
    await conn.execute(
        text("INSERT INTO capture_file (capture_id, file) VALUES (:capture_id, :file)"),
        {"capture_id": capture_id, "file": file},
    )


async def begin_attempt(conn: AsyncConnection, capture_id: UUID) -> Waiting | None:
    """Count one more attempt; None when the capture has ended."""
    row = (
        await conn.execute(
            text("""
                UPDATE capture_file f SET attempts = f.attempts + 1 FROM capture c
                WHERE f.capture_id = :capture_id AND c.capture_id = f.capture_id AND c.running
                RETURNING f.file, c.behaviour, c.captured_by, f.attempts
            """),
            {"capture_id": capture_id},
        )
    ).first()
    return None if row is None else Waiting(*row)


async def forget(conn: AsyncConnection, capture_id: UUID) -> str | None:
    """The file is needed no more; its name."""
    found = await conn.execute(
        text("DELETE FROM capture_file WHERE capture_id = :capture_id RETURNING file"), {"capture_id": capture_id}
    )
    file: str | None = found.scalar_one_or_none()
    return file


async def waiting_among(conn: AsyncConnection, files: Iterable[str]) -> frozenset[str]:
    """Which of these files are still needed."""
    rows = await conn.execute(
        text("SELECT file FROM capture_file WHERE file = ANY(CAST(:files AS text[]))"), {"files": list(files)}
    )
    return frozenset(row.file for row in rows)
