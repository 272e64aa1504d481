"""The words of the forms: what may be wrong with a product, and what was wrong with what was sent."""

from __future__ import annotations

from portal.language import Tongue
from runtime.refusals import Refusal
from web.refusal_texts import refusal_in


def report_kinds(tongue: Tongue) -> list[tuple[str, str]]:
    """The kinds of problem, the dangerous ones first."""
    _ = tongue.gettext
    return [
        ("illness", _("It made somebody ill or hurt somebody")),
        ("foreign_body", _("Something is in it that does not belong there")),
        ("quality", _("It is spoiled, broken or leaking")),
        ("copy", _("I think that it is a copy")),
        ("label", _("The label or the code is wrong")),
        ("other", _("Something else")),
    ]


def problem(refusal: Refusal, tongue: Tongue) -> str:
    """A refusal of a form in the shopper's language; one that we have no words for in its own."""
    _ = tongue.gettext
    words = {
        "form_too_quick": _("Please look at your report once more and send it again."),
        "photo_not_usable": _("The photo cannot be used. Send a JPEG, PNG or WebP, or no photo."),
        "report_not_usable": _("Please say what kind of problem it is, and what is wrong."),
        "too_many_reports": _("No more reports can be taken now. Please use the telephone number on the pack."),
        "email_not_usable": _("This is not an e-mail address that we can write to."),
        "too_many_alerts": _("No more recall alerts can be taken for this address."),
    }
    return words.get(refusal.code) or refusal_in(refusal, tongue.code) or refusal.sentence()
