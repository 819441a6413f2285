"""Increments and amounts, by the table of the reference and against exact fractions."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.kernel.money import NANO, to_nano
from twin.pricing.rules.charge import billed_quantity, charge_nano
from twin.pricing.types import Terms

INCREMENTS = ((60, 1), (60, 60), (30, 6), (6, 6), (1, 1), (30, 12), (60, 7))
BILLED = {
    0: (0, 0, 0, 0, 0, 0, 0),
    1: (60, 60, 30, 6, 1, 30, 60),
    30: (60, 60, 30, 30, 30, 30, 60),
    32: (60, 60, 36, 36, 32, 42, 60),
    57: (60, 60, 60, 60, 57, 66, 60),
    60: (60, 60, 60, 60, 60, 66, 60),
    61: (61, 120, 66, 66, 61, 66, 67),
    75: (75, 120, 78, 78, 75, 78, 81),
    3601: (3601, 3660, 3606, 3606, 3601, 3606, 3602),
}
CASES = [
    (duration, minimum, increment, billed)
    for duration, row in BILLED.items()
    for (minimum, increment), billed in zip(INCREMENTS, row, strict=True)
]

amounts = st.integers(min_value=0, max_value=2**63 - 1)
terms = st.builds(
    Terms,
    unit_price_nano=amounts,
    per=st.integers(min_value=1, max_value=10**6),
    minimum=st.integers(min_value=0, max_value=10**12),
    increment=st.integers(min_value=1, max_value=10**12),
    setup_fee_nano=amounts,
)
small_terms = st.builds(
    Terms,
    unit_price_nano=st.integers(min_value=0, max_value=20),
    per=st.integers(min_value=1, max_value=12),
    minimum=st.integers(min_value=0, max_value=5),
    increment=st.integers(min_value=1, max_value=5),
    setup_fee_nano=st.integers(min_value=0, max_value=5),
)


@pytest.mark.parametrize(("duration", "minimum", "increment", "billed"), CASES)
def test_billed_seconds_follow_the_table(duration: int, minimum: int, increment: int, billed: int) -> None:
    assert billed_quantity(duration, minimum, increment) == billed


@given(
    st.integers(min_value=0, max_value=10**12),
    st.integers(min_value=0, max_value=10**12),
    st.integers(min_value=1, max_value=10**12),
)
def test_billed_is_the_least_allowed_quantity_that_covers_the_usage(q: int, minimum: int, increment: int) -> None:
    billed = billed_quantity(q, minimum, increment)
    if q == 0:
        assert billed == 0
        return
    assert billed >= max(q, minimum)
    assert (billed - minimum) % increment == 0
    assert billed == minimum or billed - increment < q


def test_sixty_one_seconds_at_five_cents_a_minute_multiply_first_and_divide_last() -> None:
    assert charge_nano(Terms(to_nano("0.05"), per=60), 61) == to_nano("0.050833333")


def test_both_sides_of_a_call_may_bill_different_seconds() -> None:
    sold, bought = Terms(NANO, minimum=60, increment=1), Terms(NANO, minimum=60, increment=60)
    assert (charge_nano(sold, 61), charge_nano(bought, 61)) == (61 * NANO, 120 * NANO)


def test_a_million_messages_cost_exactly_what_the_price_says() -> None:
    assert sum([charge_nano(Terms(to_nano("0.00745")), 1)] * 1_000_000) == to_nano("7450")


def test_the_setup_fee_is_added_once_for_an_event_that_is_billed() -> None:
    assert charge_nano(Terms(to_nano("0.10"), setup_fee_nano=to_nano("0.50")), 3) == to_nano("0.80")


def test_nothing_is_charged_when_nothing_is_billed() -> None:
    assert charge_nano(Terms(to_nano("0.10"), minimum=60, setup_fee_nano=to_nano("0.50")), 0) == 0


@pytest.mark.parametrize(("price", "expected"), [(1, 0), (3, 2), (5, 2), (7, 4)])
def test_ties_go_to_the_even_nano_unit(price: int, expected: int) -> None:
    assert charge_nano(Terms(price, per=2), 1) == expected


@pytest.mark.parametrize(("price", "expected"), [(1, 2), (3, 2), (5, 4)])
def test_the_whole_is_rounded_so_an_odd_fee_turns_the_tie(price: int, expected: int) -> None:
    assert charge_nano(Terms(price, per=2, setup_fee_nano=1), 1) == expected


def test_amounts_beyond_the_database_stay_exact() -> None:
    largest = 2**63 - 1
    assert charge_nano(Terms(largest), 10**12) == largest * 10**12


def exact_charge(t: Terms, quantity: int) -> int:
    """The rule word by word, in fractions."""
    if quantity == 0:
        return 0
    billed = Fraction(t.minimum)
    while billed < quantity and (missing := quantity - billed) > 0:
        billed += t.increment * -floor(-missing / t.increment)
    if billed == 0:
        return 0
    # `round` of a Fraction is exact and half-even.
    return round(Fraction(t.unit_price_nano) * billed / t.per + t.setup_fee_nano)


@given(terms, st.integers(min_value=0, max_value=10**12))
def test_a_charge_equals_its_formula_in_exact_fractions(t: Terms, quantity: int) -> None:
    assert charge_nano(t, quantity) == exact_charge(t, quantity)


@given(small_terms, st.integers(min_value=0, max_value=20))
def test_small_charges_with_many_ties_equal_their_formula(t: Terms, quantity: int) -> None:
    assert charge_nano(t, quantity) == exact_charge(t, quantity)


@given(terms, st.integers(min_value=0, max_value=10**9), st.integers(min_value=0, max_value=10**9))
def test_more_usage_never_costs_less(t: Terms, one: int, more: int) -> None:
    assert charge_nano(t, one) <= charge_nano(t, one + more)
