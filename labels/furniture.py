"""The part of a label that does not change within a job, composed once: words, dates, HRI, and where the code goes.

WeasyPrint composes one cell as a page of its own. The serial in it is a marker whose place, size and font are read
from the page and which is then taken out; renderers stamp symbols and serials over this one cell as often as needed.
Composing costs about 0.1 s in English and 0.3 s with Chinese, and memory that the process keeps; `compose_apart` does
it in a short-lived process so that a worker stays small.
"""

from __future__ import annotations

import io
import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import pikepdf

from labels.layout import TEMPLATES_FOLDER, Box, Placement, Template, overlap, place_symbol
from labels.model import LabelText
from labels.refusals import (
    CharacterHasNoGlyph,
    LabelTextDoesNotFit,
    LabelTextNotUsable,
    SerialFontMissing,
)
from labels.wording import WORDS
from runtime.refusals import Refusal
from serials.alphabet import ALPHABET, SERIAL_CHARACTERS

SCALES: Final = (1.0, 0.94, 0.88, 0.82, 0.77)
"""Sizes of the upper text that are tried, largest first; the HRI is never made smaller."""
GAP_MM: Final = 0.4
_PROMPT_IN_THE_WAY: Final = "the line under the symbol is wider or lower than its place"
_PX_PER_MM: Final = 96 / 25.4
_SANS: Final = '"Noto Sans", "Noto Sans CJK SC", "DejaVu Sans", sans-serif'
_MONO: Final = '"Noto Sans Mono", "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace'
_FAR_LEFT_PT: Final = -1000.0  # the alphabet's line stands beyond this, outside the page

Matrix = tuple[float, float, float, float, float, float]
_IDENTITY: Final[Matrix] = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class SerialLine:
    """How to set a serial: font of the composed page, size, text matrix in points from the cell's lower left corner."""

    font: str
    size: float
    matrix: Matrix
    advance_em: float
    codes: tuple[str, ...]
    """For each digit of the serial alphabet, its glyph as four hexadecimal digits."""

    @property
    def size_pt(self) -> float:
        """The size of the type in points."""
        return self.size * self.matrix[0]

    @property
    def advance_pt(self) -> float:
        """The width of one character in points."""
        return self.size_pt * self.advance_em


@dataclass(frozen=True, slots=True)
class Furniture:
    """One composed cell. `pdf` is a page of the cell's size, pure black, without symbol and serial."""

    template: Template
    text: LabelText
    placement: Placement
    pdf: bytes
    serial: SerialLine
    scale: float
    shortened: bool
    """Whether the product name had to end in an ellipsis."""


@dataclass(frozen=True, slots=True)
class _Run:
    """One text-showing instruction: its place in the stream, its font, and the glyph codes it shows."""

    index: int
    font: str
    size: float
    matrix: Matrix
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    """One way to set the page, in the order of preference: full size and with the line under the symbol."""

    scale: float
    shorten: bool
    prompt: bool
    lot_in_link: bool


def compose(
    text: LabelText, template: Template, modules: int, *, lot_in_link: bool = False, dpi: int | None = None
) -> Furniture:
    """Compose the cell of a template for symbols of `modules` a side.

    The upper text is made smaller by the steps of SCALES until it fits, then the product name is cut to two lines with
    an ellipsis; the line under the symbol gives way to long codes. LabelTextDoesNotFit when that is not enough,
    CharacterHasNoGlyph when no font has a character.
    """
    from weasyprint import HTML  # here, because it loads Pango and half a second of it
    from weasyprint.urls import URLFetcher

    placement = place_symbol(template, modules, dpi)
    marker = _marker(text)
    sizes = [(scale, False) for scale in SCALES] + [(SCALES[-1], True)]
    complaint = ""
    for (scale, shorten), prompt in product(sizes, (True, False)):
        if not prompt and complaint != _PROMPT_IN_THE_WAY:
            continue
        look = _Look(scale, shorten, prompt, lot_in_link)
        page = _page(text, template, placement, marker, look)
        # What a template shows stands in it: it reads no file and calls no address.
        document = HTML(string=page, url_fetcher=URLFetcher(allowed_protocols={"data"})).render()
        complaint = _complaint(document.pages[0].anchors, template, placement)
        if not complaint:
            stripped, serial = _take_out_serial(_write(document, text), marker)
            return Furniture(template, text, placement, stripped, serial, scale, shorten)
    raise LabelTextDoesNotFit(template=template.name, what=complaint)


