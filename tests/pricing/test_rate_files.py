"""Prices as a file: what is written reads back the same, and what is wrong is named by line and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.kernel.money import MAX_NANO
from twin.kernel.period import parse_instant
from twin.pricing.meters import METERS
from twin.pricing.rules.rate_files import (
    HEADER,
    LARGEST_FILE,
    MOST_LINES,
    Problem,
    RateFile,
    cells_of,
    read_rates,
    text_of,
)
from twin.pricing.rules.rate_imports import planned
from twin.pricing.types import Rate, Terms

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
HEAD = "meter,selector,unit_price,per,minimum,increment,setup_fee,effective_from"


def read(text: str) -> RateFile:
    return read_rates(text, parse_instant)


def written(rates: Sequence[Rate]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([HEADER, *(cells_of(rate) for rate in rates)])
    return text.getvalue()


def wrong(text: str) -> list[tuple[str, int, str]]:
    found = read(text)
    problems = [*found.problems, *(problem for line in found.lines for problem in line.problems)]
    return [(one.code, one.line, one.column) for one in problems]


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
RATES = st.builds(
    Rate,
    id=st.integers(1, 10**6),
    card_id=st.just(1),
    meter_id=st.sampled_from([meter.id for meter in METERS]),
    selector=st.dictionaries(TEXTS, TEXTS | st.just(""), max_size=4).map(lambda found: tuple(sorted(found.items()))),
    terms=st.builds(
        Terms, st.integers(0, MAX_NANO), st.integers(1, 10**6), st.integers(0, 10**12), st.integers(1, 10**12),
        st.integers(0, MAX_NANO),
    ),
    effective_from=st.timedeltas(timedelta(0), timedelta(days=4000)).map(lambda gone: NOON + gone),
)  # fmt: skip


@given(st.lists(RATES, min_size=1, max_size=5))
def test_what_is_written_reads_back_as_recorded_already(rates: list[Rate]) -> None:
    found = read(written(rates))
    assert [line.problems for line in found.lines] == [()] * len(rates)
    assert all(one.state != "new" for one in planned(found.lines, sorted(rates, key=lambda rate: rate.id))) or len(
        {(one.meter_id, one.selector, one.effective_from) for one in rates}
    ) < len(rates)


@given(RATES)
def test_no_cell_runs_as_a_formula(rate: Rate) -> None:
    assert not any(str(cell).lstrip()[:1] in tuple("=+-@＝＋－＠\t\r\n") for cell in cells_of(rate) if cell != "")


def test_semicolons_a_mark_a_decimal_comma_and_blank_lines_are_read() -> None:
    content = (
        "\ufeffsep=;\r\nMeter;Selector;Unit_price;Effective_from\r\n\r\n"
        'SMS.sent;"country=DE, operator=1";0,0745;2026-12-01T00:00:00+01:00\r\n'
    )
    text = text_of(content.encode())
    assert isinstance(text, str)
    (line,) = read(text).lines
    assert line.rate is not None
    assert (line.number, line.rate.meter, dict(line.rate.selector)) == (
        4,
        "sms.sent",
        {"country": "DE", "operator": "1"},
    )
    assert (line.rate.unit_price_nano, line.rate.per, line.rate.increment) == (74_500_000, 1, 1)
    assert line.rate.effective_from == datetime(2026, 11, 30, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("fax,,1,1,0,1,0,2026-12-01T00:00:00Z", "meter"),
        ("sms.sent,DE,1,1,0,1,0,2026-12-01T00:00:00Z", "selector"),
        ("sms.sent,a=1 a=2,1,1,0,1,0,2026-12-01T00:00:00Z", "selector"),
        ("sms.sent,a=1 b=2 c=3 d=4 e=5,1,1,0,1,0,2026-12-01T00:00:00Z", "selector"),
        ('sms.sent,"{""a"": 1}",1,1,0,1,0,2026-12-01T00:00:00Z', "selector"),
        (f"sms.sent,{'[' * 50_000},1,1,0,1,0,2026-12-01T00:00:00Z", "selector"),
        ("sms.sent,a=\0,1,1,0,1,0,2026-12-01T00:00:00Z", "selector"),
        ("sms.sent,,=1+1,1,0,1,0,2026-12-01T00:00:00Z", "unit_price"),
        ("sms.sent,,1e3,1,0,1,0,2026-12-01T00:00:00Z", "unit_price"),
        ("sms.sent,,,1,0,1,0,2026-12-01T00:00:00Z", "unit_price"),
        ("sms.sent,,9999999999,1,0,1,0,2026-12-01T00:00:00Z", "unit_price"),
        (f"sms.sent,,1,{'9' * 5000},0,1,0,2026-12-01T00:00:00Z", "per"),
        ("sms.sent,,1,0,0,1,0,2026-12-01T00:00:00Z", "per"),
        ("sms.sent,,1,1,-1,1,0,2026-12-01T00:00:00Z", "minimum"),
        ("sms.sent,,1,1,0,0,0,2026-12-01T00:00:00Z", "increment"),
        ("sms.sent,,1,1,0,1,-1,2026-12-01T00:00:00Z", "setup_fee"),
        ("sms.sent,,1,1,0,1,0,01.12.2026", "effective_from"),
        ("sms.sent,,1,1,0,1,0,", "effective_from"),
    ],
)
def test_what_is_wrong_is_named_by_line_and_column(line: str, column: str) -> None:
    good = "sms.sent,,1,1,0,1,0,2026-12-01T00:00:00Z"
    assert wrong(f"{HEAD}\n{good}\n{line}\n{good}\n") == [(column, 3, column)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        (HEAD, "empty"),
        ("meter,unit_price\nsms.sent,1", "column_missing"),
        (f"{HEAD},colour\n", "column_unknown"),
        (f"{HEAD},per\n", "column_doubled"),
        (f'{HEAD}\nsms.sent,"a', "unreadable"),
        (f"{HEAD}\n" + "sms.sent,,1,1,0,1,0,2026-12-01T00:00:00Z\n" * (MOST_LINES + 1), "too_many"),
        ("x" * (LARGEST_FILE + 1), "too_large"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(text: str, code: str) -> None:
    found = read(text)
    assert [problem.code for problem in found.problems] == [code]
    assert found.lines == ()


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    assert text_of("Цена".encode("cp1251")) == Problem("encoding")
    assert text_of(b"x" * (LARGEST_FILE + 1)) == Problem("too_large")


def test_every_wrong_cell_of_a_line_is_named_and_more_cells_than_columns_are_too() -> None:
    assert wrong(f"{HEAD}\nsms.sent,,x,y,0,1,0,z") == [
        ("unit_price", 2, "unit_price"), ("per", 2, "per"), ("effective_from", 2, "effective_from")
    ]  # fmt: skip
    assert wrong(f"{HEAD}\nsms.sent,,1,1,0,1,0,2026-12-01T00:00:00Z,5") == [("too_many_cells", 2, "")]


def test_only_the_last_of_equal_lines_counts() -> None:
    line = "sms.sent,,{},1,0,1,0,2026-12-01T00:00:00Z"
    found = read("\n".join([HEAD, line.format("1"), line.format("2"), "sms.sent,a=b,1,1,0,1,0,2026-12-01T00:00:00Z"]))
    known = Rate(7, 1, 1, (), Terms(2 * 10**9), datetime(2026, 12, 1, tzinfo=UTC))
    assert [(one.number, one.state, one.replaced_by) for one in planned(found.lines, [known])] == [
        (2, "replaced", 3), (3, "same", 0), (4, "new", 0)
    ]  # fmt: skip
