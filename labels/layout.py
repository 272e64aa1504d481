"""Geometry of sheets and rolls in millimetres. Templates are data: a TOML file of measures and a CSS file of type.

Positions run from the upper left corner, as a person measures with a ruler.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from labels.model import PrintAdvice
from labels.refusals import (
    ResolutionNotUsable,
    StartCellNotOnSheet,
    SymbolDoesNotFit,
    TemplateBroken,
    TemplateUnknown,
)
from labels.symbol import QUIET_ZONE_MODULES

MM_PER_INCH: Final = 25.4
MODULE_MM_ADVISED: Final = 0.396
"""Smallest X-dimension of a QR symbol at a point of sale (GS1 General Specifications, 5.12.3.1)."""
MODULE_MM_MIN: Final = 0.25
"""Below this a phone camera does not read a label dependably; such a symbol is refused."""
DPI_MIN, DPI_MAX = 150, 2400
OFFSET_MM_MAX: Final = 10.0
"""Farthest that a printer's sheet is moved against the template."""
TEMPLATES_FOLDER: Final = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle inside a label, in millimetres from its upper left corner."""

    left_mm: float
    top_mm: float
    width_mm: float
    height_mm: float


@dataclass(frozen=True, slots=True)
class Template:
    """A sheet or roll: the page, its grid of cells, and where the symbol and the text stand in a cell."""

    name: str
    title: str
    page_width_mm: float
    page_height_mm: float
    columns: int
    rows: int
    left_mm: float
    top_mm: float
    step_x_mm: float
    step_y_mm: float
    cell_width_mm: float
    cell_height_mm: float
    symbol: Box
    text: Box
    codes: Box
    module_mm_max: float
    dpi: int
    style: str
    page: str = ""
    """The HTML of a brand's own template; "" = the one that comes with the program."""
    title_zh: str = ""
    """The title in Chinese, where the template has one."""

    def title_in(self, language: str) -> str:
        """The title for who reads this language; where there is none, the one that it has."""
        return self.title_zh if language == "zh" and self.title_zh else self.title

    @property
    def cells(self) -> int:
        """Labels on a full page."""
        return self.columns * self.rows

    def cell(self, index: int) -> Box:
        """Where cell `index` (0-based, row by row) lies on the page."""
        row, column = divmod(index, self.columns)
        left, top = self.left_mm + column * self.step_x_mm, self.top_mm + row * self.step_y_mm
        return Box(left, top, self.cell_width_mm, self.cell_height_mm)

    def check_start_cell(self, start_cell: int) -> None:
        """StartCellNotOnSheet unless a used sheet can go on at this cell (1-based)."""
        if not 1 <= start_cell <= self.cells:
            raise StartCellNotOnSheet(template=self.name, cells=self.cells, start_cell=start_cell)


@dataclass(frozen=True, slots=True)
class Feed:
    """How sheets lie in the printer: the first cell that is free (1-based), and how far labels are moved."""

    start_cell: int = 1
    right_mm: float = 0.0
    down_mm: float = 0.0


STRAIGHT: Final = Feed()
"""New sheets that are pulled as they should be."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A symbol in a cell: `left_mm`/`top_mm` of its first module (inside the quiet zone) and the size of a module."""

    left_mm: float
    top_mm: float
    module_mm: float
    modules: int
    dots_per_module: int
    dpi: int

    @property
    def side_mm(self) -> float:
        """The side of the symbol without its quiet zone."""
        return self.modules * self.module_mm

    @property
    def quiet_mm(self) -> float:
        """The width of the quiet zone."""
        return QUIET_ZONE_MODULES * self.module_mm

    @property
    def zone(self) -> Box:
        """The symbol together with its quiet zone: nothing else may stand here."""
        side_mm = self.side_mm + 2 * self.quiet_mm
        return Box(self.left_mm - self.quiet_mm, self.top_mm - self.quiet_mm, side_mm, side_mm)

    @property
    def dot_mm(self) -> float:
        """The size of a printer's dot."""
        return MM_PER_INCH / self.dpi


def template_names() -> list[str]:
    """The templates that come with the program."""
    return sorted(path.stem for path in TEMPLATES_FOLDER.glob("*.toml"))


def load_template(name: str) -> Template:
    """A template by name; TemplateUnknown, or TemplateBroken with what is wrong in it."""
    known = template_names()
    if name not in known:
        raise TemplateUnknown(name=name, known=", ".join(known))
    measures = tomllib.loads((TEMPLATES_FOLDER / f"{name}.toml").read_text("utf-8"))
    style = TEMPLATES_FOLDER / f"{measures.get('style_of', name)}.css"
    return read_template(name, measures, style.read_text("utf-8"))


def read_template(name: str, measures: dict[str, Any], style: str, html: str = "") -> Template:
    """A template from its measures; TemplateBroken when a cell leaves the page or a box leaves its cell."""
    try:
        page, grid, cell = measures["page"], measures["grid"], measures["cell"]
        template = Template(
            name=name, title=measures["title"], title_zh=measures.get("title_zh", ""), style=style, page=html,
            page_width_mm=page["width_mm"], page_height_mm=page["height_mm"],
            columns=grid["columns"], rows=grid["rows"], left_mm=grid["left_mm"], top_mm=grid["top_mm"],
            step_x_mm=grid["step_x_mm"], step_y_mm=grid["step_y_mm"],
            cell_width_mm=cell["width_mm"], cell_height_mm=cell["height_mm"],
            symbol=Box(**measures["symbol"]["box"]), text=Box(**measures["text"]["box"]),
            codes=Box(**measures["codes"]["box"]),
            module_mm_max=measures["symbol"]["module_mm_max"], dpi=measures["printer"]["dpi"],
        )  # fmt: skip
    except KeyError as missing:
        raise TemplateBroken(name=name, what=f"the measure {missing} is missing") from None
    _check_geometry(template)
    return template


