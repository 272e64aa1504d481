"""SQL of a brand's own templates, and of the template that a product's labels are printed on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from labels import tables as t


class StoredTemplate(NamedTuple):
    """A brand's own template as it was added."""

    name: str
    measures: Mapping[str, Any]
    page: str
    style: str
    added_by: str
    added_at: datetime


_COLUMNS = tuple(t.label_template.c[name] for name in StoredTemplate._fields)


async def find(conn: AsyncConnection, name: str) -> StoredTemplate | None:
    """The template of this name."""
    row = (await conn.execute(select(*_COLUMNS).where(t.label_template.c.name == name))).one_or_none()
    return None if row is None else StoredTemplate(*row)


async def listed(conn: AsyncConnection, limit: int) -> list[StoredTemplate]:
    """The first templates by name."""
    rows = await conn.execute(select(*_COLUMNS).order_by(t.label_template.c.name).limit(limit))
    return [StoredTemplate(*row) for row in rows]


async def put(conn: AsyncConnection, template: StoredTemplate) -> None:
    """Keep a template, in place of one of the same name."""
    values = template._asdict()
    changed = {name: value for name, value in values.items() if name != "name"}
    added = insert(t.label_template).values(**values)
    await conn.execute(added.on_conflict_do_update(constraint="label_template_pkey", set_=changed))


async def is_in_use(conn: AsyncConnection, name: str) -> bool:
    """Whether labels were ordered on it."""
    used = select(exists().where(t.label_job.c.template == name))
    return bool((await conn.execute(used)).scalar_one())


async def of_product(conn: AsyncConnection, product_id: int) -> str | None:
    """The template that a product's labels are printed on; None when none was chosen."""
    chosen = select(t.product_label.c.template).where(t.product_label.c.product_id == product_id)
    name: str | None = (await conn.execute(chosen)).scalar_one_or_none()
    return name


async def choose(conn: AsyncConnection, product_id: int, template: str) -> None:
    """From now on the product's labels are printed on it unless an order says otherwise."""
    chosen = insert(t.product_label).values(product_id=product_id, template=template)
    await conn.execute(chosen.on_conflict_do_update(constraint="product_label_pkey", set_={"template": template}))
