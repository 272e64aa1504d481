"""Each output holds the labels that were ordered, reads back right, and leaves nothing half-written."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pikepdf
import pytest
import zxingcpp
from PIL import Image

from labels.furniture import Furniture
from labels.model import Batch, LinkForm, texts
from labels.refusals import (
    NothingToPrint,
    SheetOnLabelPrinter,
    StartCellNotOnSheet,
    SymbolReadsWrong,
    TooManyLabelsForOneFile,
)
from labels.render import archive, code_pack
from labels.render.code_pack import write_code_pack
from labels.render.pdf import write_pdf
from labels.render.picture import rasterise
from labels.render.png import write_png
from labels.render.svg import write_svg
from labels.render.zpl import write_zpl
from labels.symbol import Drawn, SymbolPlan
from tests.labels.conftest import MILK, Batches
from tests.labels.readers import burn, read_svg


def test_a_sheet_begun_at_cell_twenty_goes_on_over_the_next_page(
    tmp_path: Path, sheet: Furniture, plan: SymbolPlan, batches: Batches
) -> None:
    output = write_pdf(tmp_path / "labels.pdf", sheet, plan, batches(30), start_cell=20)

    pages = [_read_all(page) for page in rasterise(output.path.read_bytes(), 300)]
    assert [len(page) for page in pages] == [5, 24, 1]
    assert set().union(*pages) == set(_links(plan, batches(30)))
    assert output.verified is not None
    assert (output.verified.symbols, output.verified.from_file, output.verified.pages) == (30, 30, (1, 2, 3))
    assert (output.labels_first, output.labels_last, output.labels) == (1, 30, 30)


def test_the_serial_beside_the_symbol_is_the_one_inside_it(
    tmp_path: Path, sheet: Furniture, plan: SymbolPlan, batches: Batches
) -> None:
    output = write_pdf(tmp_path / "labels.pdf", sheet, plan, batches(3))

    with pikepdf.open(output.path) as document:
        content = document.pages[0].Contents.read_bytes()
    codes = dict(zip(sheet.serial.codes, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", strict=True))
    printed = [
        "".join(codes[line[start : start + 4]] for start in range(0, 48, 4))
        for line in re.findall("<([0-9a-f]{48})>Tj", content.decode("ascii"))
    ]
    assert printed == texts(next(batches(3)).serials)


def test_the_same_job_gives_the_same_bytes_and_its_hash_is_that_of_the_file(
    tmp_path: Path, roll: Furniture, plan: SymbolPlan, batches: Batches
) -> None:
    one = write_pdf(tmp_path / "one.pdf", roll, plan, batches(40, size=40))
    two = write_pdf(tmp_path / "two.pdf", roll, plan, batches(40, size=7))

    assert one.path.read_bytes() == two.path.read_bytes()
    assert one.sha256 == hashlib.sha256(one.path.read_bytes()).hexdigest()
    assert one.bytes == one.path.stat().st_size


def test_a_long_roll_has_a_whole_page_tree_and_asks_to_be_printed_at_full_size(
    tmp_path: Path, roll: Furniture, plan: SymbolPlan, batches: Batches
) -> None:
    output = write_pdf(tmp_path / "roll.pdf", roll, plan, batches(600), rasterised_max=2)

    with pikepdf.open(output.path) as document:
        assert document.check_pdf_syntax() == []
        assert len(document.pages) == 600
        assert document.Root.ViewerPreferences.PrintScaling == "/None"
        assert float(document.pages[599].mediabox[2]) == pytest.approx(50 / 25.4 * 72, abs=0.001)


@pytest.mark.parametrize("paper", ["sheet", "roll"])
def test_each_label_costs_a_few_hundred_bytes_and_no_more_in_a_larger_job(
    tmp_path: Path, paper: str, plan: SymbolPlan, batches: Batches, request: pytest.FixtureRequest
) -> None:
    cell: Furniture = request.getfixturevalue(paper)
    small = write_pdf(tmp_path / "small.pdf", cell, plan, batches(240), rasterised_max=24)
    large = write_pdf(tmp_path / "large.pdf", cell, plan, batches(1_200), rasterised_max=24)

    assert (large.bytes - small.bytes) / 960 < 600


def test_a_start_beyond_the_sheet_is_refused_and_leaves_nothing(
    tmp_path: Path, sheet: Furniture, plan: SymbolPlan, batches: Batches
) -> None:
    with pytest.raises(StartCellNotOnSheet):
        write_pdf(tmp_path / "labels.pdf", sheet, plan, batches(1), start_cell=25)
    assert list(tmp_path.iterdir()) == []


def test_an_order_without_labels_is_refused(
    tmp_path: Path, sheet: Furniture, plan: SymbolPlan, batches: Batches
) -> None:
    for write in (write_pdf, write_png):
        with pytest.raises(NothingToPrint):
            write(tmp_path / "labels", sheet, plan, batches(0))
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_breaks_off_leaves_the_older_file_as_it_was(
    tmp_path: Path, sheet: Furniture, plan: SymbolPlan, batches: Batches
) -> None:
    target = tmp_path / "labels.pdf"
    target.write_bytes(b"yesterday")

    def breaking_off() -> Iterator[Batch]:
        yield from batches(30)
        raise ConnectionError("the database went away")

    with pytest.raises(ConnectionError):
        write_pdf(target, sheet, plan, breaking_off())
    assert target.read_bytes() == b"yesterday"
    assert list(tmp_path.iterdir()) == [target]


class _SwappingPlan(SymbolPlan):
    """Draws the second and third label with each other's symbols, as a fault in a table would."""

    def draw_all(self, batches: object) -> Iterator[Drawn]:
        for drawn in super().draw_all(batches):  # type: ignore[arg-type]
            modules = drawn.modules.copy()
            modules[[1, 2]] = modules[[2, 1]]
            yield Drawn(drawn.first_label, drawn.serials, modules)


