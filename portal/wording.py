"""The words of each verdict and each step, in the shopper's language: short, calm, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from portal.language import Tongue
from portal.model import Checks, CodeState, Finding, Lot, Place, Product, Recall, Step, Unusual, Verdict
from portal.product_wording import of_profile

ACTIONS_MAX: Final = 4
TELLS_THE_TIME: Final = (Verdict.NO_RECALL_KNOWN, Verdict.WITHDRAWN, Verdict.CANNOT_CONFIRM)
"""Verdicts whose sentences say when the recalls were checked; the others have a line for it."""

TELLS_THE_CHECKS: Final = (Verdict.FIRST_CHECK, Verdict.REPEAT_CHECK, Verdict.UNUSUAL)
"""Verdicts whose sentences say how often a code was checked."""

TONES: Final = {
    Verdict.RECALLED: "stop",
    Verdict.BLOCKED: "stop",
    Verdict.FIRST_CHECK: "good",
    Verdict.REPEAT_CHECK: "plain",
    Verdict.NO_RECALL_KNOWN: "plain",
    Verdict.UNREADABLE: "grey",
}
"""How a verdict looks; all others are ``care``. The word and the icon say it too, never the colour alone."""


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict in words: the heading, one or two sentences, and at most four things to do."""

    heading: str
    sentences: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()


def tone(verdict: Verdict) -> str:
    """``stop`` red, ``care`` amber, ``good`` green-grey, ``plain``, ``grey``."""
    return TONES.get(verdict, "care")


def said(verdict: Verdict, finding: Finding, tongue: Tongue, confirmed_at: datetime | None) -> Said:
    """The words of a verdict. A recall's own words (title, hazard, what to do) stand in the case, not here."""
    if verdict in TELLS_THE_CHECKS:
        return _checked(verdict, finding, tongue)
    if verdict in (Verdict.UNKNOWN_CODE, Verdict.UNREADABLE, Verdict.CANNOT_CONFIRM):
        return _unclear(verdict, tongue, confirmed_at)
    return _told(verdict, finding, tongue)


def said_of_unit(verdict: Verdict, tongue: Tongue, confirmed_at: datetime | None) -> Said:
    """The words for a case or pallet."""
    _ = tongue.gettext
    if verdict is Verdict.RECALLED:
        actions = (_("Do not sell or send on what is recalled."), _("Take it out and keep it apart."))
        return Said(_("This unit holds recalled products."), (), actions)
    if verdict is Verdict.CHECK_THE_SERIAL:
        text = _("It holds products of a lot that is recalled in part. Scan the codes on the items.")
        return Said(_("This unit may hold recalled products."), (text,))
    if verdict is Verdict.WITHDRAWN:
        return Said(_("This unit holds products that were withdrawn from sale."))
    if verdict is Verdict.NO_RECALL_KNOWN:
        text = _("No recall is published for this as of {time}.").format(time=_time(tongue, confirmed_at))
        return Said(_("No recall is known for what is inside."), (text,))
    return _unclear(verdict, tongue, confirmed_at)


def said_of_case(case: Recall, tongue: Tongue) -> Said:
    """The words above a case's own page."""
    _ = tongue.gettext
    if case.is_withdrawal:
        return Said(_("Withdrawn from sale."))
    text = (_("This case is closed. What it names is still recalled."),) if case.state == "closed" else ()
    return Said(_("Product safety recall. Stop using this product now."), text)


def status(name: str, tongue: Tongue) -> str:
    """The status of a row of a list."""
    _ = tongue.gettext
    return {
        "RECALLED": _("RECALLED"),
        "NOT_RECALLED": _("no recall known"),
        "CHECK_THE_SERIAL": _("check the serial"),
        "UNKNOWN_CODE": _("unknown code"),
        "UNREADABLE": _("unreadable"),
        "NOT_OURS": _("not ours"),
        "UNDER_REVIEW": _("under review"),
        "CANNOT_CONFIRM": _("cannot confirm"),
    }[name]


def status_tone(name: str) -> str:
    """How the status of a row looks."""
    return {"RECALLED": "stop", "NOT_RECALLED": "good", "UNREADABLE": "grey", "NOT_OURS": "grey"}.get(name, "care")


