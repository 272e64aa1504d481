"""Label jobs as lists show them: what was ordered, what became of the labels, which files were made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from labels.refusals import JobNotFound

__all__ = ["JobLine", "JobNotFound", "OutputLine", "find_job", "list_jobs", "outputs_of"]

PAGE_MAX: Final = 1_000
OUTPUTS_MAX: Final = 1_000
"""Most files of one job that are listed; the newest come first."""

_PARTS = re.split(
    r"^-- name: (\w+)$", Path(__file__).with_name("job_lists.sql").read_text(encoding="utf-8"), flags=re.M
)
_SQL: Final = {name: text(sql.strip().rstrip(";")) for name, sql in zip(_PARTS[1::2], _PARTS[2::2], strict=True)}


@dataclass(frozen=True, slots=True)
class JobLine:
    """One label job. ``commissioned``, ``void`` and ``unused`` count labels and add up to ``count``."""

    job_id: int
    gtin: str
    product_name: str
    lot: str
    count: int
    template: str
    best_before_on: date | None
    lot_in_link: bool
    state: str
    reprint_of: int | None
    ordered_by: str
    ordered_at: datetime
    commissioned: int
    void: int

    @property
    def unused(self) -> int:
        """Labels that are neither on an item nor taken out of use."""
        return self.count - self.commissioned - self.void


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One file of labels that was read back and released."""

    output_id: int
    job_id: int
    format: str
    path: str
    sha256: str
    bytes: int
    label_first: int
    label_last: int
    verified: int
    made_by: str
    made_at: datetime


async def list_jobs(conn: AsyncConnection, *, before: int | None = None, limit: int = PAGE_MAX) -> tuple[JobLine, ...]:
    """Label jobs, the newest first; ``before`` is the number of the last one of the page before."""
    if not 1 <= limit <= PAGE_MAX:
        raise ValueError(f"a page has 1 to {PAGE_MAX} rows, not {limit}")
    rows = await conn.execute(_SQL["jobs"], {"job_id": None, "before": before, "n": limit})
    return tuple(JobLine(**row) for row in rows.mappings())


async def find_job(conn: AsyncConnection, job_id: int) -> JobLine:
    """The label job of this number; raises ``JobNotFound``."""
    rows = await conn.execute(_SQL["jobs"], {"job_id": job_id, "before": None, "n": 1})
    row = rows.mappings().first()
    if row is None:
        raise JobNotFound(job_id=job_id)
    return JobLine(**row)


async def outputs_of(conn: AsyncConnection, job_id: int) -> tuple[OutputLine, ...]:
    """The files of a job, the newest first."""
    rows = await conn.execute(_SQL["outputs"], {"job_id": job_id, "n": OUTPUTS_MAX})
    return tuple(OutputLine(**row) for row in rows.mappings())
