"""Links and unusual activity from the command line."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from runtime.database import DatabaseAddress, Role
from tests.cli.commands import tracemark

CHEESE = "09506000134352"


def test_a_link_is_added_listed_and_removed(creamery: Path) -> None:
    added = tracemark(
        "links", "add", "--gtin", CHEESE, "--type", "epil", "--target", "https://brand.example/{gtin}",
        "--title", "Leaflet", "--language", "en", "--json",
    )  # fmt: skip
    assert (added.status, added.json["is_allowed"]) == (0, True)
    assert [each["target"] for each in tracemark("links", "list", "--json").json] == ["https://brand.example/{gtin}"]
    assert "shown" in tracemark("links", "list", "--gtin", CHEESE).out

    assert tracemark("links", "remove", added.json["link_id"]).status == 0
    gone = tracemark("links", "remove", added.json["link_id"])
    assert (gone.status, "There is no link" in gone.err) == (1, True)


def test_a_link_that_could_lead_elsewhere_is_refused(creamery: Path) -> None:
    refused = tracemark(
        "links", "add", "--gtin", CHEESE, "--type", "pip", "--target", "http://brand.example/", "--title", "x"
    )

    assert refused.status == 1
    assert "https://" in refused.err


def test_a_finding_is_listed_and_cleared_and_markets_are_set(creamery: Path, database: DatabaseAddress) -> None:
    assert tracemark("unusual", "markets", "--gtin", CHEESE, "--country", "CN").status == 0
    assert tracemark("unusual", "markets", "--gtin", CHEESE, "--country", "China").status == 1
    asyncio.run(_check_in(database, "FR"))

    (found,) = tracemark("unusual", "list", "--json").json
    assert found["rule"] == "off_market"
    assert "off_market" in tracemark("unusual", "list").out
    assert tracemark("unusual", "clear", found["finding_id"], "--reason", "A traveller.").status == 0
    assert tracemark("unusual", "list", "--json").json == []
    assert tracemark("unusual", "clear", found["finding_id"], "--reason", "Again.").status == 1


async def _check_in(database: DatabaseAddress, region: str) -> None:
    portal = await database.connect(Role.PORTAL)
    sql = "SELECT public_note_sightings($1, $2, $3, $4, $5, $6)"
    await portal.execute(sql, [1], [CHEESE], [region], [b"v"], [1], datetime.now(UTC))
    await portal.close()
