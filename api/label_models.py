"""Bodies about the making of labels."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from api.label_work_models import PackOrder
from api.models import Given, LabelJob, LabelOutput, Taken, Words


class LabelRenderOrder(Taken):
    """How a job's labels shall be made; with ``parts`` a file for each part of up to 24,000 labels. A PDF may
    begin at a cell of the first sheet, and be moved right and down in steps of 0.1 mm. ``pack`` says what a print
    house's pack shall hold: with the format ``pack``, and only then; it has lists of at most 1,000,000 codes."""

    format: Literal["pdf", "zpl", "png", "svg", "codes", "pack"]
    pack: PackOrder | None = None
    parts: bool = False
    start_cell: Annotated[int, Field(ge=1, le=1_000)] = 1
    right_mm: Annotated[float, Field(ge=-10, le=10)] = 0
    down_mm: Annotated[float, Field(ge=-10, le=10)] = 0

    @model_validator(mode="after")
    def _pack_is_told(self) -> Self:
        if (self.format == "pack") != (self.pack is not None):
            raise ValueError("the format pack and what the pack shall hold come together")
        if self.pack is not None and (self.parts or self.start_cell != 1 or self.right_mm or self.down_mm):
            raise ValueError("a pack has neither parts of its own nor sheets")
        return self


class PartResolved(Taken):
    """What became of a part that was handed over: it was ``delivered``, ``not_printed`` (it may be handed over again),
    or nobody knows and its labels shall be ``void`` for good."""

    part: Annotated[int, Field(ge=1, le=10_000)] = 1
    word: Literal["delivered", "not_printed", "void"]
    reason: Words


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