@pytest.mark.parametrize("write", [write_pdf, write_png, write_zpl])
def test_a_label_with_another_labels_symbol_is_never_released(
    tmp_path: Path,
    roll: Furniture,
    plan: SymbolPlan,
    batches: Batches,
    write: object,
) -> None:
    assert callable(write)
    with pytest.raises(SymbolReadsWrong, match="Label 102"):
        write(tmp_path / "labels", roll, _SwappingPlan(plan.form), batches(5, first_label=101))
    assert list(tmp_path.iterdir()) == []


def test_pictures_hold_whole_labels_at_the_printers_resolution(
    tmp_path: Path, roll: Furniture, plan: SymbolPlan, batches: Batches
) -> None:
    output = write_png(tmp_path / "labels.zip", roll, plan, batches(3, first_label=9))

    with zipfile.ZipFile(output.path) as pictures:
        names = pictures.namelist()
        images = [Image.open(io.BytesIO(pictures.read(name))) for name in names]
    serials = texts(next(batches(3, first_label=9)).serials)
    assert names == [f"label-{number:07d}-{serial}.png" for number, serial in zip((9, 10, 11), serials, strict=True)]
    assert {(image.size, image.mode, round(image.info["dpi"][0])) for image in images} == {((400, 240), "1", 203)}
    read = [zxingcpp.read_barcode(image.convert("L")) for image in images]
    assert [found and found.text for found in read] == _links(plan, batches(3, first_label=9))


def test_an_archive_with_one_label_too_many_is_refused(
    tmp_path: Path, roll: Furniture, plan: SymbolPlan, batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "LABELS_MAX", 4)

    write_svg(tmp_path / "four.zip", roll.placement, plan, batches(4))
    with pytest.raises(TooManyLabelsForOneFile, match="at most 4"):
        write_svg(tmp_path / "five.zip", roll.placement, plan, batches(5))
    assert [path.name for path in tmp_path.iterdir()] == ["four.zip"]


