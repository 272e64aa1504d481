"""Events into the ledger, once each: the same fact told twice is one fact, and a wrong one is declared wrong.

A fact is the same when its eventID is, or when its content is (``ledger.epcis.told.content_hash``): a system that sends
again under new eventIDs changes nothing. The same eventID with another content is refused. An event with an
``errorDeclaration`` carries the eventID of the event that it declares wrong (EPCIS 2.0, 7.4.1.4); when it has none,
the event with the same content is meant. A declaration may come before what it declares wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import event_store, name_store, result_store
from ledger.balance import ToldTooLate
from ledger.codes import KeyRing
from ledger.epcis.master_data import MasterDataTold
from ledger.epcis.told import Told
from ledger.event_store import Key, Origin
from ledger.naming import Names, Results
from ledger.projection import Recorded, Scope, find_names, project, seeds_of
from ledger.refusals import EventIdTaken
from ledger.replay import forget_wrong, replay

_HASH_OF_ANOTHER: Final = (
    "its eventID is a content hash under which an event with another content is on record; "
    "this one is known by the hash of its own content"
)


@dataclass(slots=True)
class Recording:
    """What became of events: the id of each, in their order, and whether it is new; what is odd, and at which
    of them."""

    event_ids: list[int] = field(default_factory=list)
    is_new: list[bool] = field(default_factory=list)
    warnings: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Sorted:
    """The events of a batch: those to append, and what the others are on record as."""

    fresh: list[Told] = field(default_factory=list)
    known_id_by_index: dict[int, int] = field(default_factory=dict)
    twin_by_index: dict[int, int] = field(default_factory=dict)
    """An event that stands twice in the batch: index of the first."""
    aliases: list[tuple[str, bool, int]] = field(default_factory=list)
    fresh_index: dict[int, int] = field(default_factory=dict)
    doubts: list[tuple[int, str]] = field(default_factory=list)
    wrong_already: set[int] = field(default_factory=set)
    """Positions in ``fresh`` of events that were declared wrong before they came."""


async def record_told(
    conn: AsyncConnection,
    events: Sequence[Told],
    *,
    origins: Sequence[Origin],
    at: datetime,
    keys: KeyRing,
    master_data: MasterDataTold | None = None,
) -> Recording:
    """Append events and write the book, in the caller's transaction; ``origins`` is one for each of them. ``at`` is the
    record time.

    Raises ``EventIdTaken``, and what ``ledger.projection.project`` and ``ledger.replay.replay`` raise.
    """
    reserved = await event_store.begin(conn, len(events))
    sorted_ = await _sort(conn, events)
    ids = reserved[: len(sorted_.fresh)]  # those of events that are known are left out for good
    claimed = [(told.source_id, told.declares_wrong, id_) for told, id_ in zip(sorted_.fresh, ids, strict=True)]
    free = await event_store.add_keys(conn, claimed + sorted_.aliases)
    if any((source_id, declaration) not in free for source_id, declaration, _ in claimed):
        # Somebody else told one of these a moment ago; now that they are done, it is known.
        return await record_told(conn, events, origins=origins, at=at, keys=keys, master_data=master_data)
    fresh = [Recorded(id_, told) for id_, told in zip(ids, sorted_.fresh, strict=True)]
    # A capture is tried again when somebody else names a unit meanwhile.
    units_later = all(origin.capture_id is not None for origin in origins)
    names = await find_names(conn, fresh, keys, master_data, units_later=units_later)
    from_ = [origins[index] for index in sorted_.fresh_index]
    appended = [(recorded.event_id, recorded.told, origin) for recorded, origin in zip(fresh, from_, strict=True)]
    await event_store.add_events(conn, appended, names.place_by_uri, at=at)
    wrong_ids, doubts = await _declare(conn, fresh, sorted_)
    valid = [r for r in fresh if not r.told.declares_wrong and r.event_id not in wrong_ids]
    if len(valid) < len(fresh):
        await name_store.add_units(conn, names.new_units)
        names = await find_names(conn, valid, keys)
    results = await _write(conn, valid, names, wrong_ids, keys)
    if master_data is not None and master_data.inspections:
        await result_store.keep_inspections(conn, master_data.inspections)
    return _recording(events, sorted_, fresh, doubts + ([] if results is None else results.doubts))


async def _write(
    conn: AsyncConnection, valid: Sequence[Recorded], names: Names, wrong_ids: set[int], keys: KeyRing
) -> Results | None:
    """Into the book; by a replay when something is wrong or late. None when nothing can be said of single events."""
    seeds: Scope | None = None
    if wrong_ids:
        seeds = await forget_wrong(conn, sorted(wrong_ids))
    if seeds is None or not (seeds.lots or seeds.units):
        try:
            return await project(conn, valid, names)
        except ToldTooLate:
            seeds = Scope(frozenset(), frozenset())
    await name_store.add_units(conn, names.new_units)
    mine = seeds_of(names, valid)
    await replay(conn, Scope(seeds.lots | mine.lots, seeds.units | mine.units), valid, keys)
    return None


async def _sort(conn: AsyncConnection, events: Sequence[Told]) -> _Sorted:
    """Which of the events are new."""
    on_record = await event_store.keys_of(conn, (told.source_id for told in events), (told.hash for told in events))
    by_source = {(key.source_id, key.declaration): key for key in on_record}
    by_hash = {(key.hash, key.declaration): key for key in on_record if not key.declared_wrong}
    result = _Sorted()
    first_by_source: dict[tuple[str, bool], int] = {}
    first_by_hash: dict[tuple[str, bool], int] = {}
    for index, each in enumerate(events):
        told = _under_own_hash(each, by_source, first_by_source, events)
        if told is not each:
            result.doubts.append((index, _HASH_OF_ANOTHER))
        source, content = (told.source_id, told.declares_wrong), (told.hash, told.declares_wrong)
        known = by_source.get(source)
        if known is not None:
            _refuse_other_content(told, known.hash)
            result.known_id_by_index[index] = known.event_id
        elif content in by_hash and not told.declares_wrong:
            result.known_id_by_index[index] = by_hash[content].event_id
            result.aliases.append((told.source_id, False, by_hash[content].event_id))
        elif source in first_by_source:
            _refuse_other_content(told, events[first_by_source[source]].hash)
            result.twin_by_index[index] = first_by_source[source]
        elif content in first_by_hash and not told.declares_wrong:
            result.twin_by_index[index] = first_by_hash[content]
        else:
            first_by_source[source] = first_by_hash[content] = index
            if not told.declares_wrong and (told.source_id, True) in by_source:
                result.wrong_already.add(len(result.fresh))
            result.fresh_index[index] = len(result.fresh)
            result.fresh.append(told)
    return result


def _under_own_hash(
    told: Told,
    by_source: Mapping[tuple[str, bool], Key],
    first_by_source: Mapping[tuple[str, bool], int],
    events: Sequence[Told],
) -> Told:
    """The event without its eventID, when that is the hash of another event's content.

    Such an id (``ni:``, CBV 2.0, 8.9) names a content; whoever computed it made a mistake or changed the event later.
    The event is a fact all the same and is known by its own hash from now on.
    """
    if told.event_id is None or not told.event_id.startswith("ni:") or told.declares_wrong:
        return told
    known, first = by_source.get((told.event_id, False)), first_by_source.get((told.event_id, False))
    hash_known = known.hash if known is not None else None if first is None else events[first].hash
    return told if hash_known in (None, told.hash) else replace(told, event_id=None)


def _refuse_other_content(told: Told, hash_known: str) -> None:
    # A declaration of error may leave out what the wrong event said; its eventID alone says which event is meant.
    if told.hash != hash_known and not told.declares_wrong:
        raise EventIdTaken(event_id=told.source_id, hash_known=hash_known, hash_told=told.hash)


async def _declare(
    conn: AsyncConnection, fresh: Sequence[Recorded], sorted_: _Sorted
) -> tuple[set[int], list[tuple[int, str]]]:
    """Write down which events are wrong; returns them, and doubts by event about declarations of what nobody told."""
    declarations = [recorded for recorded in fresh if recorded.told.declares_wrong]
    if not declarations and not sorted_.wrong_already:
        return set(), []
    told = [recorded.told for recorded in fresh]
    on_record = await event_store.keys_of(conn, (t.source_id for t in told), (t.hash for t in told))
    rows: list[tuple[int, int, str | None]] = []
    doubts: list[tuple[int, str]] = []
    for declaration in declarations:
        meant = _meant(declaration.told, on_record)
        if meant is None:
            doubts.append((declaration.event_id, "no event is on record that this declares wrong; it waits for one"))
        else:
            rows.append((meant.event_id, declaration.event_id, declaration.told.reason))
    for position in sorted_.wrong_already:
        source_id = fresh[position].told.source_id
        by = next(key for key in on_record if key.declaration and key.source_id == source_id)
        rows.append((fresh[position].event_id, by.event_id, None))
    await event_store.declare_wrong(conn, rows)
    return {event_id for event_id, _, _ in rows}, doubts


def _meant(declaration: Told, on_record: Iterable[Key]) -> Key | None:
    events = [key for key in on_record if not key.declaration]
    by_id = next((key for key in events if key.source_id == declaration.source_id), None)
    return by_id or next((key for key in events if key.hash == declaration.hash), None)


def _recording(
    events: Sequence[Told], sorted_: _Sorted, fresh: Sequence[Recorded], doubts: Iterable[tuple[int, str]]
) -> Recording:
    """``doubts`` are by event."""
    index_by_id = {fresh[position].event_id: index for index, position in sorted_.fresh_index.items()}
    recording = Recording(warnings=[*sorted_.doubts, *((index_by_id[event_id], doubt) for event_id, doubt in doubts)])
    for index in range(len(events)):
        first = sorted_.twin_by_index.get(index, index)
        position = sorted_.fresh_index.get(first)
        known = sorted_.known_id_by_index.get(first)
        recording.is_new.append(index in sorted_.fresh_index)
        recording.event_ids.append(fresh[position].event_id if position is not None else known or 0)
    return recording
