"""Values of the labels room: what stands on a label, how its link is formed, and what a rendering left behind."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote, urlsplit

from gs1.digital_link import build
from gs1.identifier import Identifier
from labels.numbering import Numbering
from labels.refusals import LabelTextNotUsable, LinkNotUsable
from serials.alphabet import SERIAL_CHARACTERS, Serials

TEXT_CHARACTERS_MAX: Final = 120
"""Longest product name, brand or allergen list that a label takes."""
BASE_URL_CHARACTERS_MAX: Final = 60

Language = Literal["en", "zh"]
LabelFormat = Literal["pdf", "zpl", "png", "svg", "codes", "pack"]
"""``pack`` is a print house's archive (`labels.packs`), made by a worker; the others are single files."""

_GTIN_14 = re.compile(r"[0-9]{14}")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class LabelText:
    """The words of a label. Refuses an empty name and characters that cannot be printed (LabelTextNotUsable), and a
    wrong GTIN or lot (GS1Error)."""

    product_name: str
    brand: str
    gtin: str
    lot: str
    language: Language = "en"
    best_before_on: date | None = None
    made_on: date | None = None
    net_content: str = ""
    allergens: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.product_name.strip():
            raise LabelTextNotUsable(where="product name", what="it is empty")
        if _GTIN_14.fullmatch(self.gtin) is None:
            raise LabelTextNotUsable(where="GTIN", what=f"{self.gtin!r} is not 14 digits")
        Identifier.lot_of(self.gtin, self.lot)
        for where, text in self.fields():
            _check_text(where, text)

    def fields(self) -> Iterator[tuple[str, str]]:
        """Each free text with the name by which a person knows it."""
        yield "product name", self.product_name
        yield "brand", self.brand
        yield "net content", self.net_content
        for allergen in self.allergens:
            yield "allergens", allergen


@dataclass(frozen=True, slots=True)
class LinkForm:
    """The form of a job's Digital Links: everything but the serial.

    `base_url` is an https (or http) address without query or fragment, its host in lower case: scanners break on
    upper-case links. `lot` is given only when the lot belongs in the link; without it the symbol is smaller.
    Refuses another address with LinkNotUsable, a wrong GTIN or lot with the grammar's GS1Error.
    """

    base_url: str
    gtin: str
    lot: str | None = None
    prefix: str = field(init=False)
    """The link up to the serial, in canonical order (01, 10, 21), all but unreserved characters escaped."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("https", "http") or _HOST.fullmatch(parts.netloc) is None:
            raise LinkNotUsable(what=f"{self.base_url!r} is not https:// and a host name in lower case")
        if parts.query or parts.fragment or self.base_url.endswith(("?", "#")):
            raise LinkNotUsable(what=f"{self.base_url!r} has a query or a fragment; leave them out")
        if not self.base_url.isascii() or re.search(r"[\s\"<>\\^`{|}]", self.base_url):
            raise LinkNotUsable(what=f"{self.base_url!r} has characters that need an escape; write them as %XX")
        if len(self.base_url) > BASE_URL_CHARACTERS_MAX:
            raise LinkNotUsable(
                what=f"the address has more than {BASE_URL_CHARACTERS_MAX} characters; use a short host"
            )
        if _GTIN_14.fullmatch(self.gtin) is None:
            raise LinkNotUsable(what=f"the GTIN {self.gtin!r} is not 14 digits")
        some_serial = "0" * SERIAL_CHARACTERS
        link = build(Identifier.item(self.gtin, some_serial, self.lot), self.base_url)
        object.__setattr__(self, "prefix", link.removesuffix(some_serial))

    def link(self, serial: str) -> str:
        """The whole link of one item. Only serials that a customer brought have characters that need an escape."""
        return self.prefix + quote(serial, safe="")

    def links(self, serials: Serials) -> list[str]:
        """As link, for many serials of ours."""
        prefix = self.prefix
        return [prefix + text for text in texts(serials)]


@dataclass(frozen=True, slots=True)
class Batch:
    """Labels that are drawn together: consecutive label numbers from `first_label`, one row of `serials` each."""

    first_label: int
    serials: Serials

    def __post_init__(self) -> None:
        if self.first_label < 1 or self.serials.ndim != 2 or self.serials.shape[1] != SERIAL_CHARACTERS:
            raise ValueError("a batch has label numbers from 1 and rows of 12 characters")

    @property
    def last_label(self) -> int:
        """The number of the batch's last label."""
        return self.first_label + len(self.serials) - 1


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was read back before a file was released.

    `symbols` were read at all; `from_bytes` of them were rebuilt from what stands in the file (the operators of a page,
    the bitmaps of a print file), the others from the modules that were drawn. `from_file` labels were read once more
    from the finished file: from its rasterised pages (`pages`, 1-based, at `dpi`) or from the bitmaps in it.
    """

    symbols: int
    from_file: int = 0
    pages: tuple[int, ...] = ()
    dpi: int | None = None
    from_bytes: int = 0


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A finished file: `bytes` and `sha256` are those of the file on disk."""

    path: Path
    format: LabelFormat
    sha256: str
    bytes: int
    labels_first: int
    labels_last: int
    labels: int
    verified: VerifyReport | None
    """None for a code pack: it holds codes, not symbols."""


