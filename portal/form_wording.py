"""The words of the forms, and of what was wrong with what was sent or asked for."""

from __future__ import annotations

from gs1.errors import GS1Error
from portal.language import Tongue
from runtime.refusals import Refusal
from web.refusal_texts import grammar_in, refusal_in


def report_kinds(tongue: Tongue) -> list[tuple[str, str]]:
    """The kinds of problem, the dangerous ones first."""
    _ = tongue.gettext
    return [
        ("illness", _("Somebody fell ill or was hurt")),
        ("foreign_body", _("A foreign object is in it")),
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
        "photo_not_readable": _(
            "No code can be read in this photo. Send one sharp JPEG, PNG or WebP of the code, or type the code."
        ),
        "report_not_usable": _("Please say what kind of problem it is, and what is wrong."),
        "too_many_reports": _("No more reports can be taken now. Please use the telephone number on the pack."),
        "email_not_usable": _("This is not an e-mail address that we can write to."),
        "too_many_alerts": _("No more recall alerts can be taken for this address."),
    }
    return words.get(refusal.code) or refusal_in(refusal, tongue.code) or refusal.sentence()


def grammar(error: GS1Error, tongue: Tongue) -> str:
    """Why a code cannot be read, in the shopper's language; in the grammar's own where it has no words in that."""
    told = grammar_in(error, tongue.code)
    if told is None:
        return str(error)
    if error.position is None:
        return told
    return tongue.gettext("At character {n}: {reason}").format(n=error.position + 1, reason=told)


def heading(status: int, tongue: Tongue) -> str:
    """What a page says above the reason why something did not work."""
    _ = tongue.gettext
    if status in (404, 410):
        return _("This was not found.")
    if status in (429, 503):
        return _("This does not work right now.")
    return _("This did not work.") if status >= 500 else _("This was not accepted.")
