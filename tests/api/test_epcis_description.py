"""The EPCIS face keeps what its description says, whatever is sent: right bodies and wrong ones, made from it.

A longer run against a server, with a key that may VIEW and CAPTURE, stands in CONTRIBUTING.md.
"""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from access.model import Act
from cli.serve import Face
from runtime.database import DatabaseAddress
from tests.api.conftest import KeyMaker
from tests.examples import examples
from tests.serving import free_port, served

# The other lists are made as that of the business steps is.
PATHS = "^/epcis/v2/(capture|events|queries|nextPageToken|bizSteps)"
EXAMPLES = 1  # of each operation and mode; the answers of a wrong and a right request differ most


async def test_no_answer_is_other_than_described(database: DatabaseAddress, key: KeyMaker) -> None:
    headers = await key(Act.CAPTURE, Act.VIEW)
    tried: set[str] = set()

    def answered_as_described(case: Any) -> None:
        tried.add(case.operation.label)
        # A body can have the described form and still name a lot, a token or a time that is none: 400 is right then.
        case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

    with served(database, port=free_port(), face=Face.API) as address:
        schema = schemathesis.openapi.from_url(f"{address}/openapi.json").include(
            path_regex=PATHS, method_regex="^[^O]"
        )
        for found in schema.get_all_operations():
            operation: Any = found.ok()  # type: ignore[union-attr]  # one that could not be read raises here
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                few = settings(
                    max_examples=examples(EXAMPLES), deadline=None, database=None, derandomize=True,
                    phases=[Phase.generate], suppress_health_check=list(HealthCheck),
                )  # fmt: skip
                few(given(case=operation.as_strategy(generation_mode=mode))(answered_as_described))()

    assert len(tried) > 15
