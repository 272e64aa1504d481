"""The notice list as documents. All four are made from the same frozen rows and carry the affected set's hash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from recall import store
from recall.documents import csv, json, pdf, xlsx
from recall.documents.header import ListHeader, header_of
from recall.notices import Row
from recall.refusals import FormatNotKnown

Write = Callable[[Sequence[Row], ListHeader, Path], Sequence[Path]]

WRITERS: Final[Mapping[str, Write]] = {"xlsx": xlsx.write, "csv": csv.write, "json": json.write, "pdf": pdf.write}


async def write_notices(
    conn: AsyncConnection, number: str, formats: Iterable[str], out_dir: Path, *, version: int | None = None
) -> list[Path]:
    """Write the notice list of a version (the last one by default) into ``out_dir``; the files written.

    A file appears whole or not at all, and replaces one of the same name. CSV comes with a second file for the totals.
    Raises ``FormatNotKnown`` before anything is written, ``NoSuchCase``, ``NoSuchVersion``, ``NoNoticesYet``,
    ``NoticeListTooLong``.
    """
    wanted = list(dict.fromkeys(formats))
    for name in wanted:
        if name not in WRITERS:
            raise FormatNotKnown(format=name, known=", ".join(WRITERS))
    notice_list = await store.notice_lines(conn, number, version)
    header = header_of(notice_list)
    out_dir.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for name in wanted:
        # in a thread: a face that writes a long PDF must go on answering scans meanwhile
        out = out_dir / f"{header.file_stem}.{name}"
        paths += await asyncio.to_thread(WRITERS[name], notice_list.rows, header, out)
    return paths
