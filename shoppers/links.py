"""Links of products, lots and variants, as the resolver gives them out.

A link leads shoppers away from the brand's own address. So its target is https, its host stands in the setting
``TRACEMARK_LINK_HOSTS`` or was allowed by a second person (or an administrator), and it is shown only then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from access.model import Act, Actor
from access.permissions import is_second_person, require
from gs1 import gtin as gtins
from runtime.clock import Clock
from runtime.database import transaction
from runtime.settings import Settings
from shoppers import store
from shoppers.model import Host, Link, LinkDraft
from shoppers.refusals import (
    HostByTheSamePerson,
    HostNotFound,
    LinkExists,
    LinkNotFound,
    LinkNotUsable,
    TooManyLinks,
)

LINKS_MAX: Final = 100_000
"""Most links on record: every worker of the portal holds them all."""
TARGET_CHARACTERS_MAX: Final = 1_000
TITLE_CHARACTERS_MAX: Final = 200
LANGUAGES_MAX: Final = 20
VARIABLES: Final = ("gtin", "lot", "serial", "cpv")
"""What a target may name in braces; filled with the scanned values, encoded."""

OWN_TYPES: Final = ("recallStatus", "linkset", "all")
"""Given out by the resolver itself: no link of staff may stand in for a recall status."""

_TYPE = re.compile(r"[a-z][A-Za-z]{1,59}", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?", re.ASCII)  # what GS1's linkset schema takes
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+", re.ASCII)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", re.ASCII)
_CPV_OR_LOT = re.compile(r"[!-z]{0,20}", re.ASCII)


async def add(conn: AsyncConnection, draft: LinkDraft, *, by: Actor, settings: Settings, clock: Clock) -> Link:
    """Put a link on record. It is public when its host is allowed; until then it waits (``Link.is_allowed``).

    Refuses what is no https address, a host by number, an unknown product, a link that is there already.
    """
    require(by, Act.MANAGE_LINKS)
    host = _checked(draft)
    async with transaction(conn):
        if await store.count_links(conn) >= LINKS_MAX:
            raise TooManyLinks(links_max=LINKS_MAX)
        if not await store.has_product(conn, draft.gtin):
            raise LinkNotUsable(problem=f"there is no product {draft.gtin}")
        at = clock()
        settled = host in settings.link_host_list
        allowed_by = "setting" if settled else by.name if by.may(Act.ADMINISTER) else None
        await store.ask_for_host(conn, host, by=by.name, at=at, allowed_by=allowed_by)
        link_id = await store.insert_link(conn, draft, host=host, by=by.name, at=at)
        if link_id is None:
            raise LinkExists(type=draft.type, target=draft.target)
        told = {"gtin": draft.gtin, "lot": draft.lot, "type": draft.type, "target": draft.target}
        await audit.note(conn, by.name, "link.add", f"link {link_id}", told, clock)
        return await _existing(conn, link_id)


async def remove(conn: AsyncConnection, link_id: int, *, by: Actor, clock: Clock) -> None:
    """Take a link back; it stays on record as removed."""
    require(by, Act.MANAGE_LINKS)
    async with transaction(conn):
        if not await store.remove_link(conn, link_id, by=by.name, at=clock()):
            raise LinkNotFound(link_id=link_id)
        await audit.note(conn, by.name, "link.remove", f"link {link_id}", {}, clock)


async def allow_host(conn: AsyncConnection, host: str, *, by: Actor, clock: Clock) -> Host:
    """Allow links to a host: an administrator may, or a second person with the right; never who asked for it."""
    require(by, Act.MANAGE_LINKS)
    async with transaction(conn):
        found = await store.find_host(conn, host)
        if found is None:
            raise HostNotFound(host=host)
        if not by.may(Act.ADMINISTER) and not await is_second_person(conn, by, first=found.asked_by):
            raise HostByTheSamePerson(by=by.name, host=host)
        if found.allowed_by is None:
            await store.allow_host(conn, host, by=by.name, at=clock())
            await audit.note(conn, by.name, "link.allow_host", host, {"asked_by": found.asked_by}, clock)
        return await store.find_host(conn, host) or found


async def forbid_host(conn: AsyncConnection, host: str, *, by: Actor, clock: Clock) -> None:
    """Allow a host no longer: its links are not public any more, at once. Quick to do: no second person is needed."""
    require(by, Act.MANAGE_LINKS)
    async with transaction(conn):
        if not await store.forbid_host(conn, host):
            raise HostNotFound(host=host)
        await audit.note(conn, by.name, "link.forbid_host", host, {}, clock)


async def listed(
    conn: AsyncConnection, *, gtin: str | None = None, after: int | None = None, limit: int = 100
) -> Sequence[Link]:
    """Links on record, the oldest first, a page at a time."""
    return await store.list_links(conn, gtin=gtin, after=after, limit=limit)


def _checked(draft: LinkDraft) -> str:
    """The host of a draft that can be used; raises ``LinkNotUsable``."""
    gtins.validate(draft.gtin)
    if not _TYPE.fullmatch(draft.type) or draft.type in OWN_TYPES:
        raise LinkNotUsable(problem=f"{draft.type[:40]!r} is not a link type that staff may set, such as pip or epil")
    if not draft.title.strip() or len(draft.title) > TITLE_CHARACTERS_MAX:
        raise LinkNotUsable(problem=f"it needs a title of at most {TITLE_CHARACTERS_MAX} characters")
    if not (_CPV_OR_LOT.fullmatch(draft.lot) and _CPV_OR_LOT.fullmatch(draft.cpv)):
        raise LinkNotUsable(problem="a lot and a variant have at most 20 characters of GS1's set")
    if len(draft.languages) > LANGUAGES_MAX or not all(_LANGUAGE.fullmatch(code) for code in draft.languages):
        raise LinkNotUsable(problem="languages are written like en or pt-BR, 20 at most")
    if draft.media_type is not None and not _MEDIA_TYPE.fullmatch(draft.media_type):
        raise LinkNotUsable(problem="a media type is written like text/html")
    _check_validity(draft.valid_from, draft.valid_until)
    return _host_of(draft.target)


def _check_validity(since: datetime | None, until: datetime | None) -> None:
    if any(at is not None and at.tzinfo is None for at in (since, until)):
        raise LinkNotUsable(problem="its validity needs instants with an offset from UTC")
    if since is not None and until is not None and until <= since:
        raise LinkNotUsable(problem="it would end before it begins")


def _host_of(target: str) -> str:
    """The host of a target; the variables stand behind it, never in it."""
    if len(target) > TARGET_CHARACTERS_MAX or not target.isascii() or not target.isprintable() or " " in target:
        raise LinkNotUsable(problem=f"its target is not an address of at most {TARGET_CHARACTERS_MAX} characters")
    try:
        parts = urlsplit(target)
        host = parts.netloc.lower()
    except ValueError as error:
        raise LinkNotUsable(problem="its target cannot be read as an address") from error
    if parts.scheme != "https" or "\\" in target:
        raise LinkNotUsable(problem="its target must begin with https://")
    name = host.rpartition(":")[0] or host
    if not _HOST.fullmatch(host) or name.replace(".", "").isdigit() or "." not in name:
        raise LinkNotUsable(problem=f"{host[:80]!r} is not a host with a name, without user and password")
    named = re.findall(r"\{([^}]*)\}?", target)
    if unknown := [word for word in named if word not in VARIABLES]:
        raise LinkNotUsable(problem=f"its target names {unknown[0][:30]!r}; it may name {', '.join(VARIABLES)}")
    return host


async def _existing(conn: AsyncConnection, link_id: int) -> Link:
    found = await store.find_link(conn, link_id)
    if found is None:
        raise LinkNotFound(link_id=link_id)
    return found
