"""All worlds from end to end, clean and with broken data, against a server in a process of its own."""

from __future__ import annotations

import pytest
from typer import Typer
from typer.testing import CliRunner

from load_tests import worlds_end_to_end
from load_tests.world.asked import Asked
from load_tests.world.noisy import Spoiled
from load_tests.world.scenarios import SCENARIOS
from load_tests.worlds_end_to_end import Outcome, run, serving, show
from runtime.database import DatabaseAddress
from tests.world import SECRET

UNITS = 60


async def test_all_worlds_are_answered_at_every_door_as_their_goods_are(database: DatabaseAddress) -> None:
    with serving(database, SECRET) as base_url:
        outcome = await run(database, base_url, SECRET, list(SCENARIOS), units=UNITS, seed=1, with_noise=True)

    assert [difference for asked in outcome.asked for difference in asked.differences] == []
    assert [difference for spoiled in outcome.spoiled for difference in spoiled.differences] == []
    assert {asked.world for asked in outcome.asked} == {spoiled.world for spoiled in outcome.spoiled} == set(SCENARIOS)
    assert max(asked.version for asked in outcome.asked) == 4, "the widest story has four versions"
    assert [spoiled for spoiled in outcome.spoiled if not spoiled.is_right] == []


def test_a_difference_is_told_with_where_it_is_and_ends_the_command_badly(capsys: pytest.CaptureFixture[str]) -> None:
    asked = Asked("S1", "day 1")
    asked.differs("pdf", "lines Shop 1", "12", "11")
    silent = Spoiled("S2", lost=1, wrong=0, missed=5, extra=0, elsewhere=0, missed_lots=1, gaps=0, differences=())

    show(Outcome((asked,), ()))

    assert not Outcome((asked,), ()).is_right
    assert not Outcome((), (silent,)).is_right, "what is missed in silence is no right answer"
    assert Outcome((Asked("S1", "day 1"),), ()).is_right
    told = capsys.readouterr().out
    assert "lines Shop 1" in told and "1 differences" in told


def test_a_world_that_is_not_there_is_refused_before_anything_is_started() -> None:
    app = Typer()
    app.command()(worlds_end_to_end.main)

    refused = CliRunner().invoke(app, ["--world", "S99"])

    assert refused.exit_code == 1
    assert "S99" in str(refused.exception)
