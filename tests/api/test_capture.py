"""The capture interface of EPCIS 2.0 over HTTP."""

from __future__ import annotations

from typing import Any

import httpx2
import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from access.model import Act
from api.app import create_app
from ledger import work
from runtime import jobs
from runtime.clock import system_clock
from runtime.database import DatabaseAddress, Role
from runtime.jobs import WorkPlace
from runtime.settings import Settings
from tests.api.conftest import KeyMaker
from tests.world import BASE_URL, SECRET

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
EVENT: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventID": "urn:uuid:3f1c2a7e-94cf-4f0a-9f55-0d5a2e7b1c01",
    "eventTime": "2026-11-20T08:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "action": "ADD",
    "bizStep": "commissioning",
    "disposition": "active",
    "readPoint": {"id": "https://id.gs1.org/414/9506000134406"},
    "quantityList": [{"epcClass": "https://id.gs1.org/01/09506000134369/10/M1", "quantity": 600, "uom": "LTR"}],
}


def document(*events: dict[str, Any]) -> dict[str, Any]:
    return {
        "@context": [CONTEXT],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-11-20T09:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }


def broken(**changes: Any) -> dict[str, Any]:
    return {**EVENT, "eventID": "urn:uuid:3f1c2a7e-94cf-4f0a-9f55-0d5a2e7b1c02", **changes}


