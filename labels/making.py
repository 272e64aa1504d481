"""Making the parts of a rendering: in this process, or in several, each part by one of them.

Parts are independent. A part's file appears under its name only when it is whole and was read back.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from labels.compiled import composed
from labels.furniture import Furniture
from labels.layout import Template, place_symbol
from labels.model import Batch, Job, LabelFormat, LabelText, OutputFile, VerifyReport, texts
from labels.parts import Part, Pieces, count
from labels.release import Plan, without_password
from labels.render.code_pack import write_code_pack
from labels.render.files import GoOn, Tally, asking, replacing
from labels.render.pdf import LABELS_MAX as PDF_LABELS_MAX
from labels.render.pdf import join_pdf, write_pdf
from labels.render.png import write_png
from labels.render.svg import write_svg
from labels.render.zpl import LABELS_MAX as ZPL_LABELS_MAX
from labels.render.zpl import join_zpl, write_zpl
from labels.single_labels import Singles, write_single_codes, write_single_pdf
from labels.symbol import SymbolPlan
from labels.verify import LABELS_READ_MAX, PageSample
from ledger.codes import KeyRing
from runtime.children import end_with_parent
from runtime.refusals import Refusal

PROCESSES_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class Making:
    """What the parts of one rendering share. It travels to other processes, so it holds no open thing."""

    job: Job
    kind: LabelFormat
    text: LabelText
    keys: KeyRing
    furniture: Furniture | None
    """The composed cell; None where none is stamped (codes, SVG)."""
    manifest_beside: bool
    """Whether a code pack's manifest bears the name of its list."""
    template: Template
    start_cell: int
    singles: Singles | None
    brought: Mapping[int, str]
    """The serials by label, where the customer brought them."""
    recipe: dict[str, Any] | None = None
    """Of a pack: what the print house asked for, without the password, which only the archive needs."""


def prepare(
    plan: Plan, keys: KeyRing, *, cells_folder: Path | None, brought: Mapping[int, str] | None = None
) -> Making:
    """Compose what the labels share; raises what composing refuses. Without ``cells_folder`` no cell is kept."""
    job, furniture = plan.job, None
    if plan.singles is None and plan.kind not in ("codes", "pack", "svg"):
        side = SymbolPlan.size_for(job.form).side
        cell = composed(cells_folder, plan.text, plan.template, side, lot_in_link=job.lot_in_link)
        furniture = replace(cell, template=plan.sheet)  # a cell is the same wherever the sheet lies
    return Making(
        job, plan.kind, plan.text, keys.only(job.key_epoch), furniture, plan.manifest_beside, plan.sheet,
        plan.feed.start_cell, plan.singles, brought or {}, without_password(plan.recipe),
    )  # fmt: skip


