"""Whether time tells who has an account: registration, sign-in and recovery for known and unknown addresses."""

from __future__ import annotations

import http.client
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from tests.flows.installation import ROOT, Installation

TIMES: Final = 30
_TOKEN: Final = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')
Figures = dict[str, Any]


def measure(installation: Installation, times: int = TIMES) -> dict[str, Figures]:
    """Medians in milliseconds of as many answers of each kind, taken in turns.

    Every request comes from an address of its own, by way of a proxy the
    installation has to trust: otherwise the limits would be measured.
    """
    subprocess.run(
        [sys.executable, "-m", "bench.people", str(len(STEPS) * times)],
        cwd=ROOT,
        env=installation.environment | {"DJANGO_SETTINGS_MODULE": "twin.config.settings"},
        check=True,
    )
    found = {}
    for number, (name, (path, fields, status)) in enumerate(STEPS.items()):
        _ask(installation.port, path, fields("warm@example.org"), status, f"10.9.{number}.1")
        taken: dict[str, list[float]] = {"known": [], "unknown": []}
        for at in range(times):
            for who, passed in taken.items():
                email = f"{who}{number * times + at}@example.org"
                address = f"10.{number}.{at}.{1 if who == 'known' else 2}"
                passed.append(_ask(installation.port, path, fields(email), status, address))
        found[name] = _compared(taken)
    return found


def _compared(taken: dict[str, list[float]]) -> Figures:
    known, unknown = (statistics.median(taken[who]) for who in ("known", "unknown"))
    return {"known_ms": known, "unknown_ms": unknown, "difference": abs(known - unknown) / max(known, unknown)}


def _registration(email: str) -> dict[str, str]:
    return {
        "name": "Jonas Weber",
        "email": email,
        "password": "kiesel-wolke-9-anker",
        "phone_country": "DE",
        "phone": "1512 3454417",
        "time_zone": "Europe/Berlin",
        "terms": "on",
        "personal_data": "on",
    }


def _sign_in(email: str) -> dict[str, str]:
    return {"login": email, "password": "something-else-entirely-1"}


def _recovery(email: str) -> dict[str, str]:
    return {"email": email}


def _ask(port: int, path: str, fields: dict[str, str], expected: int, address: str) -> float:
    """Milliseconds of one form sent, by a browser that has just opened its page."""
    connection = http.client.HTTPConnection("localhost", port, timeout=30)
    headers = {"X-Forwarded-For": address}
    connection.request("GET", path, headers=headers)
    page = connection.getresponse()
    token = _TOKEN.search(page.read())
    assert token is not None, f"{path} has no form"
    cookie = "; ".join(each.split(";")[0] for each in page.headers.get_all("Set-Cookie") or [])
    headers |= {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode(fields | {"csrfmiddlewaretoken": token[1].decode()})
    begun = time.perf_counter()
    connection.request("POST", path, body=body, headers=headers)
    answer = connection.getresponse()
    answer.read()
    passed = 1000 * (time.perf_counter() - begun)
    connection.close()
    assert answer.status == expected, f"{path} answered {answer.status} for {fields.get('email', '')}"
    return passed


# The page, its form, and the status that says the limits were not reached.
STEPS: Final[dict[str, tuple[str, Callable[[str], dict[str, str]], int]]] = {
    "registration": ("/registration", _registration, 302),
    "sign-in, wrong password": ("/login", _sign_in, 200),
    "recovery": ("/recovery", _recovery, 200),
}
