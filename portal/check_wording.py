"""The words of the pages about lists, files, units and receipts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal import remarks, wording
from portal.check_rows import Row, Status
from portal.language import Tongue
from portal.measures import number, quantity
from portal.unit_tree import Pick, Summary, Unit


def statuses(tongue: Tongue) -> dict[str, str]:
    """The word of each status."""
    return {status.value: wording.status(status.value, tongue) for status in Status}


def row_shown(row: Mapping[str, Any], tongue: Tongue) -> dict[str, Any]:
    """A row as the templates show it."""
    return {
        **row,
        "word": wording.status(row["status"], tongue),
        "tone": wording.status_tone(row["status"]),
        "product": row["product"] or "",
        "lot": row["lot"] or "",
    }


def rows_shown(rows: Sequence[Row], tongue: Tongue) -> list[dict[str, Any]]:
    """Rows as the templates show them."""
    return [row_shown(row.document(tongue), tongue) for row in rows]


def remark_of(row: Row, tongue: Tongue) -> str:
    """The status in words, and what is remarked beside it: whoever opens a file sees no page that would say it."""
    what = remarks.said(row.what, tongue)
    word = wording.status(row.status.value, tongue)
    return tongue.gettext("{status}: {remark}").format(status=word, remark=what) if what else word


def summary(counts: Mapping[str, int], tongue: Tongue) -> str:
    """How many rows have each status, in the order of the statuses."""
    parts = [(status, counts[status.value]) for status in Status if counts.get(status.value)]
    pair = tongue.gettext("{status}: {remark}")
    return " · ".join(pair.format(status=wording.status(status.value, tongue), remark=n) for status, n in parts)


def stage(name: str, tongue: Tongue) -> str:
    """Where a file stands."""
    _ = tongue.gettext
    return {
        "reading": _("The file is being read."),
        "ready": _("The file was read. Nothing is checked yet."),
        "waiting": _("The file waits for its turn."),
        "running": _("The file is being checked."),
        "signing": _("The file is being checked."),
        "done": _("The file is checked."),
        "refused": _("The file cannot be checked."),
        "cancelled": _("The check was stopped and the file deleted."),
        "failed": _("The check broke off. Nothing is known of the file. Please send it again."),
    }[name]


def roles(columns: Mapping[str, Any], tongue: Tongue) -> list[dict[str, Any]]:
    """The questions about columns, with the answers guessed."""
    _ = tongue.gettext
    words = {
        "code": _("Codes: links, scanner text, or GTIN/lot/serial"),
        "sscc": _("SSCC of cases or pallets"),
        "gtin": _("GTIN"),
        "lot": _("Lot"),
        "serial": _("Serial"),
    }
    guessed = {role: column + 1 for role in words if (column := columns.get(role)) is not None}
    return [{"name": role, "word": word, "column": guessed.get(role, 0)} for role, word in words.items()]


def unit_sentence(told: Summary, tongue: Tongue) -> str:
    """What a unit holds and how much of it is recalled."""
    _ = tongue.gettext
    holds = _("Items inside: {items}. Units inside: {cases}.").format(items=number(told.items), cases=told.cases)
    if not told.recalled:
        return holds
    found = _("Recalled: {items} items in {cases} of these units ({numbers}).").format(
        items=number(told.recalled), cases=told.recalled_cases, numbers=tongue.listed(list(told.numbers))
    )
    return f"{holds}{tongue.gap}{found}"


def unit_line(unit: Unit) -> dict[str, Any]:
    """A unit in another one."""
    return {
        "name": unit.name,
        "sscc": unit.sscc,
        "held": number(unit.items),
        "recalled": number(unit.recalled) if unit.recalled else "",
        "is_doubtful": unit.is_doubtful,
        "numbers": unit.numbers(),
    }


def pick_line(pick: Pick, tongue: Tongue) -> dict[str, str]:
    """A line of a pick list: where to reach, and how much to take."""
    return {
        "way": " › ".join(unit.name for unit in pick.unit.way()),
        "product": pick.product,
        "lot": pick.lot or "–",
        "quantity": quantity(pick.quantity, pick.uom, tongue),
        "recalls": " ".join(pick.recalls),
    }


def receipt_facts(receipt: Mapping[str, Any], tongue: Tongue) -> list[tuple[str, str]]:
    """The facts of a receipt, named."""
    _ = tongue.gettext
    facts = [
        (_("Receipt"), receipt["id"]),
        (_("Checked at"), receipt["checked_at"]),
        (_("Recalls confirmed at"), receipt["confirmed_at"] or "–"),
        (_("Revision of the public record"), str(receipt["revision"])),
        (_("File"), receipt["file_name"]),
        (_("Rows"), str(receipt["rows"])),
        (_("SHA-256 of what came in"), receipt["input_sha256"]),
        (_("SHA-256 of what went out"), receipt["result_sha256"]),
        (_("Issued by"), receipt["issuer"]),
    ]
    return [(name, value) for name, value in facts if value]
