"""`make bench size=growth`: usage without pause past memory; what grows, what is left over, who waits."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg

from bench import fairness, writing
from bench.crowd import Crowd, found_crowd
from bench.fairness import start_sender
from bench.large import CHUNK, REPORT_DAYS, SPARE_BYTES, fill_part
from bench.market import Market, Usage, text_of
from bench.measuring import load_average, peak_memory, watch_memory
from bench.memory_limit import MemoryLimit, NoLimit, limit_memory
from tests.flows.installation import ROOT, Client, Installation
from twin.engine.places import data_of
from twin.engine.server import DATABASE, SUPERUSER, EmbeddedServer

Figures = dict[str, Any]
SIZES, DEEP = (100, 1_000), 100
CONNECTIONS, BATCH, BODIES = 16, 1_000, 200
MINUTE = 60.0
WATCHED = ("event", "book", "journal", "spent")
CHURNED = ("book", "journal", "spent")
_VERIFIED = re.compile(r"(\d+) events, \d+ cells: totals equal the rows")


def measure(installation: Installation, folder: Path, arguments: Namespace) -> Figures:
    """Fairness, filling, the long run within `memory` megabytes, and what it leaves behind."""
    load, machine = load_average(), writing.machine()
    buffers = buffers_of(arguments.memory, has_page_cache=_may_limit(arguments.memory))
    installation.environment["TWIN_SHARED_BUFFERS"] = str(buffers)
    say("founding the market …")
    crowd = found_crowd(installation, SIZES, DEEP)
    say("fairness …")
    fair = fairness.measure(installation, folder, crowd.markets[SIZES[1]], crowd.markets[SIZES[0]], arguments.fairness)
    say(f"  beside the flood: {_milliseconds(fair['beside'])}, alone: {_milliseconds(fair['alone'])}")
    (present,) = arguments.present
    _fill(installation, folder, crowd, present)
    growth = _Growth(installation, crowd, folder, arguments)
    with _past_memory(installation, arguments.memory) as limit:
        growth.run(limit)
        held = limit.group_peak_mb() if isinstance(limit, _Grouped) else None
        left = growth.left_behind()
    left["verify"] = growth.verified()
    sent = sum(one["accepted"] for one in growth.told)
    before = present + sum(fair[name]["accepted"] for name in ("warm", "alone", "beside", "flood"))
    return {
        "measured_at": writing.moment(),
        "load_before": load,
        "machine": machine,
        "present": present,
        "memory": arguments.memory,
        "shared_buffers": buffers,
        "limit": limit.told,
        "group_peak_mb": held,
        "ended": growth.ended,
        "minutes": growth.minutes,
        "expected_events": before + sent,
        "fairness": fair,
        **summary(growth.minutes),
        **left,
    }


def buffers_of(memory: int, *, has_page_cache: bool) -> int:
    """Megabytes of shared buffers: an eighth where the kernel caches files too, else half of the memory."""
    return max(memory // 8 if has_page_cache else memory // 2, 64)


def summary(minutes: list[Figures]) -> Figures:
    """Rates of the first and the last five minutes, or of as many as half the run has; the largest of each size."""
    span = max(min(5, len(minutes) // 2), 1)
    rates = [one["events_per_second"] for one in minutes]
    return {
        "span": span,
        "first_rate": statistics.mean(rates[:span]),
        "last_rate": statistics.mean(rates[-span:]),
        "refused": sum(one["refused"] for one in minutes),
    }


def _may_limit(megabytes: int) -> bool:
    try:
        limit_memory(megabytes).remove()
    except NoLimit:
        return False
    return True


def _fill(installation: Installation, folder: Path, crowd: Crowd, present: int) -> None:
    """By import, in files of a million, each over all of the 90 days."""
    say(f"importing {present:,} events …")
    for number, at in enumerate(range(0, present, CHUNK)):
        fill_part(installation.environment, folder / "history.ndjson", crowd, number, min(CHUNK, present - at))
        say(f"  {min(at + CHUNK, present):,}")


# Memory ---------------------------------------------------------------------


@dataclass
class _Direct:
    """No control group: the database reads and writes past the kernel's cache, so its buffers are all it has."""

    told: str

    def hold_all(self, installation: Installation) -> None:
        """Nothing to do: it holds for the server itself."""


