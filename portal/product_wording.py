"""What is told about a product by its kind (food, medicine, car part): facts, advice, and the links of its page."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode

from portal.language import Tongue
from portal.links import StaffLink
from portal.model import Finding, Product, Verdict


def of_profile(product: Product, tongue: Tongue) -> list[tuple[str, str]]:
    """What else is told about a product of this kind, by its key in the product's texts."""
    _ = tongue.gettext
    storage = ("storage", _("Storage"))
    return {
        "food": [("ingredients", _("Ingredients")), storage],
        "pharma": [("ingredients", _("Active ingredients")), storage],
        "auto": [("part_number", _("Part number")), ("fits", _("Fits"))],
    }.get(product.profile, [storage])


def advice(product: Product | None, verdict: Verdict, tongue: Tongue) -> str:
    """What holds for this kind of product whatever the case says."""
    if product is not None and product.profile == "pharma" and verdict in (Verdict.RECALLED, Verdict.CHECK_THE_SERIAL):
        return tongue.gettext("Ask your pharmacist or doctor. Do not stop taking a medicine without advice.")
    return ""


LINKS_SHOWN: Final = ("epil", "instructions", "safetyInfo", "support", "registerProduct", "certificationInfo", "dpp")
"""Links of staff that a page shows, by type and in this order."""


def link_names(tongue: Tongue) -> dict[str, str]:
    """What those links are called."""
    _ = tongue.gettext
    return {
        "epil": _("Patient leaflet"),
        "instructions": _("Instructions for use"),
        "safetyInfo": _("Safety information"),
        "support": _("Help with this product"),
        "registerProduct": _("Register this product"),
        "certificationInfo": _("Certificates"),
        "dpp": _("Digital product passport"),
    }


def about(finding: Finding) -> str:
    """The query that names the product and lot of a page: no byte of it depends on the serial."""
    if finding.product is None:
        return ""
    lot = finding.lot.code if finding.lot is not None else ""
    return urlencode({"gtin": finding.product.gtin, "lot": lot} if lot else {"gtin": finding.product.gtin})


def links_shown(finding: Finding, offered: tuple[StaffLink, ...], tongue: Tongue) -> list[dict[str, str]]:
    """Addresses of the resolver, not of other sites: the resolver knows which language of a link fits."""
    if finding.product is None:
        return []
    lot = f"/10/{quote(finding.lot.code, safe='')}" if finding.lot is not None and finding.lot.code else ""
    names = link_names(tongue)
    return [
        {"href": f"/01/{finding.product.gtin}{lot}?linkType=gs1:{link.type}", "name": names[link.type]}
        for link in offered
    ]
