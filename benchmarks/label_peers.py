"""Two programs of others that make symbols and sheets, for the labels benchmark: zint and glabels, where installed."""

from __future__ import annotations

import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

import pypdfium2
import zxingcpp

from benchmarks.figures import Sample
from benchmarks.label_work import GTIN, LOT, batches
from labels.model import LinkForm
from labels.render.picture import rasterise

LABELS: Final = 1_000
"""Labels that a program of others makes in one round."""
ZINT, GLABELS = "zint", "glabels-3-batch"
_HOST: Final = "https://id.example.com"
_ZINT_QR: Final = "58"
_SECONDS_MAX: Final = 120
_SHEET_LABELS: Final = 24
_READ_DPI: Final = 200
_SHEET: Final = """<?xml version="1.0"?>
<Glabels-document xmlns="http://glabels.org/xmlns/3.0/">
 <Template brand="A4" part="24" size="A4" description="24 labels of 70 x 37 mm">
  <Label-rectangle id="0" width="198.4pt" height="104.9pt" round="0pt" x_waste="0pt" y_waste="0pt">
   <Layout nx="3" ny="8" x0="0pt" y0="0pt" dx="198.4pt" dy="105.2pt"/>
  </Label-rectangle>
 </Template>
 <Objects id="0" rotate="False">
  <Object-barcode x="8pt" y="8pt" w="68pt" h="68pt" {upright} style="IEC18004" text="False" checksum="True"
   color="0x000000ff" field="1"/>
  <Object-text x="84pt" y="8pt" w="108pt" h="80pt" {upright} justify="Left" valign="top" auto_shrink="False">
   <Span font_family="Sans" font_size="7" font_weight="Regular" font_italic="False" color="0x000000ff"
    line_spacing="1">Meadow Farmhouse Cheese 400 g<NL/>(01) {gtin}<NL/>(10) {lot}<NL/><Field name="2"/></Span>
  </Object-text>
 </Objects>
 <Merge type="Text/Comma" src="{source}"/>
</Glabels-document>
"""
_UPRIGHT: Final = 'a0="1" a1="0" a2="0" a3="1" a4="0pt" a5="0pt"'
"""An object without its matrix has one of zeros: glabels then leaves blank pages behind, and says nothing."""


def installed() -> Iterator[tuple[str, str, Callable[[], Sample]]]:
    """The name, unit and work of each program that is here."""
    if shutil.which(ZINT):
        yield f"zint, {LABELS:,} symbols", "symbols/s", _zint
    if shutil.which(GLABELS):
        yield f"glabels, {LABELS:,} labels", "labels/s", _glabels


def missing() -> tuple[str, ...]:
    """A sentence for each program that is not here."""
    return tuple(
        f"{program} is not installed: not compared." for program in (ZINT, GLABELS) if not shutil.which(program)
    )


def _zint() -> Sample:
    """An SVG file for each symbol, at level M, as its own batch makes them."""
    with tempfile.TemporaryDirectory(prefix="tracemark-benchmark-") as folder:
        lines = Path(folder) / "links.txt"
        lines.write_text("".join(f"{link}\n" for link, _ in _codes()), "ascii")
        words = [ZINT, "--batch", "-b", _ZINT_QR, "--secure=2", "-i", str(lines), "--filetype=svg"]
        sample = _run([*words, "-o", f"{folder}/~~~~~.svg"], Path(folder), "*.svg")
        return _told_whole(sample, len(list(Path(folder).glob("*.svg"))), LABELS, "symbols")


def _glabels() -> Sample:
    """One PDF of A4 sheets, 24 labels each."""
    with tempfile.TemporaryDirectory(prefix="tracemark-benchmark-") as folder:
        source, sheet = Path(folder) / "codes.csv", Path(folder) / "sheet.glabels"
        source.write_text("".join(f"{link},{serial}\n" for link, serial in _codes()), "ascii")
        sheet.write_text(_SHEET.format(gtin=GTIN, lot=LOT, source=source, upright=_UPRIGHT), "utf-8")
        made = Path(folder) / "labels.pdf"
        sample = _run([GLABELS, "-o", str(made), str(sheet)], Path(folder), made.name)
        if sample.limited is not None:
            return sample
        pages = -(-LABELS // _SHEET_LABELS)
        with pypdfium2.PdfDocument(made) as document:
            if len(document) != pages:
                return _told_whole(sample, len(document), pages, "pages")
        picture = next(rasterise(made.read_bytes(), _READ_DPI))
        read = {found.text for found in zxingcpp.read_barcodes(picture) if found.valid}
        first = {link for link, _ in islice(_codes(), _SHEET_LABELS)}
        return _told_whole(sample, len(first & read), len(first), "symbols of the first page that are read")


def _run(words: list[str], folder: Path, made: str) -> Sample:
    """One run, its processor time told by the system; a program that makes nothing is said to have made nothing."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ended = subprocess.run(words, cwd=folder, capture_output=True, check=False, timeout=_SECONDS_MAX)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    size = sum(path.stat().st_size for path in folder.glob(made))
    details = {"bytes_each": size / LABELS, "cpu_us": cpu_s * 1e6 / LABELS}
    limited = None if ended.returncode == 0 and size else f"{words[0]} made nothing (status {ended.returncode})"
    return Sample(LABELS / seconds, details, limited)


def _told_whole(sample: Sample, found: int, asked: int, what: str) -> Sample:
    """The sample; with a remark when the program did not make all that it was asked for."""
    if sample.limited is not None or found == asked:
        return sample
    return replace(sample, limited=f"made {found:,} of {asked:,} {what}")


def _codes() -> Iterator[tuple[str, str]]:
    form = LinkForm(_HOST, GTIN)
    for batch in batches(LABELS):
        links = form.links(batch.serials)
        yield from ((link, link[len(form.prefix) :]) for link in links)
