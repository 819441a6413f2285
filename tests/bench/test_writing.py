"""Each run of the bench writes its own section of the page and keeps those of the others."""

from __future__ import annotations

import pytest

from bench.growing_page import growth_section
from bench.growth import buffers_of, summary
from bench.writing import growth_of, large_of, with_growth, with_large, with_pages

LARGE = "\n## Millions of events\n\nlarge, once\n\n### Storage\n\nbytes\n"
GROWTH = "\n## Half an hour past memory\n\ngrowth, once\n\n### Minute by minute\n\nfast\n"
QUICK = "# Performance\n\nquick\n"


def test_a_section_takes_the_place_of_the_one_before() -> None:
    page = with_growth(with_large(QUICK, LARGE), GROWTH)
    again = with_growth(page, GROWTH.replace("once", "twice"))
    assert "growth, once" not in again
    assert again == page.replace("growth, once", "growth, twice")
    again = with_large(page, LARGE.replace("once", "twice"))
    assert again == page.replace("large, once", "large, twice")


def test_the_other_runs_keep_the_section() -> None:
    page = with_growth(with_large(QUICK, LARGE), GROWTH)
    assert (large_of(page), growth_of(page)) == (LARGE, GROWTH)
    anew = "# Performance\n\nquick, again\n"
    kept = with_growth(with_large(anew, large_of(page)), growth_of(page))
    assert kept == page.replace("quick", "quick, again")
    assert growth_of(with_pages(page, {})) == GROWTH


def test_a_page_without_the_section_stays_without_it() -> None:
    assert growth_of(QUICK) == ""
    assert with_growth(QUICK, growth_of(QUICK)).rstrip() == QUICK.rstrip()


def minute(number: int, rate: float) -> dict[str, object]:
    tables = ("event", "book", "journal", "spent")
    return {
        "minute": number, "events_per_second": rate, "p50_ms": 200.0, "p99_ms": 900.0, "worst_ms": 2_500.0,
        "refused": 1, "read_mb_per_second": 12.0, "report_ms": 45.0, "unfolded": 1_234,
        "memory_mb": {"twin": {"serve 1": 60.0}, "database": {"postgres: checkpointer 2": 31.0}},
        "sizes_mb": dict.fromkeys((*tables, "event_indexes"), 100.0),
        "dead": dict.fromkeys(tables, 10), "autovacuums": dict.fromkeys(tables, 2),
    }  # fmt: skip


def test_the_first_and_the_last_five_minutes_are_compared() -> None:
    found = summary([minute(number, 1_000.0 * number) for number in range(1, 31)])
    assert (found["span"], found["first_rate"], found["last_rate"], found["refused"]) == (5, 3_000, 28_000, 30)
    assert summary([minute(1, 5.0), minute(2, 7.0)])["span"] == 1


@pytest.mark.parametrize(("memory", "cached", "bare"), [(1024, 128, 512), (256, 64, 128)])
def test_buffers_are_small_and_larger_where_nothing_else_is_cached(memory: int, cached: int, bare: int) -> None:
    assert buffers_of(memory, has_page_cache=True) == cached
    assert buffers_of(memory, has_page_cache=False) == bare


@pytest.mark.parametrize(
    ("limit", "told", "exit_code", "verified"),
    [
        ("", "had 1,024 MB (cgroup v2", 0, "exit code 0 in 90 s, at most 120 MB; 11,000,000 events of 11,000,000"),
        ("no cgroup v2 here", "**No memory limit**: no cgroup v2 here.", None, "not at its end in 90 s"),
    ],
)
def test_the_section_says_aloud_whether_memory_was_limited(
    limit: str, told: str, exit_code: int | None, verified: str
) -> None:
    verify = {"exit_code": exit_code, "seconds": 90.0, "memory_mb": 120.0, "events": 11_000_000}
    minutes = [minute(1, 60_000.0), minute(2, 45_000.0)]
    sent = {"wall": 60.0, "requests": 600, "accepted": 600, "refused": 0, "p50": 0.4, "p95": 0.5, "p99": 0.6}
    fair = {name: sent | {"worst": 0.7, "retry_after": {"1": 3}} for name in ("alone", "beside", "flood")}
    section = growth_section(
        {
            "measured_at": "today", "load_before": 0.1, "present": 5_000_000, "memory": 1024, "shared_buffers": 128,
            "limit": limit, "group_peak_mb": None if limit else 1_000.0, "ended": "after its time", "minutes": minutes,
            "expected_events": 11_000_000, "fairness": fair | {"seconds": 60.0, "memory_mb": [290.0]},
            "machine": dict.fromkeys(("commit", "processor", "cores", "memory_gb", "system", "python"), "x")
            | {"libraries": {"Django": "5"}},
            "folded_seconds": 12.0, "peaks_mb": [295.0, 60.0], "bloat": {
                "book": {"mb": 50.0, "dead": 0.1, "free": 0.2, "index_mb": 5.0, "leaf_density": {"book_pkey": 71.0}},
            },
            "verify": verify,
            **summary(minutes),
        }
    )  # fmt: skip
    assert told in section
    assert "First 1 minutes **60,000** events/s, last 1 minutes **45,000** (0.75)" in section
    assert verified in section
    assert growth_of(with_growth(QUICK, section)) == f"{section.rstrip()}\n"
