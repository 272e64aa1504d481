"""Worlds whose truth is known: what the ledger answers is held against the goods themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.demo_world import tell_world
from cli.installation import Installation
from ledger import books, codes, genealogy, imports
from ledger.codes import KeyRing
from ledger.genealogy import Start
from load_tests.world import answer_key, chains, noise, pieces, recording, telling
from load_tests.world.answer_key import Answer, Score, ask, ask_about, key_of, score
from load_tests.world.cohorts import ImpossibleDeed, LotName, Portion, World
from load_tests.world.noise import BROKEN, LATE_AND_TWICE, Noise
from load_tests.world.recording import Event, item_uris, place_uri, serial_of
from load_tests.world.scenarios import SCENARIOS, UnitsOutOfRange, UnknownWorld, build
from load_tests.world.stages import PLANT, SUPPLIER, Scenario, Stage, lot, shop
from recall import reach
from recall.scope import Exclusion, ItemLine, LotLine, Scope, WindowLine
from runtime import settings
from runtime.database import DatabaseAddress, transaction

SECRET = "a secret of the worlds, long enough to be one"
UNITS = 60
TOLD_AS_IT_FLOWS = [name for name in SCENARIOS if name != "S10-plug"]


def clock() -> datetime:
    """Long after everything."""
    return datetime(2026, 9, 1, tzinfo=UTC)


async def ready(conn: AsyncConnection, scenario: Scenario) -> KeyRing:
    """Who, where and what is on record, and nothing has happened yet."""
    async with transaction(conn):
        keys = await codes.ensure_key(conn, SECRET, clock=clock)
    await recording.put_on_record(conn, scenario.world)
    return keys


async def told(conn: AsyncConnection, keys: KeyRing, events: list[Event] | tuple[Event, ...], size: int = 50) -> int:
    return await telling.tell(conn, events, by="tests", clock=clock, keys=keys, events_max=size)


async def answer_of(conn: AsyncConnection, stage: Stage, *, include_possible: bool = False) -> Answer:
    async with transaction(conn):
        return await ask(conn, stage.starts, stage.key.all_lots, include_possible=include_possible)


async def marks_of(conn: AsyncConnection, stage: Stage) -> Score:
    return score(stage.key, await answer_of(conn, stage))


async def gaps_of(conn: AsyncConnection, keys: KeyRing, lots: tuple[LotName, ...]) -> set[tuple[str, str]]:
    async with transaction(conn):
        found = await telling.gaps_of(conn, lots, keys=keys, clock=clock)
    return {(gap["what"], gap["lot"]) for gap in found if "lot" in gap}


@pytest.mark.parametrize("name", TOLD_AS_IT_FLOWS)
async def test_the_answer_is_the_truth_at_every_moment(conn: AsyncConnection, name: str) -> None:
    scenario = build(name, UNITS)
    keys = await ready(conn, scenario)
    events = recording.record(scenario.world.deeds)

    done = 0
    for stage in scenario.stages:
        await told(conn, keys, events[done : stage.deeds])
        done = stage.deeds
        marks = await marks_of(conn, stage)
        assert marks.is_exact, (stage.name, marks)


@pytest.mark.parametrize("name, seed", [("S8", 2), ("S9", 3), ("S11", 5), ("S13", 6)])
async def test_late_twice_and_in_any_order_is_the_same_truth(conn: AsyncConnection, name: str, seed: int) -> None:
    scenario = build(name, UNITS)
    keys = await ready(conn, scenario)
    events = recording.record(scenario.world.deeds)
    spoilt = noise.spoil(events, LATE_AND_TWICE, seed)

    new = await told(conn, keys, spoilt.events, size=9)
    again = await told(conn, keys, noise.shuffled(events, seed))

    assert spoilt.done["duplicate"] and spoilt.done["delay"] and not spoilt.dropped
    assert (new, again) == (len(events), 0)
    assert (await marks_of(conn, scenario.last)).is_exact
    assert [check.what for check in await books.examine(conn) if check.wrong] == []


async def test_deliveries_told_by_a_file_are_as_good_as_events(conn: AsyncConnection) -> None:
    scenario = build("S1", UNITS)
    keys = await ready(conn, scenario)
    deeds = scenario.world.deeds
    events = recording.record(deeds)

    await told(conn, keys, [event for event, deed in zip(events, deeds, strict=True) if not telling.is_delivery(deed)])
    without = await marks_of(conn, scenario.last)
    report = await imports.import_file(
        conn, "shipments", telling.shipments_file(deeds), by="tests", clock=clock, keys=keys
    )

    assert not without.is_exact
    assert report.new == sum(map(telling.is_delivery, deeds))
    assert (await marks_of(conn, scenario.last)).is_exact


async def test_a_silo_that_is_told_as_mixed_is_never_missed_and_reaches_what_mixing_would(
    conn: AsyncConnection,
) -> None:
    plug, mixed = build("S10-plug", UNITS), build("S10-mixed", UNITS)
    keys = await ready(conn, plug)
    await told(conn, keys, recording.record(plug.world.deeds))

    truth, upper = plug.last.key, mixed.last.key
    marks = await marks_of(conn, plug.last)

    assert not marks.missed_lots and not marks.missed and not marks.balance_error_by_lot
    assert marks.extra_lots == upper.lots - truth.lots == {lot(chains.DRINK, "DR-4")}
    assert score(upper, await answer_of(conn, plug.last)).is_exact
    assert marks.over_recall == pytest.approx(sum(upper.held.values()) / sum(truth.held.values()) - 1)


async def test_rework_reaches_in_time_less_than_without_it(conn: AsyncConnection) -> None:
    scenario = build("S8", UNITS)
    keys = await ready(conn, scenario)
    await told(conn, keys, recording.record(scenario.world.deeds))

    in_time = await answer_of(conn, scenario.last)
    plain = await answer_of(conn, scenario.last, include_possible=True)

    assert lot(chains.CHOCOLATE, "CB-4") in in_time.lots
    assert plain.lots - in_time.lots == {lot(chains.CHOCOLATE, "CB-2")}
    assert in_time.lots < plain.lots


async def test_the_minutes_of_the_mix_up_name_the_same_jars_as_the_spread(conn: AsyncConnection) -> None:
    scenario = build("S9", UNITS)
    keys = await ready(conn, scenario)
    await told(conn, keys, recording.record(scenario.world.deeds))
    fillings = [deed for deed in scenario.world.deeds if deed.line == pieces.LINE]
    jars = {item for item in scenario.last.key.items if item[0] == lot(pieces.JAR, "").gtin}

    async def within(first: int, after: int) -> frozenset[tuple[str, str]]:
        window = WindowLine(fillings[first].at, fillings[after].at, place_uri(PLANT.name), pieces.LINE)
        async with transaction(conn):
            return (await ask_about(conn, Scope((window,)), ())).items

    assert len(jars) == 4 * (UNITS // 12)
    assert await within(4, 8) == jars
    assert not await within(0, 4) & jars


async def test_every_widening_holds_all_that_was_named_before() -> None:
    keys = [stage.key for stage in build("S2", UNITS).stages]

    assert all(before.lots < after.lots for before, after in pairwise(keys))
    assert all(before.held.items() <= after.held.items() for before, after in pairwise(keys))


async def test_what_bad_tins_have_in_common_are_the_two_stations(conn: AsyncConnection) -> None:
    scenario = build("S5", UNITS)
    keys = await ready(conn, scenario)
    await told(conn, keys, recording.record(scenario.world.deeds))
    tins = [name for name in scenario.world.lots if name.code.startswith("FO-")]
    bad = scenario.last.key.lots

    lift = Counter[LotName]()
    async with transaction(conn):
        for tin in tins:
            lot_id = (await reach.lots_by_code(conn, [tin]))[tin]
            above = await genealogy.upstream(conn, [Start(lot_id)])
            facts = await reach.lot_facts(conn, [each.lot_id for each in above])
            found = {LotName(each.gtin, each.code) for each in facts.values()}
            assert found == answer_key.sources_of(scenario.world, tin)
            for source in found:
                if source.code.startswith("MI-"):
                    lift[source] += 1 if tin in bad else -1

    assert {name for name, _ in lift.most_common(2)} == scenario.last.starts


async def test_copies_of_a_code_make_no_goods(conn: AsyncConnection) -> None:
    scenario = build("S12", UNITS)
    keys = await ready(conn, scenario)
    events = recording.record(scenario.world.deeds)
    toasters = lot(pieces.TOASTER, "CL-1")
    (copied,) = item_uris(Portion(toasters, 1, first=1))

    await told(conn, keys, events)
    await told(conn, keys, [noise.clone(events[-1], copied, place_uri(f"Market {n}"), n) for n in (1, 2, 3)])
    answer = await answer_of(conn, scenario.last)
    marks = score(scenario.last.key, answer)

    assert answer.stock == scenario.last.key.stock == {(toasters, ""): UNITS}
    assert answer.items == scenario.last.key.items
    assert (marks.missed, marks.extra) == (1, 1)


async def test_more_that_came_back_under_a_lot_than_there_was_of_it_is_named(conn: AsyncConnection) -> None:
    scenario = build("S7", UNITS)
    keys = await ready(conn, scenario)
    deeds = scenario.world.deeds
    named = lot(chains.MEAL, "NA-1")
    came = sum(portion.amount for portion in deeds[-1].outputs)
    (all_as_named,) = recording.record([*deeds[:-1], replace(deeds[-1], outputs=(Portion(named, came),))])[-1:]

    await told(conn, keys, recording.record(deeds)[:-1])
    before = await gaps_of(conn, keys, scenario.world.lots)
    await told(conn, keys, [all_as_named])
    marks = await marks_of(conn, scenario.last)

    assert came > UNITS
    assert before == set()
    assert await gaps_of(conn, keys, scenario.world.lots) == {("came from outside the record", "NA-1")}
    assert not marks.missed_lots
    assert marks.over_recall == pytest.approx(came / UNITS - 1)


async def test_lots_whose_making_nobody_told_are_named_as_gaps(conn: AsyncConnection) -> None:
    scenario = build("S13", UNITS)
    keys = await ready(conn, scenario)
    deeds = scenario.world.deeds
    events = recording.record(deeds)
    spoilt = noise.spoil(events, Noise(drop=0.2, delay=0.2, duplicate=0.1), 1)
    dropped = {event["eventID"] for event in spoilt.dropped}
    lost = [deed for deed, event in zip(deeds, events, strict=True) if event["eventID"] in dropped]

    await told(conn, keys, spoilt.events)
    gaps = await gaps_of(conn, keys, scenario.world.lots)
    named = {code for what, code in gaps if what == "came from outside the record"}
    not_made = {portion.lot.code for deed in lost if deed.kind in ("make", "turn") for portion in deed.outputs}

    assert len(not_made) > 3
    assert not_made <= named
    assert named <= {portion.lot.code for deed in lost for portion in deed.outputs}, (
        "a lot is named of which all is told"
    )


async def test_arrivals_that_nobody_told_are_named_as_gaps(conn: AsyncConnection) -> None:
    scenario = build("S11", UNITS)
    keys = await ready(conn, scenario)
    deeds = scenario.world.deeds
    lost = [deed for deed in deeds if deed.kind == "receive"]
    events = [event for deed, event in zip(deeds, recording.record(deeds), strict=True) if deed not in lost]

    await told(conn, keys, events)
    gaps = await gaps_of(conn, keys, scenario.world.lots)

    assert lost and not (await marks_of(conn, scenario.last)).is_exact
    assert ("sent and not received", lost[-1].outputs[0].lot.code) in gaps


async def test_broken_data_is_answered_with_its_balance_whole(conn: AsyncConnection) -> None:
    scenario = build("S13", UNITS)
    keys = await ready(conn, scenario)
    events = recording.record(scenario.world.deeds)
    spoilt = noise.spoil(events, BROKEN, 4)

    await told(conn, keys, spoilt.events)
    marks = await marks_of(conn, scenario.last)

    assert {"drop", "skew", "wrong unit", "swapped lot"} <= {kind for kind, count in spoilt.done.items() if count}
    assert not marks.is_exact
    assert await gaps_of(conn, keys, scenario.world.lots)
    assert [check.what for check in await books.examine(conn) if check.wrong] == []


async def test_excluding_one_part_keeps_the_parts_that_were_built_in(conn: AsyncConnection) -> None:
    scenario = build("S4", UNITS)
    keys = await ready(conn, scenario)
    await told(conn, keys, recording.record(scenario.world.deeds))
    inflators = lot(pieces.INFLATOR, "IN-1")
    serial = serial_of(inflators, 1)
    async with transaction(conn):
        number = await codes.number_for_foreign(conn, inflators.gtin, serial)
        out = Exclusion(ItemLine(inflators.gtin, serial, number), "was never filled", "ada")
        whole = await ask_about(conn, Scope((LotLine(*inflators),)), ())
        left = await ask_about(conn, Scope((LotLine(*inflators),), (out,)), ())

    assert whole.items - left.items == {(inflators.gtin, serial)}
    assert left.held == whole.held


async def test_a_world_told_to_an_installation_marks_every_answer(
    conn: AsyncConnection, database: DatabaseAddress
) -> None:
    chosen = settings.load().model_copy(update={"master_secret": SecretStr(SECRET)})
    said: list[str] = []

    world = await tell_world(conn, Installation(chosen, database), "S2", UNITS, 1, said.append)

    assert [question.name for question in world.questions] == ["first", "second", "third", "the whole plant"]
    assert all(question.is_exact and question.goods for question in world.questions)
    assert len(said) == 1 + len(world.questions)
    with pytest.raises(UnknownWorld, match="S99"):
        await tell_world(conn, Installation(chosen, database), "S99", UNITS, 1, said.append)


def test_the_same_seed_makes_the_same_world_and_noise() -> None:
    one, same, other = build("S2", UNITS, 7), build("S2", UNITS, 7), build("S2", UNITS, 8)
    events = recording.record(one.world.deeds)

    assert one.world.deeds == same.world.deeds != other.world.deeds
    assert noise.spoil(events, BROKEN, 1) == noise.spoil(events, BROKEN, 1) != noise.spoil(events, BROKEN, 2)


def test_a_world_of_no_such_name_or_size_is_refused() -> None:
    with pytest.raises(UnknownWorld, match="S13"):
        build("S14", UNITS)
    with pytest.raises(UnitsOutOfRange, match="100000"):
        build("S1", 100_001)


def test_goods_that_are_not_there_cannot_be_moved() -> None:
    world, flour = World(), lot(1, "FL-1")
    world.make(SUPPLIER, Portion(flour, 10))

    with pytest.raises(ImpossibleDeed, match="11"):
        world.ship(SUPPLIER, PLANT, [Portion(flour, 11)])
    with pytest.raises(ImpossibleDeed, match="Our plant"):
        world.ship(PLANT, shop(1), [Portion(flour, 1)])


def test_a_wrong_answer_gets_bad_marks() -> None:
    world, flour, bread = World(), lot(1, "FL-1"), lot(2, "BR-1")
    world.make(PLANT, Portion(flour, 10))
    world.turn(PLANT, [Portion(flour, 4)], [Portion(bread, 40)])
    world.send(PLANT, shop(1), [Portion(bread, 30)])
    key = key_of(world, [flour])
    at_shop = (bread, "Shop 1", "Shopkeeper 1", "in_progress", "")
    elsewhere = (bread, "Shop 2", "Shopkeeper 2", "in_progress", "")

    less = score(key, replace(key, lots=frozenset({flour}), held={**key.held, at_shop: 20}))
    other = score(key, replace(key, held={**key.held, at_shop: 0, elsewhere: 30}))
    lost = score(key, replace(key, stock={**key.stock, (flour, ""): 10}))

    assert key.held[at_shop] == 30 and key.stock[flour, ""] == 6
    assert score(key, key).is_exact
    assert (set(less.missed_lots), less.missed, less.extra) == ({bread}, 10, 0)
    assert other.count_error_by_owner == {"Shopkeeper 1": -30, "Shopkeeper 2": 30}
    assert lost.balance_error_by_lot == {flour: 4}
