"""Templates: those that come with the program, a brand's own, previews, and sheets that are moved a little."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pypdfium2
import pytest
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncConnection

from labels import preview, printing, template_shelf
from labels.layout import TEMPLATES_FOLDER, advise, load_template, moved, place_symbol, template_names
from labels.model import LinkForm
from labels.refusals import TemplateBroken, TemplateFolderBroken, TemplateTaken, TemplateUnknown
from labels.samples import SAMPLE_SERIAL
from labels.symbol import SymbolPlan
from labels.verify import read_picture
from tests.cells import shared_cells
from tests.labels.world import BASE_URL, CHEESE, arranged, noon, ordered
from tests.printed import links_on

SEAL = '<svg width="6mm" height="6mm" viewBox="0 0 10 10" style="position:absolute;left:50mm;top:31mm">\
<circle cx="5" cy="5" r="4"/></svg>'


def folder(tmp_path: Path, name: str = "gold-seal", **changes: str) -> Path:
    """A brand's own template: the program's roll of 60 × 40 mm with a seal on it, but for the changes."""
    made = tmp_path / name
    made.mkdir()
    measures = (TEMPLATES_FOLDER / "roll-60x40.toml").read_text("utf-8")
    for old, new in changes.items():
        measures = measures.replace(old.replace("_is_", " = "), new)
    page = (TEMPLATES_FOLDER / "label.html").read_text("utf-8").replace('<div id="codes">', f'{SEAL}<div id="codes">')
    (made / "template.toml").write_text(measures, "utf-8")
    (made / "template.html").write_text(page, "utf-8")
    return made


@pytest.mark.parametrize("name", template_names())
def test_each_template_of_the_program_has_modules_that_tills_take(name: str) -> None:
    template = load_template(name)
    side = SymbolPlan.size_for(LinkForm("https://id.example.com", CHEESE)).side

    assert advise(place_symbol(template, side)) == ()


async def test_labels_are_printed_on_a_brands_own_template(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    await template_shelf.add_template(conn, folder(tmp_path), base_url=BASE_URL, by="ada", clock=noon)
    await template_shelf.choose_for_product(conn, CHEESE, "gold-seal", by="ada", clock=noon)

    job = await ordered(conn, template=None, count=2)

    assert job.template == "gold-seal"
    await printing.render(
        conn, job.job_id, "pdf", tmp_path / "l.pdf", by="ada", clock=noon, keys=keys, cells_folder=shared_cells()
    )
    serials = await printing.serials(conn, job, keys)
    assert sorted(links_on(tmp_path / "l.pdf")) == sorted(f"{BASE_URL}/01/{CHEESE}/21/{s}" for s in serials)
    with pytest.raises(TemplateTaken, match="was used"):
        await template_shelf.add_template(conn, tmp_path / "gold-seal", base_url=BASE_URL, by="ada", clock=noon)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"width_mm_is_27.0": "width_mm = 15.0"}, "a module would be"),
        ({"left_mm_is_28.0": "left_mm = 20.0"}, "cuts into the symbol's quiet zone"),
        ({"columns_is_1": "columns = 2"}, "right edge of the page"),
        ({"dpi_is_203": "dpi = '203'"}, "are not numbers"),
        ({"[printer]": "[press]"}, "'printer' is missing"),
    ],
)
async def test_a_template_that_could_not_be_printed_is_refused_with_its_reason(
    conn: AsyncConnection, tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    with pytest.raises(TemplateBroken, match=reason):
        await template_shelf.add_template(conn, folder(tmp_path, **changes), base_url=BASE_URL, by="a", clock=noon)
    with pytest.raises(TemplateUnknown, match="gold-seal"):
        await template_shelf.find_template(conn, "gold-seal")


async def test_ink_in_the_quiet_zone_and_a_page_without_its_parts_are_refused(
    conn: AsyncConnection, tmp_path: Path
) -> None:
    inked, bare, ours = folder(tmp_path), folder(tmp_path, "bare"), folder(tmp_path, "a4-24")
    page = (inked / "template.html").read_text("utf-8")
    (inked / "template.html").write_text(page.replace("left:50mm;top:31mm", "left:2mm;top:2mm"), "utf-8")
    (bare / "template.html").write_text("<p>hello</p>", "utf-8")
    for made, refusal in ((inked, TemplateBroken), (bare, TemplateFolderBroken), (ours, TemplateTaken)):
        with pytest.raises(refusal):
            await template_shelf.add_template(conn, made, base_url=BASE_URL, by="ada", clock=noon)


def test_a_module_that_is_no_whole_number_of_dots_is_said_with_the_good_sizes() -> None:
    (advice,) = template_shelf.dot_advice(load_template("roll-50x30"))

    assert "4.48 dots at 203 dpi" in advice.text
    assert "0.5 mm and 0.626 mm" in advice.text


async def test_a_preview_shows_the_label_with_a_serial_that_was_never_issued(conn: AsyncConnection) -> None:
    await arranged(conn)

    shown = await preview.preview(
        conn, template="roll-50x30", gtin=CHEESE, lot="C1", base_url=BASE_URL, cells_folder=shared_cells()
    )

    assert read_picture(_grey(shown.png)) == f"{BASE_URL}/01/{CHEESE}/21/{SAMPLE_SERIAL}"
    assert (shown.template, shown.dpi, shown.module_mm) == ("roll-50x30", 203, 0.5)


def _grey(png: bytes) -> npt.NDArray[np.uint8]:
    with Image.open(io.BytesIO(png)) as image:
        return np.array(image.convert("L"))


def test_a_sheet_is_moved_by_tenths_of_a_millimetre_and_never_off_the_page() -> None:
    sheet = load_template("l7160")

    assert moved(sheet, 0.3, -1.2).cell(0).left_mm == pytest.approx(sheet.left_mm + 0.3)
    for right, down in ((0.05, 0), (0, 10.1), (9.9, 0), (-8, 0)):
        with pytest.raises(TemplateBroken):
            moved(sheet, right, down)


def test_the_calibration_page_outlines_every_cell() -> None:
    with pypdfium2.PdfDocument(preview.calibration_page(load_template("l7160"))) as page:
        assert len(page) == 1
        assert (round(page[0].get_width()), round(page[0].get_height())) == (595, 842)
        words = page[0].get_textpage().get_text_bounded()
    assert "21" in words
    assert "100 %" in words
