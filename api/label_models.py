"""Bodies about the making of labels."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from api.models import Given, LabelJob, LabelOutput, Taken


class LabelRenderOrder(Taken):
    """How a job's labels shall be made; with ``parts`` a file for each part of up to 24,000 labels."""

    format: Literal["pdf", "zpl", "png", "svg", "codes"]
    parts: bool = False


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
