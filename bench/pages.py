"""What a browser loads and how still a page stands: weight on the first visit, layout shift, time to the largest part.

Measured on the demonstration, which `twin run` founds in a folder of its own. `python -m bench.pages`
measures the pages alone and puts the figures into `docs/performance.md`.
"""

from __future__ import annotations

import json
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from bench import writing
from tests.chromium import find_chromium
from tests.flows.installation import ROOT, Installation

FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
BUDGET_KB: Final = 250
VISITS: Final = 3
_FOUNDING_SECONDS: Final = 300
Figures = dict[str, Any]

# Ready when the network is quiet; shifts that follow a person's own act do not count.
_WATCH: Final = """
window.shift = 0; window.largest = 0;
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({type: "layout-shift", buffered: true});
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) window.largest = entry.startTime;
}).observe({type: "largest-contentful-paint", buffered: true});
"""


@dataclass(frozen=True)
class Visit:
    """A page as somebody sees it for the first time."""

    name: str
    email: str
    path: str
    width: int = 1440


REPORT: Final = "/reports/reseller-companies"
VISITED: Final = (
    Visit("sign-in", "", "/login"),
    Visit("report, this month", "anna@rhea.example", REPORT),
    Visit("report, phone of 390 px", "anna@rhea.example", REPORT, 390),
    Visit("report in Russian", "olga@sever.example", REPORT),
    Visit("report, platform staff", "platform@twin.example", REPORT),
    Visit("usage of a company", "miriam@nordlicht.example", "/reports/usage"),
)


@dataclass
class _Traffic:
    """What came over the wire."""

    bytes: int = 0
    requests: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    _types: dict[str, str] = field(default_factory=dict)

    def listen(self, session: CDPSession) -> None:
        session.send("Network.enable")
        session.on("Network.responseReceived", lambda event: self._types.update({event["requestId"]: event["type"]}))
        session.on("Network.loadingFinished", self._finished)

    def _finished(self, event: dict[str, Any]) -> None:
        size = int(event["encodedDataLength"])
        kind = self._types.get(event["requestId"], "Other")
        self.bytes += size
        self.requests += 1
        self.kinds[kind] = self.kinds.get(kind, 0) + size


@contextmanager
def demonstration(folder: Path) -> Iterator[tuple[Installation, dict[str, str]]]:
    """`twin run` on an empty folder, and the passwords it prints."""
    installation = Installation(folder / "data")
    with installation.log.open("ab") as log:
        running = installation._popen(["run"], log)  # noqa: SLF001 - `serve` knows no demonstration
    try:
        yield installation, _passwords(installation, running)
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(60)
        installation.destroy()


def _passwords(installation: Installation, running: subprocess.Popen[bytes]) -> dict[str, str]:
    end = time.monotonic() + _FOUNDING_SECONDS
    while "Ctrl-C" not in installation.last_words():
        if running.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"the demonstration did not come up: {installation.last_words()}")
        time.sleep(0.5)
    return dict(re.findall(r"^  (\S+@\S+) +(\S+)  ", installation.last_words(), re.MULTILINE))


def measure() -> dict[str, Figures]:
    """Figures by name of the visit; of several visits the heaviest and the least still one counts."""
    executable = find_chromium()
    if executable is None:
        raise RuntimeError("no Chromium: run `make setup`")
    with (
        tempfile.TemporaryDirectory(prefix="twin-pages-") as folder,
        demonstration(Path(folder)) as (installation, passwords),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=executable, headless=True, args=list(FLAGS))
        address = f"http://localhost:{installation.port}"
        found = {visit.name: _measured(browser, address, visit, passwords) for visit in VISITED}
        browser.close()
    return found


def _measured(browser: Browser, address: str, visit: Visit, passwords: dict[str, str]) -> Figures:
    session = _signed_in(browser, address, visit.email, passwords) if visit.email else None
    taken = [_visited(browser, address, visit, session) for _ in range(VISITS)]
    heaviest = max(taken, key=lambda one: int(one["bytes"]))
    return heaviest | {
        "shift": max(one["shift"] for one in taken),
        "largest_ms": statistics.median(one["largest_ms"] for one in taken),
        "answer_ms": statistics.median(one["answer_ms"] for one in taken),
    }


def _signed_in(browser: Browser, address: str, email: str, passwords: dict[str, str]) -> Any:
    context = browser.new_context(base_url=address)
    page = context.new_page()
    page.goto("/login")
    page.fill("#id_login", email)
    page.fill("#id_password", passwords[email])
    page.locator("form .btn-primary").first.click()
    page.wait_for_url(lambda url: "/login" not in url)
    state = context.storage_state()
    context.close()
    return state


def _visited(browser: Browser, address: str, visit: Visit, session: Any) -> Figures:
    """One visit with nothing in the cache but who one is."""
    context: BrowserContext = browser.new_context(
        base_url=address, storage_state=session, viewport={"width": visit.width, "height": 900}
    )
    page: Page = context.new_page()
    page.add_init_script(_WATCH)
    traffic = _Traffic()
    traffic.listen(context.new_cdp_session(page))
    page.goto(visit.path, wait_until="networkidle")
    page.wait_for_timeout(500)
    told = page.evaluate(
        "() => ({shift: window.shift, largest: window.largest,"
        " answer: performance.getEntriesByType('navigation')[0].responseStart,"
        " elements: document.querySelectorAll('*').length})"
    )
    context.close()
    return {
        "bytes": traffic.bytes,
        "requests": traffic.requests,
        "kinds": traffic.kinds,
        "shift": told["shift"],
        "largest_ms": told["largest"],
        "answer_ms": told["answer"],
        "elements": told["elements"],
    }


def main() -> int:
    figures = measure()
    print(json.dumps(figures, indent=1))
    page = ROOT / "docs" / "performance.md"
    page.write_text(writing.with_pages(page.read_text(), figures))
    return 0 if all(one["bytes"] < BUDGET_KB * 1000 and one["shift"] == 0 for one in figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
