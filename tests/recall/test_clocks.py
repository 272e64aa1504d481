"""The clocks of a case: due by the law it was opened under, overdue when nobody did it, done with who and when."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from recall import casework, clocks, profiles, rules, store
from recall.clocks import ClockState, Fact
from recall.profiles import Calendar, Mark, Span, Unit
from recall.rules_refusals import FactInFuture, FactNotUsable, NoProfile, ProfileNotKnown, ProfileNotUsable
from runtime.database import transaction
from tests.recall.creamery import CHEESE, NOW, Creamery, clock
from tests.recall.desk import opened
from tests.recall.owners import at

SHANGHAI = Calendar("Asia/Shanghai", frozenset({6, 7}), frozenset({date(2026, 10, 1)}), frozenset({date(2026, 10, 10)}))
FRIDAY = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "start, span, due",
    [
        (FRIDAY, Span(24, Unit.HOURS), datetime(2026, 11, 21, 12, tzinfo=UTC)),
        (FRIDAY, Span(1, Unit.WORKING_DAYS), datetime(2026, 11, 23, 16, tzinfo=UTC)),  # Monday ends at midnight there
        (FRIDAY, Span(10, Unit.WORKING_DAYS), datetime(2026, 12, 4, 16, tzinfo=UTC)),
        (datetime(2026, 9, 30, 12, tzinfo=UTC), Span(1, Unit.WORKING_DAYS), datetime(2026, 10, 2, 16, tzinfo=UTC)),
        (datetime(2026, 10, 9, 12, tzinfo=UTC), Span(1, Unit.WORKING_DAYS), datetime(2026, 10, 10, 16, tzinfo=UTC)),
        (datetime(2027, 1, 31, 4, tzinfo=UTC), Span(1, Unit.MONTHS), datetime(2027, 2, 28, 4, tzinfo=UTC)),
        (FRIDAY, Span(3, Unit.DAYS), datetime(2026, 11, 23, 12, tzinfo=UTC)),
        (FRIDAY, Span(0, Unit.HOURS), FRIDAY),
    ],
)  # fmt: skip
def test_hours_are_counted_through_and_working_days_by_the_calendar(start: datetime, span: Span, due: datetime) -> None:
    assert clocks.after(start, span, SHANGHAI) == due


def test_every_shipped_profile_says_where_each_rule_comes_from_and_how_surely_it_is_known() -> None:
    shipped = profiles.shipped()
    assert {profile.name for profile in shipped.values()} == {
        "eu-gpsr", "eu-medicines", "us-fda-food", "us-fda-drug", "us-cpsc", "cn-food", "cn-goods", "cn-drugs",
        "cn-vehicles",
    }  # fmt: skip
    for profile in shipped.values():
        assert profile.sources and profile.duties
        assert all(duty.clause and duty.titles["en"] and duty.titles["zh"] for duty in profile.duties)
    assert [duty.name for duty in shipped["us-cpsc/2010"].unverified] == [
        "authority_told", "plan_filed", "progress_report",
    ]  # fmt: skip


def test_a_profile_whose_day_is_not_known_is_taken_only_by_its_full_name() -> None:
    shipped = profiles.shipped()
    assert profiles.choose(shipped, "cn-food", date(2027, 1, 1)).version == "2015"
    assert profiles.choose(shipped, "cn-food/2026", date(2027, 1, 1)).mark is Mark.UNVERIFIED
    with pytest.raises(ProfileNotKnown, match="cn-food/2015"):
        profiles.choose(shipped, "cn-food", date(2015, 1, 1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"mark": "sure"}, {"calendar": {"time_zone": "Asia/Shanghai"}}, {"effective_on": "soon"},
        {"duty": [{"name": "x", "title": {"en": "x", "zh": "x"}, "clause": "1", "mark": "checked", "starts": "opened",
                   "every": "1 months"}]},
    ],
)  # fmt: skip
def test_a_profile_that_lacks_something_is_refused(wrong: dict[str, object]) -> None:
    content = tomllib.loads((profiles.FOLDER / "eu-gpsr-2024.toml").read_text(encoding="utf-8"))
    assert profiles.read(content).key == "eu-gpsr/2024"
    with pytest.raises(ProfileNotUsable, match="eu-gpsr"):
        profiles.read({**content, **wrong})


def test_a_report_that_comes_again_is_due_from_the_last_one_until_its_end() -> None:
    profile = profiles.shipped()["us-fda-food/1978"]

    def report(*facts: Fact, days: int) -> clocks.DutyClock:
        found = clocks.run(profile, 1, facts, NOW + timedelta(days=days))
        return next(each for each in found if each.duty.name == "status_report")

    published = Fact("published", NOW, "Ben")
    first = Fact("status_report", NOW + timedelta(days=20), "Ada")
    assert report(days=10).state is ClockState.WAITING
    assert report(published, days=10).state is ClockState.RUNNING
    assert report(published, days=32).state is ClockState.OVERDUE
    again = report(published, first, days=32)
    assert (again.state, again.times_done) == (ClockState.RUNNING, 1)
    assert again.due_at is not None and again.due_at > NOW + timedelta(days=45)
    assert (
        report(published, first, Fact("terminated", NOW + timedelta(days=25), "FDA"), days=90).state is ClockState.ENDED
    )


async def test_a_case_has_the_clocks_of_its_level_and_says_who_did_what(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await opened(conn, dairy, lots=((CHEESE, "C1"),), profile="cn-food")
    early = NOW - timedelta(hours=10)
    await rules.tell_fact(conn, number, "risk_known", by="Ada", clock=clock, at=early)
    found = await rules.read_rules(conn, number, clock=at(20))
    due = {(each.duty.name, each.duty.classes): each for each in found.clocks}
    assert found.profile.key == "cn-food/2015"
    assert due["started", (1,)].due_at == early + timedelta(hours=24)
    assert due["started", (1,)].state is ClockState.OVERDUE
    assert ("started", (2,)) not in due and due["finished", (1,)].state is ClockState.WAITING
    await conn.rollback()

    await rules.tell_fact(conn, number, "started", by="Ben", clock=at(20), note="by telephone")
    done = next(c for c in (await rules.read_rules(conn, number, clock=at(21))).clocks if c.duty.name == "started")
    assert (done.state, done.done and done.done.by) == (ClockState.DONE_LATE, "Ben")


async def test_a_new_version_of_a_profile_changes_new_cases_only(
    conn: AsyncConnection, dairy: Creamery, tmp_path: Path
) -> None:
    source = (profiles.FOLDER / "cn-food-2015.toml").read_text(encoding="utf-8")
    (tmp_path / "old.toml").write_text(source, encoding="utf-8")
    later = source.replace('version = "2015"', 'version = "2026-11"').replace("2015-09-01", "2026-11-01")
    (tmp_path / "new.toml").write_text(later.replace('within = "24 hours"', 'within = "12 hours"'), encoding="utf-8")

    old = await opened(conn, dairy, lots=((CHEESE, "C1"),), profile="cn-food")
    new = await opened(conn, dairy, lots=((CHEESE, "C2"),))
    async with transaction(conn):
        case = await store.find_case(conn, new)
        await rules.adopt(conn, case, "cn-food", by="Ada", at=NOW, catalogue=profiles.load(tmp_path))

    due = {}
    for number in (old, new):
        found = await rules.read_rules(conn, number, clock=clock)
        due[found.profile.version] = next(c.due_at for c in found.clocks if c.duty.name == "started")
    assert due == {"2015": NOW + timedelta(hours=24), "2026-11": NOW + timedelta(hours=12)}
    await conn.rollback()
    with pytest.raises(Exception, match="permission denied"):
        await conn.execute(text("UPDATE recall_rules SET version = 'x'"))


async def test_facts_that_the_profile_has_not_or_that_did_not_come_yet_are_refused(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    bare = await opened(conn, dairy, lots=((CHEESE, "C1"),))
    number = await opened(conn, dairy, lots=((CHEESE, "C1"),), profile="eu-gpsr")
    with pytest.raises(NoProfile, match="--profile"):
        await rules.read_rules(conn, bare, clock=clock)
    with pytest.raises(FactNotUsable, match="authority_told"):
        await rules.tell_fact(conn, number, "plan_filed", by="Ada", clock=clock)
    with pytest.raises(FactInFuture):
        await rules.tell_fact(conn, number, "authority_told", by="Ada", clock=clock, at=NOW + timedelta(hours=1))
    with pytest.raises(ProfileNotKnown):
        await opened(conn, dairy, lots=((CHEESE, "C1"),), profile="mars")
    assert len(await store.list_cases(conn)) == 2, "a refusal opens nothing"


async def test_a_published_case_starts_the_clocks_of_its_publication(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await opened(conn, dairy, lots=((CHEESE, "C1"),), profile="eu-gpsr", contact={"phone": "0800 111"})
    await casework.approve(conn, number, by="Ben", clock=clock)
    await casework.publish(conn, number, by="Ben", clock=clock, keys=dairy.keys)
    found = await rules.read_rules(conn, number, clock=at(1))
    told = {each.duty.name: each for each in found.clocks}
    assert told["consumers_told"].started_at == NOW
    assert [fact.name for fact in found.facts] == ["opened", "risk_known", "published"]
