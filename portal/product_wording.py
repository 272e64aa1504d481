"""What is told about a product by its kind (food, medicine, car part): facts, advice, and the links of its page."""

from __future__ import annotations

from typing import Final

from portal.language import Tongue
from portal.model import Product, Verdict


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
