"""Search, order and pages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports.factories import MARCH, HandMadeCells, cells, company, ids, report
from twin.companies.types import Dependent
from twin.reports.errors import ReportQueryInvalid
from twin.reports.rules.asking import check
from twin.reports.types import ReportQuery, ResellerReport

FOUR = [company(5, "delta"), company(11, "Alpha"), company(3, "ÉCLAIR"), company(8, "alpha")]
USED = cells(
    (5, "sms.sent", 1, 1, 1, 5, 0),
    (5, "sms.delivered", 9, 9, 1, 0, 0),
    (11, "sms.sent", 1, 4, 7, 2, 0),
    (8, "sms.delivered", 3, 3, 0, 7, 0),
)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("company_id", [3, 5, 8, 11]),
        ("-company_id", [11, 8, 5, 3]),
        ("company_name", [8, 11, 5, 3]),
        ("-company_name", [3, 5, 8, 11]),
        ("total_buy", [3, 8, 5, 11]),
        ("-total_buy", [11, 5, 3, 8]),
        ("total_sell", [3, 11, 5, 8]),
        ("margin", [11, 3, 5, 8]),
        ("-margin", [8, 5, 3, 11]),
        ("sms.sent.count", [3, 8, 5, 11]),
        ("-sms.sent.count", [5, 11, 3, 8]),
        ("-sms.sent.quantity", [11, 5, 3, 8]),
        ("-sms.delivered.buy", [5, 3, 8, 11]),
        ("-sms.sent.sell", [5, 11, 3, 8]),
        ("-price_sms", [8, 5, 11, 3]),
    ],
)
def test_rows_stand_in_the_order_asked_for_and_equals_by_company_id(sort: str, expected: list[int]) -> None:
    assert ids(report(FOUR, USED, sort=sort)) == expected


def test_a_price_column_is_sorted_on_the_side_it_is_shown() -> None:
    assert ids(report(FOUR, USED, sort="-price_sms", side="buy")) == [11, 5, 3, 8]


def test_a_meter_of_another_section_leaves_company_ids_in_order() -> None:
    assert ids(report(FOUR, USED, sort="-bot.message.sell")) == [3, 5, 8, 11]


@pytest.mark.parametrize(
    ("search", "expected"),
    [("", [3, 5, 8, 11]), ("ALPH", [8, 11]), ("éclair", [3]), ("e\u0301cl", [3]), ("5", [5]), ("1", []), ("x", [])],
)
def test_search_is_part_of_the_name_in_any_case_or_the_whole_id(search: str, expected: list[int]) -> None:
    assert ids(report(FOUR, USED, search=search)) == expected


def test_totals_cover_what_was_found_not_the_page() -> None:
    section = report(FOUR, USED, search="a", limit=1).sections["messaging"]
    assert (len(section.rows), section.row_count) == (1, 4)
    assert section.totals.total_sell == 14
    assert report(FOUR, USED, search="alpha").sections["messaging"].totals.total_sell == 9


def _pages(dependents: list[Dependent], used: HandMadeCells, **asked: Any) -> list[ResellerReport]:
    pages = [report(dependents, used, section="messaging", **asked)]
    while (cursor := pages[-1].sections["messaging"].next_cursor) is not None:
        pages.append(report(dependents, used, section="messaging", cursor=cursor, **asked))
    return pages


@pytest.mark.parametrize("sort", ["company_id", "-company_name", "-total_sell", "sms.sent.count", "-price_sms"])
@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_pages_one_after_the_other_are_the_whole(sort: str, limit: int) -> None:
    pages = _pages(FOUR, USED, sort=sort, limit=limit)
    assert [row for page in pages for row in ids(page)] == ids(report(FOUR, USED, sort=sort))
    assert len(pages) == -(-4 // limit)


@given(
    figures=st.lists(st.integers(-(2**70), 2**70) | st.integers(0, 2), min_size=1, max_size=20),
    limit=st.integers(1, 7),
    down=st.booleans(),
)
def test_pages_are_the_whole_whatever_the_figures(figures: list[int], limit: int, down: bool) -> None:
    dependents = [company(number, "same") for number in range(len(figures))]
    used = cells(*[(number, "sms.sent", 1, 1, 0, sell, 0) for number, sell in enumerate(figures)])
    pages = _pages(dependents, used, sort="-total_sell" if down else "total_sell", limit=limit)
    expected = sorted(range(len(figures)), key=lambda number: (-figures[number] if down else figures[number], number))
    assert [row for page in pages for row in ids(page)] == expected


def test_a_cursor_of_all_sections_goes_on_in_its_own() -> None:
    cursor = report(FOUR, USED, limit=3).sections["chat"].next_cursor
    assert ids(report(FOUR, USED, limit=3, section="chat", cursor=cursor), "chat") == [11]


def test_a_row_that_appears_before_the_cursor_repeats_nothing() -> None:
    cursor = report(FOUR, USED, limit=2, section="messaging").sections["messaging"].next_cursor
    more = [*FOUR, company(4, "new")]
    assert ids(report(more, USED, limit=2, section="messaging", cursor=cursor)) == [8, 11]


@pytest.mark.parametrize(
    "changed",
    [
        {"sort": "-company_id"},
        {"has_expenses": True},
        {"search": "a"},
        {"section": "chat"},
    ],
)
def test_a_cursor_of_another_question_is_refused(changed: dict[str, Any]) -> None:
    cursor = report(FOUR, USED, limit=2, section="messaging").sections["messaging"].next_cursor
    with pytest.raises(ReportQueryInvalid) as refusal:
        report(FOUR, USED, **({"section": "messaging", "limit": 2, "cursor": cursor} | changed))
    assert [error.loc for error in refusal.value.errors] == [("cursor",)]


@pytest.mark.parametrize(
    "cursor", ["", "x", "é", "bnVsbA", "W10", "A" * 5000, "WyJhIiwgMSwgMV0", "W1tbW1tbW1tbW1tbW1tbWw"]
)
def test_nonsense_for_a_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(ReportQueryInvalid):
        report(FOUR, USED, section="messaging", cursor=cursor)


def test_a_file_takes_every_row() -> None:
    check(ReportQuery(period=MARCH, limit=None))
    section = report(FOUR, USED, limit=None).sections["messaging"]
    assert (len(section.rows), section.next_cursor) == (4, None)


def test_pages_that_count_need_no_cursor() -> None:
    assert ids(report(FOUR, USED, limit=3, offset=3)) == [11]
    assert ids(report(FOUR, USED, limit=3, offset=300)) == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"section": "sms"}, "section"),
        ({"cursor": "x"}, "section"),
        ({"limit": 0}, "limit"),
        ({"limit": 10_001}, "limit"),
        ({"offset": -1}, "offset"),
        ({"offset": 1, "cursor": "x", "section": "bot"}, "offset"),
        ({"side": "both"}, "side"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"search": "a\0"}, "search"),
        ({"search": "\ud800"}, "search"),
        ({"search": "a" * 201}, "search"),
        ({"sort": "name"}, "sort"),
        ({"sort": ""}, "sort"),
        ({"sort": "--margin"}, "sort"),
        ({"sort": "sms.sent.price"}, "sort"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_field(asked: dict[str, Any], field: str) -> None:
    with pytest.raises(ReportQueryInvalid) as refusal:
        check(ReportQuery(period=MARCH, **asked))
    assert [error.loc for error in refusal.value.errors] == [(field,)]


def test_an_ordinary_question_is_let_through() -> None:
    check(
        ReportQuery(period=MARCH, section="chat", search="acme", sort="-chat.bot_message.sell", time_zone="Asia/Tokyo")
    )