def lot_date(product: Product, lot: Lot, tongue: Tongue) -> str:
    """The date printed on the packs of a lot, with its name."""
    _ = tongue.gettext
    if lot.best_before_on is None:
        return ""
    name = {"use_by": _("Use by"), "expiry": _("Expires")}.get(product.date_kind, _("Best before"))
    return f"{name} {tongue.date(lot.best_before_on)}"


def word(verdict: Verdict, tongue: Tongue) -> str:
    """The verdict in one or two words, above the heading."""
    _ = tongue.gettext
    return {
        Verdict.RECALLED: _("Recall"),
        Verdict.WITHDRAWN: _("Withdrawal"),
        Verdict.EXPIRED: _("Past its date"),
        Verdict.BLOCKED: _("Not for sale"),
        Verdict.NOT_ACTIVE: _("Not released"),
        Verdict.UNUSUAL: _("Take care"),
        Verdict.REPEAT_CHECK: _("No recall known"),
        Verdict.FIRST_CHECK: _("No recall known"),
        Verdict.NO_RECALL_KNOWN: _("No recall known"),
        Verdict.CHECK_THE_SERIAL: _("Partial recall"),
        Verdict.UNKNOWN_CODE: _("Unknown code"),
        Verdict.UNREADABLE: _("Unreadable code"),
        Verdict.CANNOT_CONFIRM: _("Not confirmed"),
    }[verdict]


def title(verdict: Verdict, finding: Finding, tongue: Tongue) -> str:
    """The title of the page: tabs, share cards and screen readers say the recall first."""
    name = product_name(finding.product, tongue) if finding.product is not None else ""
    return f"{word(verdict, tongue)} – {name}" if name else word(verdict, tongue)


def facts(product: Product, finding: Finding, tongue: Tongue) -> list[tuple[str, str]]:
    """What there is to compare with the pack: brand, lot, dates, allergens, where it was made."""
    _ = tongue.gettext
    lot = finding.lot
    date_name = {"use_by": _("Use by"), "expiry": _("Expires")}.get(product.date_kind, _("Best before"))
    found = [
        (_("Brand"), product.brand),
        (_("Lot"), lot.code if lot is not None else ""),
        (date_name, tongue.date(lot.best_before_on) if lot is not None and lot.best_before_on else ""),
        (_("Made on"), tongue.date(lot.made_on) if lot is not None and lot.made_on else ""),
        (_("Made at"), place_text(finding.made_at, tongue)),
        (_("Allergens"), tongue.listed([allergen_text(allergen, tongue) for allergen in product.allergens])),
        *((name, str(product.texts.get(tongue.code, {}).get(key) or "")) for key, name in of_profile(product, tongue)),
    ]
    return [(name, value) for name, value in found if value]


def _told(verdict: Verdict, finding: Finding, tongue: Tongue) -> Said:
    _ = tongue.gettext
    if verdict is Verdict.RECALLED:
        return Said(_("Product safety recall. Stop using this product now."))
    if verdict is Verdict.CHECK_THE_SERIAL:
        if finding.lot is not None:
            text = _("Some items of this lot are recalled. Scan the code on the item itself, or compare its serial.")
            return Said(_("Part of this lot is recalled."), (text,))
        text = _("Some lots of this product are recalled. Check the lot printed on your pack below.")
        return Said(_("Part of this product is recalled."), (text,))
    if verdict is Verdict.WITHDRAWN:
        return Said(_("Withdrawn from sale."))
    if verdict is Verdict.EXPIRED:
        return _expired(finding, tongue)
    if verdict is Verdict.BLOCKED:
        return _blocked(finding, tongue)
    if verdict is Verdict.NOT_ACTIVE:
        text = _("If it is on a product in a shop, please tell the shop or the brand.")
        return Said(_("This code exists but has not been released for sale."), (text,))
    if finding.place is not None:
        return Said(_("This code names a place, not a product."))
    if finding.lot is None:
        return Said(_("No recall is known for this product."), (_("Scan the code on an item, or enter its lot."),))
    if finding.number is not None:
        return Said(_("No recall is known for this item."), (_("Compare the lot and the date with your pack."),))
    return Said(_("No recall is known for this lot."), (_("Compare the lot and the date with your pack."),))


