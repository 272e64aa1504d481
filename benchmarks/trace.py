"""``tracemark benchmark trace``: what came from what and who holds it, beside the same question put to EPCIS events.

``size`` is the number of finished lots of the largest of four factories, each a quarter of the next; ``items``, instead
of it, about how many items one raw lot is to reach there, and ``lots`` how many lots are on record: then that raw lot,
the salt, reaches ten million items in each factory, so that only the history grows and not the answer. The reference is
what a user of an event store has to do: level by level of the genealogy one query per hundred lots, over events with a
GIN index, and a sum over the shipping events at the end. A second one, over events that name every item, has a small
factory of its own (``item_events``).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks import item_events, machine
from benchmarks.database import fresh_database, throw_away_server
from benchmarks.figures import Growth, Row, Sample, quantile
from benchmarks.genealogy_world import ITEMS_PER_LOT, SALT_LOT, SALTED_SHARE, GenealogyWorld, write
from benchmarks.harness import Contender, Options, Report, measure, notes_on, within
from gs1.identifier import Identifier
from ledger.codes import KeyRing
from ledger.genealogy import Start, downstream, upstream
from ledger.holders import holdings
from ledger.trace import trace
from ledger.trace_holders import holders_downstream
from recall import casework
from recall.model import CaseDraft, FirstTotals
from runtime.clock import system_clock
from runtime.database import DatabaseAddress, Role

FINISHED_DEFAULT: Final = 32_000
FINISHED_MIN: Final = 512
FINISHED_MAX: Final = 1_000_000
QUESTIONS: Final = 40
"""Ordinary lots asked for in one round of a question."""
EPCS_A_QUERY: Final = 100
"""Lots that one query of the reference names: a longer list does not fit an address, and costs more than it saves."""
SALTED_OF_LOTS: Final = 1_000
"""Finished lots that salt reaches, at most, when the lots on record are asked for."""
_SHARES: Final = (64, 16, 4, 1)
_LOTS_A_FINISHED: Final = 1.375
"""Lots on record for each finished one: an eighth raw, a quarter premix."""
_LEVELS_MAX: Final = 50
_TIMEOUT_MS: Final = 600_000

Ask = Callable[[AsyncConnection, GenealogyWorld], Awaitable["Asked"]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What one round of questions brought: seconds of each, lots and pieces found, statements that the client sent.

    ``queries`` is told of the reference only, where each is a level of the genealogy.
    """

    seconds: tuple[float, ...]
    lots: int
    items: int
    queries: int


class AnswersDiffer(AssertionError):
    """The reference found something else than the ledger: then one of the two figures means nothing."""


def run(options: Options) -> Report:
    """Measure on a throw-away server."""
    with throw_away_server(options.tell) as server:
        return run_on(server, options)


