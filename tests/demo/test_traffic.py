"""The usage of the demonstration, before anything is stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from twin.demo.rules.cast import NORTH, PEOPLE, SELLERS, customers
from twin.demo.rules.tariffs import BALTIC_STANDARD, DEFAULT_CARDS, SPECIAL_CARDS, WHOLESALE, rates
from twin.demo.rules.traffic import ATTRIBUTE_SETS, usage
from twin.demo.rules.wire import BATCH, batches
from twin.demo.types import Usage, WorldSize
from twin.kernel.money import to_nano
from twin.pricing.meters import METERS
from twin.pricing.rules.new_rates import check_rates

PRESENT = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
SIZE = WorldSize()


@pytest.fixture(scope="module")
def made() -> Usage:
    return usage(customers(SIZE), PRESENT, SIZE)


def test_there_are_about_as_many_events_as_asked_for(made: Usage) -> None:
    assert 295_000 <= len(made) <= 305_000


def test_the_same_world_is_the_same_to_the_byte(made: Usage) -> None:
    again = usage(customers(SIZE), PRESENT, SIZE)
    subjects = list(range(60))
    assert list(batches(made, subjects)) == list(batches(again, subjects))


def test_all_meters_are_used(made: Usage) -> None:
    assert set(made.meter.tolist()) == {meter.id for meter in METERS}


def test_usage_covers_ninety_days_up_to_the_present(made: Usage) -> None:
    first, last = made.moment[0].item(), made.moment[-1].item()
    present = PRESENT.replace(tzinfo=None)
    assert timedelta(days=89) < present - first <= timedelta(days=90)
    assert timedelta(0) < present - last < timedelta(hours=1)
    assert (np.diff(made.moment) >= np.timedelta64(0)).all()


def test_sundays_are_quieter_than_wednesdays(made: Usage) -> None:
    days = made.moment.astype("datetime64[D]").astype(np.int64)
    weekday = (days + 3) % 7
    assert np.count_nonzero(weekday == 6) * 2 < np.count_nonzero(weekday == 2)


def test_sizes_follow_zipf(made: Usage) -> None:
    counts = sorted(np.bincount(made.customer, minlength=60).tolist(), reverse=True)
    assert counts[0] > 4 * counts[10] > 8 * counts[40] > 0
    assert counts[-1] == 0


def test_a_message_arrives_at_the_time_it_was_sent(made: Usage) -> None:
    sent = made.moment[made.meter == 1]
    arrived = made.moment[(made.meter == 2) & (made.attributes != len(ATTRIBUTE_SETS) - 4)]
    assert np.isin(arrived, sent).all()
    assert len(arrived) < len(sent)


def test_a_few_events_go_where_one_reseller_has_no_price(made: Usage) -> None:
    cast = customers(SIZE)
    abroad = [place for place, chosen in enumerate(ATTRIBUTE_SETS) if chosen == {"country": "UZ"}]
    buyers = made.customer[np.isin(made.attributes, abroad)]
    assert len(buyers) == 37
    assert {cast[buyer].seller for buyer in buyers.tolist()} == {NORTH}


def test_no_usage_before_a_company_joined(made: Usage) -> None:
    for place, customer in enumerate(customers(SIZE)):
        own = made.moment[made.customer == place]
        if len(own):
            assert PRESENT.replace(tzinfo=None) - own[0].item() <= timedelta(days=customer.joined_days_ago)


def test_batches_are_what_the_api_takes(made: Usage) -> None:
    sent = list(batches(made, list(range(101, 161))))
    assert sum(number for number, _ in sent) == len(made)
    assert {number for number, _ in sent[:-1]} == {BATCH}
    first = json.loads(sent[0][1])[0]
    assert set(first) == {"specversion", "type", "source", "id", "subject", "time", "data"}
    assert 101 <= int(first["subject"]) <= 160
    assert first["time"].endswith("Z")


def test_every_price_can_be_recorded() -> None:
    for _, prices in DEFAULT_CARDS.values():
        check_rates(rates(prices, PRESENT))
    for _, _, prices, _ in SPECIAL_CARDS:
        check_rates(rates(prices, PRESENT))


def test_one_reseller_sells_one_product_under_its_cost() -> None:
    cost = next(price for price in WHOLESALE if price.meter == "viber.delivered")
    sold = [price for price in BALTIC_STANDARD if price.meter == "viber.delivered"][-1]
    assert to_nano(sold.amount) < to_nano(cost.amount)


def test_the_cast_is_platform_resellers_and_sixty_companies() -> None:
    cast = customers(SIZE)
    assert len(cast) == len({customer.name for customer in cast}) == len({customer.code for customer in cast}) == 60
    assert [seller.below for seller in SELLERS] == ["", "", "", "R-RHEA"]
    assert len([customer for customer in cast if customer.moved]) == 1
    assert all(len(person.password) >= 12 for person in PEOPLE)


def test_a_larger_world_has_more_companies_of_other_names() -> None:
    cast = customers(WorldSize(companies=500))
    assert len({customer.name for customer in cast}) == len({customer.code for customer in cast}) == 500
