"""Setting letters, posters and reports as PDF: templates filled with text that is escaped, and nothing fetched.

WeasyPrint is loaded when the first page is set: it needs Pango, and whoever prints nothing does not need it. The QR
symbol comes from the face that asks (``Symbol``): this room draws codes that it is handed, and makes none.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from recall.letter_wording import TEXTS, say
from recall.model import Case, Kind, Text
from recall.profiles import Profile
from recall.rules_refusals import PictureUnreadable

Symbol = Callable[[str], Iterable[Iterable[bool]]]
"""Draws the QR symbol of an address: rows of modules, dark ones True, without quiet zone."""

QUIET_ZONE: Final = 4
PICTURE_PIXELS_MAX: Final = 900
PICTURE_BYTES_MAX: Final = 20 * 1024 * 1024
LANGUAGES: Final = tuple(TEXTS)


def pdf_of(template: str, **values: Any) -> bytes:
    """The page or pages as PDF."""
    content: bytes = _document(template, values).write_pdf()
    return content


def pages_of(template: str, **values: Any) -> tuple[bytes, int]:
    """The PDF, and how many pages it has."""
    document = _document(template, values)
    content: bytes = document.write_pdf()
    return content, len(document.pages)


def _document(template: str, values: Mapping[str, Any]) -> Any:
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    language = values["language"]
    page = _environment().get_template(template).render(say=lambda key, **named: say(language, key, **named), **values)
    # Only what stands in the page itself (data:) is opened: an address that got into a text is never asked.
    return HTML(string=page, url_fetcher=URLFetcher(allowed_protocols={"data"})).render()


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).with_name("letters")), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


def drawn(symbol: Symbol, address: str) -> Markup:
    """The QR symbol of an address as SVG."""
    rows = [list(row) for row in symbol(address)]
    side = len(rows) + 2 * QUIET_ZONE
    path = "".join(
        f"M{x + QUIET_ZONE} {y + QUIET_ZONE}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, dark in enumerate(row)
        if dark
    )
    return Markup(  # noqa: S704 - made of numbers only
        f'<svg class="qr" viewBox="0 0 {side} {side}" xmlns="http://www.w3.org/2000/svg" shape-rendering="crispEdges">'
        f'<rect width="{side}" height="{side}" fill="#fff"/><path d="{path}" fill="#000"/></svg>'
    )


def picture(path: Path | None) -> str:
    """A picture of the product, drawn anew and small; "" for none. Raises ``PictureUnreadable``."""
    if path is None:
        return ""
    from PIL import Image, UnidentifiedImageError

    try:
        if path.stat().st_size > PICTURE_BYTES_MAX:
            raise PictureUnreadable(path=path, problem=f"it has more than {PICTURE_BYTES_MAX:,} bytes")
        with Image.open(path) as found:
            small = found.convert("RGB")
            small.thumbnail((PICTURE_PIXELS_MAX, PICTURE_PIXELS_MAX))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise PictureUnreadable(path=path, problem=getattr(error, "strerror", None) or error) from error
    out = io.BytesIO()
    small.save(out, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"


def text_of(texts: Mapping[str, Text], language: str, otherwise: Text) -> Text:
    """The author's words in this language, or in whichever there is: never translated by machine."""
    exact = texts.get(language) or next((t for tag, t in texts.items() if tag.startswith(f"{language}-")), None)
    return exact or next(iter(texts.values()), otherwise)


def heading_of(case_kind: Kind, profile: Profile | None, language: str, *, is_letter: bool = False) -> str:
    """What stands at the top: the profile's own words, or ours. A withdrawal is never called a recall."""
    if case_kind is Kind.WITHDRAWAL:
        return say(language, "withdrawal_heading")
    if profile is None:
        return say(language, "letter_heading" if is_letter else "heading")
    return (profile.notice.letter_headings if is_letter else profile.notice.headings)[language]


def contact_of(contact: Mapping[str, str]) -> dict[str, str]:
    """Telephone first; whatever else there is behind it. Empty when nothing is known."""
    rest = " · ".join(contact[name] for name in ("name", "email", "url", "hours") if contact.get(name))
    phone = contact.get("phone", "")
    return {"phone": phone or rest, "rest": rest if phone else ""} if phone or rest else {}


def page_of_case(base_url: str, case: Case, language: str) -> str:
    """The public page of a case."""
    return f"{base_url}/recalls/{case.number}?lang={language}"
