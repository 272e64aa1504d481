"""Labels that are composed one by one: serials that a customer brought, and the DataMatrix of medicines.

Their symbols differ in more than twelve characters, so nothing can be stamped; a page is composed whole and each symbol
is read back from its raster. About a hundred labels a second, hence the limit.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pypdfium2
import zxingcpp

from labels.data_matrix import data_matrix, element_string_of, require_no_bracket
from labels.furniture import GAP_MM
from labels.layout import MM_PER_INCH, TEMPLATES_FOLDER, Box, Placement, Template, overlap, place_symbol
from labels.model import Job, LabelFormat, LabelText, OutputFile, VerifyReport
from labels.parts import Pieces, count
from labels.refusals import (
    ExpiryMissing,
    FormatNotForJob,
    LabelTextDoesNotFit,
    SymbolReadsWrong,
    TooManySingleLabels,
)
from labels.render.code_pack import COLUMNS, MANIFEST_NAME
from labels.render.files import HashedFile, Tally, replacing
from labels.symbol import matrix
from labels.wording import WORDS

PDF_LABELS_MAX: Final = 2_000
"""Labels of one PDF of single labels; a larger job comes in parts, or as a list of codes."""
READ_DPI: Final = 300
FORMATS: Final = ("pdf", "codes")
_SANS: Final = '"Noto Sans", "Noto Sans CJK SC", "DejaVu Sans", sans-serif'
_MONO: Final = '"Noto Sans Mono", "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace'


@dataclass(frozen=True, slots=True)
class Single:
    """One label: what its symbol says, the symbol's cells, and the lines that a person reads."""

    label: int
    serial: str
    said: str
    cells: npt.NDArray[np.bool_]
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Singles:
    """Why a job's labels are composed one by one. ``labels_max`` of one file; None = as many as the format takes."""

    job: Job
    kind: LabelFormat
    medicine: bool

    @property
    def labels_max(self) -> int | None:
        return PDF_LABELS_MAX if self.kind == "pdf" else None

    def check(self, pieces: Pieces, *, in_parts: bool) -> None:
        """Refuses another format, more labels than one file takes unless it comes in parts, a medicine without date."""
        if self.kind not in FORMATS:
            raise FormatNotForJob(job_id=self.job.job_id, known=" or ".join(FORMATS), format=self.kind)
        if self.labels_max is not None and count(pieces) > self.labels_max and not in_parts:
            raise TooManySingleLabels(job_id=self.job.job_id, labels_max=self.labels_max)
        if self.medicine and self.job.best_before_on is None:
            raise ExpiryMissing(gtin=self.job.gtin, lot=self.job.lot)
        if self.medicine:
            require_no_bracket(self.job.lot)


def singles_of(job: Job, kind: LabelFormat, *, is_medicine: bool) -> Singles | None:
    """Whether the labels are composed one by one: brought serials, and the sheets of a medicine."""
    if job.key_epoch is None or (is_medicine and kind == "pdf"):
        return Singles(job, kind, is_medicine)
    return None


def write_single_codes(
    target: Path, job: Job, numbered: Sequence[tuple[int, str]], *, manifest_beside: bool
) -> OutputFile:
    """List (label, serial) as CSV with the columns of a code pack, and a manifest beside it."""
    manifest = target.with_name(f"{target.name}.manifest.json" if manifest_beside else MANIFEST_NAME)
    with replacing(target) as file:
        output = _write_codes(file, target, job, numbered)
        content = {
            "remarks": {"job": str(job.job_id)}, "gtin": job.gtin, "lot": job.lot, "lot_in_link": job.lot_in_link,
            "link_prefix": job.form.prefix, "labels": output.labels, "first_label": output.labels_first,
            "last_label": output.labels_last, "serial": {"brought": True},
            "files": [
                {"name": target.name, "columns": [*COLUMNS], "bytes": output.bytes, "sha256": output.sha256}
            ],
        }  # fmt: skip
        with replacing(manifest) as listing:
            listing.write(json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n")
    return output


def write_single_pdf(  # noqa: PLR0917 - the pieces of one file, handed to a thread
    target: Path, job: Job, text: LabelText, template: Template, numbered: Sequence[tuple[int, str]], singles: Singles,
    start_cell: int = 1,
) -> OutputFile:  # fmt: skip
    """Compose (label, serial) on sheets, read each symbol back, and write the file; a failure leaves none.

    Refuses words that do not fit, and a symbol that reads otherwise.
    """
    with replacing(target) as file:
        return _write_pdf(file, target, job, text, template, numbered, singles.medicine, start_cell - 1)


def _write_codes(file: HashedFile, out: Path, job: Job, numbered: Sequence[tuple[int, str]]) -> OutputFile:
    tally, lines = Tally("codes", len(numbered)), io.StringIO()
    rows = csv.writer(lines, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    for label, serial in numbered:
        tally.add(label, 1)
        rows.writerow((job.form.link(serial), job.gtin, job.lot, serial, label))
    file.write(lines.getvalue().encode())
    return tally.output(out, file, None)


def _write_pdf(  # noqa: PLR0917 - the pieces of one file, handed to a thread
    file: HashedFile, out: Path, job: Job, text: LabelText, template: Template, numbered: Sequence[tuple[int, str]],
    medicine: bool, used_cells: int,
) -> OutputFile:  # fmt: skip
    from weasyprint import HTML  # here, because it loads Pango and half a second of it

    singles = [_single(job, label, serial, medicine=medicine) for label, serial in numbered]
    side = max(len(single.cells) for single in singles)
    placement = place_symbol(template, side)
    document = HTML(string=_page(singles, text, template, placement, used_cells)).render()
    for page in document.pages:
        _require_fit(page.anchors, template, placement)
    pdf = document.write_pdf()
    _read_back(pdf, singles, template, used_cells)
    tally = Tally("pdf", PDF_LABELS_MAX)
    for single in singles:
        tally.add(single.label, 1)
    file.write(pdf)
    report = VerifyReport(len(singles), len(singles), tuple(range(1, len(document.pages) + 1)), READ_DPI)
    return tally.output(out, file, report)


def _single(job: Job, label: int, serial: str, *, medicine: bool) -> Single:
    if not medicine:
        lot = (f"(10) {job.lot}",) if job.lot_in_link else ()
        link = job.form.link(serial)
        return Single(label, serial, link, matrix(link), (f"(01) {job.gtin}", *lot, f"(21) {serial}"))
    assert job.best_before_on is not None  # checked before
    said = element_string_of(job.gtin, serial, job.best_before_on, job.lot)
    lines = (
        f"(01) {job.gtin}", f"(21) {serial}", f"(17) {job.best_before_on:%y%m%d}", f"(10) {job.lot}",
    )  # fmt: skip
    return Single(label, serial, said, data_matrix(label, said), lines)


def _page(singles: Sequence[Single], text: LabelText, template: Template, placement: Placement, used_cells: int) -> str:
    import jinja2  # here: stamped labels go without

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES_FOLDER), autoescape=True, undefined=jinja2.StrictUndefined
    )
    drawn: list[dict[str, Any]] = []
    for index, single in enumerate(singles, used_cells):
        box = template.cell(index % template.cells)
        drawn.append({
            "label": single.label, "left_mm": box.left_mm, "top_mm": box.top_mm, "lines": single.lines,
            "path": _path(single.cells), "modules": placement.modules,
        })  # fmt: skip
    starts = range(-used_cells, len(drawn), template.cells)
    sheets = [drawn[max(0, start) : start + template.cells] for start in starts]
    codes = template.codes
    return environment.get_template("single.html").render(
        sheets=sheets, text=text, words=WORDS[text.language], box=template.text, codes=codes,
        codes_bottom_mm=template.cell_height_mm - codes.top_mm - codes.height_mm,
        left_mm=placement.left_mm, top_mm=placement.top_mm, side_mm=placement.side_mm,
        page_width_mm=template.page_width_mm, page_height_mm=template.page_height_mm,
        cell_width_mm=template.cell_width_mm, cell_height_mm=template.cell_height_mm, sans=_SANS, mono=_MONO,
        style=environment.from_string(template.style).render(scale=0.88),
    )  # fmt: skip


