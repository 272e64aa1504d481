"""The recalls for those who do not say what they hold: nothing recalled is missing, and signatures can be checked."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest
from cryptography.exceptions import InvalidSignature
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from portal import recall_index
from portal.recall_range import PADDED_TO
from runtime.database import DatabaseAddress
from tests.portal.arrangement import CHEESE, MILK, arrange, item, publish
from tests.portal.conftest import portal_on

ROOT = Path(__file__).parents[2]
FOREIGN = "FOREIGN/1"


@pytest.fixture(scope="module")
async def portal(
    cluster: DatabaseAddress, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx2.AsyncClient]:
    async def prepare(conn: AsyncConnection) -> None:
        await arrange(conn)
        for sql in (
            f"INSERT INTO foreign_serial (gtin, serial, number) VALUES ('{CHEESE}', '{FOREIGN}', 9000)",
            "INSERT INTO code_run (lo, n, lot_id, since, event_id) VALUES (9000, 1, 3, now(), 1)",
        ):
            await conn.execute(text(sql))
        await publish(conn, case_id=1, lots=[1])
        await publish(conn, case_id=2, runs=[(2, 2010, 5)])
        await publish(conn, case_id=3, lots=[3])
        await publish(conn, case_id=4, lots=[2], kind="withdrawal")

    async with portal_on(cluster, tmp_path_factory.mktemp("copies"), prepare) as client:
        yield client


@pytest.fixture(scope="module")
def verifier() -> ModuleType:
    path = ROOT / "docs" / "examples" / "verify_recall_set.py"
    spec = importlib.util.spec_from_file_location("verify_recall_set", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def serial(number: int) -> str:
    return item(number).rsplit("/", maxsplit=1)[1]


async def fetched(portal: httpx2.AsyncClient) -> tuple[dict[str, Any], dict[str, Any]]:
    signed = (await portal.get("/v1/recall-set")).json()
    return signed, (await portal.get("/.well-known/tracemark-keys.json")).json()


async def test_a_scanner_without_a_network_finds_all_that_is_recalled(
    portal: httpx2.AsyncClient, verifier: ModuleType
) -> None:
    known = verifier.RecallSet(*await fetched(portal))
    asked = {
        (MILK, "M1", ""): "RECALLED",
        (MILK, "M2", ""): "CHECK_THE_SERIAL",  # its withdrawal is none
        (MILK, "M9", ""): "NO_RECALL",
        (MILK, "", ""): "CHECK_THE_SERIAL",
        (MILK, "", serial(2020)): "NO_RECALL",
        (MILK, "M1", serial(2020)): "RECALLED",  # the lot in the code counts too
        (CHEESE, "", FOREIGN): "ASK",  # not a serial of ours: there is no key for it
        ("09506000134352", "X", "Y"): "NO_RECALL",
    }

    assert {case: known.status(*case) for case in asked} == asked
    recalled = [number for number in range(1000, 1100) if number != 1007] + list(range(2010, 2015))
    assert {known.status(MILK, "", serial(number)) for number in recalled} == {"RECALLED"}
    assert {known.status(MILK, "", serial(number)) for number in (*range(2000, 2010), *range(2015, 2100))} == {
        "NO_RECALL"
    }


async def test_an_expired_set_clears_nothing_and_an_altered_one_is_refused(
    portal: httpx2.AsyncClient, verifier: ModuleType
) -> None:
    signed, keys = await fetched(portal)
    known = verifier.RecallSet(signed, keys)
    later = datetime.now(UTC) + timedelta(hours=25)

    assert known.status(MILK, "M9", now=later) == "CANNOT_CONFIRM"
    assert known.status(MILK, "M1", now=later) == "RECALLED"
    with pytest.raises(InvalidSignature):
        verifier.RecallSet({**signed, "payload": signed["payload"][:-8] + "AAAAAAAA"}, keys)


async def test_the_reference_verifier_says_why_a_set_is_not_to_be_trusted(
    portal: httpx2.AsyncClient, verifier: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signed, keys = await fetched(portal)
    altered = {**signed, "payload": signed["payload"][:-8] + "AAAAAAAA"}
    files = {"set": signed, "altered": altered, "keys": keys, "other": {"keys": []}, "list": []}
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")

    def told(*names: str) -> tuple[int, str]:
        status = verifier.main([*(str(tmp_path / name) for name in names), f"{MILK}/M1"])
        said = capsys.readouterr()
        return status, said.out + said.err

    status, said = told("set", "keys")
    assert status == 3 and said.startswith("RECALLED\t")
    status, said = told("altered", "keys")
    assert status == 2 and said.startswith("The signature does not hold")
    for names in (("set", "other"), ("list", "keys"), ("nowhere", "keys")):
        status, said = told(*names)
        assert status == 2 and said.startswith("This is no recall set with its keys")


async def under(portal: httpx2.AsyncClient, token: str) -> str | None:
    digits = hashlib.sha256(token.encode()).hexdigest()[:16]
    answer = await portal.get(f"/v1/recall-range/{digits[:5]}")
    assert len(answer.json()["entries"]) >= PADDED_TO
    found: str | None = answer.json()["entries"].get(digits[5:])
    return found


async def test_a_range_tells_what_is_recalled_without_being_told_the_code(portal: httpx2.AsyncClient) -> None:
    tokens = {
        f"/01/{MILK}/10/M1": "RECALLED",
        f"/01/{MILK}/10/M2": "CHECK_THE_SERIAL",
        f"/01/{MILK}": "CHECK_THE_SERIAL",
        f"/01/{MILK}/21/{serial(1001)}": "RECALLED",
        f"/01/{MILK}/21/{serial(2012)}": "RECALLED",
        f"/01/{MILK}/21/{serial(2015)}": None,
        f"/01/{CHEESE}/21/": "ASK",
        f"/01/{MILK}/21/": None,
        "/01/09506000134352": None,
    }

    assert {token: await under(portal, token) for token in tokens} == tokens
    assert recall_index.token(CHEESE, serial=FOREIGN) == f"/01/{CHEESE}/21/FOREIGN%2F1"


async def test_a_range_can_be_kept_by_caches_and_a_wrong_prefix_is_refused(portal: httpx2.AsyncClient) -> None:
    first = await portal.get("/v1/recall-range/00000")
    again = await portal.get("/v1/recall-range/00000", headers={"if-none-match": first.headers["etag"]})

    assert "max-age" in first.headers["cache-control"]
    assert again.status_code == 304
    assert [(await portal.get(f"/v1/recall-range/{prefix}")).status_code for prefix in ("0000", "0000G", "000000")] == [
        400
    ] * 3


async def test_more_recalled_items_than_the_limit_are_to_be_asked_for(
    portal: httpx2.AsyncClient, cluster: DatabaseAddress, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def prepare(conn: AsyncConnection) -> None:
        await arrange(conn)
        await publish(conn, lots=[1])

    monkeypatch.setattr(recall_index, "ITEMS_MAX", 99)
    async with portal_on(cluster, tmp_path, prepare) as small:
        assert await under(small, f"/01/{MILK}/21/") == "ASK"
        assert await under(small, f"/01/{MILK}/21/{serial(1001)}") is None
        assert await under(small, f"/01/{MILK}/10/M1") == "RECALLED"
