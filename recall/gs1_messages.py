"""GS1 XML messages of a recall: notification, removal confirmation and closeout notification.

The elements bear the names of GS1's published samples of the 3.x messages; the structure that ours have is written down
in ``docs/reference/gs1-recall-messages.rng``. They are not checked against GS1's schema files, which are not part of
this product: agree on the envelope with the partner that takes them. Each version of a case has a GDTI of its own, made
of the document type that the user brings and the case's number and version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lxml import etree

from gs1 import gln
from gs1.errors import GS1Error
from recall.model import Kind
from recall.notices import Row
from recall.rules_refusals import GdtiNotSet
from recall.store import NoticeList
from runtime.clock import rfc3339

SERIAL_CHARACTERS_MAX: Final = 17
"""Of a GDTI, after its thirteen digits (AI 253)."""


def gdti_of(document_type: str, number: str, version: int, confirmation: int = 0) -> str:
    """The GDTI of a version: ``document_type`` (13 digits with its check digit) and a serial. Raises ``GdtiNotSet``.

    A removal confirmation is a document of its own: ``confirmation`` is its number within the version.
    """
    serial = f"{number.replace('-', '')}V{version}" + (f"C{confirmation}" if confirmation else "")
    try:
        gln.validate(document_type)  # a GDTI's first thirteen digits have the check digit of a GLN
    except GS1Error as error:
        raise GdtiNotSet(gdti=document_type) from error
    if len(serial) > SERIAL_CHARACTERS_MAX:
        raise GdtiNotSet(gdti=f"{document_type}{serial}")
    return document_type + serial


def notification(listed: NoticeList, document_type: str, initiator_gln: str) -> bytes:
    """Product Recall Notification of a version."""
    case, frozen = listed.case, listed.frozen
    root = _root("productRecallNotification", frozen.published_at)
    _add(root, "originalPRNIdentification", gdti_of(document_type, case.number, 1))
    _add(root, "pRNIdentification", gdti_of(document_type, case.number, frozen.version))
    _add(root, "pRNStatusCode", "ISSUED")
    if frozen.version == 1:
        _add(root, "pRNVersionStatusCode", "INITIAL")
    _add(root, "isTestMessage", str(case.kind is Kind.DRILL).lower())
    _add(root, "incidentRiskLevelCode", f"CLASS_{case.hazard_class}")
    for language, text in sorted(case.texts.items()):
        _add(root, "title", text.title, languageCode=language)
        _add(root, "recallReason", text.hazard, languageCode=language)
    _add(root, "isIssuerPrimary", "true")
    _add(root, "initiator", initiator_gln)
    contact = etree.SubElement(root, "recallContact")
    for name in ("name", "phone", "email", "hours"):
        if case.contact.get(name):
            _add(contact, "afterHoursContact" if name == "hours" else name, case.contact[name])
    _recipients(root, listed.rows)
    return _written(root)


def removal_confirmation(listed: NoticeList, document_type: str, owner: Mapping[str, Any], confirmation: int) -> bytes:
    """Product Removal Confirmation of one owner, from the account of its goods: with a GDTI of its own, the notice's
    and the first notice's."""
    case, frozen = listed.case, listed.frozen
    root = _root("productRemovalConfirmation", frozen.published_at)
    own = gdti_of(document_type, case.number, frozen.version, confirmation)
    _add(root, "productRemovalConfirmationIdentification", own)
    _add(root, "originalPRNIdentification", gdti_of(document_type, case.number, 1))
    _add(root, "pRNIdentification", gdti_of(document_type, case.number, frozen.version))
    _add(root, "impactedRecipient", str(owner.get("owner_gln") or owner["owner_name"]))
    for name in ("shipped", "on_hand", "quarantined", "returned", "destroyed", "corrected", "sold_on", "not_found"):
        _add(root, "quantity", str(owner[name]), type=name)
    _add(root, "isAnswered", str(bool(owner["answered"])).lower())
    return _written(root)


def closeout(listed: NoticeList, document_type: str) -> bytes:
    """Product Recall Closeout Notification; the case says when and why it was closed."""
    case = listed.case
    root = _root("productRecallCloseoutNotification", case.closed_at or listed.frozen.published_at)
    _add(root, "originalPRNIdentification", gdti_of(document_type, case.number, 1))
    _add(root, "pRNIdentification", gdti_of(document_type, case.number, listed.frozen.version))
    _add(root, "closeoutReason", case.closing_reason or "")
    return _written(root)


def _recipients(root: Any, rows: Sequence[Row]) -> None:
    owners: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        owners.setdefault((str(row["owner_gln"] or ""), str(row["owner_name"])), []).append(row)
    for (number, name), lines in owners.items():
        impacted = etree.SubElement(root, "impactedRecipient")
        if number:
            _add(impacted, "gln", number)
        _add(impacted, "partyName", name)
        for row in lines:
            item = etree.SubElement(impacted, "recalledItem")
            _add(item, "gtin", str(row["gtin"]))
            _add(item, "batchNumber", str(row["lot"] or ""))
            _add(item, "serialNumbers", str(row["serial_ranges"] or ""))
            quantity = row["quantity_shipped"] if row["uom"] else row["items_shipped"]
            if quantity is not None:
                _add(item, "quantity", str(quantity), measurementUnitCode=str(row["uom"] or "EA"))


def _root(name: str, at: Any) -> Any:
    root = etree.Element(name)
    _add(root, "creationDateTime", rfc3339(at))
    return root


def _add(parent: Any, name: str, text: str, **attributes: str) -> None:
    element = etree.SubElement(parent, name, attributes)
    element.text = "".join(c for c in text if c.isprintable() or c in "\n\t")  # XML 1.0 has no other controls


def _written(root: Any) -> bytes:
    content: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return content