@dataclass
class _Grouped:
    limit: MemoryLimit
    told: str = ""

    def hold_all(self, installation: Installation) -> None:
        self.limit.hold(process.pid for process in (*_twin(installation), *_database(installation)))

    def group_peak_mb(self) -> float | None:
        return self.limit.peak_mb()


@contextmanager
def _past_memory(installation: Installation, megabytes: int) -> Iterator[_Direct | _Grouped]:
    """Served anew with so little memory and nothing of its files cached; the group is removed at the end."""
    server = EmbeddedServer(installation.data_dir)
    try:
        limit = limit_memory(megabytes)
    except NoLimit as why:
        say(f"NO MEMORY LIMIT: {why}. The database goes past the page cache instead.")
        with psycopg.connect(**server.parameters(SUPERUSER, DATABASE), autocommit=True) as connection:
            connection.execute("alter system set debug_io_direct = 'data'")
        _serve_cold(installation, server)
        yield _Direct(str(why))
        with psycopg.connect(**server.parameters(SUPERUSER, DATABASE), autocommit=True) as connection:
            connection.execute("alter system reset debug_io_direct")
        _stop(installation)
        return
    grouped = _Grouped(limit)
    try:
        _serve_cold(installation, server)
        grouped.hold_all(installation)
        yield grouped
        _stop(installation)
    finally:
        installation.destroy()
        limit.remove()


def _serve_cold(installation: Installation, server: EmbeddedServer) -> None:
    _stop(installation)
    forget_files(data_of(server.places.known_cluster()))
    installation.serve(wait=300)


def _stop(installation: Installation) -> None:
    """Twin and then its database, in order."""
    installation.stop(120)
    end = time.monotonic() + 300
    while installation.postmaster() is not None:
        if time.monotonic() > end:
            raise RuntimeError("the database does not stop")
        time.sleep(0.5)


def forget_files(folder: Path) -> None:
    """Let the kernel drop what it caches of the files beneath."""
    for file in folder.rglob("*"):
        if file.is_file():
            with suppress(OSError), file.open("rb") as opened:
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _twin(installation: Installation) -> list[psutil.Process]:
    return [*installation.serving_processes(), *installation.orphans()]


def _database(installation: Installation) -> list[psutil.Process]:
    postmaster = installation.postmaster()
    with suppress(psutil.NoSuchProcess):
        return [postmaster, *postmaster.children(recursive=True)] if postmaster is not None else []
    return []


# The long run ---------------------------------------------------------------


