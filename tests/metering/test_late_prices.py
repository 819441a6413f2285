"""Usage without a price: kept, counted, told, and charged when the price comes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.metering.test_taking import cells, event, take
from tests.world import BEGINNING, World
from twin.companies.catalogue import catalogue_change
from twin.kernel.errors import Clash
from twin.kernel.money import to_nano
from twin.kernel.period import parse_instant
from twin.kernel.tenancy import tenant_transaction
from twin.metering import actions, queries
from twin.metering.errors import AlreadyCharged
from twin.pricing import actions as pricing
from twin.pricing.types import NewRate

pytestmark = pytest.mark.database

NOON = "2026-03-01T12:00:00Z"
EARLY = "2026-03-01T11:59:59.999999Z"


def rate(price: str, since: str = "2026-01-01T00:00:00Z", **selector: str) -> NewRate:
    return NewRate("sms.sent", selector, to_nano(price), 1, 0, 1, 0, parse_instant(since))


def without_price(world: World) -> int:
    """Rhea's card for Acme becomes an empty one: the sell edge has no price, the buy edge has."""
    card = pricing.create_rate_card(world.rhea.scope, name="Empty")
    actions.assign_rate_card(world.rhea.scope, buyer_id=world.acme.id, card_id=card.id, effective_from=BEGINNING)
    return card.id


def test_the_edge_without_a_price_waits_and_the_other_is_charged(world: World) -> None:
    without_price(world)

    assert take(world, event(world.acme.id, "a", meter="sms.sent", quantity=2, time=NOON)).unrated == 1

    assert cells(world, "rhea") == [(world.acme.id, 1, 1, 2, 20_000_000, 0, 1)]
    assert cells(world, "twin") == [(world.acme.id, 1, 1, 2, 0, 20_000_000, 0)]
    [group] = queries.unrated_groups(world.rhea.scope)
    assert (group.seller_id, group.buyer_id, group.meter, group.count) == (world.rhea.id, world.acme.id, "sms.sent", 1)
    assert queries.unrated_groups(world.strand.scope) == []


def test_a_price_that_comes_later_charges_what_waited_for_it(world: World) -> None:
    card = without_price(world)
    take(world, *(event(world.acme.id, f"a{n}", meter="sms.sent", time=NOON) for n in range(3)))

    priced = actions.publish_rates(world.rhea.scope, card_id=card, rates=[rate("0.05", NOON)])

    assert (priced.priced, priced.pending) == (3, 0)
    assert cells(world, "rhea") == [(world.acme.id, 1, 3, 3, 30_000_000, 150_000_000, 0)]
    assert queries.unrated_groups(world.rhea.scope) == []
    actions.fold()
    assert cells(world, "rhea") == [(world.acme.id, 1, 3, 3, 30_000_000, 150_000_000, 0)]
    assert queries.find_differences().differences == []


def test_beyond_the_limit_the_rest_is_counted_and_left_to_the_job(world: World) -> None:
    card = without_price(world)
    take(world, *(event(world.acme.id, f"a{n}", meter="sms.sent", time=NOON) for n in range(5)))
    take(world, event(world.acme.id, "never", meter="sms.delivered", time=NOON))
    with tenant_transaction(world.rhea.id), catalogue_change() as change:
        pricing.record_rates(world.rhea.scope, change=change, card_id=card, rates=[rate("0.05", NOON)])

    first = actions.price_pending(world.rhea.id, at_most=2)

    assert (first.priced, first.pending) == (2, 3)
    assert cells(world, "rhea")[0][-2:] == (100_000_000, 3)
    assert actions.price_everything_pending() == 3
    assert actions.price_everything_pending() == 0
    assert [group.meter for group in queries.unrated_groups(world.rhea.scope)] == ["sms.delivered"]
    assert queries.find_differences().differences == []


