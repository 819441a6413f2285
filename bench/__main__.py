"""Measure everything once, print it, and write `bench-results/` and `docs/performance.md`."""

from __future__ import annotations

import argparse
import signal
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg

from bench import enumeration, growing_page, growth, large, pages, writing
from bench.anchors import Anchors
from bench.closing import Months, months_over
from bench.market import Market, found
from bench.measuring import Bench, load_average, median_of
from tests.flows.installation import ROOT, Installation
from twin.engine.settings import resolve

SIZES = (1_000, 5_000)
Measure = Callable[[Installation, Path, argparse.Namespace], dict[str, Any]]
# What is there before, when nothing else is said.
PRESENT = {"quick": 1_000_000, "large": 10_000_000, "growth": 5_000_000}
_SIZES_HELP = "large: half an hour and 20 GB; growth: an hour and 40 GB, half of it usage without pause past memory"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--size", choices=tuple(PRESENT), default="quick", help=_SIZES_HELP)
    parser.add_argument("--present", type=_numbers, help="events that are there before (1,000,000; see --size)")
    parser.add_argument(
        "--companies", type=_numbers, default=large.SIZES, help="of resellers (100,1000,10000); large only"
    )
    parser.add_argument("--deep", type=int, default=100, help="companies four levels deep (100); large only")
    parser.add_argument("--minutes", type=int, default=30, help="usage without pause (30); growth only")
    parser.add_argument("--memory", type=int, default=1024, help="MB for all of it (1024); growth only")
    parser.add_argument("--verify", type=float, default=60, help="minutes given to the verification (60); growth only")
    parser.add_argument("--fairness", type=float, default=60, help="seconds of the flood (60); growth only")
    parser.add_argument("--events", type=int, help="events of one measured run (150,000; 300,000)")
    parser.add_argument("--runs", type=int, default=3, help="runs of which the median is taken (3)")
    parser.add_argument("--no-page", action="store_true", help="leave docs/performance.md as it is")
    arguments = parser.parse_args()
    arguments.present = arguments.present or (PRESENT[arguments.size],)
    arguments.events = arguments.events or (300_000 if arguments.size == "large" else 150_000)
    signal.signal(signal.SIGTERM, _end)
    {"quick": run_quick, "large": run_large, "growth": run_growth}[arguments.size](arguments)


def _end(number: int, _frame: FrameType | None) -> None:
    """Told to end, everything that was started is ended too."""
    raise SystemExit(128 + number)


def run_growth(arguments: argparse.Namespace) -> None:
    section = growing_page.growth_section(measured(growth.measure, arguments))
    put_on_page(writing.with_growth, section, arguments)


def run_large(arguments: argparse.Namespace) -> None:
    if find_spec("duckdb") is None:
        raise SystemExit("DuckDB is missing: run `make bench size=large`, which installs it.")
    section = writing.large_section(measured(large.measure, arguments))
    put_on_page(writing.with_large, section, arguments)


def measured(measure_: Measure, arguments: argparse.Namespace) -> dict[str, Any]:
    """What was measured in an installation of its own, also in a file; it is taken away whatever happens."""
    with tempfile.TemporaryDirectory(prefix="twin-bench-", ignore_cleanup_errors=True) as folder:
        installation = Installation(Path(folder) / "data")
        try:
            figures = measure_(installation, Path(folder), arguments)
        finally:
            installation.destroy()
    say(f"written: {writing.write_results(ROOT / 'bench-results', figures).relative_to(ROOT)}")
    return figures


def put_on_page(place: Callable[[str, str], str], section: str, arguments: argparse.Namespace) -> None:
    """Put the section into its place on the page of performance, and print it."""
    page = ROOT / "docs" / "performance.md"
    if not arguments.no_page:
        page.write_text(place(page.read_text(), section))
    say(section)