def _checked(verdict: Verdict, finding: Finding, tongue: Tongue) -> Said:
    _ = tongue.gettext
    brand = finding.product.brand or finding.product.name if finding.product is not None else ""
    if verdict is Verdict.UNUSUAL and finding.is_suspect:
        text = _("The lot in this code is not the lot on record. The code may have been altered or copied.")
        return Said(_("Something about this code is unusual."), (text, _("Keep the pack and tell the brand.")))
    if finding.unusual is not None:
        return _unusual(finding.unusual, tongue)
    if verdict is Verdict.UNUSUAL:
        return Said(_("This code has been checked unusually often."), (_("Keep the pack and tell the brand."),))
    issued = _("This code was issued by {brand}.").format(brand=brand)
    if verdict is Verdict.FIRST_CHECK:
        once = _("This is the first time it has been checked.")
        return Said(issued, (once, _("Compare the lot and the date with your pack.")))
    return Said(issued)


def told_checks(finding: Finding, checks: Checks | None) -> Checks | None:
    """The count, when it is told: not of an item of which something worse is said."""
    return None if finding.is_suspect or finding.unusual is not None else checks


def moment(verdict: Verdict, checks: Checks | None, tongue: Tongue, confirmed_at: datetime | None) -> tuple[str, ...]:
    """What a verdict says of this one scan: how often the item was checked, when the recalls were looked at.

    It stands apart from ``said``, so that the rest of a page is the same for many. Without ``checks``: not the count.
    """
    _ = tongue.gettext
    if verdict is Verdict.WITHDRAWN:
        text = _("The seller has been asked to stop selling this product. No safety recall is published as of {time}.")
        return (text.format(time=_time(tongue, confirmed_at)),)
    if verdict is Verdict.NO_RECALL_KNOWN:
        return (_("No recall is published for this as of {time}.").format(time=_time(tongue, confirmed_at)),)
    if checks is None:
        return ()
    times, first = checks.count, tongue.date(checks.first_at)
    if verdict is Verdict.UNUSUAL:
        text = _("This code has been checked {n} times, first on {date}. Copies may exist.")
        return (text.format(n=times, date=first),)
    if verdict is not Verdict.REPEAT_CHECK:
        return ()
    if times == 1:
        return (_("Checked once before, on {date}.").format(date=first),)
    text = _("Checked {n} times, first on {date}. If that was you, nothing is wrong.")
    return (text.format(n=times, date=first),)


def _unusual(unusual: Unusual, tongue: Tongue) -> Said:
    _ = tongue.gettext
    if unusual.rule == "many_places":
        heading = _("This code has been checked in {k} places in {d} days. Copies may exist.")
    else:
        heading = _("This code has been checked by {k} visitors in {d} days. Copies may exist.")
    keep = (_("Compare the lot and the date with your pack."), _("Keep the pack and tell the brand."))
    return Said(heading.format(k=unusual.counted, d=unusual.within_days), (), keep)


def _unclear(verdict: Verdict, tongue: Tongue, confirmed_at: datetime | None) -> Said:
    _ = tongue.gettext
    if verdict is Verdict.UNKNOWN_CODE:
        text = _("It may be mistyped, or the product may not come from the brand named on it.")
        tries = (_("Compare each character with the pack."), _("Scan again in good light."), _("Tell the shop."))
        return Said(_("We have no record of this code."), (text,), tries)
    if verdict is Verdict.UNREADABLE:
        return Said(_("This is not one of our codes."), (_("It cannot be read as a product code."),))
    if confirmed_at is None:
        text = _("It was not confirmed yet.")
    else:
        text = _("Last confirmed {time}.").format(time=tongue.instant(confirmed_at))
    actions = (_("Do not use the product if you are in doubt."), _("Open this page again in a minute."))
    return Said(_("We cannot confirm the recall status right now."), (text,), actions)


def _expired(finding: Finding, tongue: Tongue) -> Said:
    _ = tongue.gettext
    day = finding.lot.best_before_on if finding.lot is not None else None
    shown = tongue.date(day) if day is not None else ""
    kind = finding.product.date_kind if finding.product is not None else "best_before"
    if kind == "use_by":
        return Said(_("Past its use-by date ({date}). Do not eat it.").format(date=shown))
    if kind == "expiry":
        return Said(_("Past its expiry date ({date}). Do not use it.").format(date=shown))
    text = _("It may have lost quality.")
    return Said(_("Past its best-before date ({date}).").format(date=shown), (text,))