def _path(cells: npt.NDArray[np.bool_]) -> str:
    """All dark runs as one path: no seam shows between neighbours."""
    steps = np.diff(np.pad(cells, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    begins, ends = np.argwhere(steps == 1).tolist(), np.argwhere(steps == -1)[:, 1].tolist()
    return "".join(f"M{x} {y}h{end - x}v1h{x - end}z" for (y, x), end in zip(begins, ends, strict=True))


def _require_fit(anchors: dict[str, Any], template: Template, placement: Placement) -> None:
    """LabelTextDoesNotFit when words leave their box, or the lines of the code come too near to the symbol."""
    per_mm = 96 / MM_PER_INCH
    for name, (left, top, right, bottom) in anchors.items():
        kind, _, label = name.partition("-")
        if kind not in ("upper", "lines"):
            continue
        beside = anchors[f"lines-{label}"]
        if kind == "upper" and bottom / per_mm + GAP_MM > beside[1] / per_mm and _across(left, right, beside):
            raise LabelTextDoesNotFit(template=template.name, what=f"the lines of label {label} are too many")
        cell = _cell_of(left / per_mm, top / per_mm, template)
        inside = Box(left / per_mm - cell.left_mm, top / per_mm - cell.top_mm, (right - left) / per_mm,
                     (bottom - top) / per_mm)  # fmt: skip
        lowest = template.text if kind == "upper" else template.codes
        if inside.top_mm + inside.height_mm > lowest.top_mm + lowest.height_mm + 0.1 or overlap(inside, placement.zone):
            raise LabelTextDoesNotFit(template=template.name, what=f"the words of label {label} leave their place")


def _across(left: float, right: float, other: tuple[float, float, float, float]) -> bool:
    return left < other[2] and other[0] < right


def _cell_of(left_mm: float, top_mm: float, template: Template) -> Box:
    cells = (template.cell(index) for index in range(template.cells))
    return next(c for c in cells if c.left_mm <= left_mm < c.left_mm + c.width_mm and c.top_mm - 5 <= top_mm
                < c.top_mm + c.height_mm)  # fmt: skip


def _read_back(pdf: bytes, singles: Sequence[Single], template: Template, used_cells: int) -> None:
    """Read each symbol in its cell of the rasterised pages."""
    per_mm = READ_DPI / MM_PER_INCH
    with pypdfium2.PdfDocument(io.BytesIO(pdf)) as document:
        for number, page in enumerate(document):
            picture = page.render(scale=READ_DPI / 72, grayscale=True).to_numpy()
            picture = picture[..., 0] if picture.ndim == 3 else picture
            first = number * template.cells - used_cells
            for index, single in enumerate(singles[max(0, first) : first + template.cells], max(0, -first)):
                box = template.cell(index)
                rows = slice(int(box.top_mm * per_mm), int((box.top_mm + box.height_mm) * per_mm))
                columns = slice(int(box.left_mm * per_mm), int((box.left_mm + box.width_mm) * per_mm))
                read = zxingcpp.read_barcodes(np.ascontiguousarray(picture[rows, columns]))
                if [found.text for found in read if found.valid] != [single.said]:
                    told = ", ".join(found.text for found in read) or "nothing"
                    raise SymbolReadsWrong(label_number=single.label, expected=single.said, read=told)
            page.close()
