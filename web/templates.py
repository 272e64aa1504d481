"""Jinja2, set up the one way we use it."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def environment(folder: Path, *, translated: bool = False) -> Environment:
    """Templates of ``folder``: everything is escaped, an undefined name is an error.

    ``translated`` adds ``{% trans %}`` and ``_()``; whoever renders installs the translations of a language.
    """
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"] if translated else [],
    )
