"""Every field of a new rate at and just beyond its limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from twin.kernel.errors import Invalid
from twin.kernel.money import MAX_NANO
from twin.pricing.errors import RatesUnusable
from twin.pricing.meters import METERS
from twin.pricing.rules.new_rates import check_rates, price_nano
from twin.pricing.types import NewRate

GOOD = NewRate("sms.delivered", {"country": "DE"}, 74_500_000, 1, 0, 1, 0, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("0", 0),
        ("0.0745", 74_500_000),
        ("0.000000001", 1),
        ("00.10", 100_000_000),
        ("9223372036.854775807", MAX_NANO),
    ],
)
def test_a_price_becomes_exact_nano_units(text: str, nano: int) -> None:
    assert price_nano(text) == nano


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "-1", "-0", "+1", "1e3", "NaN", "Infinity", "0.0000000001", "0.1000000000", ".5", "1.", "1,5",
     "1_000", "١", "9223372036.854775808", "99999999999", "1\n", 1, 1.5, True, None],
)  # fmt: skip
def test_anything_but_a_plain_decimal_string_is_no_price(text: object) -> None:
    with pytest.raises(Invalid):
        price_nano(text)


@pytest.mark.parametrize(
    "limit",
    [
        {"unit_price_nano": 0, "setup_fee_nano": 0},
        {"unit_price_nano": MAX_NANO, "setup_fee_nano": MAX_NANO},
        {"per": 10**6},
        {"minimum": 10**12, "increment": 10**12},
        {"selector": {}},
        {"selector": {"a": "", "b": "x" * 128, "c" * 128: "1", "d": "жук🐞"}},
    ],
)
def test_values_at_their_limits_are_taken(limit: dict[str, Any]) -> None:
    check_rates([replace(GOOD, **limit)])


@pytest.mark.parametrize(
    ("fault", "loc"),
    [
        ({"meter": "sms.read"}, ("meter",)),
        ({"unit_price_nano": -1}, ("unit_price",)),
        ({"unit_price_nano": MAX_NANO + 1}, ("unit_price",)),
        ({"setup_fee_nano": -1}, ("setup_fee",)),
        ({"per": 0}, ("per",)),
        ({"per": 10**6 + 1}, ("per",)),
        ({"per": True}, ("per",)),
        ({"per": 1.0}, ("per",)),
        ({"minimum": -1}, ("minimum",)),
        ({"minimum": 10**12 + 1}, ("minimum",)),
        ({"increment": 0}, ("increment",)),
        ({"increment": 10**12 + 1}, ("increment",)),
        ({"selector": {str(n): "x" for n in range(5)}}, ("selector",)),
        ({"selector": ["country"]}, ("selector",)),
        ({"selector": {"": "x"}}, ("selector",)),
        ({"selector": {"k" * 129: "x"}}, ("selector",)),
        ({"selector": {"\0": "x"}}, ("selector",)),
        ({"selector": {"country": "x" * 129}}, ("selector", "country")),
        ({"selector": {"country": "\0"}}, ("selector", "country")),
        ({"selector": {"country": "\ud800"}}, ("selector", "country")),
        ({"selector": {"country": 49}}, ("selector", "country")),
        ({"effective_from": datetime(2026, 1, 1)}, ("effective_from",)),  # noqa: DTZ001 - the fault under test
    ],
)
def test_a_wrong_field_is_named_with_its_place(fault: dict[str, Any], loc: tuple[str, ...]) -> None:
    with pytest.raises(RatesUnusable) as refusal:
        check_rates([GOOD, replace(GOOD, **fault)])
    assert [error.loc for error in refusal.value.errors] == [("rates", 1, *loc)]


def test_every_wrong_field_of_every_rate_is_named() -> None:
    with pytest.raises(RatesUnusable) as refusal:
        check_rates([replace(GOOD, per=0, minimum=-1), GOOD, replace(GOOD, meter="x")])
    assert [error.loc[1:] for error in refusal.value.errors] == [(0, "per"), (0, "minimum"), (2, "meter")]


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(RatesUnusable):
        check_rates([])


def test_the_meters_are_numbered_in_the_order_of_the_report() -> None:
    assert [meter.id for meter in METERS] == list(range(1, 20))
