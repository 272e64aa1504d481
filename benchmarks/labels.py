"""``tracemark benchmark labels``: labels per second, bytes per label and memory, beside WeasyPrint on its own.

``size`` is the largest PDF; three smaller ones tell how the time grows.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from typing import Final

from benchmarks import label_peers, label_work, machine
from benchmarks.figures import Growth, Sample
from benchmarks.harness import Contender, Options, Report, measure, notes_on
from benchmarks.label_work import Work
from serials.alphabet import NUMBERS_MAX, SERIAL_BITS

LABELS_DEFAULT: Final = 24_000
LABELS_MIN: Final = 100
LABELS_MAX: Final = 2_000_000
STEPS: Final = (100, 25, 5, 1)
"""The sizes of the PDFs are the largest divided by these: four points tell how the time grows."""
ISSUED: Final = 1_000_000_000
"""Codes of one product for which the chance of a guess is told."""
REFERENCE: Final = "WeasyPrint alone"
_REFERENCE_LABELS: Final = 240
_SCANS: Final = 10_000
_MEGABYTE: Final = 1_000_000


def run(options: Options, *, apart: bool = True) -> Report:
    """Measure; OptionOutOfRange for a size that cannot be. Not ``apart``, memory is that of all cases together."""
    described = machine.describe()
    largest = options.size_or(LABELS_DEFAULT, low=LABELS_MIN, high=LABELS_MAX)
    sizes = [largest // step for step in STEPS]
    with ExitStack() as stack:
        apart_in = stack if apart else None
        contenders = [*_peers(apart_in, largest), *_contenders(apart_in, sizes, largest)]
        rows = measure(contenders, options)
    pdf = {row.case: row for row in rows}
    times = [size / pdf[_pdf(size)].spread.median for size in sizes]
    growth = (Growth("PDF, labels", tuple(sizes), tuple(times)),)
    return Report("labels", described, rows, growth, (*notes_on(options), *_NOTES, _guess(), *label_peers.missing()))


_NOTES: Final = (
    "Every symbol of PDF and ZPL is read back by an independent reader from the bytes of its file within the time told,"
    " but where it says not.",
    "A PDF's first thousand labels are rasterised from the file and read once more: small jobs bear most of that.",
)


def _peers(stack: ExitStack | None, largest: int) -> Iterator[Contender]:
    """Programs of others that are installed, each with our work of the same kind beside it."""
    for case, unit, work in label_peers.installed():
        name = case.split(",")[0]
        ours = label_work.pdf if unit == "labels/s" else label_work.symbols
        yield Contender(case, unit, work, cost="cpu_us")
        yield _contender(stack, f"ours, {largest:,}, beside {name}", ours, largest, unit, beside=case)
        if unit == "labels/s":  # glabels reads nothing back
            drawn = f"ours, {largest:,}, not read back, beside {name}"
            yield _contender(stack, drawn, label_work.pdf_drawn, largest, unit, beside=case)


def _contenders(stack: ExitStack | None, sizes: list[int], largest: int) -> list[Contender]:
    packs = min(max(largest * 100_000 // LABELS_DEFAULT, 100), 20_000_000)
    zpl = min(max(largest * 10_000 // LABELS_DEFAULT, 100), 500_000)
    return [
        _contender(stack, REFERENCE, label_work.weasyprint_alone, min(_REFERENCE_LABELS, largest), beside=None),
        *(_contender(stack, _pdf(size), label_work.pdf, size) for size in sizes),
        _contender(stack, f"PDF, {largest:,} labels, not read back", label_work.pdf_drawn, largest),
        _contender(stack, f"PDF, a roll of {largest:,} labels", label_work.roll, largest),
        _contender(stack, f"ZPL, {zpl:,} labels", label_work.zpl, zpl),
        _contender(stack, f"ZPL, {zpl:,} labels, not read back", label_work.zpl_drawn, zpl),
        _contender(stack, f"code pack, {packs:,} codes", label_work.codes, packs, "codes/s"),
        _contender(stack, f"serials alone, {packs:,}", label_work.serials, packs, "serials/s", beside=None),
        _contender(
            stack, f"serials decoded as scans do, {_SCANS:,}", label_work.scan_side, _SCANS, "serials/s", beside=None
        ),
        _contender(stack, f"serials and symbols, {zpl:,}", label_work.symbols, zpl, "symbols/s", beside=None),
        _contender(stack, f"reading back, {zpl:,} symbols", label_work.read_back, zpl, "symbols/s", beside=None),
        _contender(stack, "composing a cell, once per job", label_work.compose, 1, "cells/s", beside=None),
    ]


def _guess() -> str:
    """The formula, with its figures: a guess is right when its number was issued."""
    return (
        f"Guessing: issued codes / 2^{SERIAL_BITS} = {ISSUED:,} / {NUMBERS_MAX:,} = {ISSUED / NUMBERS_MAX:.1e} for each"
        " guess, over all keys of a product together."
    )


def _pdf(size: int) -> str:
    return f"PDF, {size:,} labels"


def _contender(
    stack: ExitStack | None,
    case: str,
    work: Callable[[int], Work],
    count: int,
    unit: str = "labels/s",
    *,
    beside: str | None = REFERENCE,
) -> Contender:
    """A case in a process of its own, kept warm: its peak of memory is that of its work."""
    context = multiprocessing.get_context("spawn")
    pool = stack.enter_context(ProcessPoolExecutor(1, mp_context=context)) if stack else None

    def run_once() -> Sample:
        done = pool.submit(work, count).result() if pool else work(count)
        details = {
            "bytes_each": done.bytes / count,
            "cpu_us": done.cpu_s * 1e6 / count,
            "peak_mb": done.peak_bytes / _MEGABYTE,
        }
        return Sample(count / done.seconds, details)

    return Contender(case, unit, run_once, reference=beside, cost="cpu_us")