def compose_apart(
    text: LabelText, template: Template, modules: int, *, lot_in_link: bool = False, dpi: int | None = None
) -> Furniture:
    """As compose, in a process that ends afterwards and gives its memory back."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        answer = pool.submit(_compose_for_parent, text, template, modules, lot_in_link, dpi).result()
    if isinstance(answer, Furniture):
        return answer
    refusal, values = answer
    raise refusal(**values)


def _compose_for_parent(
    text: LabelText, template: Template, modules: int, lot_in_link: bool, dpi: int | None
) -> Furniture | tuple[type[Refusal], dict[str, Any]]:
    # A refusal carries named values, which a raised exception loses on its way between processes.
    try:
        return compose(text, template, modules, lot_in_link=lot_in_link, dpi=dpi)
    except Refusal as refusal:
        return type(refusal), refusal.values


def _marker(text: LabelText) -> str:
    """Twelve times a letter that stands nowhere on the label twelve times."""
    everything = " ".join([text.lot, *(value for _, value in text.fields())])
    return next(letter * SERIAL_CHARACTERS for letter in "WMQZXK" if letter * SERIAL_CHARACTERS not in everything)


def _page(text: LabelText, template: Template, placement: Placement, marker: str, look: _Look) -> str:
    import jinja2  # here: a label that is kept composed needs no page
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(
        loader=jinja2.FileSystemLoader(TEMPLATES_FOLDER), autoescape=True, undefined=jinja2.StrictUndefined
    )
    box, codes = template.text, template.codes
    page = environment.from_string(template.page) if template.page else environment.get_template("label.html")
    return page.render(
        text=text,
        words=WORDS[text.language],
        box=box,
        symbol=template.symbol,
        cell_width_mm=template.cell_width_mm,
        cell_height_mm=template.cell_height_mm,
        codes=codes,
        codes_bottom_mm=template.cell_height_mm - codes.top_mm - codes.height_mm,
        prompt_top_mm=placement.top_mm + placement.side_mm + placement.quiet_mm,
        prompt=look.prompt,
        lot_in_link=look.lot_in_link,
        marker=marker,
        alphabet=ALPHABET,
        sans=_SANS,
        mono=_MONO,
        shorten=look.shorten,
        style=environment.from_string(template.style).render(scale=look.scale),
    )


def _complaint(anchors: dict[str, tuple[float, float, float, float]], template: Template, placement: Placement) -> str:
    """What does not fit, or nothing. Anchors are in CSS pixels from the upper left corner of the cell."""
    found = {
        name: Box(left / _PX_PER_MM, top / _PX_PER_MM, (right - left) / _PX_PER_MM, (bottom - top) / _PX_PER_MM)
        for name, (left, top, right, bottom) in anchors.items()
    }
    upper, codes, prompt = found["upper"], found["codes"], found.get("prompt-text")
    with_gap = Box(upper.left_mm, upper.top_mm, upper.width_mm, upper.height_mm + GAP_MM)
    if not _is_inside(upper, template.text) or overlap(with_gap, codes):
        return "the lines are too many or the product name is too long"
    inside = all(_is_inside(found[name], template.codes) for name in ("codes", "gtin", "serial"))
    if not inside or overlap(codes, placement.zone):
        return "the codes beside the symbol take more room than they have"
    if prompt is not None and (prompt.left_mm < template.symbol.left_mm or overlap(prompt, codes)):
        return _PROMPT_IN_THE_WAY
    return ""


def _is_inside(inner: Box, outer: Box) -> bool:
    slack_mm = 0.02
    return (
        inner.left_mm >= outer.left_mm - slack_mm
        and inner.top_mm >= outer.top_mm - slack_mm
        and inner.left_mm + inner.width_mm <= outer.left_mm + outer.width_mm + slack_mm
        and inner.top_mm + inner.height_mm <= outer.top_mm + outer.height_mm + slack_mm
    )


class _GlyphWatch(logging.Handler):
    """Keeps the characters for which the composer had no glyph: it says so only in its log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.missing: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if ".notdef" in str(record.msg) and isinstance(record.args, tuple):
            self.missing.append(str(record.args[0]))


def _write(document: Any, text: LabelText) -> bytes:
    watch, logger = _GlyphWatch(), logging.getLogger("weasyprint")
    logger.addHandler(watch)
    try:
        pdf: bytes = document.write_pdf()
    finally:
        logger.removeHandler(watch)
    if watch.missing:
        character = watch.missing[0]
        where = next((where for where, value in text.fields() if character in value), "label's fixed words")
        raise CharacterHasNoGlyph(character=character, codepoint=f"{ord(character):04X}", where=where)
    return pdf


