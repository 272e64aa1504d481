"""The arithmetic of a benchmark: medians, ratios pair by pair, growth. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Better = Literal["more", "less"]


@dataclass(frozen=True, slots=True)
class Spread:
    """Middle and ends of the values of several rounds; the ends say how far the figure may be trusted."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """ValueError without values."""
        if not values:
            raise ValueError("a spread needs a value")
        return cls(statistics.median(values), min(values), max(values))

    def plain(self) -> dict[str, float]:
        """The same for JSON."""
        return {"median": self.median, "min": self.low, "max": self.high}


@dataclass(frozen=True, slots=True)
class Sample:
    """What one round of one case gave. ``limited`` says why ``value`` must not be quoted: the generator was busy."""

    value: float
    details: Mapping[str, float] = field(default_factory=dict)
    limited: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One case over all rounds, beside its reference.

    ``ratio`` is above 1 where the case does better than its reference: more per second, or less time. ``cost_ratio``
    is the same for the processor time of one request or label, which stands also where the rate is limited.
    """

    case: str
    unit: str
    values: tuple[float, ...]
    better: Better = "more"
    reference: str | None = None
    ratio: Spread | None = None
    cost_ratio: Spread | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    refused: str | None = None

    @property
    def spread(self) -> Spread:
        return Spread.of(self.values)

    def plain(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "case": self.case,
            "unit": self.unit,
            "better": self.better,
            **self.spread.plain(),
            "values": list(self.values),
            "reference": self.reference,
            "ratio": self.ratio and self.ratio.plain(),
            "cost_ratio": self.cost_ratio and self.cost_ratio.plain(),
            "details": dict(self.details),
            "refused": self.refused,
        }


@dataclass(frozen=True, slots=True)
class Growth:
    """How a time grows with a size: time ~ size ** exponent (0 flat, 1 in proportion)."""

    what: str
    sizes: tuple[float, ...]
    times: tuple[float, ...]

    @property
    def exponent(self) -> float:
        return exponent(self.sizes, self.times)

    def plain(self) -> dict[str, Any]:
        """The same for JSON."""
        return {"what": self.what, "sizes": list(self.sizes), "seconds": list(self.times), "exponent": self.exponent}


def ratios(own: Sequence[float], reference: Sequence[float], better: Better) -> Spread:
    """Round by round, then the median: a disturbance that hits a whole round cancels out.

    ValueError when the rounds do not pair up or a value is not above zero.
    """
    if len(own) != len(reference):
        raise ValueError(f"{len(own)} rounds beside {len(reference)} of the reference")
    if any(value <= 0 for value in (*own, *reference)):
        raise ValueError("a ratio needs values above zero")
    pairs = zip(own, reference, strict=True)
    return Spread.of([a / b if better == "more" else b / a for a, b in pairs])


def exponent(sizes: Sequence[float], times: Sequence[float]) -> float:
    """The slope of log(time) over log(size) by least squares. ValueError with fewer than two different sizes."""
    if len(sizes) != len(times):
        raise ValueError(f"{len(sizes)} sizes and {len(times)} times")
    if len(set(sizes)) < 2:
        raise ValueError("growth needs two different sizes or more")
    if any(value <= 0 for value in (*sizes, *times)):
        raise ValueError("growth needs sizes and times above zero")
    xs, ys = [math.log(size) for size in sizes], [math.log(time) for time in times]
    return statistics.linear_regression(xs, ys).slope


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the values lie (nearest rank). ValueError without values."""
    if not values or not 0 < share <= 1:
        raise ValueError("a quantile needs values and a share above 0, at most 1")
    return sorted(values)[math.ceil(share * len(values)) - 1]