def run_quick(arguments: argparse.Namespace) -> None:
    figures = measured(measure, arguments)
    say("pages in a browser …")
    written = ROOT / "docs" / "performance.md"
    page = writing.with_pages(writing.page(figures), pages.measure())
    for keep, kept in ((writing.with_large, writing.large_of), (writing.with_growth, writing.growth_of)):
        page = keep(page, kept(written.read_text()))
    if not arguments.no_page:
        written.write_text(page)
    say(page)


def measure(installation: Installation, folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    load, machine = load_average(), writing.machine()
    # The figures of people come from an address each, which the pages only believe of a proxy.
    installation.environment["TWIN_TRUSTED_PROXIES"] = "1"
    say("founding the market …")
    market = found(installation)
    roles = resolve({"TWIN_DATA_DIR": str(installation.data_dir)})
    bench = Bench(installation, market, Anchors(dict(roles.owner)), folder)
    months = Months(installation, dict(roles.owner))
    months.prepare()
    (present,) = arguments.present
    say(f"importing {present:,} events …")
    imported = bench.import_events(present)
    say(f"  {imported['events_per_second']:,.0f} events/s, {imported['memory_mb']:.0f} MB")
    bench.anchors.prepare()
    ingest = ingest_runs(bench, arguments.events, arguments.runs)
    bench.anchors.drop()
    say("single events …")
    singles = {number: bench.singles(requests, number) for number, requests in ((1, 500), (32, 4_000))}
    say("reports …")
    folded(dict(roles.owner))
    return {
        "measured_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "load_before": load,
        "machine": machine,
        "present": present,
        "import": imported,
        "ingest": ingest,
        "singles": singles,
        "reports": reports(bench, market),
        "closing": [months.close(month) for month in months_over(market.start)],
        "memory_mb": bench.memory(),
        "enumeration": people(installation),
    }


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def ingest_runs(bench: Bench, events: int, runs: int) -> dict[str, Any]:
    """Sizes take turns within each run, so that a noisy minute spoils no size alone."""
    taken: dict[int, list[dict[str, Any]]] = {size: [] for size in SIZES}
    bench.ingest(1_000, 60)  # connections, caches and plans are made
    for number in range(runs):
        for size in SIZES:
            one = bench.ingest(size, max(events // size, 4))
            taken[size].append(one)
            say(
                f"run {number + 1}, batches of {size:,}: {one['events_per_second']:,.0f} events/s,"
                f" bare COPY {one['bare_per_second']:,.0f}, with key {one['keyed_per_second']:,.0f}"
            )
    return {str(size): median_of(found_) for size, found_ in taken.items()}


def folded(owner: dict[str, Any], most: int = 64, patience: float = 60) -> None:
    """Wait until the schedule has folded what just came in: a report reads at most so many batches beside its books."""
    end = time.monotonic() + patience
    with psycopg.connect(**owner, autocommit=True) as connection:
        question = "select count(*) from metering_journal group by seller_id order by 1 desc limit 1"
        while time.monotonic() < end:
            row = connection.execute(question).fetchone()
            if row is None or row[0] < most:
                return
            time.sleep(1)


def reports(bench: Bench, market: Market) -> dict[str, Any]:
    whole = f"from={stamp(market.start)}&to={stamp(market.end + timedelta(days=1))}"
    ragged_start = market.start + timedelta(days=3, hours=5, minutes=17, microseconds=250_001)
    ragged_end = market.end - timedelta(hours=7, minutes=11, microseconds=1)
    ragged = f"from={stamp(ragged_start)}&to={stamp(ragged_end)}"
    day = f"from={stamp(market.end - timedelta(days=1))}&to={stamp(market.end)}"
    return {
        "reseller, whole span": bench.report(market.reseller_key, whole),
        "reseller, ragged ends": bench.report(market.reseller_key, ragged),
        "reseller, last 24 hours": bench.report(market.reseller_key, day),
        "platform, whole span": bench.report(market.key, f"{whole}&reseller={market.platform}"),
        "platform, ragged ends": bench.report(market.key, f"{ragged}&reseller={market.platform}"),
    }


def people(installation: Installation) -> dict[str, Any]:
    say("known and unknown people …")
    return enumeration.measure(installation)


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
