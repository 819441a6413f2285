"""Money is rounded in one place, once, half-up by magnitude."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.billing.errors import BillingInvalid
from twin.billing.rules.rounding import from_minor, minor, minor_nano, minor_text, minor_up, to_minor, typed_minor

EXACT = st.integers(-(10**30), 10**30)
CURRENCY = st.sampled_from(["EUR", "JPY", "KWD", "CLF"])
DECIMALS = {"EUR": 2, "JPY": 0, "KWD": 3, "CLF": 4}


@pytest.mark.parametrize(
    ("exact", "currency", "wanted"),
    [
        (5_000_000, "EUR", 1),
        (4_999_999, "EUR", 0),
        (-5_000_000, "EUR", -1),
        (7_450_000_000_000, "EUR", 745_000),
        (500_000_000, "JPY", 1),
        (499_999_999, "JPY", 0),
        (500_000, "KWD", 1),
        (50_833_333, "EUR", 5),
    ],
)
def test_halves_go_away_from_zero(exact: int, currency: str, wanted: int) -> None:
    assert minor(exact, currency) == wanted


@given(EXACT, CURRENCY)
def test_rounding_is_that_of_decimal(exact: int, currency: str) -> None:
    places = Decimal(1).scaleb(-DECIMALS[currency])
    wanted = Decimal(exact).scaleb(-9).quantize(places, rounding=ROUND_HALF_UP) if abs(exact) < 10**27 else None
    if wanted is not None:
        assert from_minor(minor(exact, currency), currency) == wanted


@given(EXACT, CURRENCY)
def test_what_is_taken_back_mirrors_what_was_charged(exact: int, currency: str) -> None:
    assert minor(-exact, currency) == -minor(exact, currency)


@given(EXACT, CURRENCY)
def test_rounded_up_covers_the_exact_amount_and_nothing_less_does(exact: int, currency: str) -> None:
    covered = minor_up(exact, currency)
    assert minor_nano(covered - 1, currency) < exact <= minor_nano(covered, currency)


@given(st.integers(-(10**14), 10**14), CURRENCY)
def test_minor_units_survive_the_way_through_text(amount: int, currency: str) -> None:
    assert to_minor(Decimal(minor_text(amount, currency)), currency) == amount


def test_the_text_has_all_decimals_of_the_currency() -> None:
    assert minor_text(-5, "EUR") == "-0.05"
    assert minor_text(1200, "EUR") == "12.00"
    assert minor_text(1200, "JPY") == "1200"
    assert minor_text(7, "KWD") == "0.007"


@pytest.mark.parametrize("amount", ["0.001", "1e-9", "1e30", "NaN", "Infinity"])
def test_an_amount_that_is_no_money_is_refused(amount: str) -> None:
    with pytest.raises(BillingInvalid):
        to_minor(Decimal(amount), "EUR")


def test_exponents_of_an_amount_do_not_matter() -> None:
    assert to_minor(Decimal("1E+3"), "EUR") == 100_000
    assert to_minor(Decimal("1.500"), "EUR") == 150


@pytest.mark.parametrize(
    ("typed", "currency", "minors"),
    [
        ("1250", "EUR", 125_000), ("1 250,5", "EUR", 125_050), ("1\u00a0250.50", "EUR", 125_050),
        ("-3.33", "EUR", -333),
        ("1.234", "KWD", 1_234), ("7", "JPY", 7), ("+2", "EUR", 200), ("\u22122", "EUR", -200),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_people_write_it(typed: str, currency: str, minors: int) -> None:
    assert typed_minor(typed, currency) == minors


# A thousand to one reader and one to another: whoever meant a thousand would have recorded one.
@pytest.mark.parametrize(
    ("typed", "currency"),
    [
        ("1,000", "EUR"), ("1.000", "EUR"), ("12,500", "EUR"), ("1,000", "JPY"), ("1,000.50", "EUR"), ("1.0000", "KWD"),
        ("1e5", "EUR"), ("1_000", "EUR"), ("NaN", "EUR"), ("", "EUR"), ("\u0661", "EUR"), ("1" * 17, "EUR"),
        (".5", "EUR"),
    ],
)  # fmt: skip
def test_what_may_mean_two_amounts_or_none_is_refused(typed: str, currency: str) -> None:
    with pytest.raises(BillingInvalid):
        typed_minor(typed, currency)