@dataclass
class _Growth:
    """The run as far as it is: what the client told and what was seen each minute."""

    installation: Installation
    crowd: Crowd
    folder: Path
    arguments: Namespace
    told: list[Figures] = field(default_factory=list)
    minutes: list[Figures] = field(default_factory=list)
    ended: str = "after its time"
    _read: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        server = EmbeddedServer(self.installation.data_dir)
        self._owner = server.parameters(server.roles().owner["user"], DATABASE)
        self._superuser = server.parameters(SUPERUSER, DATABASE)

    def run(self, limit: _Direct | _Grouped) -> None:
        """Send for so many minutes; each minute is written down as it ends."""
        say(f"{self.arguments.minutes} minutes without pause …")
        one = self.crowd.markets[SIZES[0]]
        everybody = Market(
            one.platform, one.key, one.resellers, one.reseller_key, self.crowd.companies, one.start, one.end
        )
        bodies = Usage(everybody, 73, 0.98).bodies(BODIES, BATCH)
        options = ("--seconds", str(self.arguments.minutes * MINUTE), "--every", str(MINUTE))
        sender = start_sender(self.installation, self.folder / "growth", one.key, bodies, CONNECTIONS, *options)
        self._read_since()
        try:
            assert sender.stdout is not None
            for line in sender.stdout:
                self.told.append(json.loads(line))
                limit.hold_all(self.installation)
                if self.told[-1]["wall"] > MINUTE / 2:
                    self._note(self.told[-1])
                if shutil.disk_usage(self.folder).free < SPARE_BYTES:
                    self.ended = "when the disk was nearly full"
                    break
            if self.ended == "after its time" and sender.wait():
                raise RuntimeError(f"the sender ended with {sender.returncode}: {self.installation.last_words()}")
        finally:
            sender.kill()
            sender.wait()

    def _note(self, told: Figures) -> None:
        minute = {
            "minute": len(self.minutes) + 1,
            "events_per_second": told["accepted"] / told["wall"],
            "p50_ms": told["p50"] * 1000,
            "p99_ms": told["p99"] * 1000,
            "worst_ms": told["worst"] * 1000,
            "refused": told["refused"],
            "read_mb_per_second": self._read_since() / told["wall"] / 1e6,
            "report_ms": self._report(),
            "memory_mb": self._memory(),
            **self._tables(),
        }
        self.minutes.append(minute)
        writing.write_results(ROOT / "bench-results", {"partial": self.minutes}, name="growth-partial")
        say(
            f"  {minute['minute']}: {minute['events_per_second']:,.0f} events/s, p99 {minute['p99_ms']:,.0f} ms,"
            f" {minute['read_mb_per_second']:.0f} MB/s read, report {minute['report_ms']:,.0f} ms,"
            f" {minute['unfolded']:,} rows unfolded, event {minute['sizes_mb']['event']:,.0f} MB"
        )

    def _read_since(self) -> int:
        """Bytes that processes of the database have had read from the disk since this was last asked."""
        found = 0
        for process in _database(self.installation):
            with suppress(psutil.Error):
                read = process.io_counters().read_bytes
                found += max(read - self._read.get(process.pid, 0), 0)
                self._read[process.pid] = read
        return found

    def _report(self) -> float:
        market = self.crowd.markets[SIZES[0]]
        start = (self.crowd.end - REPORT_DAYS).replace(microsecond=0)
        with Client(self.installation.port, market.reseller_key, timeout=120) as client:
            begun = time.perf_counter()
            answer = client.get(
                f"/api/v1/reports/reseller-companies?from={text_of(start)}&to={text_of(start + REPORT_DAYS)}"
            )
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {answer.body[:300]!r}")
        return (time.perf_counter() - begun) * 1000

    def _memory(self) -> Figures:
        """Resident megabytes: of each process of Twin, and of the database's without what they share."""
        twin, database = {}, {}
        for process in self.installation.serving_processes():
            with suppress(psutil.Error):
                twin[f"{_name(process)} {process.pid}"] = process.memory_info().rss / 1e6
        for process in _database(self.installation):
            with suppress(psutil.Error):
                memory = process.memory_info()
                database[f"{_name(process)} {process.pid}"] = (memory.rss - memory.shared) / 1e6
        return {"twin": twin, "database": database}

    def _tables(self) -> Figures:
        with psycopg.connect(**self._owner) as connection:
            sizes = {name: _size(connection, f"metering_{name}") / 1e6 for name in WATCHED}
            indexes = connection.execute("select pg_indexes_size('metering_event')").fetchone()
            unfolded = connection.execute("select count(*) from metering_journal").fetchone()
            rows = connection.execute(
                """select relname, n_dead_tup, autovacuum_count, last_autovacuum::text from pg_stat_user_tables
                   where relname = any(%s)""",
                [[f"metering_{name}" for name in WATCHED]],
            ).fetchall()
        return {
            "sizes_mb": sizes | {"event_indexes": indexes[0] / 1e6 if indexes else 0},
            "unfolded": unfolded[0] if unfolded else 0,
            "dead": {name.removeprefix("metering_"): dead for name, dead, _, _ in rows},
            "autovacuums": {name.removeprefix("metering_"): times for name, _, times, _ in rows},
            "last_autovacuum": {name.removeprefix("metering_"): last for name, _, _, last in rows},
        }

    # Afterwards -------------------------------------------------------------

    def left_behind(self) -> Figures:
        """How long folding took, the most memory of each process, the bloat, and whether everything adds up."""
        say("folding what is left …")
        folded = self._fold()
        peaks = sorted((peak_memory(one) / 1e6 for one in self.installation.serving_processes()), reverse=True)
        say("bloat …")
        bloat = self._bloat()
        return {"folded_seconds": folded, "peaks_mb": peaks, "bloat": bloat}

    def _fold(self) -> float:
        """Seconds until all is in the books; what would not be worth it yet is folded too."""
        begun = time.perf_counter()
        self.installation.twin("metering", "fold", timeout=3600)
        return time.perf_counter() - begun

    def _bloat(self) -> Figures:
        """Read from every page by pgstattuple: what is dead or free of each table, how full its indexes' leaves are."""
        with psycopg.connect(**self._superuser, autocommit=True) as connection:
            connection.execute("create extension if not exists pgstattuple")
            found = {name: bloat_of(connection, f"metering_{name}") for name in CHURNED}
            connection.execute("drop extension pgstattuple")
        return found

    def verified(self) -> Figures:
        """`twin metering verify`, with all the memory of the machine: what it reads is no part of the run."""
        say("twin metering verify …")
        begun = time.perf_counter()
        command = subprocess.Popen(
            [sys.executable, "-m", "twin", "metering", "verify"],
            cwd=ROOT, env=self.installation.environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        limit = threading.Timer(self.arguments.verify * MINUTE, command.kill)
        limit.start()
        try:
            largest = watch_memory(command.pid)
            told, _ = command.communicate()
        finally:
            limit.cancel()
            command.kill()
        found = _VERIFIED.search(told)
        return {
            "exit_code": None if command.returncode == -signal.SIGKILL else command.returncode,
            "seconds": time.perf_counter() - begun,
            "memory_mb": largest / 1e6,
            "events": int(found[1]) if found else None,
        }


def bloat_of(connection: psycopg.Connection[Any], table: str) -> Figures:
    """Megabytes of a table and its indexes, the share of its pages that is dead or free, fullness of index leaves."""
    # What is long lies in a table beside it (TOAST), with its own index; both count.
    beside = "select unnest(array[oid, nullif(reltoastrelid, 0)]) as oid from pg_class where oid = %s::regclass"
    row = connection.execute(
        f"""select sum(t.table_len)::bigint, sum(t.dead_tuple_len)::bigint, sum(t.free_space)::bigint
            from ({beside}) r, lateral pgstattuple(r.oid::regclass) t where r.oid is not null""",  # noqa: S608 - ours
        [table],
    ).fetchone()
    length, dead, free = row or (0, 0, 0)
    indexes = connection.execute(
        f"""select c.relname, x.index_size, x.avg_leaf_density
            from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam,
                 lateral pgstatindex(c.oid::regclass) x
            where i.indrelid in ({beside}) and a.amname = 'btree'""",  # noqa: S608 - ours
        [table],
    ).fetchall()
    return {
        "mb": length / 1e6,
        "dead": dead / length if length else 0.0,
        "free": free / length if length else 0.0,
        "index_mb": sum(size for _, size, _ in indexes) / 1e6,
        "leaf_density": {name: density for name, _, density in indexes if not math.isnan(density)},
    }


def _size(connection: psycopg.Connection[Any], table: str) -> int:
    row = connection.execute("select pg_total_relation_size(%s::regclass)", [table]).fetchone()
    return int(row[0]) if row is not None else 0


def _name(process: psutil.Process) -> str:
    """`twin.config.web`, `serve`, `postgres: checkpointer`."""
    words = [part for part in process.cmdline() if part] or [process.name()]  # one that has just ended has no words
    return words[0] if words[0].startswith("postgres:") or len(words) > 4 else words[-1]


def _milliseconds(one: Figures) -> str:
    return f"{one['p50'] * 1000:.0f} / {one['p99'] * 1000:.0f} ms"


def say(text: str) -> None:
    print(text, flush=True)
