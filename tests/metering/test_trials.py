"""Other prices tried on usage that happened, clashes named line by line, and the to-do in pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.metering.test_taking import event, take
from tests.world import BEGINNING, World
from twin.kernel.errors import Invalid
from twin.kernel.period import Period, parse_instant
from twin.metering import actions, queries
from twin.metering.types import RateClash, RateUse, TrialLine
from twin.pricing import actions as pricing
from twin.pricing.errors import RateCardNotFound
from twin.pricing.queries import rates_of
from twin.pricing.types import NewRate

pytestmark = pytest.mark.database

NOON = "2026-03-01T12:00:00Z"
MARCH = Period(parse_instant("2026-03-01T00:00:00Z"), parse_instant("2026-04-01T00:00:00Z"))
CENT = 10_000_000


def rate(meter: str, price: int, *, increment: int = 1, since: str = NOON, **selector: str) -> NewRate:
    return NewRate(meter, selector, price, 1, 0, increment, 0, parse_instant(since))


def tried(world: World, *rates: NewRate, card: int = 0, period: Period = MARCH) -> list[TrialLine]:
    found = queries.trial_of(world.rhea.scope, card or world.rhea_card.id, period, rates)
    return sorted(found.lines, key=lambda one: (one.buyer_id, one.meter))


def sms(world: World, company: int, key: str, quantity: int = 1, time: str = NOON, **attributes: str) -> dict[str, Any]:
    return event(company, key, meter="sms.sent", quantity=quantity, time=time, attributes=attributes)


def test_a_trial_charges_every_event_anew_and_records_nothing(world: World) -> None:
    calls = [
        event(world.acme.id, f"c{n}", meter="call.outgoing", quantity=seconds, time=NOON)
        for n, seconds in enumerate((1, 61, 61))
    ]
    take(world, sms(world, world.acme.id, "a", 3), sms(world, world.cedar.id, "b", 2), *calls)
    take(world, sms(world, world.acme.id, "late", 5, "2026-04-01T00:00:00Z"))
    before = len(rates_of(world.rhea.scope, world.rhea_card.id))
    found = tried(world, rate("sms.sent", 3 * CENT), rate("call.outgoing", CENT, increment=60))
    found.sort(key=lambda one: (one.buyer_id == world.sola.id, one.meter))
    assert found == [
        TrialLine(world.acme.id, "call.outgoing", 3, 246 * CENT, 300 * CENT, 123 * CENT, 0, 0, 0),
        TrialLine(world.acme.id, "sms.sent", 1, 6 * CENT, 9 * CENT, 3 * CENT, 0, 0, 0),
        # What the sub-reseller owes for its company.
        TrialLine(world.sola.id, "sms.sent", 1, 4 * CENT, 6 * CENT, 2 * CENT, 0, 0, 0),
    ]
    assert len(rates_of(world.rhea.scope, world.rhea_card.id)) == before


def test_without_other_prices_all_stays_and_the_use_of_each_rate_is_told(world: World) -> None:
    take(world, sms(world, world.acme.id, "a", 3), sms(world, world.birch.id, "b", 2))
    found = queries.trial_of(world.rhea.scope, world.rhea_card.id, MARCH, [])
    assert [one.sell_then - one.sell for one in found.lines] == [0, 0]
    [first] = [one for one in rates_of(world.rhea.scope, world.rhea_card.id) if one.meter_id == 1]
    assert found.uses == (RateUse(first.id, 2, 5, 10 * CENT),)


def test_a_more_precise_price_stays_before_a_new_general_one(world: World) -> None:
    precise = rate("sms.sent", 7 * CENT, since="2026-02-01T00:00:00Z", country="DE")
    actions.publish_rates(world.rhea.scope, card_id=world.rhea_card.id, rates=[precise])
    take(world, sms(world, world.acme.id, "de", country="DE"), sms(world, world.acme.id, "fr", country="FR"))
    assert [one.sell_then for one in tried(world, rate("sms.sent", CENT))] == [8 * CENT]
    assert [one.sell_then for one in tried(world, rate("sms.sent", 0, country="DE"))] == [2 * CENT]


def test_usage_without_a_price_is_tried_too_and_priced_later_counts_as_charged(world: World) -> None:
    bare = pricing.create_rate_card(world.rhea.scope, name="Bare")
    actions.assign_rate_card(world.rhea.scope, buyer_id=world.acme.id, card_id=bare.id, effective_from=BEGINNING)
    take(world, sms(world, world.acme.id, "a", 2), event(world.acme.id, "b", meter="bot.message", time=NOON))
    found = tried(world, rate("sms.sent", 3 * CENT), card=bare.id)
    assert [(one.meter, one.sell, one.sell_then, one.unrated, one.still_unrated) for one in found] == [
        ("bot.message", 0, 0, 1, 1), ("sms.sent", 0, 6 * CENT, 1, 0)
    ]  # fmt: skip
    actions.publish_rates(world.rhea.scope, card_id=bare.id, rates=[rate("sms.sent", CENT)])
    found = tried(world, rate("sms.sent", 3 * CENT), card=bare.id)
    assert [(one.sell, one.sell_then, one.unrated) for one in found] == [(0, 0, 1), (2 * CENT, 6 * CENT, 0)]
    assert tried(world) == []


def test_the_platform_tries_too_and_strangers_find_no_card(world: World) -> None:
    take(world, sms(world, world.acme.id, "a"))
    [line] = queries.trial_of(world.twin.scope, world.wholesale.id, MARCH, [rate("sms.sent", 2 * CENT)]).lines
    assert (line.buyer_id, line.sell, line.sell_then, line.buy, line.buy_unrated) == (
        world.rhea.id,
        CENT,
        2 * CENT,
        0,
        0,
    )
    with pytest.raises(RateCardNotFound):
        queries.trial_of(world.strand.scope, world.rhea_card.id, MARCH, [])


def test_too_much_usage_asks_for_a_shorter_period(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.metering.queries.trials.MOST_GROUPS", 1)
    take(world, sms(world, world.acme.id, "a", 1), sms(world, world.acme.id, "b", 2))
    with pytest.raises(Invalid, match="shorter"):
        tried(world)


def test_every_clash_is_named_with_the_latest_usage_and_whose_it_is(world: World) -> None:
    take(world, sms(world, world.acme.id, "a", time=NOON, country="DE"))
    take(world, sms(world, world.birch.id, "b", time="2026-03-02T12:00:00Z", country="FR"))
    rates = [
        rate("sms.sent", CENT, country="DE"),
        rate("sms.delivered", CENT),
        rate("sms.sent", CENT),
        rate("sms.sent", 2 * CENT),
        rate("sms.sent", CENT, since="2026-03-02T12:00:00.000001Z"),
    ]
    first, second = parse_instant(NOON), parse_instant("2026-03-02T12:00:00Z")
    found = queries.rate_clashes(world.rhea.scope, world.rhea_card.id, rates)
    assert found == [RateClash(0, world.acme.id, first), RateClash(2, world.birch.id, second)]
    assert found[0].free_at == first + timedelta(microseconds=1)


def test_usage_without_a_price_is_paged_and_searched_with_the_card_of_then(world: World) -> None:
    bare = pricing.create_rate_card(world.rhea.scope, name="Bare")
    later = pricing.create_rate_card(world.rhea.scope, name="Later")
    for card, since in ((bare, BEGINNING), (later, parse_instant("2026-03-10T00:00:00Z"))):
        actions.assign_rate_card(world.rhea.scope, buyer_id=world.acme.id, card_id=card.id, effective_from=since)
    take(world, *(sms(world, world.acme.id, f"{n}", country="DE" if n else "FR") for n in range(3)))
    found = queries.open_edges(world.rhea.scope, "own")
    assert [(one.group.count, one.group.attributes, one.card_id) for one in found.items] == [
        (2, {"country": "DE"}, bare.id), (1, {"country": "FR"}, bare.id)
    ]  # fmt: skip
    for search, meters, number in (("ACM", (), 2), ("=fr", (), 1), ("%", (), 0), ("x", [1], 2), ("\0", (), 0)):
        assert queries.open_edges(world.rhea.scope, "own", search=search, meters=meters).total == number, search
    assert queries.open_edges(world.rhea.scope, "own", offset=1, limit=1).items == found.items[1:]
    assert queries.open_edges(world.rhea.scope, "above").total == 0
    assert queries.open_edges(world.acme.scope, "above").items[0].card_id is None
    assert queries.open_edges(world.strand.scope, "own").total == 0


def test_contradictions_are_paged_and_searched(world: World) -> None:
    for quantity in (1, 2):
        take(world, *(sms(world, world.acme.id, f"k{n}", quantity) for n in range(3)))
    found = queries.contradictions(world.rhea.scope)
    assert (len(found.items), found.total) == (3, 3)
    assert queries.contradictions(world.rhea.scope, offset=2).items == found.items[2:]
    for search, number in (("k1", 1), ("acme", 3), (str(world.acme.id), 3), ("zz", 0), ("\ud800", 0)):
        assert queries.contradictions(world.rhea.scope, search=search).total == number, search
    assert queries.contradictions(world.strand.scope).total == 0