class Maker:
    """Makes parts one after the other; what they share is prepared once."""

    def __init__(self, making: Making) -> None:
        job = making.job
        self.making = making
        self._template = making.template
        is_listed = making.kind in ("codes", "pack") or making.singles is not None
        self._plan = None if is_listed else SymbolPlan(job.form)
        self._furniture = making.furniture

    def make(self, part: Part, folder: Path) -> OutputFile:
        """Write the part into ``folder`` under its name, reading back each symbol; all or nothing."""
        job, kind, target = self.making.job, self.making.kind, folder / part.name
        if self.making.singles is not None:
            return self._make_singles(part, target, self.making.singles)
        if self.making.recipe is not None:
            return self._make_list(part, target, self.making.recipe)
        drawn = batches(job, self.making.keys, part.pieces)
        if self._plan is None:
            placement = place_symbol(self._template, SymbolPlan.size_for(job.form).side)
            place = target if self.making.manifest_beside else folder
            remarks = {"job": str(job.job_id)}
            return write_code_pack(place, job.form, job.lot, drawn, module_mm_min=placement.module_mm, remarks=remarks)
        if self._furniture is None:
            return write_svg(target, place_symbol(self._template, self._plan.side), self._plan, drawn)
        if kind == "pdf":
            rasterised = LABELS_READ_MAX if part.part == 1 else self._template.cells
            start_cell = self.making.start_cell if part.part == 1 else 1
            return write_pdf(
                target, self._furniture, self._plan, drawn, start_cell=start_cell, rasterised_max=rasterised
            )
        write = {"zpl": write_zpl, "png": write_png}[kind]
        return write(target, self._furniture, self._plan, drawn)

    def _make_list(self, part: Part, target: Path, recipe: Mapping[str, Any]) -> OutputFile:
        from labels import packs  # loads workbook and archive writers, which other renderings go without

        making = self.making
        asked = packs.PackOrder(recipe["recipient"], recipe["format"], tuple(recipe["columns"]))
        return packs.write_list(making.job, part, target, keys=making.keys, brought=making.brought, asked=asked)

    def _make_singles(self, part: Part, target: Path, singles: Singles) -> OutputFile:
        making = self.making
        if making.job.key_epoch is None:
            numbered = [(n, making.brought[n]) for first, last in part.pieces for n in range(first, last + 1)]
        else:
            drawn = batches(making.job, making.keys, part.pieces)
            numbered = [each for batch in drawn for each in enumerate(texts(batch.serials), batch.first_label)]
        if making.kind == "codes":
            return write_single_codes(target, making.job, numbered, manifest_beside=making.manifest_beside)
        start_cell = making.start_cell if part.part == 1 else 1
        return write_single_pdf(target, making.job, making.text, self._template, numbered, singles, start_cell)

    def join(self, parts: Sequence[Part], folder: Path, name: str, go_on: GoOn) -> OutputFile:
        """One file of what the parts hold, in their order; its first page and its last are read once more. ``go_on`` is
        asked before each part, and raises what shall end it."""
        assert self._furniture is not None and self._plan is not None  # only PDF and ZPL are joined
        pieces = [piece for part in parts for piece in part.pieces]
        paths = asking(go_on, [folder / part.name for part in parts])
        limits = {"pdf": PDF_LABELS_MAX, "zpl": ZPL_LABELS_MAX}
        tally = Tally(self.making.kind, limits[self.making.kind])
        for first, last in pieces:
            tally.add(first, last - first + 1)
        with replacing(folder / name) as file:
            if self.making.kind == "zpl":
                join_zpl(file, paths)
                return tally.output(
                    folder / name, file, VerifyReport(tally.labels, tally.labels, from_bytes=tally.labels)
                )
            read = join_pdf(file, self._furniture, self._plan, paths, self._ends(pieces))
            # The streams of the parts are copied byte for byte: each was read when it was written.
            report = VerifyReport(tally.labels, read.labels, read.pages, read.dpi, from_bytes=tally.labels)
            return tally.output(folder / name, file, report)

    def _ends(self, pieces: Pieces) -> PageSample:
        """What must stand on the first page and on the last."""
        sample, cells, used = PageSample(), self._template.cells, self.making.start_cell - 1
        pages = -(-(count(pieces) + used) // cells)
        rest = (count(pieces) + used - 1) % cells + 1
        for page, first_cell, taken in ((1, used, _head(pieces, cells - used)), (pages, 0, _tail(pieces, rest))):
            numbers = [number for first, last in taken for number in range(first, last + 1)]
            links = [
                link
                for batch in batches(self.making.job, self.making.keys, taken)
                for link in self.making.job.form.links(batch.serials)
            ]
            sample.keep(page, [(cell, *each) for cell, each in enumerate(zip(numbers, links, strict=True), first_cell)])
        return sample


def batches(job: Job, keys: KeyRing, pieces: Pieces | None = None) -> Iterator[Batch]:
    """The labels of a job in batches of 16,384, rising; only those of ``pieces`` when given. Our serials only."""
    assert job.key_epoch is not None  # brought serials are composed one by one
    cipher = keys.cipher(job.key_epoch, job.gtin)
    for first, last in ((1, job.count),) if pieces is None else pieces:
        for start, numbers in job.numbers.batches(first, last):
            yield Batch(start, cipher.serials(numbers))


async def make_parts(
    making: Making, parts: Sequence[Part], folder: Path, *, processes: int
) -> AsyncIterator[tuple[Part, OutputFile]]:
    """Make the parts into ``folder`` and give each back, in their order, when it is made.

    With one process, or a single part, in a thread of this one: starting another costs more than a few labels.
    """
    if processes == 1 or len(parts) <= 1:
        maker = await asyncio.to_thread(Maker, making)
        for part in parts:
            yield part, await asyncio.to_thread(maker.make, part, folder)
        return
    with _pool(min(processes, len(parts), PROCESSES_MAX), making) as pool:
        waiting = [(part, pool.submit(_make_part, part, folder)) for part in parts]
        for part, answer in waiting:
            yield part, await _answer(answer)


async def _answer(future: Future[OutputFile | tuple[type[Refusal], dict[str, Any]]]) -> OutputFile:
    answer = await asyncio.wrap_future(future)
    if isinstance(answer, OutputFile):
        return answer
    refusal, values = answer
    raise refusal(**values)


@contextmanager
def _pool(processes: int, making: Making) -> Iterator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(making,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


_make: Callable[[Part, Path], OutputFile]
"""What a process of the pool makes parts with; set once, when the process begins."""


def _begin(making: Making) -> None:
    global _make  # noqa: PLW0603 - a pool hands nothing else to its processes
    end_with_parent()
    _make = _LazyMaker(making)


class _LazyMaker:
    """Prepares with the first part: what goes wrong in an initializer is not told."""

    def __init__(self, making: Making) -> None:
        self._making = making
        self._maker: Maker | None = None

    def __call__(self, part: Part, folder: Path) -> OutputFile:
        if self._maker is None:
            self._maker = Maker(self._making)
        return self._maker.make(part, folder)


def _make_part(part: Part, folder: Path) -> OutputFile | tuple[type[Refusal], dict[str, Any]]:
    # A refusal carries named values, which a raised exception loses on its way between processes.
    try:
        return _make(part, folder)
    except Refusal as refusal:
        return type(refusal), refusal.values


def _head(pieces: Pieces, labels: int) -> list[tuple[int, int]]:
    taken = []
    for first, last in pieces:
        end = min(last, first + labels - 1)
        taken.append((first, end))
        labels -= end - first + 1
        if not labels:
            break
    return taken


def _tail(pieces: Pieces, labels: int) -> list[tuple[int, int]]:
    taken: list[tuple[int, int]] = []
    for first, last in reversed(pieces):
        begin = max(first, last - labels + 1)
        taken.insert(0, (begin, last))
        labels -= last - begin + 1
        if not labels:
            break
    return taken
