"""The linter of a whole notice: the author's words, and what the profile of the case asks for around them. Pure.

``wording`` judges words that no notice may have; here a jurisdiction's own elements are added. What blocks stops
publication unless a person overrides it with a reason, which is kept and shown with the case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from recall import wording
from recall.letter_wording import TEXTS, depth_sentence
from recall.model import Case, Depth, Kind, Text
from recall.profiles import Profile
from recall.wording import Finding

_REMEDY_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (r"refund|money back", r"replace(?:ment|d)?|exchange", r"repair"),
    "zh": ("退款|退钱|退货款", "更换|换货|调换", "维修|修理"),
}
_RECALL: Final = {"en": r"\brecall(?:s|ed|ing)?\b", "zh": "召回"}
_CONTACTS: Final = ("phone", "url")


@dataclass(frozen=True, slots=True)
class WholeNotice:
    """A notice as its readers get it. ``are_dates_told``: when the goods were handed out stands in it."""

    texts: Mapping[str, Text]
    kind: Kind = Kind.RECALL
    headings: Mapping[str, str] = field(default_factory=dict)
    depth_sentences: Mapping[str, str] = field(default_factory=dict)
    contact: Mapping[str, str] = field(default_factory=dict)
    are_dates_told: bool = True
    depth: Depth = Depth.CONSUMER


def of_case(case: Case, profile: Profile | None, *, are_dates_told: bool = True) -> WholeNotice:
    """The notice that a case would publish: its heading and depth sentence are made from the profile and the depth."""
    headings = {} if profile is None else profile.notice.headings
    sentences = depth_sentences(case.depth)
    return WholeNotice(case.texts, case.kind, headings, sentences, case.contact, are_dates_told, case.depth)


def depth_sentences(depth: Depth) -> dict[str, str]:
    """How far down it reaches, in each of our languages."""
    return {language: depth_sentence(language, depth) for language in TEXTS}


def check(notice: WholeNotice, profile: Profile | None) -> tuple[Finding, ...]:
    """All findings: of the words, then of the elements of the profile. A withdrawal has no profile."""
    found = wording.check(notice.texts, notice.kind)
    if profile is None or notice.kind is Kind.WITHDRAWAL:
        return found
    return (*found, *_of_profile(notice, profile))


def _of_profile(notice: WholeNotice, profile: Profile) -> Iterator[Finding]:
    required = profile.notice.required
    for language, text in sorted(notice.texts.items()):
        base = language.split("-", maxsplit=1)[0]
        yield from _heading(notice, profile, language, base)
        for where, value in wording.fields(text):
            yield from (
                Finding(f"{language} {where}", f"it says “{found.group()}”: {banned.why}")
                for banned in profile.notice.banned
                if banned.language == base and (found := re.search(banned.pattern, value, re.IGNORECASE))
            )
        if "stop_using" in required and not wording.tells_to_stop(text, base):
            yield Finding(f"{language} actions", f"{profile.key}: no step tells the reader to stop using the product")
        if "remedies" in required:
            yield from _remedies(text, language, base, max(profile.notice.remedies_min, 1), profile)
        if "recall_word" in required and base in _RECALL and not _says(_RECALL[base], text):
            yield Finding(f"{language} text", f"{profile.key}: the word “recall” stands in none of its texts")
        if "depth" in required and base in TEXTS:
            yield from _depth(notice, profile, language, base)
    if "contact" in required and not any(notice.contact.get(name) for name in _CONTACTS):
        yield Finding("contact", f"{profile.key}: give a telephone number or an address of an online service")
    if "distribution_dates" in required and not notice.are_dates_told:
        yield Finding("dates", f"{profile.key}: the dates of distribution are not on record for any owner")


def _heading(notice: WholeNotice, profile: Profile, language: str, base: str) -> Iterator[Finding]:
    wanted = profile.notice.headings.get(base)
    if wanted is None:
        yield Finding(f"{language} heading", f"{profile.key} has no heading in this language yet", blocking=False)
        return
    found = notice.headings.get(language, notice.headings.get(base, ""))
    if found != wanted:
        yield Finding(f"{language} heading", f"it is “{found}”; {profile.key} wants exactly “{wanted}”")


def _remedies(text: Text, language: str, base: str, wanted: int, profile: Profile) -> Iterator[Finding]:
    if base not in _REMEDY_KINDS:
        return
    offered = sum(
        any(re.search(kind, remedy, re.IGNORECASE) for remedy in text.remedies) for kind in _REMEDY_KINDS[base]
    )
    if offered < wanted:
        what = (
            f"{profile.key}: it offers {offered} of repair, replacement and refund; at least {wanted} must be offered"
        )
        yield Finding(f"{language} remedies", what)


def _depth(notice: WholeNotice, profile: Profile, language: str, base: str) -> Iterator[Finding]:
    sentence = notice.depth_sentences.get(language, notice.depth_sentences.get(base, ""))
    if sentence != depth_sentence(base, notice.depth):
        yield Finding(f"{language} depth", f"{profile.key}: no sentence says that it reaches the {notice.depth} level")
    if notice.depth is Depth.WHOLESALE:
        yield Finding("depth", f"{profile.key}: a depth of wholesale needs a written rationale", blocking=False)


def _says(pattern: str, text: Text) -> bool:
    return any(re.search(pattern, value, re.IGNORECASE) for _, value in wording.fields(text))
