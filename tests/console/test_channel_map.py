"""The map of channels: as wide as its quantity, the same figures as the totals, and readable with many owners."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from console.channel_map import OWNERS_DRAWN_MAX, draw, standings
from recall.responses_store import Recipient

AT = datetime(2026, 11, 20, tzinfo=UTC)


def owner(name: str, items: int, channel: str = "retail") -> dict[str, Any]:
    return {"channel": channel, "owner_name": name, "owner_gln": None, "items": items}


def recipient(name: str, **more: Any) -> Recipient:
    told: dict[str, Any] = {
        "recipient_id": 1, "parent_id": None, "level": 1, "name": name, "gln": None, "channel": "retail",
        "opened_at": None, "quantity": None, "told": False, "dead": False, "by_hand": False, "reminders": 0,
        "told_at": None, "answered_at": None, "complete": False, "affected": None,
    }  # fmt: skip
    return Recipient(**{**told, **more})


def test_three_owners_are_drawn_one_by_one_with_flows_as_wide_as_their_goods() -> None:
    drawn = draw([owner("Shop", 30), owner("Market", 10), owner("Depot", 60, "wholesale")], {})

    assert [(channel.channel, channel.items, channel.owners) for channel in drawn.channels] == [
        ("retail", 40, 2), ("wholesale", 60, 1),
    ]  # fmt: skip
    retail, wholesale = drawn.channels
    assert [(box.name, box.flow) for box in retail.boxes] == [("Shop", 9.0), ("Market", 3.0)]
    assert (retail.flow, wholesale.flow, drawn.items) == (12.0, 18.0, 100)


def test_three_hundred_owners_fit_a_screen_and_no_piece_is_lost() -> None:
    drawn = draw([owner(f"Shop {n}", n) for n in range(1, 301)], {})

    (retail,) = drawn.channels
    assert len(retail.boxes) == OWNERS_DRAWN_MAX + 1
    assert [box.name for box in retail.boxes[:2]] == ["Shop 300", "Shop 299"]
    assert retail.boxes[-1].others == 300 - OWNERS_DRAWN_MAX
    assert sum(box.items for box in retail.boxes) == retail.items == drawn.items == sum(range(301))
    assert drawn.height < 500


def test_one_more_owner_than_are_drawn_gets_its_own_box_instead_of_one_for_others() -> None:
    (retail,) = draw([owner(f"Shop {n}", 1) for n in range(OWNERS_DRAWN_MAX + 1)], {}).channels

    assert [box.others for box in retail.boxes] == [0] * (OWNERS_DRAWN_MAX + 1)


def test_a_box_has_the_colour_of_what_its_owner_has_done() -> None:
    told = standings(
        [
            recipient("A", complete=True, answered_at=AT, told=True),
            recipient("B", answered_at=AT, told=True),
            recipient("C", told=True),
            recipient("D", dead=True),
            recipient("E"),
            recipient("F", told=True, parent_id=7),
        ]
    )
    (retail,) = draw([owner(name, 10 - k) for k, name in enumerate("ABCDE")], told).channels

    assert [box.standing for box in retail.boxes] == ["complete", "answered", "told", "undelivered", "waiting"]
    assert (retail.owners, retail.answered) == (5, 2)
    assert ("retail", "F") not in told


def test_owners_who_share_a_box_and_have_come_to_different_ends_are_said_to() -> None:
    rows = [owner(f"Shop {n:02}", 1) for n in range(20)]

    (mixed,) = draw(rows, {("retail", "Shop 19"): "told"}).channels
    (alike,) = draw(rows, {("retail", row["owner_name"]): "told" for row in rows}).channels

    assert (mixed.boxes[-1].standing, alike.boxes[-1].standing) == ("several", "told")


def test_a_case_of_no_goods_has_a_map_of_nothing() -> None:
    assert (draw([], {}).channels, draw([], {}).items) == ((), 0)
    assert draw([owner("Shop", 0)], {}).channels[0].boxes[0].flow > 0
