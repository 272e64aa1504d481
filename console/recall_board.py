"""The board of a published case: whom the notice reached, what was found, and what needs a person now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from access.model import Act
from access.permissions import require
from console import channel_map
from console.board_wording import say
from console.desk import Visit, language_of
from console.scripts import with_scripts
from recall import store
from recall.board import Reached, board
from recall.due import due_of

ROWS: Final = 50
"""Rows of each list shown on the page; the command line and the API have all."""
REFRESH_S: Final = 15
"""The figures are brought up to date so often: by a script, and where none runs by loading the page anew."""
BAR_WIDTH: Final = 300
_STEPS: Final = ("told", "opened", "answered", "complete")
_GOODS: Final = ("affected", "on_hand", "quarantined", "returned", "destroyed", "corrected", "not_found", "unknown")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the picture: ``width`` in pixels, ``top`` below the upper edge."""

    step: str
    count: int
    width: int
    top: int


async def show_board(visit: Visit) -> Response:
    """The board as it is now."""
    require(visit.actor, Act.VIEW)
    number: str = visit.request.path_params["number"]
    found = await board(visit.conn, number if number.isascii() else "?", clock=visit.desk.clock)
    case, language = await store.find_case(visit.conn, found.number), language_of(visit.request)
    page = visit.page(
        "board.html",
        board=found,
        due=await due_of(visit.conn, found.number, clock=visit.desk.clock),
        title=case.texts[language].title if language in case.texts else case.title,
        map=channel_map.draw(
            (await store.frozen_set(visit.conn, case)).totals["by_owner"], channel_map.standings(found.recipients)
        ),
        bars=bars(found.reached),
        tell=lambda key, **named: say(language, key, **named),
        steps=_STEPS,
        goods=_GOODS,
        rows_max=ROWS,
        refresh_s=REFRESH_S,
    )
    return with_scripts(page)


def bars(reached: Reached) -> list[Bar]:
    """How many of the recipients each step has reached, drawn against all of them."""
    all_of_them = max(reached.recipients, 1)
    counts = [(step, getattr(reached, step)) for step in _STEPS]
    return [
        Bar(step, count, round(BAR_WIDTH * count / all_of_them), 28 * index)
        for index, (step, count) in enumerate(counts)
    ]