@dataclass(frozen=True, slots=True)
class Job:
    """One order of labels for a lot. Its codes follow from ``numbers`` and the key of ``key_epoch``; none is stored."""

    job_id: int
    product_id: int
    lot_id: int
    gtin: str
    lot: str
    count: int
    template: str
    base_url: str
    lot_in_link: bool
    best_before_on: date | None
    state: str
    reprint_of: int | None
    ordered_by: str
    ordered_at: datetime
    key_epoch: int | None
    """None: the serials were brought by the customer and stand on record."""
    numbers: Numbering = field(repr=False)

    @property
    def form(self) -> LinkForm:
        """The form of its links: as ordered, whatever the settings say now."""
        return LinkForm(self.base_url, self.gtin, self.lot if self.lot_in_link else None)


@dataclass(frozen=True, slots=True)
class LabelRange:
    """What became of the labels first … last of a job: commissioned by an event, or void for a reason."""

    first: int
    last: int
    state: Literal["commissioned", "void"]
    reason: str | None
    by: str
    at: datetime
    event_id: int | None = None
    replaced_by_job_id: int | None = None

    @property
    def labels(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Done:
    """What a verb did to ``labels`` labels between two label numbers; not ``changed``: it had been done before."""

    job_id: int
    label_first: int
    label_last: int
    labels: int
    changed: bool
    event_id: int | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What became of a job's labels: always ordered = commissioned + void + unused."""

    ordered: int
    commissioned: int
    void: int

    @property
    def unused(self) -> int:
        """Labels that are neither on an item nor taken out of use."""
        return self.ordered - self.commissioned - self.void


@dataclass(frozen=True, slots=True)
class PrintAdvice:
    """A remark about how well a symbol will print; never a reason to stop. `code` is stable, `text` is for a person."""

    code: str
    text: str


def texts(serials: Serials) -> list[str]:
    """Rows of ASCII codes as texts."""
    joined = serials.tobytes().decode("ascii")
    return [joined[start : start + SERIAL_CHARACTERS] for start in range(0, len(joined), SERIAL_CHARACTERS)]


def in_order(batches: Iterable[Batch]) -> Iterator[Batch]:
    """The batches, skipping empty ones; ValueError when label numbers do not rise: one label would be drawn twice."""
    last = 0
    for batch in batches:
        if not len(batch.serials):
            continue
        if batch.first_label <= last:
            raise ValueError(f"label {batch.first_label} comes after label {last}; batches must rise")
        last = batch.last_label
        yield batch


def _check_text(where: str, text: str) -> None:
    if len(text) > TEXT_CHARACTERS_MAX:
        raise LabelTextNotUsable(where=where, what=f"it has {len(text)} characters, at most {TEXT_CHARACTERS_MAX} fit")
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp"):
            raise LabelTextNotUsable(where=where, what=f"the character U+{ord(character):04X} cannot be printed")
