"""Nothing is readable without a right, and every refusal is a problem document."""

from __future__ import annotations

import re

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from access import api_keys
from access.model import Act, operator
from api.app import OPERATIONS
from api.operations import Operation
from runtime.clock import system_clock
from tests.api.conftest import KeyMaker

PROBLEM = "application/problem+json"


def address(operation: Operation) -> str:
    return re.sub(r"\{[^}]+\}", "1", operation.path)


async def test_without_a_key_no_address_answers(client: httpx2.AsyncClient) -> None:
    for operation in OPERATIONS:
        for headers in ({}, {"Authorization": "Bearer tmk_live_" + "A" * 43}, {"Authorization": "Basic YWRhOmFkYQ=="}):
            answer = await client.request(operation.method, address(operation), headers=headers)

            assert (answer.status_code, operation.name) == (401, operation.name)
            assert answer.headers["content-type"] == PROBLEM
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_with_every_right_but_the_needed_one_no_address_answers(
    client: httpx2.AsyncClient, key: KeyMaker
) -> None:
    keys = {
        act: await key(*(frozenset(Act) - {Act.ADMINISTER, act, _twin(act)}), name=f"not-{act.value}")
        for act in {act for operation in OPERATIONS for act in operation.acts}
    }
    for operation in OPERATIONS:
        if len(operation.acts) > 1:
            continue
        answer = await client.request(operation.method, address(operation), headers=keys[operation.acts[0]])

        assert (answer.status_code, operation.name) == (403, operation.name)
        assert operation.acts[0].value in answer.json()["detail"]


async def test_where_one_of_two_rights_is_enough_a_third_is_not(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    printer = await key(Act.ORDER_LABELS, name="printer")
    reader = await key(Act.VIEW, name="reader")
    either = [operation for operation in OPERATIONS if len(operation.acts) > 1]

    assert either
    for operation in either:
        refused = await client.request(operation.method, address(operation), headers=printer)
        taken = await client.request(operation.method, address(operation), headers=reader)

        assert (refused.status_code, operation.name) == (403, operation.name)
        assert taken.status_code in (200, 204, 404)


def test_every_address_asks_for_a_right() -> None:
    assert [operation.name for operation in OPERATIONS if not operation.acts] == []


async def test_a_revoked_key_is_out_at_once(client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection) -> None:
    headers = await key(Act.VIEW)
    before = await client.get("/v1/parties", headers=headers)

    await api_keys.revoke(conn, "erp", by=operator("ada"), clock=system_clock)
    after = await client.get("/v1/parties", headers=headers)

    assert (before.status_code, after.status_code) == (200, 401)


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/v1/nothing", 404, None),
        ("GET", "/v1/parties/", 404, None),
        ("DELETE", "/v1/parties", 405, {"GET", "HEAD", "POST"}),
        ("PUT", "/epcis/v2/capture", 405, {"GET", "HEAD", "OPTIONS", "POST"}),
        ("GET", "/epcis/v2/nothing", 404, None),
    ],
)
async def test_a_wrong_address_or_method_is_a_problem_too(
    client: httpx2.AsyncClient, method: str, path: str, status: int, allow: set[str] | None
) -> None:
    answer = await client.request(method, path)

    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == PROBLEM
    assert allow is None or set(answer.headers["allow"].split(", ")) == allow
    expected = "epcisException:" if path.startswith("/epcis") else "urn:tracemark:problem:"
    assert answer.json()["type"].startswith(expected)


async def test_answers_are_never_cached_and_carry_the_guards(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    answer = await client.get("/v1/parties", headers=await key(Act.VIEW))

    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("body", "media", "told"),
    [
        (b'{"name": "x"', "application/json", (400, None)),
        (b'{"name": "x\\u0000", "gln": "9506000134307"}', "application/json", (400, None)),
        (b'{"name": "", "gln": "9506000134307"}', "application/json", (400, "/name")),
        (b'[{"name": "x", "gln": "9506000134307"}, {"name": "y", "gln": "950"}]', "application/json", (400, "/1/gln")),
        (b'{"name": "x", "gnl": "9506000134307"}', "application/json", (400, "/gnl")),
        (b"<party/>", "application/xml", (415, None)),
        (b" " * (1024 * 1024 * 33), "application/json", (413, None)),
    ],
)
async def test_a_body_that_cannot_be_used_is_refused_with_its_place(
    client: httpx2.AsyncClient, key: KeyMaker, body: bytes, media: str, told: tuple[int, str | None]
) -> None:
    headers = {**await key(Act.IMPORT), "Content-Type": media}

    answer = await client.post("/v1/parties", content=body, headers=headers)

    status, where = told
    assert answer.status_code == status
    assert where is None or where in [error["where"] for error in answer.json()["errors"]]


def _twin(act: Act) -> Act:
    """A key never holds author and approve together: leave out the other one as well."""
    return Act.APPROVE_RECALL if act is not Act.APPROVE_RECALL else Act.AUTHOR_RECALL
