"""What `make bench size=growth` measured, as a section of the page of performance."""

from __future__ import annotations

from typing import Any

Figures = dict[str, Any]

SECTION = """
## Half an hour past memory

Written by `make bench size=growth` (`minutes=30 present=5000000 memory=1024` unless told otherwise). {measured_at},
commit {commit}. {processor}, {cores} cores, {memory_gb} GiB, {system}, Python {python}. {versions}. Load average
before: {load_before:.2f}.

World: resellers of 100 and 1,000 companies and 100 companies four levels deep; {present:,} events present, then
{minutes} minutes without pause, batches of 1,000 over 16 connections, every event with a new random key, 2 % of them
late by up to 90 days. {limit} It ended {ended}.

### One tenant floods, another goes on

{fairness}

The flood: one reseller's key, 64 connections, batches of 5,000, {seconds:.0f} s; {flood_rate:,.0f} events/s taken,
{refused:,} requests answered 429 with `Retry-After: {retry_after}`, sent again and taken in the end. The neighbour:
another reseller's key, single events on 4 connections. Times run from the first try to the answer 200. The serving
processes held at most {flood_memory} MB meanwhile.

### Minute by minute

{table}

*Read*: from the disk by processes of the database. *Report*: 17 days to the second, 100 companies, once a minute as
JSON over HTTP. *Journal*: rows not yet folded into books. Sizes with their indexes. *Dead*: rows of book, journal and
spent that no vacuum has cleared yet, as PostgreSQL counts them; vacuums are those of the four tables since the start.

First {span} minutes **{first_rate:,.0f}** events/s, last {span} minutes **{last_rate:,.0f}** ({ratio:.2f});
{refused_in_all:,} requests were answered 429. {longest}

### What it leaves behind

{bloat}

Read from every page by `pgstattuple`, once `twin metering fold` had put the rest into the books
({folded_seconds:.0f} s). Most memory that each serving process ever held: {peaks} MB; of the database's own, without
what they share, at most {backend_mb:.0f} MB. Pages are those of the table and of its long values (TOAST). {group}

`twin metering verify`, with all the memory of the machine: {verify}
"""
_TITLES = (
    "| minute | events/s | p50 / p99 | 429s | read | report | journal | event, its indexes | book | spent | dead |"
    " vacuums |"
)
_GROUPED = (
    "Twin and its database together had {memory:,} MB (cgroup v2 `memory.max`, page cache included), `shared_buffers`"
    " {shared_buffers} MB."
)
_DIRECT = (
    "**No memory limit**: {told}. Instead the database went past the page cache (`debug_io_direct = data`): all it"
    " could keep in memory were `shared_buffers` of {shared_buffers} MB; the processes themselves were not limited."
)


def growth_section(figures: Figures) -> str:
    """What `make bench size=growth` measured, ready for the page."""
    where, fair, minutes = figures["machine"], figures["fairness"], figures["minutes"]
    backends = [size for minute in minutes for size in minute["memory_mb"]["database"].values()]
    return SECTION.format(
        **{name: where[name] for name in ("commit", "processor", "cores", "memory_gb", "system", "python")},
        **{name: figures[name] for name in ("measured_at", "load_before", "present", "ended", "span")},
        **{name: figures[name] for name in ("first_rate", "last_rate")},
        versions=", ".join(f"{name} {number}" for name, number in where["libraries"].items()),
        minutes=len(minutes),
        limit=(_DIRECT if figures["limit"] else _GROUPED).format(told=figures["limit"], **_memory(figures)),
        fairness=_fairness(fair),
        seconds=fair["seconds"],
        flood_rate=fair["flood"]["accepted"] / fair["flood"]["wall"],
        refused=fair["flood"]["refused"],
        retry_after=", ".join(str(seconds) for seconds in fair["flood"]["retry_after"]) or "never needed",
        flood_memory=_listed(fair["memory_mb"]),
        table=_table(minutes),
        ratio=figures["last_rate"] / figures["first_rate"],
        refused_in_all=figures["refused"],
        longest=f"The longest answer took {max(one['worst_ms'] for one in minutes) / 1000:.1f} s.",
        bloat=_bloat(figures["bloat"]),
        folded_seconds=figures["folded_seconds"],
        peaks=_listed(figures["peaks_mb"]),
        backend_mb=max(backends, default=0),
        group=_group(figures["group_peak_mb"]),
        verify=_verified(figures["verify"], figures["expected_events"]),
    )


def _verified(verify: Figures, expected: int) -> str:
    spent = f"in {verify['seconds']:.0f} s, at most {verify['memory_mb']:.0f} MB"
    if verify["exit_code"] is None:
        return f"not at its end {spent}, and stopped."
    events = "none" if verify["events"] is None else f"{verify['events']:,}"
    return f"exit code {verify['exit_code']} {spent}; {events} events of {expected:,} that were answered 200."


def _memory(figures: Figures) -> Figures:
    return {name: figures[name] for name in ("memory", "shared_buffers")}


def _fairness(fair: Figures) -> str:
    lines = [
        f"| {title} | {one['requests'] / one['wall']:,.0f} | **{one['p50'] * 1000:.0f} ms** |"
        f" {one['p95'] * 1000:.0f} ms |"
        f" {one['p99'] * 1000:.0f} ms | {one['worst'] * 1000:.0f} ms | {one['refused']} |"
        for title, one in (("alone", fair["alone"]), ("beside the flood", fair["beside"]))
    ]
    return "\n".join(
        ["| neighbour | requests/s | p50 | p95 | p99 | worst | 429s |", "|---|---|---|---|---|---|---|", *lines]
    )


def _table(minutes: list[Figures]) -> str:
    return "\n".join([_TITLES, "|---" * (_TITLES.count("|") - 1) + "|", *map(_line, minutes)])


def _line(one: Figures) -> str:
    sizes = one["sizes_mb"]
    dead = sum(number for name, number in one["dead"].items() if name != "event")
    return (
        f"| {one['minute']} | **{one['events_per_second']:,.0f}** | {one['p50_ms']:,.0f} / {one['p99_ms']:,.0f} ms |"
        f" {one['refused']} | {one['read_mb_per_second']:.0f} MB/s | {one['report_ms']:,.0f} ms | {one['unfolded']:,} |"
        f" {sizes['event']:,.0f}, {sizes['event_indexes']:,.0f} MB | {sizes['book']:,.0f} MB |"
        f" {sizes['spent']:,.1f} MB |"
        f" {dead:,} | {sum(one['autovacuums'].values())} |"
    )


def _bloat(tables: Figures) -> str:
    lines = [
        f"| {name} | {one['mb']:,.1f} MB | {one['dead']:.0%} | {one['free']:.0%} | {one['index_mb']:,.1f} MB |"
        f" {', '.join(f'{density:.0f} %' for density in one['leaf_density'].values()) or 'empty'} |"
        for name, one in tables.items()
    ]
    return "\n".join(["| table | pages | dead | free | indexes | their leaves are full to |", "|---" * 6 + "|", *lines])


def _group(peak: float | None) -> str:
    return "" if peak is None else f"The group of all of them reached {peak:,.0f} MB, page cache included."


def _listed(sizes: list[float]) -> str:
    return ", ".join(f"{size:.0f}" for size in sizes)
