"""The documents as the tests read them: fenced commands, links, and whether the command line knows what they say."""

from __future__ import annotations

import functools
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer.main

from cli.main import application

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "load_tests").glob("*.md")],
    key=str,
)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)", re.S)
_OPTION = re.compile(r"--?[a-zA-Z]")


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a page. ``above`` is the text before the block in which it stands."""

    page: str
    line: str
    above: str

    def words(self) -> list[str]:
        """The words that the shell would hand over; it does the substitutions."""
        shown = subprocess.run(
            ["bash", "-euc", f"printf '%s\\0' {self.line}"], capture_output=True, text=True, check=True
        )
        return shown.stdout.split("\0")[:-1]


def name_of(page: Path) -> str:
    """The page's path below the root."""
    return str(page.relative_to(ROOT))


def fences(page: Path, language: str = "sh") -> list[str]:
    """The fenced blocks of a language, whole."""
    return [body for found, body in _FENCE.findall(page.read_text(encoding="utf-8")) if found == language]


def fenced_commands(page: Path) -> Iterator[Command]:
    """Every line of a fenced ``sh`` block that starts with ``tracemark``; a line that ends in ``\\`` goes on."""
    text = page.read_text(encoding="utf-8")
    end_before = 0
    for fence in _FENCE.finditer(text):
        above = text[end_before : fence.start()]
        end_before = fence.end()
        if fence[1] == "sh":
            for line in fence[2].replace("\\\n", " ").splitlines():
                if line.startswith("tracemark "):
                    yield Command(name_of(page), line, above)


def said_commands(page: Path) -> Iterator[str]:
    """All that a page says about the command line: fenced in any language, and in the running text."""
    text = page.read_text(encoding="utf-8")
    for _language, body in _FENCE.findall(text):
        for line in body.replace("\\\n", " ").splitlines():
            if (start := line.find("tracemark ")) >= 0 and line[:start].strip() in ("", "$", "sudo -u tracemark"):
                yield line[start:].split(" #")[0]
    for code in _INLINE.findall(_FENCE.sub("", text)):
        if code.startswith("tracemark "):
            yield code


def unknown_in(command: str) -> str | None:
    """The first word or option that the command line does not know; None when it knows all of them."""
    words = shlex.split(re.sub(r"\$\([^)]*\)", "X", command).split(" | ")[0].split(" > ")[0].split(" < ")[0])[1:]
    found: Any = _commands()
    while words and hasattr(found, "commands"):
        word = words.pop(0)
        if word.startswith("-"):
            return None if word == "--help" else word
        if word not in found.commands:
            return word
        found = found.commands[word]
    known = {"--help"} | {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return next((word for word in words if _OPTION.match(word) and word.split("=")[0] not in known), None)


@functools.cache
def _commands() -> Any:
    """The whole command line, made up once: it takes a second."""
    return typer.main.get_command(application())


def broken_links(page: Path) -> list[str]:
    """Relative links that lead nowhere, with the anchors that are no heading there."""
    broken = []
    for link in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _hash, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as hosts of Markdown make them."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def first_cells(page: Path, heading: str) -> list[str]:
    """The first cell, without its backticks, of each row of the table below a heading."""
    text = page.read_text(encoding="utf-8")
    part = text.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    rows = [line for line in part.splitlines() if line.startswith("|")]
    return [row.split("|")[1].strip().strip("`") for row in rows[2:]]
