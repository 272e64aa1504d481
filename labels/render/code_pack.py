"""A job's codes as a file for an outside printer: one row per label, and a manifest with counts and hashes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from labels.model import Batch, LinkForm, OutputFile, in_order
from labels.render.files import HashedFile, Tally, replacing
from labels.symbol import SymbolPlan
from serials.alphabet import ALPHABET, SERIAL_CHARACTERS, Serials

LABELS_MAX: Final = 20_000_000
"""Codes of one pack."""
COLUMNS: Final = ("digital_link", "gtin", "lot", "serial", "label_number")
CODES_NAME: Final = "codes.csv"
MANIFEST_NAME: Final = "manifest.json"
_ROWS_TOGETHER: Final = 8_192
_TENS: Final = [10**power for power in range(1, 19)]


def write_code_pack(
    target: Path,
    form: LinkForm,
    lot: str,
    batches: Iterable[Batch],
    *,
    module_mm_min: float | None = None,
    remarks: dict[str, str] | None = None,
) -> OutputFile:
    """Write codes as CSV (UTF-8, CRLF, RFC 4180) and a manifest beside them.

    A `target` that ends in .csv becomes the list itself, its manifest `<name>.manifest.json` beside it; any other is a
    folder that receives codes.csv and manifest.json. The description returned is that of the list. `remarks` are put
    into the manifest as they are (job number, order, recipient).
    """
    as_file = target.suffix.lower() == ".csv"
    codes = target if as_file else target / CODES_NAME
    manifest = target.with_name(f"{target.name}.manifest.json") if as_file else target / MANIFEST_NAME
    codes.parent.mkdir(parents=True, exist_ok=True)
    tally = Tally("codes", LABELS_MAX)
    with replacing(codes) as file:
        write_rows(file, form, lot, batches, tally)
        tally.require_labels()
        output = tally.output(codes, file, None)
        with replacing(manifest) as listing:
            content = _manifest(output, form, lot, module_mm_min, remarks or {})
            listing.write(json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n")
    return output


def write_rows(file: HashedFile, form: LinkForm, lot: str, batches: Iterable[Batch], tally: Tally) -> None:
    """The list itself, its rows made many at a time."""
    file.write(",".join(COLUMNS).encode("ascii") + b"\r\n")
    before_link = form.prefix.encode("ascii")
    between = f",{form.gtin},{_quoted(lot)},".encode()
    for batch in in_order(batches):
        tally.add(batch.first_label, len(batch.serials))
        for first, serials in _same_digits(batch):
            file.write(_rows(first, serials, before_link, between).tobytes())


def _rows(first: int, serials: Serials, before_link: bytes, between: bytes) -> npt.NDArray[np.uint8]:
    """Rows of equal length as characters: all label numbers here have the same count of digits."""
    digits = len(str(first))
    numbers = np.arange(first, first + len(serials), dtype=np.int64)
    number_digits = (numbers[:, None] // np.array([10**p for p in range(digits - 1, -1, -1)]) % 10).astype(np.uint8)
    parts: list[bytes | npt.NDArray[np.uint8]] = [
        before_link, serials, between, serials, b",", number_digits + ord("0"), b"\r\n"
    ]  # fmt: skip
    width = sum(len(part) if isinstance(part, bytes) else part.shape[1] for part in parts)
    rows = np.empty((len(serials), width), dtype=np.uint8)
    column = 0
    for part in parts:
        block = np.frombuffer(part, dtype=np.uint8) if isinstance(part, bytes) else part
        rows[:, column : column + block.shape[-1]] = block
        column += block.shape[-1]
    return rows


def _same_digits(batch: Batch) -> Iterator[tuple[int, Serials]]:
    """The batch in pieces of at most _ROWS_TOGETHER whose label numbers have equally many digits."""
    start = 0
    while start < len(batch.serials):
        first = batch.first_label + start
        next_longer = next(power for power in _TENS if power > first)
        stop = min(start + _ROWS_TOGETHER, len(batch.serials), start + next_longer - first)
        yield first, batch.serials[start:stop]
        start = stop


def _quoted(text: str) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([text])
    return line.getvalue()


def _manifest(
    codes: OutputFile, form: LinkForm, lot: str, module_mm_min: float | None, remarks: dict[str, str]
) -> dict[str, Any]:
    """What a print house needs to make the symbols, and what both sides need to count them."""
    size = SymbolPlan.size_for(form)
    return {
        "remarks": remarks,
        "gtin": form.gtin,
        "lot": lot,
        "lot_in_link": form.lot is not None,
        "link_prefix": form.prefix,
        "labels": codes.labels,
        "first_label": codes.labels_first,
        "last_label": codes.labels_last,
        "serial": {"characters": SERIAL_CHARACTERS, "alphabet": ALPHABET},
        "symbol": {
            "type": "QR Code",
            "version": size.version,
            "error_correction": size.level,
            "segments": [{"mode": segment.mode.name.lower(), "text": segment.text} for segment in size.segments],
            "quiet_zone_modules": 4,
            "module_mm_min": module_mm_min,
        },
        "files": [{"name": codes.path.name, "columns": list(COLUMNS), "bytes": codes.bytes, "sha256": codes.sha256}],
    }
