"""Problems of the API: ``web.problems``, and under /epcis the types that EPCIS 2.0 gives them."""

from __future__ import annotations

from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from web.problems import MEDIA_TYPE, Problem, as_json

EPCIS: Final = "/epcis/"

# EPCIS 2.0 REST bindings: the exception of each status.
_EXCEPTION_BY_STATUS: Final = {
    400: "ValidationException",
    401: "SecurityException",
    403: "SecurityException",
    404: "NoSuchResourceException",
    405: "UnsupportedOperationException",
    406: "NotAcceptableException",
    409: "ResourceAlreadyExistsException",
    413: "CaptureLimitExceededException",
    414: "URITooLongException",
    415: "UnsupportedMediaTypeException",
}
# Where one status has several exceptions: by the code of the refusal.
_EXCEPTION_BY_CODE: Final = {
    "query_parameter_wrong": "QueryParameterException",
    "page_token_not_ours": "QueryParameterException",
    "page_token_ended": "QueryParameterException",
    "query_too_large": "QueryTooLargeException",
    "count_too_far": "QueryTooComplexException",
    "query_too_complex": "QueryTooComplexException",
    "query_name_not_usable": "QueryValidationException",
    "query_body_not_usable": "QueryValidationException",
    "no_such_query": "NoSuchNameException",
    "subscription_not_usable": "SubscriptionControlsException",
    "schedule_not_usable": "SubscriptionControlsException",
    "webhook_address_not_usable": "SubscriptionControlsException",
    "no_such_subscription": "NoSuchNameException",
}
_NOTHING_HERE: Final = "There is nothing at this address. What there is stands at /docs."


def answer(request: Request, problem: Problem) -> Response:
    """The problem as the address asked for it expects."""
    if problem.status == 404 and problem.detail == "Not Found":
        problem = Problem(404, "no_such_address", _NOTHING_HERE, headers=problem.headers)
    if not request.url.path.startswith(EPCIS):
        return as_json(request, problem)
    document: dict[str, Any] = problem.document()
    by_status = _EXCEPTION_BY_STATUS.get(problem.status, "ImplementationException")
    document["type"] = f"epcisException:{_EXCEPTION_BY_CODE.get(problem.code, by_status)}"
    document["code"] = problem.code
    headers = {"Cache-Control": "no-store", **problem.headers}
    return Response(orjson.dumps(document, default=str), problem.status, headers, MEDIA_TYPE)