def moved(template: Template, right_mm: float, down_mm: float) -> Template:
    """The same sheet, printed farther right and down by so much: what a printer that pulls paper askew needs.

    Measured in steps of 0.1 mm. TemplateBroken when it is more than OFFSET_MM_MAX, or a cell would leave the page.
    """
    for offset in (right_mm, down_mm):
        if abs(offset) > OFFSET_MM_MAX or abs(offset * 10 - round(offset * 10)) > 1e-6:
            what = f"an offset of {offset} mm is not a step of 0.1 mm up to {OFFSET_MM_MAX} mm"
            raise TemplateBroken(name=template.name, what=what)
    if not right_mm and not down_mm:
        return template
    left, top = round(template.left_mm + right_mm, 2), round(template.top_mm + down_mm, 2)
    last = replace(template, left_mm=left, top_mm=top).cell(template.cells - 1)
    slack_mm = 0.6  # a sheet's outermost labels have white edges; by so much they may pass the paper's
    if (
        min(left, top) < -slack_mm
        or last.left_mm + last.width_mm > template.page_width_mm + slack_mm
        or last.top_mm + last.height_mm > template.page_height_mm + slack_mm
    ):
        raise TemplateBroken(name=template.name, what="with this offset its cells leave the page")
    return replace(template, left_mm=left, top_mm=top)


def place_symbol(template: Template, modules: int, dpi: int | None = None) -> Placement:
    """Put a symbol of `modules` in the middle of its box, a module being a whole number of the printer's dots.

    Takes the largest module that the template allows. SymbolDoesNotFit when even MODULE_MM_MIN is too large.
    """
    resolution = template.dpi if dpi is None else dpi
    if not DPI_MIN <= resolution <= DPI_MAX:
        raise ResolutionNotUsable(dpi=resolution, dpi_min=DPI_MIN, dpi_max=DPI_MAX)
    dot_mm, box = MM_PER_INCH / resolution, template.symbol
    with_quiet = modules + 2 * QUIET_ZONE_MODULES
    room_mm = min(box.width_mm, box.height_mm)
    dots = int(min(room_mm / with_quiet, template.module_mm_max) / dot_mm + 1e-9)
    if dots * dot_mm < MODULE_MM_MIN:
        needed = f"{with_quiet * -(-MODULE_MM_MIN // dot_mm) * dot_mm:.1f}"
        raise SymbolDoesNotFit(template=template.name, needed_mm=needed, box_mm=f"{room_mm:.1f}")
    side_mm = modules * dots * dot_mm
    left = _snap(box.left_mm + (box.width_mm - side_mm) / 2, dot_mm)
    top = _snap(box.top_mm + (box.height_mm - side_mm) / 2, dot_mm)
    return Placement(left, top, dots * dot_mm, modules, dots, resolution)


def advise(placement: Placement) -> tuple[PrintAdvice, ...]:
    """What a careful printer would say about this symbol before printing it."""
    advice = []
    if placement.module_mm < MODULE_MM_ADVISED:
        advice.append(
            PrintAdvice(
                "module_small",
                f"A module is {placement.module_mm:.3f} mm; tills ask for {MODULE_MM_ADVISED} mm or more. "
                "Use a larger label, a shorter link, or a printer of higher resolution.",
            )
        )
    if placement.dots_per_module < 3:
        advice.append(
            PrintAdvice(
                "few_dots",
                f"A module is only {placement.dots_per_module} dots at {placement.dpi} dpi; "
                "ink spread can close it. Three dots or more print better.",
            )
        )
    return tuple(advice)


def _check_geometry(template: Template) -> None:
    if template.columns < 1 or template.rows < 1:
        raise TemplateBroken(name=template.name, what="it has no cells")
    last = template.cell(template.cells - 1)
    for axis, end_mm, page_mm in (
        ("right", last.left_mm + last.width_mm, template.page_width_mm),
        ("lower", last.top_mm + last.height_mm, template.page_height_mm),
    ):
        if end_mm > page_mm + 1e-6:
            raise TemplateBroken(name=template.name, what=f"its cells pass the {axis} edge of the page")
    if template.step_x_mm < template.cell_width_mm - 1e-6 or template.step_y_mm < template.cell_height_mm - 1e-6:
        raise TemplateBroken(name=template.name, what="its cells overlap")
    for what, box in (("symbol", template.symbol), ("text", template.text), ("codes", template.codes)):
        within = box.left_mm >= 0 and box.top_mm >= 0 and box.width_mm > 0 and box.height_mm > 0
        if (
            not within
            or box.left_mm + box.width_mm > template.cell_width_mm + 1e-6
            or box.top_mm + box.height_mm > template.cell_height_mm + 1e-6
        ):
            raise TemplateBroken(name=template.name, what=f"its {what} box leaves the cell")
    if overlap(template.symbol, template.text):
        raise TemplateBroken(name=template.name, what="its text box cuts into the symbol's quiet zone")


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share more than an edge."""
    return (
        one.left_mm < other.left_mm + other.width_mm - 1e-6
        and other.left_mm < one.left_mm + one.width_mm - 1e-6
        and one.top_mm < other.top_mm + other.height_mm - 1e-6
        and other.top_mm < one.top_mm + one.height_mm - 1e-6
    )


def _snap(value_mm: float, dot_mm: float) -> float:
    return round(value_mm / dot_mm) * dot_mm