def test_artwork_is_sized_in_millimetres_and_says_its_codes_in_words(
    tmp_path: Path, roll: Furniture, batches: Batches
) -> None:
    plan = SymbolPlan(LinkForm("https://q.brand.cn", MILK, "A<1"))

    output = write_svg(tmp_path / "labels.zip", roll.placement, plan, batches(1))

    with zipfile.ZipFile(output.path) as drawings:
        (name,) = drawings.namelist()
        drawing = drawings.read(name).decode()
    assert f'width="{(plan.side + 8) * roll.placement.module_mm:.3f}mm"' in drawing
    assert f"(01) {MILK}" in drawing
    assert "(10) A&lt;1" in drawing
    assert read_svg(drawing, plan.side) == _links(plan, batches(1))[0]


def test_a_thermal_printer_gets_the_exact_bitmap_of_each_symbol(
    tmp_path: Path, roll: Furniture, plan: SymbolPlan, batches: Batches
) -> None:
    output = write_zpl(tmp_path / "labels.zpl", roll, plan, batches(3))

    stored, *labels, end = output.path.read_text("ascii").splitlines()
    assert stored.startswith("~DGR:TRACEMRK.GRF,12000,50,")
    assert end == "^XA^IDR:TRACEMRK.GRF^FS^XZ"
    assert [burn(label, roll) for label in labels] == _links(plan, batches(3))
    assert [re.findall(r"\^FD(.*?)\^FS", label)[0] for label in labels] == texts(next(batches(3)).serials)


def test_a_sheet_is_not_sent_to_a_label_printer(
    tmp_path: Path, sheet: Furniture, plan: SymbolPlan, batches: Batches
) -> None:
    with pytest.raises(SheetOnLabelPrinter, match="24 labels"):
        write_zpl(tmp_path / "labels.zpl", sheet, plan, batches(1))


def test_a_code_pack_lists_every_code_across_a_change_of_digits(
    tmp_path: Path, plan: SymbolPlan, batches: Batches
) -> None:
    output = write_code_pack(tmp_path / "pack", plan.form, "M1", batches(25, first_label=90, size=7))

    content = (tmp_path / "pack" / "codes.csv").read_bytes()
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert list(rows[0]) == ["digital_link", "gtin", "lot", "serial", "label_number"]
    assert [row["digital_link"] for row in rows] == _links(plan, batches(25, first_label=90, size=7))
    assert [int(row["label_number"]) for row in rows] == list(range(90, 115))
    assert {(row["gtin"], row["lot"]) for row in rows} == {(MILK, "M1")}
    assert content.count(b"\r\n") == 26
    assert output.sha256 == hashlib.sha256(content).hexdigest()


def test_the_manifest_counts_and_hashes_the_list(tmp_path: Path, batches: Batches) -> None:
    form = LinkForm("https://q.brand.cn", MILK, 'A"1,2')

    output = write_code_pack(tmp_path / "codes.csv", form, 'A"1,2', batches(4), remarks={"order": "4711"})

    manifest = json.loads((tmp_path / "codes.csv.manifest.json").read_text("utf-8"))
    rows = list(csv.DictReader(io.StringIO(output.path.read_text("utf-8"))))
    assert [row["lot"] for row in rows] == ['A"1,2'] * 4
    assert manifest["labels"] == 4
    assert manifest["remarks"] == {"order": "4711"}
    assert manifest["files"][0]["sha256"] == output.sha256
    assert sorted(path.name for path in tmp_path.iterdir()) == ["codes.csv", "codes.csv.manifest.json"]


def test_a_code_pack_beyond_its_limit_is_refused_whole(
    tmp_path: Path, plan: SymbolPlan, batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_pack, "LABELS_MAX", 10)

    with pytest.raises(TooManyLabelsForOneFile, match="at most 10"):
        write_code_pack(tmp_path / "codes.csv", plan.form, "M1", batches(11, size=5))
    assert list(tmp_path.iterdir()) == []


def _links(plan: SymbolPlan, batches: Iterator[Batch]) -> list[str]:
    return [link for batch in batches for link in plan.form.links(batch.serials)]


def _read_all(page: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> set[str]:
    return {found.text for found in zxingcpp.read_barcodes(np.ascontiguousarray(page)) if found.valid}
