"""Rounds in turn (A B C, A B C …), so that whatever disturbs the machine disturbs every case alike.

Bounded in count and time, and on this machine alone: nothing is measured over a network.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.figures import Better, Growth, Row, Sample, Spread, ratios
from benchmarks.targets import Outcome
from runtime.refusals import Invalid, TooMany

ROUNDS_ADVISED: Final = 5
"""With fewer rounds a figure is a hint, and the report says so."""
ROUNDS_MAX: Final = 101
SECONDS_MAX: Final = 60.0
"""Longest single load run."""
BENCHMARK_S_MAX: Final = 3_600.0
"""Longest benchmark, all rounds together."""


class OptionOutOfRange(Invalid):
    """{option} is {given}; it must be {low} to {high}."""


class BenchmarkTookTooLong(TooMany):
    """The benchmark was stopped in round {done} of {rounds}, after {limit_s} s. Use fewer rounds or a smaller size."""


Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How much is measured. ``size``, ``items`` and ``lots`` mean what the benchmark says they do; None is its default.

    ``warm_up``: each case runs once unmeasured before its rounds.
    """

    rounds: int = ROUNDS_ADVISED
    seconds: float = 2.0
    size: int | None = None
    items: int | None = None
    lots: int | None = None
    warm_up: bool = True
    tell: Tell = lambda sentence: None

    def __post_init__(self) -> None:
        within("rounds", self.rounds, 1, ROUNDS_MAX)
        within("seconds", self.seconds, 0.1, SECONDS_MAX)

    def size_or(self, default: int, *, low: int, high: int) -> int:
        """The size asked for, or the default; OptionOutOfRange outside of what the benchmark can do."""
        size = default if self.size is None else self.size
        within("size", size, low, high)
        return size


@dataclass(frozen=True, slots=True)
class Contender:
    """A case: ``run`` does one round of it. ``reference`` is the case it is compared with; ``cost`` the name of the
    detail that is the processor time of one piece of work."""

    case: str
    unit: str
    run: Callable[[], Sample]
    better: Better = "more"
    reference: str | None = None
    cost: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a benchmark found."""

    benchmark: str
    machine: Mapping[str, Any]
    rows: tuple[Row, ...]
    growth: tuple[Growth, ...] = ()
    notes: tuple[str, ...] = field(default=())
    targets: tuple[Outcome, ...] = ()

    def plain(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "benchmark": self.benchmark,
            "machine": dict(self.machine),
            "rows": [row.plain() for row in self.rows],
            "growth": [growth.plain() for growth in self.growth],
            "notes": list(self.notes),
            "targets": [outcome.plain() for outcome in self.targets],
        }


def within(option: str, given: float, low: float, high: float) -> None:
    """OptionOutOfRange unless low <= given <= high."""
    if not low <= given <= high:
        raise OptionOutOfRange(option=option, given=given, low=low, high=high)


def measure(contenders: Sequence[Contender], options: Options, *, limit_s: float = BENCHMARK_S_MAX) -> tuple[Row, ...]:
    """Run each case once to warm it up, then all of them in turn, ``options.rounds`` times.

    Raises ``BenchmarkTookTooLong`` when ``limit_s`` have passed: rounds that are missing would make a wrong median.
    ValueError when two cases have one name: their rounds would be taken for those of one case.
    """
    if len({contender.case for contender in contenders}) < len(contenders):
        raise ValueError("two cases of a benchmark have the same name")
    started_at = time.monotonic()
    if options.warm_up:
        for contender in contenders:
            contender.run()
    samples: dict[str, list[Sample]] = {contender.case: [] for contender in contenders}
    for number in range(1, options.rounds + 1):
        options.tell(f"round {number} of {options.rounds}")
        for contender in contenders:
            if time.monotonic() - started_at > limit_s:
                raise BenchmarkTookTooLong(done=number, rounds=options.rounds, limit_s=limit_s)
            samples[contender.case].append(contender.run())
    return tuple(row_of(contender, samples) for contender in contenders)


def row_of(contender: Contender, samples: Mapping[str, Sequence[Sample]]) -> Row:
    """A case's row from the samples of all cases."""
    own = samples[contender.case]
    beside = samples[contender.reference] if contender.reference else None
    refused = _refused(own) or (beside and _refused(beside) and f"reference: {_refused(beside)}") or None
    ratio = ratios(_values(own), _values(beside), contender.better) if beside and not refused else None
    return Row(
        case=contender.case,
        unit=contender.unit,
        better=contender.better,
        values=tuple(_values(own)),
        reference=contender.reference,
        ratio=ratio,
        cost_ratio=_cost_ratio(contender.cost, own, beside),
        details={
            name: statistics.median([sample.details[name] for sample in own])
            for name in own[0].details
            if all(name in sample.details for sample in own)
        },
        refused=refused,
    )


def notes_on(options: Options) -> list[str]:
    """What a reader has to know about the figures of any benchmark."""
    if options.rounds >= ROUNDS_ADVISED:
        return []
    return [f"{options.rounds} rounds are a hint only; figures to quote take {ROUNDS_ADVISED} or more."]


def timed(work: Callable[[], Any]) -> float:
    """Seconds that ``work`` took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _values(samples: Sequence[Sample]) -> list[float]:
    return [sample.value for sample in samples]


def _refused(samples: Sequence[Sample]) -> str | None:
    """The reason, when half of the rounds or more were limited by something else than the case."""
    reasons = [sample.limited for sample in samples if sample.limited]
    return reasons[0] if reasons and 2 * len(reasons) >= len(samples) else None


def _cost_ratio(cost: str | None, own: Sequence[Sample], beside: Sequence[Sample] | None) -> Spread | None:
    if cost is None or beside is None:
        return None
    ours, theirs = ([sample.details.get(cost, 0.0) for sample in samples] for samples in (own, beside))
    return ratios(ours, theirs, "less") if min(*ours, *theirs) > 0 else None
