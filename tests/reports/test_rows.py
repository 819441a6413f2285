"""Which rows a report has and what stands in them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given

from tests.reports.factories import NANO, Used, cells, company, ids, report, usages
from twin.pricing.meters import METERS
from twin.reports.columns import COLUMNS
from twin.reports.errors import FiguresWithoutCompany
from twin.reports.rules.layout import PRICES, SECTION_METERS
from twin.reports.types import MeterFigures, Row, Totals

ACME, BIRCH = company(7, "Acme"), company(9, "Birch", "Sub Rhea")


def test_every_dependent_has_a_row_in_every_section_zeros_included() -> None:
    made = report([BIRCH, ACME], cells())
    assert list(made.sections) == ["messaging", "chat", "telephony_legacy", "telephony_new", "bot"]
    for code, section in made.sections.items():
        assert [row.company_id for row in section.rows] == [7, 9]
        assert list(section.rows[0].meters) == list(SECTION_METERS[code])
        assert set(section.rows[0].meters.values()) == {MeterFigures(0, 0, 0, 0)}


def test_figures_stand_in_the_row_of_the_company_that_used_them() -> None:
    made = report([ACME, BIRCH], cells((9, "sms.delivered", 120, 131, 1_310_000_000, 2_100_000_000, 0)))
    acme, birch = made.sections["messaging"].rows
    assert birch.meters["sms.delivered"] == MeterFigures(120, 131, 1_310_000_000, 2_100_000_000)
    assert (birch.total_buy, birch.total_sell, birch.margin) == (1_310_000_000, 2_100_000_000, 790_000_000)
    assert birch.path == ("Sub Rhea",)
    assert (acme.total_buy, acme.total_sell, acme.margin) == (0, 0, 0)


def test_a_report_without_dependents_has_empty_sections() -> None:
    made = report([], cells())
    assert list(made.sections["bot"].rows) == []
    assert made.sections["bot"].totals == Totals({"bot.message": MeterFigures(0, 0, 0, 0)}, 0, 0, 0, 0)


def test_usage_of_a_company_without_a_row_is_never_left_out_silently() -> None:
    with pytest.raises(FiguresWithoutCompany, match="company 8"):
        report([ACME], cells((8, "bot.message", 1, 1, 1, 1, 0)))


def test_several_entries_of_one_company_and_meter_add_up() -> None:
    made = report([ACME], cells((7, "bot.message", 1, 2, 3, 4, 0), (7, "bot.message", 10, 20, 30, 40, 1)))
    assert made.sections["bot"].rows[0].meters["bot.message"] == MeterFigures(11, 22, 33, 44, 1)
    assert made.unrated == 1


def test_expenses_are_judged_section_by_section() -> None:
    figures = cells(
        (7, "sms.sent", 5, 5, 0, 0, 0), (7, "bot.message", 1, 1, 0, 3, 0), (9, "call.outgoing", 1, 9, 4, 0, 0)
    )
    made = report([ACME, BIRCH], figures, has_expenses=True)
    assert {code: ids(made, code) for code in made.sections} == {
        "messaging": [],
        "chat": [],
        "telephony_legacy": [9],
        "telephony_new": [],
        "bot": [7],
    }
    assert made.sections["messaging"].totals.meters["sms.sent"].count == 0


def test_usage_still_without_a_price_counts_as_an_expense() -> None:
    made = report([ACME, BIRCH], cells((7, "sms.delivered", 2, 2, 0, 0, 2)), has_expenses=True)
    assert ids(made) == [7]
    assert (made.unrated, made.sections["messaging"].totals.unrated) == (2, 2)
    assert made.sections["messaging"].rows[0].unrated == 2


def test_buy_and_sell_that_cancel_out_are_still_an_expense() -> None:
    made = report([ACME], cells((7, "bot.message", 2, 2, 5, 5, 0)), has_expenses=True)
    assert ids(made, "bot") == [7]


def test_sums_beyond_63_bits_stay_exact() -> None:
    huge = 2**62 + 1
    figures = cells(*[(7, code, 1, 10**12, huge, huge + 3, 0) for code in SECTION_METERS["messaging"]])
    totals = report([ACME], figures).sections["messaging"].totals
    assert (totals.total_buy, totals.total_sell, totals.margin) == (10 * huge, 10 * huge + 30, 30)


def test_figures_beyond_63_bits_stay_exact() -> None:
    huge = 3 * 2**70 + 1
    totals = report([ACME], cells((7, "bot.message", 1, 1, huge, 1, 0))).sections["bot"].totals
    assert (totals.total_buy, totals.margin) == (huge, 1 - huge)


def test_a_section_asked_for_comes_alone() -> None:
    made = report([ACME], cells((7, "sms.sent", 1, 1, 1, 1, 1), (7, "bot.message", 1, 1, 1, 1, 0)), section="bot")
    assert list(made.sections) == ["bot"]
    assert made.unrated == 0


def test_time_zone_is_the_resellers_unless_asked_otherwise() -> None:
    assert report([], cells()).time_zone == "Europe/Berlin"
    assert report([], cells(), time_zone="Asia/Tokyo").time_zone == "Asia/Tokyo"


@given(used=usages)
def test_totals_are_the_plain_sum_of_everything_used(used: list[Used]) -> None:
    made = report([ACME, BIRCH], cells(*used))
    for code, section in made.sections.items():
        own = [entry for entry in used if entry[1] in SECTION_METERS[code]]
        assert section.totals.total_buy == sum(entry[4] for entry in own)
        assert section.totals.total_sell == sum(entry[5] for entry in own)
        assert section.totals.margin == section.totals.total_sell - section.totals.total_buy
        assert section.totals.unrated == sum(entry[6] for entry in own)
        for meter, figures in section.totals.meters.items():
            assert figures.count == sum(entry[2] for entry in own if entry[1] == meter)
            assert figures.quantity == sum(entry[3] for entry in own if entry[1] == meter)


@given(used=usages)
def test_price_columns_add_up_to_the_total_of_either_side(used: list[Used]) -> None:
    made = report([ACME, BIRCH], cells(*used))
    for code in ("messaging", "chat"):
        prices = [column for column in COLUMNS[code] if column.code in PRICES]
        lines: list[Row | Totals] = [*made.sections[code].rows, made.sections[code].totals]
        for row in lines:
            assert sum(column.figures(row, "buy") for column in prices) == row.total_buy
            assert sum(column.figures(row, "sell") for column in prices) == row.total_sell


def test_ten_thousand_companies_are_answered_from_a_page_at_a_time() -> None:
    dependents = [company(number, f"Company {number}") for number in range(1, 10_001)]
    random.Random(1).shuffle(dependents)
    figures = cells(*[(number, meter.code, 1, 1, NANO, 2 * NANO, 0) for number in range(1, 10_001) for meter in METERS])
    made = report(dependents, figures, sort="-margin", limit=100)
    assert made.sections["bot"].row_count == 10_000
    assert len(made.sections["bot"].rows) == 100
    assert made.sections["messaging"].totals.total_sell == 200_000 * NANO
