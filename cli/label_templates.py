"""``tracemark labels template`` and ``labels preview``: what labels are printed on, and a look before printing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.given import put_bytes
from cli.installation import acting, open_installation
from cli.output import By, DataDir, Json, show, table, tell
from runtime.clock import system_clock

template = typer.Typer(help="Sheets and rolls, and templates of your own.", no_args_is_help=True)


def register(group: typer.Typer) -> None:
    group.add_typer(template, name="template")
    group.command(name="preview")(preview)


@template.command()
def add(
    folder: Annotated[Path, typer.Argument(help="Holds template.toml; template.css and template.html if you like.")],
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Try a template of your own in both languages and keep it under its folder's name."""
    from labels import template_shelf  # loads the composer, which other commands go without

    with open_installation(data_dir=data_dir) as installation:
        base_url = installation.settings.base_url

        async def work(conn: AsyncConnection) -> Any:
            return await template_shelf.add_template(conn, folder, base_url=base_url, by=acting(by), clock=system_clock)

        added, advice = installation.run(work)
    for remark in advice:
        tell(f"advice: {remark.text}")
    show({"template": added.name, "advice": advice}, as_json=as_json, text=f"{added.name}: {added.title}")


@template.command(name="list")
def list_templates(data_dir: DataDir = None, as_json: Json = False) -> None:
    """All templates: those of the program and your own."""
    from labels import template_shelf  # loads the composer, which other commands go without

    with open_installation(data_dir=data_dir) as installation:
        found = installation.run(template_shelf.list_templates)
    if as_json:
        show([{"name": each.name, "title": each.title, "cells": each.cells} for each in found], as_json=True)
    else:
        table(["name", "title", "labels a page"], [(each.name, each.title, each.cells) for each in found])


@template.command(name="show")
def show_template(
    name: Annotated[str, typer.Argument(help="Name of a template.")], data_dir: DataDir = None, as_json: Json = False
) -> None:
    """The measures of a template, in millimetres."""
    from labels import template_shelf  # loads the composer, which other commands go without

    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> Any:
            return await template_shelf.find_template(conn, name)

        found = installation.run(work)
    measures = {field: getattr(found, field) for field in found.__dataclass_fields__ if field not in ("style", "page")}
    show(measures, as_json=as_json, text="\n".join(f"{field}: {value}" for field, value in measures.items()))


@template.command()
def choose(
    name: Annotated[str, typer.Argument(help="Name of a template.")],
    gtin: Annotated[str, typer.Option(help="Product.")],
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Print the labels of a product on this template unless an order says otherwise."""
    from labels import template_shelf  # loads the composer, which other commands go without

    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> None:
            await template_shelf.choose_for_product(conn, gtin, name, by=acting(by), clock=system_clock)

        installation.run(work)
    show({"gtin": gtin, "template": name}, as_json=as_json, text=f"labels of {gtin} are printed on {name}")


@template.command()
def calibrate(
    name: Annotated[str, typer.Argument(help="Name of a sheet.")],
    out: Annotated[Path, typer.Option(help="PDF to write.")],
    right: Annotated[float, typer.Option(help="Move everything right by so many mm, in steps of 0.1.")] = 0.0,
    down: Annotated[float, typer.Option(help="Move everything down by so many mm, in steps of 0.1.")] = 0.0,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """A page with the outline of each cell: print it at 100 % and hold it against a sheet of labels."""
    from labels import preview as previews  # loads the composer, which other commands go without
    from labels import template_shelf
    from labels.layout import moved

    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> Any:
            return await template_shelf.find_template(conn, name)

        sheet = moved(installation.run(work), right, down)
    put_bytes(out, previews.calibration_page(sheet))
    show({"file": out}, as_json=as_json, text=f"{out}: print it at 100 %, never “fit to page”")


def preview(
    out: Annotated[Path, typer.Option(help="PNG to write.")],
    gtin: Annotated[str | None, typer.Option(help="Product; without it, a sample.")] = None,
    lot: Annotated[str | None, typer.Option(help="Lot code; without it, a sample's.")] = None,
    template_name: Annotated[
        str | None, typer.Option("--template", help="Name of a template; without it, the product's.")
    ] = None,
    language: Annotated[str, typer.Option(help="en or zh, for a sample.")] = "en",
    lot_in_link: Annotated[bool, typer.Option("--lot-in-link", help="With the lot in the code too.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """One label as a picture, with a serial that was never issued."""
    from labels import preview as previews  # loads the composer, which other commands go without

    if language not in ("en", "zh"):
        raise typer.BadParameter(f"{language} is neither en nor zh", param_hint="--language")
    chosen = cast("Literal['en', 'zh']", language)
    with open_installation(data_dir=data_dir) as installation:
        base_url = installation.settings.base_url

        async def work(conn: AsyncConnection) -> Any:
            return await previews.preview(
                conn, template=template_name, gtin=gtin, lot=lot, language=chosen, lot_in_link=lot_in_link,
                base_url=base_url,
            )  # fmt: skip

        shown = installation.run(work)
    put_bytes(out, shown.png)
    for remark in shown.advice:
        tell(f"advice: {remark.text}")
    told = {"file": out, "template": shown.template, "dpi": shown.dpi, "module_mm": shown.module_mm}
    text = f"{out}: {shown.template}, modules of {shown.module_mm} mm at {shown.dpi} dpi"
    show({**told, "advice": shown.advice}, as_json=as_json, text=text)
