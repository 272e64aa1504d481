"""Write docs/reference/commands.md from the command line itself: run it after a command was changed.

python -m tools.generate_command_reference
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import typer.main

from cli.main import application

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "commands.md"
_TOP = """# Commands

Made from the command line itself (`python -m tools.generate_command_reference`). How a command ends, and what it says
when it refuses: [exit status and errors](exit-status.md).
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_TOP, *(part for command in _commands("tracemark", _root()) for part in command)])


def _root() -> Any:
    return typer.main.get_command(application())


def _commands(path: str, command: Any) -> Iterator[list[str]]:
    if hasattr(command, "commands"):
        for name, below in command.commands.items():
            yield from _commands(f"{path} {name}", below)
        return
    yield [f"## {path}\n", f"{_text(command.help)}\n", *_rows(command), ""]


def _rows(command: Any) -> Iterator[str]:
    yield "| | value | meaning |"
    yield "|---|---|---|"
    for parameter in command.params:
        yield f"| {_name(parameter)} | {_takes(parameter)} | {_text(getattr(parameter, 'help', None))} |"


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.name.upper()}`"
    return " ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))


def _takes(parameter: Any) -> str:
    """What may be given, whether it has to be, and what holds without it."""
    words = []
    if choices := _choices(parameter.type_descriptor.annotation):
        words.append(" ".join(f"`{choice}`" for choice in choices))
    if parameter.min is not None:
        words.append(f"{parameter.min} to {parameter.max}")
    if parameter.required:
        words.append("required")
    elif parameter.default not in (None, False, True, "", [], ()) and not callable(parameter.default):
        words.append(f"default `{getattr(parameter.default, 'value', parameter.default)}`")
    return ", ".join(words)


def _choices(annotation: Any) -> list[str]:
    """The words that may be given where only some are taken; also where several of them may be (``list[Format]``)."""
    kinds = [annotation, *get_args(annotation)]
    return [str(item.value) for kind in kinds if isinstance(kind, type) and issubclass(kind, Enum) for item in kind]


def _text(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE} is written")
