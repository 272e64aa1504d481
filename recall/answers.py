"""Cases, previews and publications as plain values: what the API and the command line answer, key for key."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from enum import Enum
from typing import Any

from recall import lifecycle
from recall.model import Case, CaseSummary, DrillReport, Preview, Published
from recall.scope import as_json, describe
from recall.store import texts_as_json
from runtime.clock import rfc3339


def case_answer(case: Case) -> dict[str, Any]:
    """A case with its scope, in JSON's types; ``possible`` has the steps that its state allows."""
    answer: dict[str, Any] = _plain(asdict(case))
    answer.pop("case_id")
    answer["texts"] = texts_as_json(case.texts)
    answer["scope"] = as_json(case.scope)
    answer["named"] = [describe(line) for line in case.scope.include]
    answer["possible"] = [step.value for step in lifecycle.possible_steps(case.state, case.kind)]
    return answer


def summary_answer(summary: CaseSummary) -> dict[str, Any]:
    """One case of a list."""
    answer: dict[str, Any] = _plain(asdict(summary))
    answer.pop("case_id")
    answer.pop("titles")  # the case itself has all its texts
    return answer


def preview_answer(preview: Preview) -> dict[str, Any]:
    """A preview: counts under ``totals``, what is possible and not included, what nobody knows, what the words lack."""
    answer: dict[str, Any] = _plain(asdict(preview))
    return answer


def published_answer(published: Published) -> dict[str, Any]:
    """What a version froze; ``delta`` is None for the first one."""
    answer: dict[str, Any] = _plain(asdict(published))
    return answer


def drill_answer(report: DrillReport) -> dict[str, Any]:
    """A drill's times in milliseconds, with what it found."""
    return {
        "number": report.number,
        "trace_ms": report.trace_ms,
        "list_ms": report.list_ms,
        "published": published_answer(report.published),
        "preview": preview_answer(report.preview),
    }


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case datetime():
            return rfc3339(value)
        case date():
            return value.isoformat()
        case dict():
            return {key: _plain(entry) for key, entry in value.items()}
        case list() | tuple():
            return [_plain(entry) for entry in value]
        case _:
            return value