def _take_out_serial(pdf: bytes, marker: str) -> tuple[bytes, SerialLine]:
    """The page without marker and alphabet, and how the marker was set."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        page = document.pages[0]
        _refuse_pictures(page)
        instructions = list(pikepdf.parse_content_stream(page))
        runs = _text_runs(instructions)
        alphabet = next((r for r in runs if r.matrix[4] < _FAR_LEFT_PT and len(r.codes) == len(ALPHABET)), None)
        if alphabet is None:
            raise SerialFontMissing
        code = alphabet.codes[ALPHABET.index(marker[0])]
        markers = [r for r in runs if r.codes == (code,) * SERIAL_CHARACTERS and r.font == alphabet.font]
        if len(markers) != 1:
            raise SerialFontMissing
        advance_em = _equal_advance(page.resources["/Font"][alphabet.font], alphabet.codes)
        serial = SerialLine(alphabet.font, markers[0].size, markers[0].matrix, advance_em, alphabet.codes)
        taken = {alphabet.index, markers[0].index}
        kept = [instruction for index, instruction in enumerate(instructions) if index not in taken]
        page.contents_coalesce()
        page.obj["/Contents"] = document.make_stream(pikepdf.unparse_content_stream(kept))
        page.obj["/Resources"] = pikepdf.Dictionary(
            {key: value for key, value in page.resources.items() if key in ("/Font", "/ExtGState")}
        )
        for key in ("/Annots", "/TrimBox", "/BleedBox"):
            if key in page.obj:
                del page.obj[key]
        document.remove_unreferenced_resources()
        out = io.BytesIO()
        document.save(out, deterministic_id=True, recompress_flate=False)
    return out.getvalue(), serial


def _refuse_pictures(page: pikepdf.Page) -> None:
    """Colour pictures (emoji) would be a second ink and a raster: a label has neither."""
    if len(page.resources.get("/XObject", {})) or len(page.resources.get("/Pattern", {})):
        raise LabelTextNotUsable(where="text", what="it has a picture character (emoji), which has no pure black form")


def _text_runs(instructions: list[Any]) -> list[_Run]:
    runs: list[_Run] = []
    stack: list[Matrix] = []
    current, text_matrix, font, size = _IDENTITY, _IDENTITY, "", 0.0
    for index, instruction in enumerate(instructions):
        operator, operands = str(instruction.operator), instruction.operands
        if operator == "q":
            stack.append(current)
        elif operator == "Q":
            current = stack.pop()
        elif operator == "cm":
            current = _multiply(_matrix(operands), current)
        elif operator == "Tm":
            text_matrix = _matrix(operands)
        elif operator == "Tf":
            font, size = str(operands[0]), float(operands[1])
        elif operator == "TJ":
            shown = b"".join(bytes(piece) for piece in operands[0] if isinstance(piece, pikepdf.String))
            codes = tuple(shown[start : start + 2].hex() for start in range(0, len(shown), 2))
            runs.append(_Run(index, font, size, _multiply(text_matrix, current), codes))
    return runs


def _matrix(operands: Any) -> Matrix:
    a, b, c, d, e, f = (float(operand) for operand in operands)
    return a, b, c, d, e, f


def _multiply(one: Matrix, other: Matrix) -> Matrix:
    """`one` first, then `other` (ISO 32000, 8.3.4)."""
    a, b, c, d, e, f = one
    g, h, i, j, k, m = other
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def _equal_advance(font: Any, codes: tuple[str, ...]) -> float:
    """The width that all characters of a serial share, in em; a serial must not change the length of its line."""
    widths = _widths(font["/DescendantFonts"][0].get("/W", []))
    found = {widths.get(int(code, 16)) for code in codes}
    width = found.pop()
    if found or width is None:
        raise SerialFontMissing
    return width / 1000


def _widths(array: Any) -> dict[int, float]:
    """The widths of a composite font (ISO 32000, 9.7.4.3): first code and a list, or first, last and one width."""
    widths: dict[int, float] = {}
    items = list(array)
    position = 0
    while position < len(items):
        first, second = int(items[position]), items[position + 1]
        if isinstance(second, pikepdf.Array):
            widths.update({first + offset: float(width) for offset, width in enumerate(list(second))})
            position += 2
        else:
            widths.update(dict.fromkeys(range(first, int(second) + 1), float(items[position + 2])))
            position += 3
    return widths
