"""``/epcis/v2/queries/{name}/subscriptions``: what newly fits a kept query is sent to an address (EPCIS 2.0, 8.2.5)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import quote
from uuid import UUID

from pydantic import AwareDatetime, Field
from starlette.responses import Response

from access import permissions
from access.model import Act
from api.bodies import answer, read_one
from api.events import PAGE_PARAMETERS, next_page, page_parameters_only, page_token, per_page, position
from api.gs1_headers import GS1_HEADERS, JSON_LD, check_headers
from api.models import Given, Taken, Uri
from api.operations import JSON, Call, Operation, Parameter
from ledger import subscriptions
from ledger.subscriptions import SubscriptionNotUsable, Wish

_PATH: Final = "/epcis/v2/queries/{name}/subscriptions"
_NAME: Final = Parameter("name", "of the query", where="path", required=True)
_ID: Final = Parameter("subscription_id", "of the subscription", where="path", required=True)
_FIELD_LENGTH: Final = 400


class SubscriptionSchedule(Taken):
    """When it is due, in UTC: numbers and ranges in brackets (``0,15,[30-45]``); Monday is 1. No second means 0."""

    second: Annotated[str, Field(max_length=_FIELD_LENGTH)] | None = None
    minute: Annotated[str, Field(max_length=_FIELD_LENGTH)] | None = None
    hour: Annotated[str, Field(max_length=_FIELD_LENGTH)] | None = None
    dayOfMonth: Annotated[str, Field(max_length=_FIELD_LENGTH)] | None = None
    month: Annotated[str, Field(max_length=_FIELD_LENGTH)] | None = None
    dayOfWeek: Annotated[str, Field(max_length=_FIELD_LENGTH)] | None = None


class SubscriptionWish(Taken):
    """Whom to tell (``dest``), and when: either ``stream`` is true, or there is a ``schedule``."""

    dest: Uri
    stream: bool | None = None
    schedule: SubscriptionSchedule | None = None
    signatureToken: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    reportIfEmpty: bool = False
    initialRecordTime: AwareDatetime | None = None


class LastReport(Given):
    """The newest message that was tried. ``state``: waiting, delivered, refused."""

    state: str
    attempts: int
    why: str | None


class SubscriptionShown(Given):
    """The subscription resource of EPCIS 2.0; ``state``, ``reports`` and ``lastReport`` are ours."""

    subscriptionID: str
    queryName: str
    dest: str
    stream: bool | None = None
    schedule: dict[str, str] | None = None
    reportIfEmpty: bool
    initialRecordTime: datetime | None
    createdAt: datetime
    lastExecutedAt: datetime | None
    lastNotifiedAt: datetime | None
    state: str
    reports: int
    lastReport: LastReport | None


class SubscriptionMade(SubscriptionShown):
    """``secret`` signs the messages, as Standard Webhooks says. It is told now and never again."""

    secret: str


async def subscribe(call: Call) -> Response:
    """Be told what newly fits: 201 with the address of the subscription, and the secret that signs its messages."""
    check_headers(call)
    permissions.require(call.actor, Act.VIEW)  # events go out: who subscribes has to be allowed to read them
    wish = read_one(SubscriptionWish, call.body)
    if (wish.stream is True) == (wish.schedule is not None):
        raise SubscriptionNotUsable(problem="it needs either “stream”: true or a “schedule”, not both")
    name, secret = call.request.path_params["name"], call.world.master_secret.get_secret_value()
    made = await subscriptions.subscribe(
        call.conn,
        name,
        Wish(
            dest=wish.dest,
            schedule=None if wish.schedule is None else wish.schedule.model_dump(exclude_none=True),
            report_if_empty=wish.reportIfEmpty,
            initial_record_time=wish.initialRecordTime,
            signature_token=wish.signatureToken,
        ),
        by=call.by,
        clock=call.clock,
        master_secret=secret,
        allow_private=call.world.settings.webhooks_to_private_addresses,
    )
    location = f"{_PATH.format(name=quote(name, safe=''))}/{made.subscription_id}"
    told = subscriptions.shown(made, None) | {"secret": subscriptions.secret_of(made.subscription_id, secret)}
    return answer(told, 201, GS1_HEADERS | {"Location": location})


async def list_subscriptions(call: Call) -> Response:
    """The subscriptions of a query, in the order of their ids."""
    check_headers(call)
    page_parameters_only(call)
    limit, name = per_page(call), call.request.path_params["name"]
    listing = f"subscriptions of {name}"
    last = await position(call, listing)
    after = UUID(last) if last else None
    found = await subscriptions.list_subscriptions(call.conn, name, after=after, limit=limit + 1)
    token = page_token(call, listing, str(found[limit - 1][0].subscription_id)) if len(found) > limit else None
    shown: list[Any] = [subscriptions.shown(*each) for each in found[:limit]]
    return answer(shown, headers=GS1_HEADERS | next_page(call, token))


async def show_subscription(call: Call) -> Response:
    """How far it is, and what became of its last message."""
    check_headers(call)
    found = await subscriptions.find_subscription(call.conn, *_names(call))
    return answer(subscriptions.shown(*found), headers=GS1_HEADERS)


async def unsubscribe(call: Call) -> Response:
    """End the subscription; what waits is not sent any more."""
    await subscriptions.unsubscribe(call.conn, *_names(call))
    return Response(status_code=204, headers=GS1_HEADERS)


def _names(call: Call) -> tuple[str, str]:
    return call.request.path_params["name"], call.request.path_params["subscription_id"]


OPERATIONS: Final = (
    Operation(
        "POST",
        _PATH,
        subscribe,
        "Subscribe to a query",
        (Act.CAPTURE,),
        status=201,
        answers=SubscriptionMade,
        takes={JSON: SubscriptionWish, JSON_LD: SubscriptionWish},
        parameters=(_NAME,),
        refuses=(400, 404, 406, 413, 415),
    ),
    Operation(
        "GET",
        _PATH,
        list_subscriptions,
        "List the subscriptions of a query",
        (Act.VIEW,),
        parameters=(_NAME, *PAGE_PARAMETERS),
        refuses=(400, 404, 406),
    ),
    Operation(
        "GET",
        f"{_PATH}/{{subscription_id}}",
        show_subscription,
        "Show a subscription",
        (Act.VIEW,),
        answers=SubscriptionShown,
        parameters=(_NAME, _ID),
        refuses=(404, 406),
    ),
    Operation(
        "DELETE",
        f"{_PATH}/{{subscription_id}}",
        unsubscribe,
        "End a subscription",
        (Act.CAPTURE,),
        204,
        parameters=(_NAME, _ID),
        refuses=(404,),
    ),
)
