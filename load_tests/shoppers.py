"""Who comes to the portal, and what they expect of it. A wrong answer is a failure, however quick it was."""

from __future__ import annotations

import random
from typing import Any, ClassVar

from locust import FastHttpUser, between, constant, task

from load_tests.codes import Codes
from load_tests.targets import BROKEN, CHECKS, GUESSED, PAGE, RECALLS, VERDICT
from serials.alphabet import ALPHABET, SERIAL_CHARACTERS

BROWSER = {
    "User-Agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile",
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Accept-Encoding": "gzip",
    "Accept-Language": "en-GB,en;q=0.9",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "none",
}
MACHINE = {"Accept": "application/json"}
CODES_A_CHECK = 100
"""Codes that a distributor sends at once."""
GARBAGE = (
    "/01/09506000134351/21/AAAA",  # wrong check digit
    "/01/0950600013435/21/AAAA",  # thirteen digits
    "/01/09506000134352/21/" + "A" * 21,  # serial too long
    "/01/09506000134352/22",  # a key without its value
    "/99/nothing",
    "/01/09506000134352/21/0000NEVERISSUED",
)
_OK, _UNREADABLE, _UNKNOWN, _TOO_FAST = 200, 400, 404, 429


class Visitor(FastHttpUser):
    """What all have in common. The codes are set once, before anybody comes."""

    abstract = True
    wait_time = between(0.05, 0.15)
    codes: ClassVar[Codes] = Codes()

    def scan(self, path: str) -> None:
        """Open a code in a browser: a page must come that says something."""
        with self.client.get(path, name=PAGE, headers=BROWSER, catch_response=True) as response:
            if response.status_code != _OK:
                response.failure(f"status {response.status_code} instead of {_OK}")
            elif "<h1" not in (response.text or ""):
                response.failure("a page without a heading")

    def read_recalls(self) -> None:
        """Open the list of published cases."""
        with self.client.get("/recalls", name=RECALLS, headers=BROWSER, catch_response=True) as response:
            if response.status_code != _OK:
                response.failure(f"status {response.status_code} instead of {_OK}")


class HotLotShopper(Visitor):
    """Everybody has bought of the same lot."""

    weight = 5

    @task
    def scan_hot_lot(self) -> None:
        if self.codes.hot:
            self.scan(random.choice(self.codes.hot))
        else:
            self.read_recalls()


class LongTailShopper(Visitor):
    """Anything out of the cupboard."""

    weight = 3

    @task
    def scan_anything(self) -> None:
        if self.codes.every:
            self.scan(random.choice(self.codes.every))
        else:
            self.read_recalls()


class GarbageScanner(Visitor):
    """Scratched, cut and invented codes: refused with a reason, never with a failure of ours.

    All visitors of a run come from one address, so that its unknown codes are soon held back.
    """

    weight = 1

    @task
    def scan_garbage(self) -> None:
        path = random.choice(GARBAGE)
        with self.client.get(path, name=BROKEN, headers=BROWSER, catch_response=True) as response:
            _expect_refusal(response, path, _UNREADABLE, _UNKNOWN)


class Scraper(Visitor):
    """Guesses serials of a known product, one after the other without a pause: it learns nothing, and costs nobody."""

    weight = 1
    wait_time = constant(0)

    @task
    def guess(self) -> None:
        product = random.choice(self.codes.every or GARBAGE).partition("/21/")[0]
        path = f"{product}/21/{''.join(random.choices(ALPHABET, k=SERIAL_CHARACTERS))}"
        with self.client.get(path, name=GUESSED, headers=MACHINE, catch_response=True) as response:
            _expect_refusal(response, path, _UNKNOWN)


class RecallDayShopper(Visitor):
    """It was on the news: the list first, then what is in the fridge, asked for by an app as well."""

    weight = 2

    @task(2)
    def read(self) -> None:
        self.read_recalls()

    @task(1)
    def ask_for_verdict(self) -> None:
        if not self.codes.every:
            self.read_recalls()
            return
        path = random.choice(self.codes.every)
        with self.client.get(path, name=VERDICT, headers=MACHINE, catch_response=True) as response:
            if response.status_code != _OK or not _json(response).get("verdict"):
                response.failure(f"status {response.status_code}, no verdict")


class Distributor(Visitor):
    """A hundred codes of a delivery at once; each must come back with a status."""

    weight = 1

    @task
    def check_delivery(self) -> None:
        paths = random.choices(self.codes.every or GARBAGE, k=CODES_A_CHECK)
        links = [f"https://id.example.com{path}" for path in paths]
        with self.client.post("/v1/checks", name=CHECKS, json={"codes": links}, catch_response=True) as response:
            rows = _json(response).get("rows", ())
            if response.status_code != _OK or len(rows) != len(links):
                response.failure(f"status {response.status_code}, {len(rows)} rows for {len(links)} codes")


def _expect_refusal(response: Any, path: str, *expected: int) -> None:
    """One of these statuses, or to be told to wait, and for how long."""
    status = response.status_code
    if status in expected or (status == _TOO_FAST and response.headers.get("Retry-After")):
        response.success()
    else:
        response.failure(f"{path}: status {status} instead of {' or '.join(map(str, expected))}")


def _json(response: Any) -> dict[str, Any]:
    """The answer, or nothing where it is not a JSON object."""
    try:
        told = response.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
