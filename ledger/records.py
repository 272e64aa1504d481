"""Several records of master data put on record at once: all of them, or none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import master_data
from ledger.model import ContactDraft, LotDraft, PartyDraft, PlaceDraft, ProductDraft
from runtime.database import transaction
from runtime.refusals import Fault, Invalid, Refusal

Draft = PartyDraft | PlaceDraft | ProductDraft | LotDraft | ContactDraft

FAULTS_MAX: Final = 100
"""After so many refused records the rest is not looked at."""


class RecordsNotUsable(Invalid):
    """{count} record(s) cannot be put on record, the first at {where}: {what} Nothing was changed."""


_PUT: Final[Mapping[type[Any], Callable[[AsyncConnection, Any], Awaitable[Any]]]] = MappingProxyType(
    {
        PartyDraft: master_data.put_party,
        PlaceDraft: master_data.put_place,
        ProductDraft: master_data.put_product,
        LotDraft: master_data.put_lot,
        ContactDraft: master_data.put_contact,
    }
)


class _OnlyTried(Exception):
    """Not an error: the way out of a transaction that shall leave nothing behind."""


async def put(conn: AsyncConnection, drafts: Iterable[tuple[int, Draft]], *, dry_run: bool = False) -> None:
    """Put the drafts on record in their order; each comes with the index of the record that it is of.

    Raises ``RecordsNotUsable`` with a fault for each refused record (``/3``: the fourth), up to 100; nothing is changed
    then, and nothing is changed by a dry run.
    """
    faults: list[Fault] = []
    try:
        async with transaction(conn):
            for index, draft in drafts:
                try:
                    await _PUT[type(draft)](conn, draft)
                except Refusal as refusal:
                    faults.append(Fault(f"/{index}", refusal.sentence()))
                if len(faults) >= FAULTS_MAX:
                    break
            if faults:
                raise RecordsNotUsable(count=len(faults), where=faults[0].where, what=faults[0].what, faults=faults)
            if dry_run:
                raise _OnlyTried
    except _OnlyTried:
        return
