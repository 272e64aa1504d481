"""The headers of EPCIS 2.0 (REST bindings): what is spoken here, what a caller asks for, and OPTIONS, which tell it."""

from __future__ import annotations

import re
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from access.model import Act
from api.openapi import VERSION
from api.operations import JSON, Call, Operation, Parameter
from ledger.epcis.validate import EVENTS_MAX
from web.headers import negotiate

JSON_LD: Final = "application/ld+json"
XML: Final = "application/xml"
TEXT_XML: Final = "text/xml"
CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
_BASE: Final = "/epcis/v2"
BEHAVIOURS: Final = ("rollback", "proceed")

_SPOKEN: Final = (2, 0)
_VERSION: Final = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,3}))?(?:\.[0-9]{1,3})?")
_DIGITAL_LINK: Final = "Always_GS1_Digital_Link"
_AS_TOLD: Final = "Never_Translates"
_EPC_FORMATS: Final = (_DIGITAL_LINK, _AS_TOLD, "No_Preference")
_WORD_FORMATS: Final = ("No_Preference", _AS_TOLD)

GS1_HEADERS: Final = {
    "GS1-EPCIS-Version": "2.0",
    "GS1-EPCIS-Min": "2.0",
    "GS1-EPCIS-Max": "2.0",
    "GS1-CBV-Version": "2.0",
    "GS1-CBV-Min": "2.0",
    "GS1-CBV-Max": "2.0",
    "GS1-Vendor-Version": VERSION,
    "GS1-EPC-Format": _DIGITAL_LINK,
    "GS1-CBV-XML-Format": _AS_TOLD,
    "GS1-Extensions": "tracemark=urn:tracemark:epcis:",
}

REQUEST_HEADERS: Final = (
    Parameter("GS1-EPCIS-Version", "the version of EPCIS asked for: 2.0", where="header"),
    Parameter("GS1-CBV-Version", "the version of the vocabulary asked for: 2.0", where="header"),
    Parameter(
        "GS1-EPC-Format",
        "how things are named in the answer; EPC URNs are not written",
        where="header",
        schema={"enum": list(_EPC_FORMATS), "default": _DIGITAL_LINK},
    ),
)


def check_headers(call: Call) -> None:
    """Refuses (406) another version of the standard, a form of names that is not written, and answers but JSON."""
    _refuse_versions(call)
    epc_format(call)
    wanted = call.request.headers.get("gs1-cbv-xml-format", _AS_TOLD)
    if wanted not in _WORD_FORMATS:
        raise HTTPException(406, f"Words are answered as they were told: GS1-CBV-XML-Format {_AS_TOLD}.")
    if negotiate(call.request.headers.get("accept"), (JSON, JSON_LD)) is None:
        raise HTTPException(406, f"Answers are {JSON} or {JSON_LD}.")


def epc_format(call: Call) -> str:
    """How things are to be named: ``Always_GS1_Digital_Link`` (also without a preference) or ``Never_Translates``."""
    wanted = call.request.headers.get("gs1-epc-format", _DIGITAL_LINK)
    if wanted not in _EPC_FORMATS:
        raise HTTPException(
            406,
            f"GS1-EPC-Format {wanted[:40]} is not written: where a company prefix ends, which an EPC URN shows, cannot "
            f"be seen in a Digital Link. Ask for {' or '.join(_EPC_FORMATS)}.",
        )
    return _AS_TOLD if wanted == _AS_TOLD else _DIGITAL_LINK


def is_as_told(call: Call) -> bool:
    """Whether names are to stay as they were told."""
    return epc_format(call) == _AS_TOLD


def limits(call: Call) -> dict[str, str]:
    """How much may be captured at once."""
    return {
        "GS1-EPCIS-Capture-Limit": str(EVENTS_MAX),
        "GS1-EPCIS-Capture-File-Size-Limit": str(call.world.settings.capture_bytes_max),
        "GS1-Capture-Error-Behaviour": ", ".join(BEHAVIOURS),
    }


async def options(call: Call) -> Response:
    """What may be done here, and the limits that hold."""
    scope = call.request.scope
    route = next(each for each in call.request.app.routes if each.matches(scope)[0] is Match.FULL)
    return Response(status_code=204, headers=GS1_HEADERS | limits(call) | {"Allow": ", ".join(sorted(_methods(route)))})


def with_options(*operations: Operation) -> tuple[Operation, ...]:
    """These, with OPTIONS at each of their addresses, and at the address of the interface itself."""
    told = {_BASE}
    added = [Operation("OPTIONS", _BASE, options, "What the interface speaks", (Act.CAPTURE, Act.VIEW), status=204)]
    for each in operations:
        if each.path not in told:
            told.add(each.path)
            path = tuple(parameter for parameter in each.parameters if parameter.where == "path")
            acts = tuple(act for act in Act if any(act in one.acts for one in operations if one.path == each.path))
            added.append(
                Operation("OPTIONS", each.path, options, "What may be done here", acts, status=204, parameters=path)
            )
    return (*operations, *added)


def _methods(route: Any) -> set[str]:
    methods: set[str] = route.methods
    return methods


def _refuse_versions(call: Call) -> None:
    """``-Version`` has to be ours; ``-Min`` and ``-Max`` have to let ours in between."""
    for subject in ("gs1-epcis", "gs1-cbv"):
        exact, low, high = (_told(call, f"{subject}-{what}") for what in ("version", "min", "max"))
        if (exact or _SPOKEN) != _SPOKEN or (low or _SPOKEN) > _SPOKEN or (high or _SPOKEN) < _SPOKEN:
            raise HTTPException(406, f"{subject.upper()}: 2.0 is spoken here, and what was asked for leaves it out.")


def _told(call: Call, name: str) -> tuple[int, int] | None:
    text = call.request.headers.get(name)
    if text is None:
        return None
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        raise HTTPException(406, f"{name} {text[:20]!r} is no version; 2.0 is spoken here.")
    return int(found[1]), int(found[2] or 0)
