"""The board of a case, as staff see it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from console import board_wording
from console.recall_board import bars
from recall.board import Reached
from tests.console.conftest import Visitor, words
from tests.recall import creamery
from tests.recall.desk import published


def test_every_language_of_the_board_has_every_text() -> None:
    english, chinese = board_wording.TEXTS["en"], board_wording.TEXTS["zh"]

    assert english.keys() == chinese.keys()


def test_bars_are_drawn_against_all_recipients() -> None:
    drawn = bars(Reached(recipients=4, told=3, opened=0, answered=1, complete=1, overdue=0, undelivered=0))

    assert [(bar.step, bar.width) for bar in drawn] == [
        ("told", 225), ("opened", 0), ("answered", 75), ("complete", 75),
    ]  # fmt: skip
    assert [bar.width for bar in bars(Reached(0, 0, 0, 0, 0, 0, 0))] == [0, 0, 0, 0]


async def test_the_board_is_for_whoever_may_view_and_speaks_both_languages(
    conn: AsyncConnection, visitor: Visitor
) -> None:
    dairy = await creamery.arrange(conn)
    number = await published(conn, dairy, lots=[(creamery.CHEESE, "C1")])
    viewer = await visitor("vera", "viewer")

    english = await viewer.get(f"/console/recalls/{number}/board")
    chinese = await viewer.get(f"/console/recalls/{number}/board?lang=zh")

    assert "Corner Shop" in words(english)
    assert "Call, for a person to do" in words(english)
    assert "送达情况" in words(chinese)
    assert (await viewer.get("/console/recalls/R-2026-0099/board")).status_code == 404
