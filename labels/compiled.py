"""Composed cells kept on disk, so that the same label is composed once and printed often.

A kept cell is named by the hash of everything it is made from: words, measures, style, the page's own template, and the
composer's version. Whatever changes gets another name; nothing is ever found that does not belong. Fonts are not part
of the name: empty the folder after installing others.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from labels.furniture import Furniture, SerialLine, compose_apart
from labels.layout import TEMPLATES_FOLDER, Template, place_symbol
from labels.model import LabelText
from labels.render.files import replacing
from labels.wording import WORDS

CELLS_KEPT_MAX: Final = 500
"""Composed cells in the folder; beyond it the oldest are removed."""
_FORM: Final = 1


def cells_folder(data_dir: Path) -> Path:
    """Where an installation keeps them."""
    return data_dir / "labels" / "composed"


def composed(
    folder: Path | None, text: LabelText, template: Template, modules: int, *, lot_in_link: bool = False
) -> Furniture:
    """As ``furniture.compose_apart``; from ``folder`` when the same cell was composed before. None: nothing is kept."""
    if folder is None:
        return compose_apart(text, template, modules, lot_in_link=lot_in_link)
    path = folder / f"{_revision(text, template, modules, lot_in_link)}.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        kept = None
    if kept is not None:
        return _from_kept(kept, text, template, modules)
    furniture = compose_apart(text, template, modules, lot_in_link=lot_in_link)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(json.dumps(_to_keep(furniture)).encode("ascii"))
    _forget_oldest(folder)
    return furniture


def _revision(text: LabelText, template: Template, modules: int, lot_in_link: bool) -> str:
    made_from = {
        "form": _FORM,
        "composer": version("weasyprint"),
        "page": [path.read_text("utf-8") for path in sorted(TEMPLATES_FOLDER.glob("*.html"))],
        "words": WORDS[text.language],
        "text": asdict(text),
        "template": asdict(template),
        "modules": modules,
        "lot_in_link": lot_in_link,
    }
    return hashlib.sha256(json.dumps(made_from, sort_keys=True, default=_plain).encode("utf-8")).hexdigest()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else asdict(value)


def _to_keep(furniture: Furniture) -> dict[str, Any]:
    return {
        "pdf": base64.b64encode(furniture.pdf).decode("ascii"),
        "serial": asdict(furniture.serial),
        "scale": furniture.scale,
        "shortened": furniture.shortened,
    }


def _from_kept(kept: dict[str, Any], text: LabelText, template: Template, modules: int) -> Furniture:
    line = kept["serial"]
    serial = SerialLine(**{**line, "matrix": tuple(line["matrix"]), "codes": tuple(line["codes"])})
    placement = place_symbol(template, modules)
    pdf = base64.b64decode(kept["pdf"])
    return Furniture(template, text, placement, pdf, serial, kept["scale"], kept["shortened"])


def _forget_oldest(folder: Path) -> None:
    cells = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in cells[CELLS_KEPT_MAX:]:
        path.unlink(missing_ok=True)
