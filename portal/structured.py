"""What search engines and readers of structured data are told: schema.org with the words of GS1 where it has none.

Only what is on the page. That something is recalled is said; that it is not, never: nobody knows that for the day on
which a copy of the page is read.
"""

from __future__ import annotations

from typing import Any

import orjson
from markupsafe import Markup

from portal import wording
from portal.language import Tongue
from portal.model import Finding, Verdict


def described(finding: Finding, verdict: Verdict, tongue: Tongue) -> Markup | str:
    """JSON-LD for a data block of the page; empty for what is not a known product. No "<" in it ends it."""
    product = finding.product
    if product is None or not finding.is_known:
        return ""
    told: dict[str, Any] = {
        "@context": ["https://schema.org", {"gs1": "https://ref.gs1.org/voc/"}],
        "@type": "IndividualProduct" if finding.number is not None else "Product",
        "gtin": product.gtin,
        "name": wording.product_name(product, tongue),
    }
    if product.brand:
        told["brand"] = {"@type": "Brand", "name": product.brand}
    if finding.lot is not None and finding.lot.code:
        told["gs1:hasBatchLotNumber"] = finding.lot.code
        if finding.lot.made_on is not None:
            told["productionDate"] = finding.lot.made_on.isoformat()
        if finding.lot.best_before_on is not None:
            name = {"use_by": "gs1:expirationDate", "expiry": "gs1:expirationDate"}.get(product.date_kind)
            told[name or "gs1:bestBeforeDate"] = finding.lot.best_before_on.isoformat()
    if verdict is Verdict.RECALLED:
        told["gs1:isProductRecalled"] = True
    text = orjson.dumps(told).decode().replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(text)  # noqa: S704 - JSON without the characters that HTML reads
