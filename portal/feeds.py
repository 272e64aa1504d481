"""Published cases as feeds, all of them or those of one product or lot: Atom (RFC 4287) and JSON Feed 1.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode
from xml.etree import ElementTree

from gs1 import gtin as gtins
from portal.language import Tongue
from portal.model import Confirmation, Recall
from portal.snapshot import Snapshot
from runtime.clock import rfc3339

_ATOM: Final = "http://www.w3.org/2005/Atom"


def of_product(snapshot: Snapshot, cases: Sequence[Recall], asked: Mapping[str, str]) -> tuple[tuple[Recall, ...], str]:
    """The cases of ``gtin`` (and ``lot``), and the query that names them; all of them when none is asked for.

    A lot's feed has the cases that name a part of it too. A product or lot that nobody told us of has none yet.
    """
    if not asked.get("gtin"):
        return tuple(cases), ""
    gtin, code = gtins.validate(asked["gtin"]), asked.get("lot", "")[:20]
    query = "?" + urlencode({"gtin": gtin, "lot": code} if code else {"gtin": gtin})
    product = snapshot.products.get(gtin)
    if product is None:
        return (), query
    named = snapshot.scopes.of_product(product.product_id)
    if code:
        lot = snapshot.lots.find(product.product_id, code)
        if lot is None:
            return (), query
        named = snapshot.scopes.of_lot(lot.lot_id)
    wanted = {case.case_id for case in (*named.surely, *named.perhaps)}
    return tuple(case for case in cases if case.case_id in wanted), query


def atom(cases: Sequence[Recall], tongue: Tongue, confirmation: Confirmation, base_url: str, query: str = "") -> bytes:
    """An Atom feed; ``query`` names the product or lot that it is about."""
    ElementTree.register_namespace("", _ATOM)
    root = ElementTree.Element(f"{{{_ATOM}}}feed")
    changed_at = max((case.updated_at for case in cases), default=confirmation.at)
    _add(root, "id", f"{base_url}/recalls{query}")
    _add(root, "title", tongue.gettext("Recalls"))
    _add(root, "updated", rfc3339(changed_at) if changed_at is not None else "1970-01-01T00:00:00Z")
    ElementTree.SubElement(root, f"{{{_ATOM}}}link", rel="self", href=f"{base_url}/recalls.atom{query}")
    _add(ElementTree.SubElement(root, f"{{{_ATOM}}}author"), "name", "Tracemark")
    for case in cases:
        entry = ElementTree.SubElement(root, f"{{{_ATOM}}}entry")
        text = case.text(tongue.code)
        address = f"{base_url}/recalls/{case.number}"
        _add(entry, "id", address)
        _add(entry, "title", f"{case.number}: {text.title}")
        _add(entry, "updated", rfc3339(case.updated_at))
        _add(entry, "published", rfc3339(case.published_at))
        _add(entry, "summary", " ".join([text.hazard, *text.actions]))
        ElementTree.SubElement(entry, f"{{{_ATOM}}}link", rel="alternate", href=address)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def json_feed(cases: Sequence[Recall], tongue: Tongue, base_url: str, query: str = "") -> dict[str, Any]:
    """A JSON feed; ``query`` names the product or lot that it is about."""
    items = []
    for case in cases:
        text = case.text(tongue.code)
        address = f"{base_url}/recalls/{case.number}"
        items.append(
            {
                "id": address,
                "url": address,
                "title": f"{case.number}: {text.title}",
                "content_text": " ".join([text.hazard, *text.actions]),
                "date_published": rfc3339(case.published_at),
                "date_modified": rfc3339(case.updated_at),
            }
        )
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": tongue.gettext("Recalls"),
        "home_page_url": f"{base_url}/recalls",
        "feed_url": f"{base_url}/feed.json{query}",
        "language": tongue.code,
        "items": items,
    }


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}").text = text
