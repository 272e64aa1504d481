"""What machines get: the verdict, the linkset, the cases as feeds, the description of the resolver."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from gs1 import digital_link
from gs1.identifier import Identifier
from portal import wording
from portal.language import Tongue
from portal.links import VOCABULARY
from portal.model import Beside, Checks, Confirmation, Finding, Recall, UnitLine, Verdict
from portal.verdict import shown_cases
from runtime.clock import rfc3339

LINKSET_CONTEXT: Final = (
    '<https://ref.gs1.org/standards/resolver/linkset-context>; rel="http://www.w3.org/ns/json-ld#context"; '
    'type="application/ld+json"'
)


def verdict_document(
    identifier: Identifier,
    *,
    finding: Finding,
    verdict: Verdict,
    beside: Beside,
    tongue: Tongue,
    confirmation: Confirmation,
    base_url: str,
    revision: int,
) -> dict[str, Any]:
    """The verdict of the contract. ``recall`` is the most dangerous case; ``cases`` names all that are shown."""
    cases = shown_cases(finding, verdict)
    words = wording.said(verdict, finding, tongue, confirmation.at)
    return {
        "identifier": identifier_document(identifier, base_url),
        "verdict": verdict.value,
        "heading": words.heading,
        "sentences": [*_moment(verdict, finding, beside, tongue, confirmation), *words.sentences],
        "recall": case_document(cases[0], tongue, base_url) if cases else None,
        "cases": [case.number for case in cases],
        "suspect": finding.is_suspect,
        "product": _product_document(finding, tongue),
        "lot": _lot_document(finding, tongue),
        "checks": checks_document(beside.checks),
        "history": [
            {
                "at": rfc3339(step.at),
                "step": step.step,
                "place": wording.step_place(step, tongue),
                "text": wording.step_text(step, tongue),
            }
            for step in beside.history
        ],
        "confirmed_at": instant(confirmation.at),
        "revision": revision,
    }


def unit_document(
    identifier: Identifier,
    *,
    held: Sequence[UnitLine],
    verdict: Verdict,
    cases: Sequence[Recall],
    tongue: Tongue,
    confirmation: Confirmation,
    base_url: str,
    revision: int,
) -> dict[str, Any]:
    """The verdict on a case or pallet, with one line per lot inside."""
    return {
        "identifier": identifier_document(identifier, base_url),
        "verdict": verdict.value,
        "heading": wording.said_of_unit(verdict, tongue, confirmation.at).heading,
        "recall": case_document(cases[0], tongue, base_url) if cases else None,
        "cases": [case.number for case in cases],
        "contents": [_unit_line(line, tongue) for line in held],
        "confirmed_at": instant(confirmation.at),
        "revision": revision,
    }


def checks_document(checks: Checks | None) -> dict[str, Any] | None:
    """How often an item was checked; nothing when that is not known."""
    return None if checks is None else {"count": checks.count, "first_at": rfc3339(checks.first_at)}


def identifier_document(identifier: Identifier, base_url: str) -> dict[str, Any]:
    """The identifier, and its address here."""
    return {
        "gtin": identifier.gtin,
        "lot": identifier.lot,
        "serial": identifier.serial,
        "sscc": identifier.sscc,
        "digital_link": base_url + digital_link.path_of(identifier),
    }


def case_document(case: Recall, tongue: Tongue, base_url: str) -> dict[str, Any]:
    """A published case."""
    text = case.text(tongue.code)
    return {
        "number": case.number,
        "version": case.version,
        "kind": case.kind,
        "state": case.state,
        "title": text.title,
        "hazard": text.hazard,
        "hazard_class": case.hazard_class,
        "actions": list(wording.actions(case, tongue)),
        "remedies": list(text.remedies),
        "translation_pending": text.is_original,
        "contact": dict(case.contact),
        "published_at": rfc3339(case.published_at),
        "updated_at": rfc3339(case.updated_at),
        "url": f"{base_url}/recalls/{case.number}",
    }


def description(base_url: str) -> dict[str, Any]:
    """``/.well-known/gs1resolver`` (GS1-Conformant Resolver 1.2, 2.9)."""
    return {
        "name": "Tracemark",
        "resolverRoot": base_url,
        "supportedPrimaryKeys": ["01", "00", "414", "417"],
        "supportedContextValuesEnumerated": [],
        "supportedLinkType": [{"namespace": VOCABULARY, "prefix": "gs1:"}],
        "linkTypeDefaultCanBeLinkset": False,
    }


def recalls_document(
    cases: Sequence[Recall], tongue: Tongue, confirmation: Confirmation, base_url: str, revision: int
) -> dict[str, Any]:
    """All published cases."""
    return {
        "recalls": [case_document(case, tongue, base_url) for case in cases],
        "confirmed": confirmation.is_fresh,
        "confirmed_at": instant(confirmation.at),
        "revision": revision,
    }


def _product_document(finding: Finding, tongue: Tongue) -> dict[str, Any] | None:
    product = finding.product
    if product is None:
        return None
    return {
        "name": wording.product_name(product, tongue),
        "brand": product.brand,
        "image": product.image,
        "allergens": list(product.allergens),
    }


def _lot_document(finding: Finding, tongue: Tongue) -> dict[str, Any] | None:
    lot = finding.lot
    if lot is None:
        return None
    return {
        "code": lot.code,
        "made_on": _iso(lot.made_on),
        "best_before": _iso(lot.best_before_on),
        "made_at": wording.place_text(finding.made_at, tongue) or None,
    }


def _unit_line(line: UnitLine, tongue: Tongue) -> dict[str, Any]:
    return {
        "gtin": line.product.gtin if line.product is not None else None,
        "product": wording.product_name(line.product, tongue) if line.product is not None else None,
        "lot": line.lot.code if line.lot is not None else None,
        "quantity": line.quantity,
        "uom": line.uom or None,
        "recalled": line.recalled,
        "cases": [case.number for case in line.cases],
        "part_recalled": [case.number for case in line.part_recalls],
    }


def instant(at: datetime | None) -> str | None:
    """RFC 3339, or nothing."""
    return rfc3339(at) if at is not None else None


def _moment(
    verdict: Verdict, finding: Finding, beside: Beside, tongue: Tongue, confirmation: Confirmation
) -> tuple[str, ...]:
    if finding.place is not None:
        return ()
    return wording.moment(verdict, wording.told_checks(finding, beside.checks), tongue, confirmation.at)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