def test_a_rate_that_would_change_charged_usage_is_refused_and_leaves_nothing(world: World) -> None:
    card = without_price(world)
    actions.publish_rates(world.rhea.scope, card_id=card, rates=[rate("0")])
    take(world, event(world.acme.id, "free", meter="sms.sent", time=NOON))

    with pytest.raises(AlreadyCharged, match="already charged"):
        actions.publish_rates(world.rhea.scope, card_id=card, rates=[rate("0.01", NOON)])
    actions.publish_rates(world.rhea.scope, card_id=card, rates=[rate("0.01", NOON, country="DE")])
    actions.publish_rates(world.rhea.scope, card_id=card, rates=[rate("0.01", "2026-03-01T12:00:00.000001Z")])

    assert cells(world, "rhea")[0][-2:] == (0, 0)


def test_a_card_cannot_be_changed_beneath_charged_usage(world: World) -> None:
    take(world, event(world.acme.id, "a", time=NOON))
    at = parse_instant(NOON)

    with pytest.raises(AlreadyCharged):
        actions.assign_rate_card(
            world.rhea.scope, buyer_id=world.acme.id, card_id=world.rhea_card.id, effective_from=at
        )
    actions.assign_rate_card(
        world.rhea.scope,
        buyer_id=world.acme.id,
        card_id=world.rhea_card.id,
        effective_from=at + timedelta(microseconds=1),
    )


def test_a_move_before_the_last_usage_names_the_earliest_free_instant(world: World) -> None:
    take(world, event(world.acme.id, "a", time=NOON))
    at = parse_instant(NOON)

    with pytest.raises(AlreadyCharged, match=r"2026-03-01T12:00:00\.000001Z"):
        actions.move_company(world.twin.scope, company_id=world.acme.id, parent_id=world.strand.id, effective_from=at)
    actions.move_company(
        world.twin.scope,
        company_id=world.acme.id,
        parent_id=world.strand.id,
        effective_from=at + timedelta(microseconds=1),
    )
    take(world, event(world.acme.id, "b", time=NOON), event(world.acme.id, "c", time="2026-03-01T12:00:00.000001Z"))

    assert cells(world, "rhea")[0][2] == 2
    assert cells(world, "strand")[0][2] == 1


def test_a_move_before_the_last_membership_names_an_instant_that_usage_leaves_free_too(world: World) -> None:
    take(world, event(world.acme.id, "a", time=NOON))

    with pytest.raises(Clash, match=r"2026-03-01T12:00:00\.000001Z"):
        actions.move_company(
            world.twin.scope, company_id=world.acme.id, parent_id=world.strand.id, effective_from=BEGINNING
        )


def test_only_edges_that_the_new_rate_fits_are_priced_or_counted_as_pending(world: World) -> None:
    card = without_price(world)
    for key, country, at in (*((f"{n}", "DE", NOON) for n in range(3)), ("fr", "FR", NOON), ("early", "DE", EARLY)):
        take(world, event(world.acme.id, key, meter="sms.sent", time=at, attributes={"country": country}))
    with tenant_transaction(world.rhea.id), catalogue_change() as change:
        pricing.record_rates(world.rhea.scope, change=change, card_id=card, rates=[rate("0.05", NOON, country="DE")])

    first = actions.price_pending(world.rhea.id, at_most=1)

    assert (first.priced, first.pending) == (1, 2)
    assert actions.price_everything_pending() == 2
    left = {group.attributes["country"]: group.count for group in queries.unrated_groups(world.rhea.scope)}
    assert left == {"DE": 1, "FR": 1}


def test_a_clash_is_found_among_many_kinds_of_charged_usage(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.metering.queries.clashes._ROWS_A_LOOK", 2)
    take(world, *(event(world.acme.id, f"{n}", time=NOON, attributes={"n": f"{n}"}) for n in range(7)))
    others = [NewRate("sms.delivered", {"n": f"{n}"}, 5, 1, 0, 1, 0, parse_instant(NOON)) for n in (7, 8)]
    wrong = NewRate("sms.delivered", {"n": "6"}, 5, 1, 0, 1, 0, parse_instant(NOON))

    with pytest.raises(AlreadyCharged, match=r"^rates\[2\]"):
        actions.publish_rates(world.rhea.scope, card_id=world.rhea_card.id, rates=[*others, wrong])
    assert actions.publish_rates(world.rhea.scope, card_id=world.rhea_card.id, rates=others).priced == 0