def run_on(server: DatabaseAddress, options: Options, *, questions: int = QUESTIONS) -> Report:
    """Measure on this server, in databases of the benchmark's own."""
    described = machine.describe()
    largest = _largest(options)
    salted = None if options.lots is None else SALTED_OF_LOTS
    worlds = [GenealogyWorld(largest // share, questions, salted) for share in _SHARES]
    with ExitStack() as stack:
        asked: list[tuple[GenealogyWorld, DatabaseAddress]] = []
        for world in worlds:
            options.tell(f"writing {world.lots:,} lots")
            address = stack.enter_context(fresh_database(server, f"trace_{world.finished}"))
            asyncio.run(write(address, world, options.tell))
            asked.append((world, address))
        _compare(*asked[0])
        one_by_one = stack.enter_context(_item_by_item(server, questions))
        contenders = [*one_by_one, *(contender for place in asked for contender in _contenders(*place))]
        rows = measure(contenders, options)
    growth = [_growth(rows, question, worlds) for question, _ask, _events in _QUESTIONS]
    if salted is None:
        growth += [_by_answer(rows, worlds, question) for question in (_SALT, _FIRST, _PREVIEW)]
    return Report("trace", described, rows, tuple(growth), tuple(notes_on(options)) + _NOTES)


@contextmanager
def _item_by_item(server: DatabaseAddress, questions: int) -> Iterator[list[Contender]]:
    """The question about salt in a factory of its own, beside events that name every item."""
    world = GenealogyWorld(item_events.FINISHED, questions)
    with fresh_database(server, "trace_items") as address:
        asyncio.run(write(address, world))
        asyncio.run(item_events.write(address, world))
        own, other = (asyncio.run(_asked(address, world, ask)) for ask in (_ask_salt, _ask_salt_items))
        if (own.lots, own.items) != (other.lots, other.items):
            raise AnswersDiffer(f"{own.lots} lots and {own.items} items beside {other} from items")
        reference = f"{_SALT}, {world.lots:,} lots, from events of items"
        yield [
            Contender(
                f"{_SALT}, {world.lots:,} lots beside items",
                "ms",
                partial(_sample, address, world, _ask_salt),
                "less",
                reference,
            ),
            Contender(reference, "ms", partial(_sample, address, world, _ask_salt_items), "less"),
        ]


def _largest(options: Options) -> int:
    """Finished lots of the largest factory: as asked for, or so many that salt reaches about the items asked for."""
    if options.lots is not None:
        within("lots", options.lots, _LOTS_A_FINISHED * FINISHED_MIN, _LOTS_A_FINISHED * FINISHED_MAX)
        return int(options.lots / _LOTS_A_FINISHED)
    if options.items is None:
        return options.size_or(FINISHED_DEFAULT, low=FINISHED_MIN, high=FINISHED_MAX)
    low, high = (round(finished * ITEMS_PER_LOT * SALTED_SHARE) for finished in (FINISHED_MIN, FINISHED_MAX))
    within("items", options.items, low, high)
    return round(options.items / ITEMS_PER_LOT / SALTED_SHARE)


_DOWN: Final = "ordinary raw lot, down to its holders"
_UP: Final = "finished lot, up to its raw lots"
_WHOLE: Final = "premix lot, the whole trace answer"
_WHOLE_RAW: Final = "ordinary raw lot, the whole trace answer"
_SALT: Final = "salt, holders by channel and owner with bounds"
_FIRST: Final = "recall preview of salt, first totals"
_PREVIEW: Final = "recall preview of salt, all of it"
_PREVIEW_RAW: Final = "recall preview of an ordinary raw lot"
_NOTES: Final = (
    "Ordinary questions are asked for many lots in a round: the figure is their middle, p95 the slow ones.",
    "The reference: EPCIS events with a GIN index, asked level by level by the same client on the same server. It is",
    "given the easiest case: events by lot and not by item, one shipment a lot and shop instead of a journey, and no",
    "bounds: those of the affected quantities are in the time of the ledger's own answers, and not in the reference's.",
)


def _contenders(world: GenealogyWorld, address: DatabaseAddress) -> list[Contender]:
    made = []
    for question, ask, ask_events in _QUESTIONS:
        reference = case(question, world, events_first=True) if ask_events else None
        once = partial(_sample, address, world, ask)
        made.append(Contender(case(question, world), "ms", once, better="less", reference=reference))
        if ask_events and reference:
            made.append(Contender(reference, "ms", partial(_sample, address, world, ask_events), better="less"))
    return made


def case(question: str, world: GenealogyWorld, *, events_first: bool = False) -> str:
    """The name of a case."""
    return f"{question}, {world.lots:,} lots" + (", from events" if events_first else "")


def _sample(address: DatabaseAddress, world: GenealogyWorld, ask: Ask) -> Sample:
    asked = asyncio.run(_asked(address, world, ask))
    count = len(asked.seconds)
    details = {"lots": asked.lots / count, "items": asked.items / count}
    if asked.queries:
        details["queries"] = asked.queries / count
    if count > 1:
        details["p95_ms"] = quantile(asked.seconds, 0.95) * 1000
    return Sample(quantile(asked.seconds, 0.5) * 1000, details)


async def _asked(address: DatabaseAddress, world: GenealogyWorld, ask: Ask) -> Asked:
    patient = DatabaseAddress(address.url, statement_timeout_ms=_TIMEOUT_MS)
    engine = patient.engine(Role.STAFF, pool_size=1)
    try:
        async with engine.connect() as conn:
            await conn.execute(text("SELECT 1"))
            return await ask(conn, world)
    finally:
        await engine.dispose()


async def _ask_down(conn: AsyncConnection, world: GenealogyWorld) -> Asked:
    return await _each(conn, world.ordinary_raw_lots(), _down)


async def _ask_salt(conn: AsyncConnection, world: GenealogyWorld) -> Asked:
    return await _each(conn, [SALT_LOT], _by_holder)


async def _ask_salt_items(conn: AsyncConnection, world: GenealogyWorld) -> Asked:
    return await _each(conn, [world.epc_class(SALT_LOT)], item_events.holders_downstream)


async def _ask_first(conn: AsyncConnection, world: GenealogyWorld) -> Asked:
    """Seconds until the first totals of a preview are told."""
    number, told = await _case(conn, world, SALT_LOT), list[tuple[float, FirstTotals]]()
    began = time.perf_counter()

    def first(found: FirstTotals) -> None:
        told.append((time.perf_counter() - began, found))

    await casework.preview(conn, number, clock=system_clock, first=first)
    [(seconds, found)] = told
    return Asked((seconds,), found.lots, found.items, 0)


async def _ask_preview(conn: AsyncConnection, world: GenealogyWorld) -> Asked:
    return await _each(conn, [await _case(conn, world, SALT_LOT)], _preview)


async def _ask_preview_raw(conn: AsyncConnection, world: GenealogyWorld) -> Asked:
    return await _each(conn, [await _case(conn, world, lot) for lot in world.ordinary_raw_lots()], _preview)


async def _preview(conn: AsyncConnection, number: str) -> tuple[int, int, int]:
    found = await casework.preview(conn, number, clock=system_clock)
    return found.lots, found.items, 0


async def _case(conn: AsyncConnection, world: GenealogyWorld, lot_id: int) -> str:
    """A draft of a recall of one lot."""
    await conn.rollback()
    lots = ((world.gtin(lot_id), f"L{lot_id}"),)
    draft = CaseDraft(title="Salt", hazard="may contain metal", hazard_class=2, lots=lots)
    return (await casework.open_case(conn, draft, by="benchmark", clock=system_clock, keys=KeyRing({}))).number


async def _ask_up(conn: AsyncConnection, world: GenealogyWorld) -> Asked:
    return await _each(conn, world.finished_lots(), _up)


async def _down(conn: AsyncConnection, lot_id: int) -> tuple[int, int, int]:
    reached = await downstream(conn, [Start(lot_id)])
    held = Counter[tuple[int, int]]()
    for holding in await holdings(conn, reached):
        held[holding.owner_id, holding.place_id] += int(holding.quantity)
    return len(reached), sum(held.values()), 0


async def _by_holder(conn: AsyncConnection, lot_id: int) -> tuple[int, int, int]:
    found = await holders_downstream(conn, [Start(lot_id)])
    return found.lots, round(sum(each.amount.total for each in found.sums)), 0


async def _up(conn: AsyncConnection, lot_id: int) -> tuple[int, int, int]:
    return len(await upstream(conn, [Start(lot_id)])), 0, 0


async def _ask_whole(conn: AsyncConnection, world: GenealogyWorld) -> Asked:
    return await _each(conn, [Identifier.lot_of(world.gtin(n), f"L{n}") for n in world.premix_lots()], _whole)


async def _ask_whole_raw(conn: AsyncConnection, world: GenealogyWorld) -> Asked:
    return await _each(conn, [Identifier.lot_of(world.gtin(n), f"L{n}") for n in world.ordinary_raw_lots()], _whole)


async def _whole(conn: AsyncConnection, lot: Identifier) -> tuple[int, int, int]:
    answer = await trace(conn, lot, KeyRing({}), clock=system_clock)
    lots = len(answer["upstream"]["lots"]) + len(answer["downstream"]["lots"])
    return lots, int(answer["downstream"]["items"]), 0


async def _ask_down_events(conn: AsyncConnection, world: GenealogyWorld) -> Asked:
    return await _each(conn, [world.epc_class(lot_id) for lot_id in world.ordinary_raw_lots()], _down_events)


async def _ask_salt_events(conn: AsyncConnection, world: GenealogyWorld) -> Asked:
    return await _each(conn, [world.epc_class(SALT_LOT)], _down_events)


async def _ask_up_events(conn: AsyncConnection, world: GenealogyWorld) -> Asked:
    return await _each(conn, [world.epc_class(lot_id) for lot_id in world.finished_lots()], _up_events)


async def _down_events(conn: AsyncConnection, epc_class: str) -> tuple[int, int, int]:
    reached, queries = await _walk_events(conn, epc_class, "inputs", "outputQuantityList")
    held = Counter[str]()
    for wanted in batched(reached, EPCS_A_QUERY):
        queries += 1
        for body in await _matching(conn, "things", wanted):
            if body["type"] == "ObjectEvent":
                held[body["destinationList"][0]["destination"]] += sum(
                    line["quantity"] for line in body["quantityList"]
                )
    return len(reached), sum(held.values()), queries


async def _up_events(conn: AsyncConnection, epc_class: str) -> tuple[int, int, int]:
    reached, queries = await _walk_events(conn, epc_class, "things", "inputQuantityList")
    return len(reached), 0, queries


async def _walk_events(conn: AsyncConnection, epc_class: str, match: str, follow: str) -> tuple[set[str], int]:
    """Level by level, as a client of an EPCIS query interface walks; upstream only events that made the thing count."""
    reached, level, queries = {epc_class}, {epc_class}, 0
    for _ in range(_LEVELS_MAX):
        found: set[str] = set()
        for wanted in batched(level, EPCS_A_QUERY):
            queries += 1
            for body in await _matching(conn, match, wanted):
                made = {line["epcClass"] for line in body.get("outputQuantityList", ())}
                if follow in body and (follow == "outputQuantityList" or made & level):
                    found |= {line["epcClass"] for line in body[follow]}
        level = found - reached
        reached |= level
        if not level:
            return reached, queries
    raise AnswersDiffer(f"no end after {_LEVELS_MAX} levels")


def batched(epc_classes: Iterable[str], size: int) -> Iterator[list[str]]:
    """Sorted, in lists of at most ``size``."""
    every = sorted(epc_classes)
    return (every[start : start + size] for start in range(0, len(every), size))


async def _matching(conn: AsyncConnection, column: str, epc_classes: Sequence[str]) -> list[dict[str, Any]]:
    sql = text(f"SELECT CAST(body AS text) FROM reference_event WHERE {column} && CAST(:wanted AS text[])")
    return [orjson.loads(body) for body in (await conn.execute(sql, {"wanted": list(epc_classes)})).scalars()]


async def _each(
    conn: AsyncConnection, starts: Sequence[Any], ask: Callable[..., Awaitable[tuple[int, int, int]]]
) -> Asked:
    seconds, totals = [], [0, 0, 0]
    for start in starts:
        began = time.perf_counter()
        found = await ask(conn, start)
        seconds.append(time.perf_counter() - began)
        totals = [total + part for total, part in zip(totals, found, strict=True)]
    return Asked(tuple(seconds), *totals)


def _compare(world: GenealogyWorld, address: DatabaseAddress) -> None:
    """Both sides must give the same lots and pieces before either is timed."""
    for _question, ask, reference in _QUESTIONS:
        own, other = (asyncio.run(_asked(address, world, side)) for side in (ask, reference or ask))
        if (own.lots, own.items) != (other.lots, other.items) or own.lots <= len(own.seconds):
            raise AnswersDiffer(
                f"{own.lots} lots and {own.items} items beside {other.lots} and {other.items} from events"
            )


_QUESTIONS: Final[tuple[tuple[str, Ask, Ask | None], ...]] = (
    (_DOWN, _ask_down, _ask_down_events),
    (_UP, _ask_up, _ask_up_events),
    (_WHOLE, _ask_whole, None),
    (_WHOLE_RAW, _ask_whole_raw, None),
    (_SALT, _ask_salt, _ask_salt_events),
    (_FIRST, _ask_first, None),
    (_PREVIEW, _ask_preview, None),
    (_PREVIEW_RAW, _ask_preview_raw, None),
)


def _growth(rows: Sequence[Row], question: str, worlds: Sequence[GenealogyWorld]) -> Growth:
    by_case = {row.case: row for row in rows}
    times = tuple(by_case[case(question, world)].spread.median / 1000 for world in worlds)
    return Growth(f"{question}; lots on record", tuple(float(world.lots) for world in worlds), times)


def _by_answer(rows: Sequence[Row], worlds: Sequence[GenealogyWorld], question: str) -> Growth:
    found = [row for world in worlds for row in rows if row.case == case(question, world)]
    return Growth(
        f"{question}; items found",
        tuple(row.details["items"] for row in found),
        tuple(row.spread.median / 1000 for row in found),
    )
