"""``tracemark recall``: profiles, clocks, the linter, letters and reports, the archive, and notices of others."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.case_drafts import read_texts
from cli.case_verbs import Case, verb
from cli.dates import read_instant
from cli.installation import acting, open_installation
from cli.output import By, DataDir, Json, say, show, table
from labels import symbol
from recall import archive as archives
from recall import archiving, foreign_notices, notice_check, print_documents, profiles, rules
from recall.letters import picture
from recall.model import Depth, Kind
from recall.print_documents import Asked
from recall.rules import RulesOfCase
from runtime.clock import rfc3339, system_clock

Out = Annotated[Path, typer.Option(help="Folder to write to.")]
READ_MAX = 200
"""Most findings of a read notice that are printed; --json has all."""


class Language(StrEnum):
    """What a document is written in."""

    EN = "en"
    ZH = "zh"


def register(group: typer.Typer) -> None:
    for work in (profile_list, clocks, fact, lint, document, archive, verify_archive, read_notice):
        group.command({"profile_list": "profiles"}.get(work.__name__, work.__name__.replace("_", "-")))(work)


def profile_list(as_json: Json = False) -> None:
    """The laws that a case can be opened under, with how surely each is known."""
    found = profiles.shipped()
    if as_json:
        show([each.content for each in found.values()], as_json=True)
        return
    table(
        ("profile", "of", "in force from", "duties", "to be read again"),
        [
            (p.key, p.titles["en"], p.effective_on or "not known", len(p.duties), len(p.unverified))
            for p in found.values()
        ],
    )


def clocks(case: Case, data_dir: DataDir = None, as_json: Json = False) -> None:
    """What the profile of a case asks for: due, overdue, done, and by whom."""
    found: RulesOfCase = verb(data_dir, lambda conn, keys: rules.read_rules(conn, case, clock=system_clock))
    if as_json:
        show(found, as_json=True)
        return
    say(f"{case}: {found.profile.key}, {found.profile.titles['en']} ({found.profile.mark})")
    table(
        ("duty", "what", "due", "state", "done", "by", "source", "mark"),
        [
            (
                each.duty.name, each.duty.titles["en"], rfc3339(each.due_at) if each.due_at else "",
                each.state.value, rfc3339(each.done.at) if each.done else "", each.done.by if each.done else "",
                each.duty.clause, each.duty.mark.value,
            )
            for each in found.clocks
        ],
    )  # fmt: skip
    for each in found.overrides:
        say(f"version {each.version} went out in spite of its wording: {each.reason} ({each.by})")


def fact(
    case: Case,
    name: Annotated[str, typer.Argument(help="An event or duty of the profile, such as risk_known or plan_filed.")],
    at: Annotated[str | None, typer.Option(help="When; without it, now.")] = None,
    note: Annotated[str, typer.Option(help="What is to be known about it.")] = "",
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write down that an event of the case came, or that a duty was done."""
    when = None if at is None else read_instant(at)
    verb(
        data_dir,
        lambda conn, keys: rules.tell_fact(conn, case, name, at=when, note=note, by=acting(by), clock=system_clock),
    )
    show({"case": case, "fact": name}, as_json=as_json, text=f"{case}: {name} is written down")


def lint(
    texts: Annotated[Path, typer.Argument(help="JSON by language: title, hazard, actions, remedies.")],
    profile: Annotated[str, typer.Option(help="The law to hold it to; without it, what no notice may say.")] = "",
    heading: Annotated[str, typer.Option(help="The heading as it stands, in the first language.")] = "",
    phone: Annotated[str, typer.Option(help="The telephone number in the notice.")] = "",
    as_json: Json = False,
) -> None:
    """Hold the words of a notice to the rules, without opening a case. Exit status 1 when something blocks."""
    told = read_texts(texts)
    chosen = profiles.choose(profiles.shipped(), profile, system_clock().date()) if profile else None
    headings = dict(chosen.notice.headings) if chosen else {}
    if heading:
        headings[next(iter(told))] = heading
    whole = notice_check.WholeNotice(
        told, Kind.RECALL, headings, notice_check.depth_sentences(Depth.CONSUMER), {"phone": phone}
    )
    found = notice_check.check(whole, chosen)
    if as_json:
        show(found, as_json=True)
    else:
        table(("where", "what", "blocks"), [(f.where, f.what, "yes" if f.blocking else "no") for f in found])
        say(f"{len(found)} findings")
    if any(finding.blocking for finding in found):
        raise typer.Exit(1)