async def test_a_document_is_recorded_and_its_job_can_be_looked_up(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    headers = await key(Act.CAPTURE)

    answer = await client.post("/epcis/v2/capture", json=document(EVENT), headers=headers)
    job = await client.get(answer.headers["location"], headers=headers)
    jobs = await client.get("/epcis/v2/capture", headers=headers)

    assert answer.status_code == 202
    assert answer.headers["gs1-epcis-version"] == "2.0"
    assert job.json() == answer.json() == jobs.json()[0]
    told = job.json()
    assert (told["running"], told["success"], told["newEvents"], told["errors"]) == (False, True, 1, [])


async def test_the_same_document_again_records_nothing_new(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    headers = await key(Act.CAPTURE)
    await client.post("/epcis/v2/capture", json=document(EVENT), headers=headers)

    again = await client.post("/epcis/v2/capture", json=document(EVENT), headers=headers)

    assert again.status_code == 202
    assert (again.json()["newEvents"], again.json()["knownEvents"]) == (0, 1)


async def test_a_broken_document_is_refused_with_every_place_and_leaves_nothing(
    client: httpx2.AsyncClient, key: KeyMaker
) -> None:
    headers = await key(Act.CAPTURE, Act.VIEW)
    body = document(EVENT, broken(action="INSERT"), broken(eventTime="yesterday"))

    answer = await client.post("/epcis/v2/capture", json=body, headers=headers)

    assert answer.status_code == 400
    assert answer.json()["type"] == "epcisException:ValidationException"
    places = [error["where"] for error in answer.json()["errors"]]
    assert any(place.startswith("/epcisBody/eventList/1/action") for place in places)
    assert any(place.startswith("/epcisBody/eventList/2/eventTime") for place in places)
    event = await client.get(f"/epcis/v2/events/{EVENT['eventID']}", headers=headers)
    assert event.status_code == 404


@pytest.mark.parametrize(
    ("headers", "content", "named"),
    [
        ({"Content-Type": "text/csv"}, b"<epcis/>", (415, "UnsupportedMediaTypeException")),
        ({"Content-Type": "application/xml"}, b"<epcis/>", (400, "ValidationException")),
        ({"GS1-Capture-Error-Behaviour": "guess"}, b"{}", (400, "ValidationException")),
        ({"GS1-EPCIS-Version": "1.2"}, b"{}", (406, "NotAcceptableException")),
        ({"Accept": "application/xml"}, b"{}", (406, "NotAcceptableException")),
        ({}, b"{", (400, "ValidationException")),
        ({}, b"[]", (400, "ValidationException")),
        ({}, b'{"type": "EPCISDocument", "x": "\\u0000"}', (400, "ValidationException")),
        ({}, orjson.dumps(document(broken(**{"dairy:note": "\x00"}))), (400, "ValidationException")),
        ({"Content-Length": str(3 * 1024**3)}, b"{}", (413, "CaptureLimitExceededException")),
    ],
)
async def test_what_cannot_be_taken_is_named_as_the_standard_names_it(
    client: httpx2.AsyncClient, key: KeyMaker, headers: dict[str, str], content: bytes, named: tuple[int, str]
) -> None:
    given = {"Content-Type": "application/json", **await key(Act.CAPTURE), **headers}

    answer = await client.post("/epcis/v2/capture", content=content, headers=given)

    assert (answer.status_code, answer.json()["type"]) == (named[0], f"epcisException:{named[1]}")


async def test_one_event_gets_an_address_where_it_stands_as_it_was_told(
    client: httpx2.AsyncClient, key: KeyMaker
) -> None:
    headers = await key(Act.CAPTURE, Act.VIEW)

    answer = await client.post("/epcis/v2/events", json={"@context": [CONTEXT], **EVENT}, headers=headers)
    event = await client.get(answer.headers["location"], headers=headers)

    assert answer.status_code == 201
    (found,) = event.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert found["quantityList"] == EVENT["quantityList"]
    assert found["eventID"] == EVENT["eventID"]


async def test_an_event_that_is_known_is_a_conflict(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    headers = await key(Act.CAPTURE)
    await client.post("/epcis/v2/events", json={"@context": [CONTEXT], **EVENT}, headers=headers)

    same = await client.post("/epcis/v2/events", json={"@context": [CONTEXT], **EVENT}, headers=headers)
    other = {"@context": [CONTEXT], **EVENT, "disposition": "in_progress"}
    changed = await client.post("/epcis/v2/events", json=other, headers=headers)

    assert (same.status_code, changed.status_code) == (409, 409)
    assert same.json()["type"] == "epcisException:ResourceAlreadyExistsException"


async def test_jobs_are_listed_the_newest_first_by_the_standards_paging(
    client: httpx2.AsyncClient, key: KeyMaker
) -> None:
    headers = await key(Act.CAPTURE)
    made = [
        (await client.post("/epcis/v2/capture", json=document(EVENT), headers=headers)).json()["captureID"]
        for _ in range(5)
    ]

    seen, path = [], "/epcis/v2/capture?perPage=2"
    while path:
        answer = await client.get(path, headers=headers)
        seen += [job["captureID"] for job in answer.json()]
        path = answer.links["next"]["url"] if "next" in answer.links else ""

    assert seen == made[::-1]


async def test_options_say_what_is_spoken_and_which_limits_hold(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    answer = await client.options("/epcis/v2/capture", headers=await key(Act.CAPTURE))

    assert answer.status_code == 204
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert int(answer.headers["gs1-epcis-capture-limit"]) > 0
    assert int(answer.headers["gs1-epcis-capture-file-size-limit"]) > 0
    assert answer.headers["gs1-capture-error-behaviour"] == "rollback, proceed"


@pytest.mark.parametrize("capture_id", ["1", "00000000-0000-0000-0000-000000000000"])
async def test_a_job_that_never_was_is_not_found(client: httpx2.AsyncClient, key: KeyMaker, capture_id: str) -> None:
    answer = await client.get(f"/epcis/v2/capture/{capture_id}", headers=await key(Act.VIEW))

    assert answer.status_code == 404
    assert answer.json()["type"] == "epcisException:NoSuchResourceException"


async def test_a_large_document_is_answered_at_once_and_captured_by_a_worker(
    conn: AsyncConnection, database: DatabaseAddress, settings: Settings, key: KeyMaker
) -> None:
    small = settings.model_copy(update={"capture_at_once_bytes_max": 1_024, "capture_bytes_max": 100_000})
    events = [{**EVENT, "eventID": f"urn:uuid:3f1c2a7e-94cf-4f0a-9f55-0d5a2e7b1c{n:02d}"} for n in range(10, 20)]
    told = [{**event, "eventTime": f"2026-11-20T08:{n:02d}:00Z"} for n, event in enumerate(events)]
    app = create_app(small, database)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        headers = await key(Act.CAPTURE) | {"Idempotency-Key": "shift-1"}

        answer = await client.post("/epcis/v2/capture", json=document(*told), headers=headers)
        again = await client.post("/epcis/v2/capture", json=document(*told), headers=headers)
        other = await client.post("/epcis/v2/capture", json=document(*told[:9]), headers=headers)
        too_large = await client.post("/epcis/v2/capture", content=b" " * 100_001, headers=headers)
        engine = database.engine(Role.STAFF)
        await jobs.work(WorkPlace(small, database, engine, system_clock, SECRET), work.KINDS, until_idle=True)
        await engine.dispose()
        job = await client.get(answer.headers["location"], headers=headers)

    assert answer.status_code == 202 and answer.json()["running"]
    assert (again.headers["location"], again.headers["idempotent-replayed"]) == (answer.headers["location"], "true")
    assert (other.status_code, too_large.status_code) == (409, 413)
    assert (job.json()["running"], job.json()["success"], job.json()["newEvents"]) == (False, True, 10)
    assert list((settings.data_dir / "captures").iterdir()) == []
