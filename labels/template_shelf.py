"""Templates by name: those that come with the program, and a brand's own, taken from a folder and kept on record.

A folder holds template.toml (title, measures, printer), and if it likes template.css and template.html. A template is
tried before it is kept: in both languages, with the address of this installation. What would be refused while a
million labels wait is refused here, with its reason.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from labels import template_store
from labels.furniture import compose
from labels.layout import (
    MM_PER_INCH,
    MODULE_MM_ADVISED,
    TEMPLATES_FOLDER,
    Template,
    load_template,
    place_symbol,
    read_template,
    template_names,
)
from labels.model import LabelText, LinkForm, PrintAdvice
from labels.refusals import TemplateBroken, TemplateFolderBroken, TemplateTaken, TemplateUnknown
from labels.render.picture import require_clear_quiet_zone
from labels.samples import sample_texts
from labels.symbol import SymbolPlan
from labels.template_store import StoredTemplate
from ledger import master_data
from ledger.refusals import ProductNotFound
from runtime.clock import Clock
from runtime.database import transaction

DEFAULT: Final = "a4-24"
OWN_MAX: Final = 200
"""Templates of its own that an installation keeps."""
PIECE_BYTES_MAX: Final = 256 * 1024
"""Largest file of a template: a logo as SVG is a few thousand bytes."""
TEMPLATE_ADDED, TEMPLATE_CHOSEN = "labels.template", "labels.product_template"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_IDS: Final = ("upper", "codes", "gtin", "serial", "alphabet")
"""What the page of a template must have by id: the parts that are measured, and where the code is set."""


async def find_template(conn: AsyncConnection, name: str) -> Template:
    """The template of this name; TemplateUnknown with those that there are."""
    if name in template_names():
        return load_template(name)
    stored = await template_store.find(conn, name)
    if stored is None:
        known = [*template_names(), *(own.name for own in await template_store.listed(conn, OWN_MAX))]
        raise TemplateUnknown(name=name[:80], known=", ".join(known))
    return _template(stored)


async def list_templates(conn: AsyncConnection) -> list[Template]:
    """All templates: those of the program, then the brand's own, each by name."""
    own = await template_store.listed(conn, OWN_MAX)
    return [*map(load_template, template_names()), *map(_template, own)]


async def template_of(conn: AsyncConnection, product_id: int, asked: str | None) -> str:
    """The template of an order: the one that was asked for, else the product's, else the program's."""
    return asked or await template_store.of_product(conn, product_id) or DEFAULT


async def choose_for_product(conn: AsyncConnection, gtin: str, name: str, *, by: str, clock: Clock) -> None:
    """Print a product's labels on this template from now on. Refuses an unknown product or template."""
    async with transaction(conn):
        product = await master_data.find_product(conn, gtin)
        if product is None:
            raise ProductNotFound(gtin=gtin)
        await find_template(conn, name)
        await template_store.choose(conn, product.product_id, name)
        await audit.note(conn, by, TEMPLATE_CHOSEN, f"product {product.gtin}", {"template": name}, clock)


async def add_template(
    conn: AsyncConnection, folder: Path, *, base_url: str, by: str, clock: Clock
) -> tuple[Template, tuple[PrintAdvice, ...]]:
    """Keep the template in a folder under the folder's name, after trying it; what a careful printer says of it.

    Refuses a name that the program or a job uses (TemplateTaken), more than OWN_MAX templates, a folder that cannot be
    read as one (TemplateFolderBroken), and a template that cannot be printed (TemplateBroken, LabelTextDoesNotFit,
    CharacterHasNoGlyph, SymbolDoesNotFit).
    """
    stored = read_folder(folder, by=by, clock=clock)
    template = _template(stored)
    try_template(template, base_url)
    async with transaction(conn):
        if stored.name in template_names():
            raise TemplateTaken(name=stored.name, why="comes with the program")
        if await template_store.is_in_use(conn, stored.name):
            raise TemplateTaken(name=stored.name, why="was used for labels")
        own = await template_store.listed(conn, OWN_MAX)
        if len(own) == OWN_MAX and stored.name not in [each.name for each in own]:
            raise TemplateTaken(name=stored.name, why=f"would be one more than {OWN_MAX}")
        await template_store.put(conn, stored)
        await audit.note(conn, by, TEMPLATE_ADDED, f"label template {stored.name}", {"title": template.title}, clock)
    return template, dot_advice(template)