def document(
    case: Case,
    kind: Annotated[str, typer.Option(help=f"One of {', '.join(print_documents.KINDS)}.")],
    out: Out,
    lang: Annotated[Language, typer.Option(help="en or zh.")] = Language.EN,
    image: Annotated[
        Path | None, typer.Option(help="A picture of the product (PNG, JPEG) for notice and poster.")
    ] = None,
    gdti: Annotated[str, typer.Option(help="Document type (13 digits) of GS1 messages.")] = "",
    recipient: Annotated[str | None, typer.Option(help="Letters: of this owner only (GLN, name or number).")] = None,
    every: Annotated[
        bool, typer.Option("--every", help="Letters: for all owners, not only those to be posted.")
    ] = False,
    version: Annotated[int | None, typer.Option(help="Of the case; without it, the latest.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Print a document of a case: model notice, poster, letters, list of calls, plans, reports, GS1 messages."""
    with open_installation(data_dir=data_dir) as installation:
        asked = Asked(
            lang.value, symbol.matrix, installation.settings.base_url, installation.master_secret, system_clock,
            picture(image), gdti, recipient, every,
        )  # fmt: skip

        async def work(conn: AsyncConnection) -> list[Path]:
            return await print_documents.write(conn, case, kind, asked, out, version=version)

        paths = installation.run(work)
    show({"case": case, "files": paths}, as_json=as_json, text="\n".join(map(str, paths)))


def archive(case: Case, out: Annotated[Path, typer.Option(help="The zip to write.")], by: By = None,
            data_dir: DataDir = None, as_json: Json = False) -> None:  # fmt: skip
    """Put all of a case into one signed zip: record, lists, documents, answers, audit trail, hashes."""
    with open_installation(data_dir=data_dir) as installation:
        asked = Asked("en", symbol.matrix, installation.settings.base_url, installation.master_secret, system_clock)

        async def work(conn: AsyncConnection) -> tuple[Path, archives.Checked]:
            return await archiving.write_archive(conn, case, out, asked, by=acting(by), clock=system_clock)

        path, checked = installation.run(work)
    text = f"{path}: {checked.files} files, signed with the key {checked.key}\nnext: recall verify-archive {path}"
    show({"path": path, **_plain(checked)}, as_json=as_json, text=text)


def verify_archive(
    path: Annotated[Path, typer.Argument(help="The zip.")],
    key: Annotated[str | None, typer.Option(help="The key's fingerprint, as you know it from elsewhere.")] = None,
    as_json: Json = False,
) -> None:
    """Check hashes and signature of an archive. Needs no installation."""
    checked = archives.verify(path, key=key)
    text = (
        f"{path}: {checked.number} v{checked.version}, {checked.files} files, whole; signed with the key {checked.key}"
    )
    show(_plain(checked), as_json=as_json, text=text if key else f"{text}\ncompare the key: a zip can bring any")


def read_notice(
    file: Annotated[Path, typer.Argument(help="Text of somebody else's recall.")],
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Below it, a person has to look.")] = 0.8,
    as_json: Json = False,
) -> None:
    """Read lots, ranges, dates and quantities out of a recall text, with how sure each is. Opens no case."""
    found = foreign_notices.read(foreign_notices.text_of_file(file), threshold=threshold)
    if as_json:
        show(found, as_json=True)
        return
    table(
        ("what", "from", "to", "confidence", "ask", "read in"),
        [
            (e.kind.value, e.first, e.last, f"{e.confidence:.2f}", "yes" if e.needs_person else "", e.source)
            for e in found[:READ_MAX]
        ],
    )
    say(f"{len(found)} found, {sum(e.needs_person for e in found)} for a person to look at")


def _plain(checked: archives.Checked) -> dict[str, object]:
    return {"case": checked.number, "version": checked.version, "files": checked.files, "key": checked.key}
