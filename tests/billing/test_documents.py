"""Which lines of a statement become which document, each rounded once; the tax on them: no database."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.billing.factories import line, shaped
from twin.billing.rules.documents import documents_of, sums_of
from twin.billing.rules.rounding import minor
from twin.billing.rules.tax import tax_on, tax_taken_back
from twin.billing.types import StatementLine
from twin.kernel.money import amount_text

DECEMBER, NOVEMBER = date(2025, 12, 1), date(2025, 11, 1)
NINETEEN = Decimal(19)


def told(*lines: StatementLine, **fields: str) -> list[tuple[str, list[int]]]:
    """Kind and rounded lines of each document."""
    drafts = documents_of(shaped(lines, **fields))  # type: ignore[arg-type]  # names are the factory's
    return [(draft.kind, [one.net_minor for one in draft.lines]) for draft in drafts]


def late(amount: str, month: date = DECEMBER) -> StatementLine:
    return line(amount, kind="late", month=month)


def test_each_line_is_rounded_once_and_half_goes_away_from_zero() -> None:
    assert told(line("0.005"), line("1.234999999"), line("-0.005"), late("2.5")) == [("invoice", [1, 123, -1, 250])]


@pytest.mark.parametrize(("currency", "rounded"), [("JPY", 7450), ("EUR", 745046), ("KWD", 7450456)])
def test_the_currency_says_how_many_decimals_there_are(currency: str, rounded: int) -> None:
    assert told(line("7450.4556"), currency=currency) == [("invoice", [rounded])]


def test_a_million_messages_are_rounded_as_one_line() -> None:
    assert told(line("7450.00", count=1_000_000)) == [("invoice", [745000])]


def test_free_usage_makes_no_line_and_nothing_but_free_usage_no_document() -> None:
    assert told(line("0"), line("3")) == [("invoice", [300])]
    assert told(line("0")) == []
    assert told() == []


def test_what_is_too_little_for_the_minor_unit_is_an_invoice_of_nothing() -> None:
    assert told(line("0.004")) == [("invoice", [0])]


def test_what_is_owed_to_the_buyer_altogether_is_a_credit_note() -> None:
    assert told(line("1"), late("-3")) == [("credit_note", [100, -300])]
    assert told(line("3"), late("-3")) == [("invoice", [300, -300])]


def test_late_usage_stands_on_the_next_invoice() -> None:
    assert told(line("10"), late("2"), late("-1", NOVEMBER)) == [("invoice", [1000, 200, -100])]


def test_credit_note_policy_puts_what_lowers_an_earlier_month_on_a_document_of_its_own() -> None:
    lines = (line("10"), late("2"), late("-5", NOVEMBER), late("3", NOVEMBER))
    assert told(*lines, late_policy="credit_note") == [("invoice", [1000, 200]), ("credit_note", [-500, 300])]


def test_credit_note_policy_with_nothing_else_makes_only_the_credit_note() -> None:
    assert told(late("-5"), late_policy="credit_note") == [("credit_note", [-500])]
    assert told(late("-5"), line("-1"), late_policy="credit_note") == [("credit_note", [-100, -500])]


def test_write_off_drops_what_an_earlier_month_would_cost_more_and_keeps_what_it_costs_less() -> None:
    dearer = (late("-10"), late("12"))
    cheaper = (late("-10", NOVEMBER), late("8", NOVEMBER))
    assert told(line("1"), *dearer, *cheaper, late_policy="write_off") == [("credit_note", [100, -1000, 800])]
    assert told(*dearer, late_policy="write_off") == []


def test_lines_are_numbered_from_one_and_know_their_line_of_the_statement() -> None:
    draft = documents_of(shaped([line("0"), line("1"), line("2")]))[0]
    assert [(one.number, one.statement_line) for one in draft.lines] == [(1, 2), (2, 3)]


@given(st.lists(st.integers(-(10**15), 10**15), max_size=30), st.sampled_from(["JPY", "EUR", "KWD"]))
def test_a_statement_rounded_line_by_line_is_its_documents(amounts: list[int], currency: str) -> None:
    lines = [line(amount_text(amount)) for amount in amounts]
    drafts = documents_of(shaped(lines, currency=currency))
    assert sum(draft.net_minor for draft in drafts) == sum(minor(amount, currency) for amount in amounts)


@given(st.lists(st.tuples(st.integers(-(10**12), 10**12), st.sampled_from([DECEMBER, NOVEMBER])), max_size=20))
def test_every_late_line_stands_on_exactly_one_document_or_its_month_was_written_off(
    amounts: list[tuple[int, date]],
) -> None:
    lines = [line(amount_text(amount), kind="late", month=month) for amount, month in amounts if amount]
    whole = sum(minor(one.amount, "EUR") for one in lines)
    apart = documents_of(shaped(lines, late_policy="credit_note"))
    assert sum(draft.net_minor for draft in apart) == whole
    kept = documents_of(shaped(lines, late_policy="write_off"))
    assert sum(one.exact for draft in kept for one in draft.lines) <= 0


@pytest.mark.parametrize(
    ("net", "percent", "tax"),
    [
        (1000, "19", 190),
        (333, "19", 63),
        (-333, "19", -63),
        (50, "1", 1),
        (49, "1", 0),
        (10000, "7.7", 770),
        (1, "0", 0),
    ],
)
def test_tax_is_rounded_once_and_mirrors_below_zero(net: int, percent: str, tax: int) -> None:
    assert tax_on(net, kind="rate", percent=Decimal(percent)) == tax


def test_nothing_is_added_for_the_exempt_and_under_reverse_charge() -> None:
    assert tax_on(1000, kind="exempt", percent=NINETEEN) == 0
    assert tax_on(1000, kind="reverse_charge", percent=NINETEEN) == 0


def test_tax_is_computed_on_the_document_and_not_on_its_lines() -> None:
    draft = documents_of(shaped([line("0.03")] * 3))[0]
    sums = sums_of(draft, kind="rate", percent=NINETEEN)
    assert (sums.net_minor, sums.tax_minor, sums.gross_minor) == (9, 2, 11)


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=20), st.decimals("0", "100", places=4))
def test_credit_notes_of_a_whole_invoice_take_back_its_tax_exactly(parts: list[int], percent: Decimal) -> None:
    before = taken = 0
    for part in parts:
        taken += tax_taken_back(-part, before_minor=before, kind="rate", percent=percent)
        before -= part
    assert taken == -tax_on(sum(parts), kind="rate", percent=percent)
