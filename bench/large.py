"""`make bench size=large`: millions of events present, four levels, reports beside DuckDB, storage, memory."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from bench import writing
from bench.anchors import Anchors
from bench.closing import Months, months_over
from bench.correcting import rerate
from bench.crowd import Crowd, found_crowd, history
from bench.market import Market
from bench.measuring import Bench, load_average, median_of
from bench.raw import RawEvents, answer_of, spread
from tests.flows.installation import ROOT, Client, Installation
from twin.engine.settings import resolve

Figures = dict[str, Any]
SIZES = (100, 1_000, 10_000)
CHUNK = 1_000_000
CORRECTED = 10_000_000
IMPORTERS = 2
# What the events, the anchor's copy of them, their raw form and the log of changes need on the disk.
BYTES_PER_EVENT = 800
SPARE_BYTES = 8 * 2**30
REPORT_DAYS = timedelta(days=17, hours=3, minutes=25, seconds=41)
_KEPT = ("event", "journal", "book", "spent", "batch", "attributes", "source", "unrated", "correction", "conflict")
TABLES = tuple(f"metering_{name}" for name in _KEPT)


def measure(installation: Installation, folder: Path, arguments: Namespace) -> Figures:
    """Every figure at each number of events present that the disk has room for."""
    load, machine = load_average(), writing.machine()
    say("founding the market …")
    crowd = found_crowd(installation, arguments.companies, arguments.deep)
    roles = resolve({"TWIN_DATA_DIR": str(installation.data_dir)})
    stage = _Stage(installation, crowd, folder, dict(roles.owner), arguments)
    months = Months(installation, dict(roles.owner))
    closing: list[Figures] = []
    months.prepare()
    measured: list[Figures] = []
    for present in arguments.present:
        if _room(folder) < (present - stage.present) * BYTES_PER_EVENT + SPARE_BYTES:
            say(f"no room on the disk for {present:,} events: left out")
            break
        stage.fill(present)
        measured.append(stage.measure())
        # Months end once: at the first number of events.
        closing = closing or [months.close(month, stage.wide.resellers[-1]) for month in months_over(crowd.start)]
        writing.write_results(ROOT / "bench-results", {"partial": measured})
    say("correcting a month of ten million …")
    correcting = rerate(installation, folder, stage.wide, stage.corrected_since())
    return {
        "measured_at": writing.moment(),
        "load_before": load,
        "machine": machine,
        "duckdb": stage.raw.version,
        "companies": list(arguments.companies),
        "stages": measured,
        "closing": closing,
        "correcting": correcting,
    }


@dataclass
class _Stage:
    """The installation as far as it is filled."""

    installation: Installation
    crowd: Crowd
    folder: Path
    owner: dict[str, Any]
    arguments: Namespace
    present: int = 0

    def __post_init__(self) -> None:
        self.raw = RawEvents(self.folder)
        self.wide = next(iter(sorted(self.crowd.markets.values(), key=lambda market: -len(market.companies))))

    # Filling ----------------------------------------------------------------

    def fill(self, present: int) -> None:
        """Import until so many are there, two files at a time; each part is spread over all 90 days."""
        say(f"importing up to {present:,} events …")
        begun = time.perf_counter()
        starts = range(self.present, present, CHUNK)
        with ProcessPoolExecutor(IMPORTERS) as importers:
            parts = [
                importers.submit(
                    fill_part, self.installation.environment, self.folder / f"history-{at}.ndjson", self.crowd,
                    at // CHUNK, min(CHUNK, present - at),
                )
                for at in starts
            ]  # fmt: skip
            try:
                for number, part in enumerate(parts, 1):
                    part.result()
                    say(f"  part {number} of {len(parts)} in {time.perf_counter() - begun:.0f} s")
            finally:
                importers.shutdown(cancel_futures=True)  # told to end, it does not go on with the rest
        self.present = present

    def corrected_since(self) -> datetime:
        """When about as many events of the largest reseller began as a correction is measured with."""
        own = self.raw.number_of(self.wide.resellers[-1])
        return self.crowd.end - (self.crowd.end - self.crowd.start) * min(1.0, CORRECTED / max(own, 1))

    # Measuring --------------------------------------------------------------

    def measure(self) -> Figures:
        self._settle()
        storage = self._storage()
        bench = Bench(self.installation, self.wide, Anchors(self.owner), self.folder, seed=self.present)
        deep = Bench(self.installation, self.crowd.deep, bench.anchors, self.folder, seed=self.present + 500)
        reports = self._reports(bench)
        ingest, deeper = self._ingest(bench, deep)
        say("single events …")
        singles = {number: bench.singles(requests, number) for number, requests in ((1, 500), (32, 10_000))}
        return {
            "present": self.present,
            "storage": storage,
            "reports": reports,
            "ingest": ingest,
            "deep": deeper,
            "singles": singles,
            "memory_mb": bench.memory(),
        }

    def _ingest(self, bench: Bench, deep: Bench) -> tuple[Figures, Figures]:
        """Two and four levels in turns, each beside COPY of the very same rows."""
        bench.anchors.prepare()
        bench.ingest(1_000, 60)
        runs: tuple[list[Figures], list[Figures]] = ([], [])
        for _ in range(self.arguments.runs):
            for size, taken, one in ((1_000, runs[0], bench), (1_000, runs[1], deep)):
                taken.append(one.ingest(size, max(self.arguments.events // size, 4)))
                say(f"  {taken[-1]['events_per_second']:,.0f} events/s, {taken[-1]['of_keyed']:.2f} of the anchor")
        bench.anchors.drop()
        return median_of(runs[0]), median_of(runs[1])

    def _reports(self, bench: Bench) -> dict[str, Figures]:
        """Equal answers first, then the times of both; then Twin's again while usage comes in."""
        say("reports …")
        reseller_of = {c: m.resellers[-1] for m in self.crowd.markets.values() for c in m.companies}
        rows = self.raw.load(self.owner, reseller_of)
        say(f"  {rows:,} raw events in DuckDB {self.raw.version}")
        periods = self._periods()
        found = {str(size): self._report(market, periods) for size, market in self.crowd.markets.items()}
        with _Busy(bench, self.arguments.events):
            for size, market in self.crowd.markets.items():
                found[str(size)]["while_ingesting"] = spread(self._figures(market, periods))
        return found

    def _report(self, market: Market, periods: Sequence[tuple[datetime, datetime]]) -> Figures:
        reseller = market.resellers[-1]
        for start, end in periods:
            if answer_of(self._json(market, start, end)) != self.raw.report(reseller, start, end):
                raise RuntimeError(f"Twin and DuckDB differ for reseller {reseller} from {start} to {end}")
        raw = self.raw.milliseconds(reseller, periods, 1)  # warm, as Twin's own first turn
        raw = self.raw.milliseconds(reseller, periods, self.arguments.runs)
        whole = [self._timed(market, start, end) for _ in range(self.arguments.runs) for start, end in periods]
        one = {"figures": spread(self._figures(market, periods)), "json": spread(whole), "duckdb": spread(raw)}
        told = {name: f"{each['median_ms']:.0f} ms" for name, each in one.items()}
        say(f"  {len(market.companies):,} companies: {told}")
        return one

    def _periods(self) -> list[tuple[datetime, datetime]]:
        """17 days to the second, at five places of the 90 days; both ends are ragged."""
        room = self.crowd.end - self.crowd.start - REPORT_DAYS - timedelta(days=1)
        starts = [self.crowd.start + room * n / 5 + timedelta(seconds=3671 * n + 17) for n in range(5)]
        return [(start.replace(microsecond=0), start.replace(microsecond=0) + REPORT_DAYS) for start in starts]

    def _figures(self, market: Market, periods: Sequence[tuple[datetime, datetime]]) -> list[float]:
        asked = {
            "key": market.reseller_key,
            "periods": [(start.isoformat(), end.isoformat()) for start, end in periods],
            "times": self.arguments.runs,
        }
        done = subprocess.run(
            [sys.executable, "-m", "bench.reading"],
            cwd=ROOT, env=self.installation.environment | {"DJANGO_SETTINGS_MODULE": "twin.config.settings"},
            input=json.dumps(asked), stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        taken: list[float] = json.loads(done.stdout)
        return taken

    def _json(self, market: Market, start: datetime, end: datetime) -> Figures:
        with Client(self.installation.port, market.reseller_key, timeout=120) as client:
            begin, until = (moment.isoformat().replace("+00:00", "Z") for moment in (start, end))
            answer = client.get(f"/api/v1/reports/reseller-companies?from={begin}&to={until}")
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {answer.body[:300]!r}")
        report: Figures = answer.json
        return report

    def _timed(self, market: Market, start: datetime, end: datetime) -> float:
        begun = time.perf_counter()
        self._json(market, start, end)
        return (time.perf_counter() - begun) * 1000

    def _settle(self) -> None:
        """Folded and vacuumed: as it would stand some minutes after the import."""
        self.installation.twin("metering", "fold", timeout=3600)
        with psycopg.connect(**self.owner, autocommit=True) as connection:
            for table in TABLES:
                connection.execute(f"vacuum analyze {table}")

    def _storage(self) -> Figures:
        """Bytes per event of each table with its indexes, and of all together."""
        with psycopg.connect(**self.owner) as connection:
            sizes = {
                table.removeprefix("metering_"): _number(connection, f"select pg_total_relation_size('{table}')")
                for table in TABLES
            }
            events = _number(connection, "select count(*) from metering_event")
        per_event = {name: size / events for name, size in sizes.items()}
        return per_event | {"all": sum(per_event.values())}


class _Busy:
    """Usage that comes in meanwhile on two connections: about half of what sixteen bring in."""

    def __init__(self, bench: Bench, events: int) -> None:
        self._bench = bench
        self._events = events
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._bench.send(self._bench.next_usage(recent=0.98).bodies(max(self._events // 5_000, 2), 1_000), 2)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *problem: object) -> None:
        self._ended.set()
        self._thread.join()


def fill_part(environment: Mapping[str, str], file: Path, crowd: Crowd, seed: int, number: int) -> None:
    """Write one part of the history and import it."""
    with file.open("w") as target:
        for line in history(crowd, seed, number):
            target.write(line + "\n")
    command = [sys.executable, "-m", "twin", "usage", "import", str(file)]
    told = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    if f"accepted={number} " not in told:
        raise RuntimeError(f"import: {told}")
    file.unlink()


def _number(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row is not None else 0


def _room(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def say(text: str) -> None:
    print(text, flush=True)
