"""The notice list as PDF for scripts whose letters join or stack: set word by word by WeasyPrint, and slowly.

``pdf`` writes all other lists glyph by glyph. Both show the same blocks of the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from recall.documents.header import CHANNEL_NAMES, ListHeader, bounds_text, quantities_text
from recall.notices import Row, number_text
from recall.refusals import NoticeListTooLong

LINES_MAX: Final = 5_000
"""Some 20 ms a line are needed; a longer list in such a script is for a spreadsheet."""

OWNERS_PER_TABLE: Final = 20
"""A table that runs over many pages is set again for each of them; short tables keep the time even."""


@dataclass(frozen=True, slots=True)
class OwnerBlock:
    """The rows of one owner in a channel, and their total."""

    name: str
    gln: str
    rows: tuple[Row, ...]
    total: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChannelBlock:
    """The owners of a channel; ``names`` in English and Chinese."""

    names: tuple[str, str]
    owners: tuple[OwnerBlock, ...]
    total: Mapping[str, Any]


def render(rows: Sequence[Row], header: ListHeader, path: Path) -> None:
    """Write the PDF. Raises ``NoticeListTooLong``."""
    if len(rows) > LINES_MAX:
        raise NoticeListTooLong(lines=len(rows), format="pdf", lines_max=LINES_MAX, instead="xlsx, csv or json")
    _render(html(rows, header), path)


def html(rows: Sequence[Row], header: ListHeader) -> str:
    """The page before it is set: all text escaped, nothing fetched from anywhere."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("shaped.html")
    return template.render(
        header=header,
        channels=list(channels(rows, header)),
        quantities=quantities_text,
        owners_per_table=OWNERS_PER_TABLE,
        lines=lines,
        bounds=bounds_text,
    )


def lines(*values: str | None) -> str:
    """Values one below the other, those that are missing left out: one run of text in a cell is set fastest."""
    return "\n".join(value for value in values if value)


def _render(page: str, path: Path) -> None:
    from weasyprint import HTML

    HTML(string=page, url_fetcher=_fetch_nothing).write_pdf(path)


def _fetch_nothing(url: str, *_args: object, **_kwargs: object) -> Any:
    """A notice list is made from its own text: whatever address got into it is not opened."""
    raise ValueError(f"a notice list loads nothing from outside: {url}")


def channels(rows: Sequence[Row], header: ListHeader) -> Iterable[ChannelBlock]:
    """The rows by channel and owner, with the frozen totals."""
    channel_totals = {entry["channel"]: entry for entry in header.totals["by_channel"]}
    owner_totals: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for entry in header.totals["by_owner"]:
        key = (entry["channel"], entry["owner_gln"], entry["owner_name"])
        owner_totals[key] = _together(owner_totals[key], entry) if key in owner_totals else entry
    for channel, of_channel in groupby(rows, key=lambda row: str(row["channel"])):
        owners = tuple(
            OwnerBlock(str(name), str(gln or ""), tuple(lines), owner_totals[channel, gln, name])
            for (gln, name), lines in groupby(of_channel, key=lambda row: (row["owner_gln"], row["owner_name"]))
        )
        yield ChannelBlock(CHANNEL_NAMES[channel], owners, channel_totals[channel])


def _together(a: Mapping[str, Any], b: Mapping[str, Any]) -> Mapping[str, Any]:
    """The total of two parties that a reader cannot tell apart: same name, no GLN."""
    quantities = {uom: Decimal(q) for uom, q in a["quantities"].items()}
    for uom, quantity in b["quantities"].items():
        quantities[uom] = quantities.get(uom, Decimal(0)) + Decimal(quantity)
    counts = {name: a[name] + value for name, value in b.items() if name.startswith("items")}
    return {**a, **counts, "quantities": {uom: number_text(q) for uom, q in quantities.items()}}
