"""Looking before printing: one label as a picture, and a page that shows whether a printer hits the cells."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from labels.compiled import composed
from labels.layout import Template, advise
from labels.model import Batch, LabelText, Language, LinkForm, PrintAdvice
from labels.ordering import best_before_of, label_text, own_product
from labels.refusals import LotUnknown
from labels.render.picture import LabelPicture
from labels.render.png import png_bytes
from labels.samples import SAMPLE_SERIAL, sample_text
from labels.symbol import SymbolPlan
from labels.template_shelf import dot_advice, find_template, template_of
from ledger import master_data
from runtime.database import transaction


@dataclass(frozen=True, slots=True)
class Preview:
    """One label as PNG (one bit a dot, at ``dpi``), and what a careful printer says of it."""

    png: bytes
    template: str
    dpi: int
    module_mm: float
    advice: tuple[PrintAdvice, ...]


async def preview(
    conn: AsyncConnection, *, template: str | None, gtin: str | None = None, lot: str | None = None,
    language: Language = "en", best_before_on: date | None = None, lot_in_link: bool = False, base_url: str,
    cells_folder: Path | None = None,
) -> Preview:  # fmt: skip
    """A label as it would be printed, with a sample serial that was never issued.

    Without ``gtin`` a sample product in ``language``; without ``lot`` the product's label has the sample's lot. Refuses
    what an order would refuse of template, product, lot, words and symbol. ``cells_folder`` keeps the composed cell.
    """
    async with transaction(conn):
        text, product_id = await _text(conn, gtin, lot, language, best_before_on)
        chosen = template or (await template_of(conn, product_id, None) if product_id else None)
        found = await find_template(conn, chosen or "a4-24")
    form = LinkForm(base_url, text.gtin, text.lot if lot_in_link else None)
    return await asyncio.to_thread(draw, found, text, form, cells_folder)


def draw(template: Template, text: LabelText, form: LinkForm, cells_folder: Path | None = None) -> Preview:
    """The picture of one label. Composes in a process of its own, unless ``cells_folder`` has the cell already."""
    plan = SymbolPlan(form)
    furniture = composed(cells_folder, text, template, plan.side, lot_in_link=form.lot is not None)
    picture = LabelPicture(furniture)
    serials = np.frombuffer(SAMPLE_SERIAL.encode("ascii"), dtype=np.uint8).reshape(1, -1)
    (drawn,) = plan.draw_all([Batch(1, serials)])
    dots = picture.label(picture.symbols(drawn.modules)[0], drawn.serials[0])
    advice = (*advise(furniture.placement), *dot_advice(template))
    return Preview(
        png_bytes(dots, picture.dpi), template.name, picture.dpi, round(furniture.placement.module_mm, 3), advice
    )


def calibration_page(template: Template) -> bytes:
    """A PDF page with the outline of each cell and a ruler: held against a sheet of labels it shows the offset."""
    from weasyprint import HTML  # here, because it loads Pango and half a second of it

    return bytes(HTML(string=_calibration(template)).write_pdf())


def _calibration(template: Template) -> str:
    cells = [template.cell(index) for index in range(template.cells)]
    boxes = "".join(
        f'<div class="cell" style="left:{c.left_mm}mm;top:{c.top_mm}mm;width:{c.width_mm}mm;height:{c.height_mm}mm">'
        f"<i>{index}</i></div>"
        for index, c in enumerate(cells, 1)
    )
    return (
        f"<style>@page {{ size: {template.page_width_mm}mm {template.page_height_mm}mm; margin: 0 }} "
        ".cell { position: absolute; box-sizing: border-box; border: 0.1mm solid black; font: 8pt sans-serif } "
        ".cell i { position: absolute; left: 50%; top: 50% } "
        ".tick { position: absolute; background: black } p { position: absolute; font: 7pt sans-serif; margin: 0 }"
        f"</style>{boxes}{_rulers(cells[0].left_mm, cells[0].top_mm, min(c.width_mm for c in cells))}"
    )


def _rulers(left_mm: float, top_mm: float, width_mm: float) -> str:
    """Millimetre marks inside the first cell, from its upper left corner, both ways."""
    marks: Sequence[int] = range(1, int(min(width_mm, 21)))
    ticks = "".join(
        f'<div class="tick" style="left:{left_mm + mm}mm;top:{top_mm}mm;width:0.1mm;height:{2 if mm % 5 else 4}mm">'
        f'</div><div class="tick" style="left:{left_mm}mm;top:{top_mm + mm}mm;height:0.1mm;'
        f'width:{2 if mm % 5 else 4}mm"></div>'
        for mm in marks
    )
    words = "100 % – 1 mm"
    return f'{ticks}<p style="left:{left_mm + 5}mm;top:{top_mm + 5}mm">{words}</p>'


async def _text(
    conn: AsyncConnection, gtin: str | None, lot: str | None, language: Language, best_before_on: date | None
) -> tuple[LabelText, int | None]:
    sample = sample_text(language)
    if gtin is None:
        return replace(sample, best_before_on=best_before_on or sample.best_before_on), None
    product = await own_product(conn, gtin)
    if lot is None:
        text = replace(
            sample, product_name=product.name, brand=product.brand, gtin=product.gtin, allergens=product.allergens
        )
        return text, product.product_id
    found = await master_data.find_lot(conn, product.gtin, lot) if lot else None
    if found is None:
        raise LotUnknown(gtin=product.gtin, lot=lot)
    return label_text(product, found, best_before_on or best_before_of(product, found)), product.product_id