def read_folder(folder: Path, *, by: str, clock: Clock) -> StoredTemplate:
    """The pieces of a template in a folder. TemplateFolderBroken says what is missing or cannot be read."""
    name = folder.resolve().name
    if _NAME.fullmatch(name) is None:
        raise TemplateFolderBroken(folder=folder, what="its name is not 1 to 40 of a-z, 0-9 and hyphens")
    try:
        measures = tomllib.loads(_piece(folder, "template.toml"))
    except tomllib.TOMLDecodeError as error:
        raise TemplateFolderBroken(folder=folder, what=f"template.toml cannot be read ({error})") from error
    style = _piece(folder, "template.css") if (folder / "template.css").is_file() else _own_style(measures, folder)
    page = _piece(folder, "template.html") if (folder / "template.html").is_file() else ""
    missing = [wanted for wanted in _IDS if page and f'id="{wanted}"' not in page]
    if missing:
        raise TemplateFolderBroken(folder=folder, what=f"template.html has nothing with the id {', '.join(missing)}")
    return StoredTemplate(name, measures, page, style, by, clock())


def try_template(template: Template, base_url: str) -> None:
    """Compose the template in each language; refuses what could not be printed, and modules that tills do not take."""
    for text in sample_texts():
        form = LinkForm(base_url, text.gtin)
        side = SymbolPlan.size_for(form).side
        module_mm = place_symbol(template, side).module_mm
        if module_mm < MODULE_MM_ADVISED:
            what = f"a module would be {module_mm:.3f} mm; the General Specifications ask for {MODULE_MM_ADVISED} mm"
            raise TemplateBroken(name=template.name, what=f"{what}. Give the symbol more room")
        _try(template, text, side)


def _try(template: Template, text: LabelText, side: int) -> None:
    import jinja2  # here: only who brings a template waits for it

    try:
        furniture = compose(text, template, side)
    except jinja2.TemplateError as error:
        raise TemplateBroken(name=template.name, what=f"its page or style cannot be filled in ({error})") from error
    except KeyError as error:
        raise TemplateBroken(name=template.name, what=f"its page shows nothing with the id {error}") from error
    require_clear_quiet_zone(furniture)


def dot_advice(template: Template) -> tuple[PrintAdvice, ...]:
    """A warning when the module that a template wants is not a whole number of its printer's dots, with good sizes."""
    dots = template.module_mm_max * template.dpi / MM_PER_INCH
    if abs(dots - round(dots)) < 0.02:
        return ()
    below, above = (round(whole * MM_PER_INCH / template.dpi, 3) for whole in (int(dots), int(dots) + 1))
    text = (
        f"{template.module_mm_max} mm is {dots:.2f} dots at {template.dpi} dpi: modules are printed in whole dots, "
        f"so at most {below} mm come out. Good sizes are {below} mm and {above} mm."
    )
    return (PrintAdvice("not_whole_dots", text),)


def _template(stored: StoredTemplate) -> Template:
    try:
        template = read_template(stored.name, dict(stored.measures), stored.style, stored.page)
    except TypeError as error:
        raise TemplateBroken(name=stored.name, what=f"a measure is not a number or not known ({error})") from error
    if not isinstance(template.dpi, int) or not isinstance(template.module_mm_max, int | float):
        raise TemplateBroken(name=stored.name, what="dpi and module_mm_max are not numbers")
    if not (isinstance(template.title, str) and isinstance(template.title_zh, str)):
        raise TemplateBroken(name=stored.name, what="its title is not a text")
    return template


def _own_style(measures: dict[str, Any], folder: Path) -> str:
    borrowed = measures.get("style_of", DEFAULT)
    path = TEMPLATES_FOLDER / f"{borrowed}.css"
    if borrowed not in {each.stem for each in TEMPLATES_FOLDER.glob("*.css")}:
        raise TemplateFolderBroken(folder=folder, what=f"it has no template.css, and there is no style {borrowed}")
    return path.read_text("utf-8")


def _piece(folder: Path, name: str) -> str:
    path = folder / name
    if not path.is_file():
        raise TemplateFolderBroken(folder=folder, what=f"it has no {name}")
    if path.stat().st_size > PIECE_BYTES_MAX:
        raise TemplateFolderBroken(folder=folder, what=f"{name} has more than {PIECE_BYTES_MAX} bytes")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise TemplateFolderBroken(folder=folder, what=f"{name} is not UTF-8 (byte {error.start + 1})") from error
