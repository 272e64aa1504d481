"""Bodies about the making of labels."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.models import Given, LabelJob, LabelOutput, Taken


class LabelRenderOrder(Taken):
    """How a job's labels shall be made; with ``parts`` a file for each part of up to 24,000 labels. A PDF may
    begin at a cell of the first sheet, and be moved right and down in steps of 0.1 mm."""

    format: Literal["pdf", "zpl", "png", "svg", "codes"]
    parts: bool = False
    start_cell: Annotated[int, Field(ge=1, le=1_000)] = 1
    right_mm: Annotated[float, Field(ge=-10, le=10)] = 0
    down_mm: Annotated[float, Field(ge=-10, le=10)] = 0


class LabelRendering(Given):
    """How far a rendering is. ``made`` and ``read_back`` count labels, ``parts`` counts parts by what became of them;
    ``labels_per_s`` is since its latest start. ``files`` are the names of what was released."""

    render_id: int
    job_id: int
    format: str
    in_parts: bool
    state: str
    problem: str | None
    labels: int
    made: int
    read_back: int
    parts: dict[str, int]
    labels_per_s: float | None
    remaining_s: float | None
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    files: list[str]


class LabelProgress(Given):
    """The renderings of a job, the newest first."""

    job_id: int
    renderings: list[LabelRendering]


class LabelJobWithOutputs(LabelJob):
    outputs: list[LabelOutput]
    progress: list[LabelRendering]
