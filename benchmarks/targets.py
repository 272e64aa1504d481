"""What a benchmark is to reach: named ratios to a reference of the same rounds, and whether they were reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from benchmarks.figures import Row


class Target(NamedTuple):
    """A ratio of one case to its reference: by processor time of one request (``cost``), or by what is measured."""

    case: str
    at_least: float
    by: Literal["cost", "value"] = "cost"


class Outcome(NamedTuple):
    """A target, and the median that was reached; None when no figure may be quoted."""

    target: Target
    reached: float | None

    @property
    def is_met(self) -> bool:
        """What could not be judged is not met."""
        return self.reached is not None and self.reached >= self.target.at_least

    def plain(self) -> dict[str, Any]:
        """The same for JSON."""
        return {**self.target._asdict(), "reached": self.reached, "is_met": self.is_met}

    def sentence(self) -> str:
        """For people."""
        said = "met" if self.is_met else "MISSED"
        reached = "not judged" if self.reached is None else f"{self.reached:.3g}"
        return f"{said}: {self.target.case}: {reached}, wanted {self.target.at_least:g} or more"


def judge(rows: Sequence[Row], targets: Sequence[Target]) -> tuple[Outcome, ...]:
    """Each target with its row's median. A rate limited by the generator is no figure; processor time stands also then.

    KeyError when a target names no row.
    """
    row_by_case = {row.case: row for row in rows}
    found = []
    for target in targets:
        row = row_by_case[target.case]
        ratio = row.cost_ratio if target.by == "cost" else row.ratio
        found.append(Outcome(target, None if ratio is None else ratio.median))
    return tuple(found)