def _blocked(finding: Finding, tongue: Tongue) -> Said:
    _ = tongue.gettext
    tell = _("Do not use it. Tell the shop or the brand.")
    if finding.state is CodeState.VOID:
        return Said(_("This code was voided. It should not be on a product."), (tell,))
    if finding.state is CodeState.OUT_OF_SERVICE:
        return Said(_("This code has been taken out of service."), (tell,))
    if finding.lot is not None and finding.lot.status == "held":
        return Said(_("This lot is being examined and should not be on sale."), (tell,))
    return Said(_("This item should not be on sale."), (tell,))


def _time(tongue: Tongue, at: datetime | None) -> str:
    return tongue.instant(at) if at is not None else "–"


def product_name(product: Product, tongue: Tongue) -> str:
    """The product's name in the language, when somebody wrote it."""
    return str(product.texts.get(tongue.code, {}).get("name") or product.name)


def actions(case: Recall, tongue: Tongue) -> tuple[str, ...]:
    """At most four things to do: the authors' own, else what holds for every recall. A withdrawal asks for nothing."""
    _ = tongue.gettext
    written = case.text(tongue.code).actions
    if written or case.is_withdrawal:
        return written[:ACTIONS_MAX]
    return (
        _("Stop using the product. Do not eat or give it away."),
        _("Keep it apart from other products."),
        _("Contact the brand or the shop for a remedy."),
    )


def place_text(place: Place | None, tongue: Tongue) -> str:
    """A place as the public may know it: its kind, region and country."""
    return _somewhere(place.kind, place.region, place.country, tongue) if place is not None else ""


def step_place(step: Step, tongue: Tongue) -> str:
    """Who and where: by name where the brand allows it, by role and region anyway."""
    where = _somewhere(step.place_kind or step.role, step.region, step.country, tongue)
    return tongue.listed([part for part in (step.party, where) if part])


def _somewhere(kind: str | None, region: str | None, country: str | None, tongue: Tongue) -> str:
    parts = [_kinds(tongue).get(kind or ""), region, tongue.country(country) if country else None]
    return tongue.listed([part for part in parts if part])


def _kinds(tongue: Tongue) -> dict[str, str]:
    _ = tongue.gettext
    return {
        "plant": _("production site"),
        "warehouse": _("warehouse"),
        "store": _("shop"),
        "vehicle": _("on the way"),
        "manufacturer": _("manufacturer"),
        "supplier": _("supplier"),
        "carrier": _("carrier"),
        "distributor": _("distributor"),
        "retailer": _("retailer"),
        "food_service": _("food service"),
        "brand": _("brand"),
    }


def told_by(step: Step, tongue: Tongue) -> str:
    """Whose word a step is, by role, where the place does not say so already; ``step_place`` has the name."""
    return _kinds(tongue).get(step.role or "", "") if step.place_kind else ""


def step_text(step: Step, tongue: Tongue) -> str:
    """A business step in everyday words; one that we have no words for, as it stands."""
    _ = tongue.gettext
    words = {
        "commissioning": _("Given its code"),
        "creating_class_instance": _("Made"),
        "transforming": _("Made from its ingredients"),
        "ingredient": _("Ingredient received"),
        "inspecting": _("Inspected"),
        "packing": _("Packed"),
        "unpacking": _("Unpacked"),
        "loading": _("Loaded"),
        "unloading": _("Unloaded"),
        "departing": _("Departed"),
        "arriving": _("Arrived"),
        "shipping": _("Shipped"),
        "receiving": _("Received"),
        "accepting": _("Accepted"),
        "storing": _("Stored"),
        "stocking": _("Put on the shelf"),
        "retail_selling": _("Sold"),
        "destroying": _("Destroyed"),
        "returning": _("Returned"),
    }
    return words.get(step.step, step.step.replace("_", " "))


def allergen_text(allergen: str, tongue: Tongue) -> str:
    """The allergens of Regulation (EU) 1169/2011, annex II; any other as it stands."""
    _ = tongue.gettext
    words = {
        "gluten": _("cereals containing gluten"),
        "wheat": _("wheat"),
        "crustaceans": _("crustaceans"),
        "eggs": _("eggs"),
        "fish": _("fish"),
        "peanuts": _("peanuts"),
        "soy": _("soybeans"),
        "soybeans": _("soybeans"),
        "milk": _("milk"),
        "nuts": _("nuts"),
        "celery": _("celery"),
        "mustard": _("mustard"),
        "sesame": _("sesame"),
        "sulphites": _("sulphites"),
        "lupin": _("lupin"),
        "molluscs": _("molluscs"),
    }
    return words.get(allergen.lower(), allergen)
