"""The notice list as JSON: ``{"case": …, "hash": …, "totals": …, "rows": […]}``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recall.documents.header import ListHeader, put_in_place
from recall.notices import Row


def as_json(rows: Sequence[Row], header: ListHeader) -> dict[str, Any]:
    """The document as a value: what the file holds and what an API answers with."""
    case = {name: value for name, _, _, value in header.fields() if name not in ("version", "hazard_class", "hash")}
    return {
        "case": {**case, "version": header.version, "hazard_class": header.hazard_class, "remedy": header.remedy},
        "drill": bool(header.drill_mark),
        "hash": header.hash,
        "totals": dict(header.totals),
        "rows": list(rows),
    }


def write(rows: Sequence[Row], header: ListHeader, out: Path) -> list[Path]:
    """Write ``out``."""
    text = json.dumps(as_json(rows, header), ensure_ascii=False, indent=1)
    return [put_in_place(out, lambda path: _write(path, text))]


def _write(path: Path, text: str) -> None:
    path.write_text(text + "\n", encoding="utf-8")
