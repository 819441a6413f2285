"""Correcting what is charged: taken back and charged again by the prices of now, never changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connections

from tests.metering.test_late_prices import rate, without_price
from tests.metering.test_taking import DAY, cells, event, take
from tests.world import BEGINNING, Party, World
from twin.companies.catalogue import catalogue_change
from twin.companies.types import Scope
from twin.kernel.errors import Forbidden, NotFound
from twin.kernel.money import to_nano
from twin.kernel.period import parse_instant
from twin.kernel.tenancy import tenant_transaction
from twin.metering import actions, charged, queries
from twin.metering.actions import recharging
from twin.metering.errors import AlreadyCharged, ReratingUndecidable, ReratingUnknown
from twin.metering.types import NewAssignment, NewPrices, Rerating
from twin.pricing import actions as pricing
from twin.pricing.types import NewRate

pytestmark = pytest.mark.database


def price(text: str, since: str = "2026-01-01T00:00:00Z", meter: str = "sms.delivered", **selector: str) -> NewRate:
    return NewRate(meter, selector, to_nano(text), 1, 0, 1, 0, parse_instant(since))


def corrected(scope: Scope, *, above: Scope | None = None, **asked: Any) -> Rerating:
    """A correction asked for, counted, decided and done."""
    run = actions.ask_rerating(scope, above=above, **asked)
    actions.count_preview(run.id)
    actions.decide_rerating(scope, rerating_id=run.id, reason="wrong price", above=above)
    assert actions.carry_out(run.id)
    return queries.rerating(scope, run.id)


def repriced(world: World, *rates: NewRate) -> Rerating:
    """Rhea records these rates on its card although they change charges."""
    return corrected(world.rhea.scope, prices=NewPrices(world.rhea_card.id, rates))


def record_beneath_charges(seller: Party, card_id: int, *rates: NewRate) -> None:
    """Rates recorded past the guard: charges were made by other ones."""
    with tenant_transaction(seller.id), catalogue_change() as change:
        pricing.record_rates(seller.scope, change=change, card_id=card_id, rates=list(rates))


def rows(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


def corrections() -> list[tuple[Any, ...]]:
    return rows("select kind, seller_id, amount from metering_correction order by correction_id")


def differences() -> list[str]:
    return queries.find_differences().differences


def test_a_charge_is_taken_back_and_made_again_by_the_new_price(world: World) -> None:
    take(world, event(world.acme.id, "a", quantity=3))
    before = cells(world, "twin")

    run = repriced(world, price("0.05"))

    assert cells(world, "rhea") == [(world.acme.id, 2, 1, 3, 30_000_000, 150_000_000, 0)]
    assert cells(world, "twin") == before
    assert corrections() == [("reversal", world.rhea.id, -60_000_000), ("rerated", world.rhea.id, 150_000_000)]
    assert run.state == "done"
    assert run.figures is not None
    assert (run.figures.changed(0), run.figures.difference(0), run.figures.margin) == (1, 90_000_000, 90_000_000)
    assert differences() == []
    actions.fold()
    assert cells(world, "rhea") == [(world.acme.id, 2, 1, 3, 30_000_000, 150_000_000, 0)]
    assert differences() == []


def test_the_preview_changes_nothing_and_says_what_will_be(world: World) -> None:
    take(world, *(event(world.acme.id, f"a{n}") for n in range(3)), event(world.birch.id, "b", quantity=10))
    before = cells(world, "rhea")

    run = actions.ask_rerating(world.rhea.scope, prices=NewPrices(world.rhea_card.id, (price("0.03"),)))
    actions.count_preview(run.id)

    assert cells(world, "rhea") == before
    assert corrections() == []
    preview = queries.rerating(world.rhea.scope, run.id).preview
    assert preview is not None
    assert [(line.company_id, line.count, line.before, line.after) for line in preview.by_company] == [
        (world.acme.id, 3, 60_000_000, 90_000_000),
        (world.birch.id, 1, 200_000_000, 300_000_000),
    ]
    actions.discard_rerating(world.rhea.scope, rerating_id=run.id)
    assert actions.carry_out(run.id)
    assert cells(world, "rhea") == before
    with pytest.raises(ReratingUndecidable):
        actions.decide_rerating(world.rhea.scope, rerating_id=run.id, reason="r")


def test_a_preview_knows_prices_that_are_recorded_and_used_while_it_counts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recharging, "EVENTS_A_STEP", 1)
    take(world, event(world.acme.id, "a"))
    run = actions.ask_rerating(world.rhea.scope, period=DAY)
    read_part, meanwhile = charged.read_part, [price("0.05")]

    def read_and_be_overtaken(*arguments: Any, **named: Any) -> Any:
        part = read_part(*arguments, **named)
        if meanwhile:
            record_beneath_charges(world.rhea, world.rhea_card.id, meanwhile.pop())
            take(world, event(world.acme.id, "b", time="2026-03-01T11:00:00Z"))
        return part

    monkeypatch.setattr(recharging, "read_part", read_and_be_overtaken)
    actions.count_preview(run.id)

    preview = queries.rerating(world.rhea.scope, run.id).preview
    assert preview is not None
    assert (preview.looked_at, [line.count for line in preview.by_company]) == (2, [1])


def test_charging_again_by_unchanged_prices_changes_nothing_on_either_side(world: World) -> None:
    take(world, *(event(company, "a", quantity=7) for company in (world.acme.id, world.cedar.id, world.sola.id)))
    before = [cells(world, name) for name in ("twin", "rhea", "sola")]

    run = corrected(world.rhea.scope, period=DAY, above=world.twin.scope)

    assert run.figures is not None
    assert (run.figures.looked_at, run.figures.by_rate) == (3, ())
    assert corrections() == []
    assert [cells(world, name) for name in ("twin", "rhea", "sola")] == before


def test_there_and_back_again_is_zero_on_every_edge(world: World) -> None:
    take(world, *(event(company, "a", quantity=7) for company in (world.acme.id, world.cedar.id, world.sola.id)))
    before = [cells(world, name) for name in ("twin", "rhea", "sola")]

    repriced(world, price("0.09"))
    assert [cells(world, name) for name in ("twin", "rhea", "sola")] != before
    repriced(world, price("0.02"))

    assert [cells(world, name) for name in ("twin", "rhea", "sola")] == before
    assert sum(amount for _, _, amount in corrections()) == 0
    assert differences() == []


def test_a_new_rate_of_the_same_terms_leaves_charges_alone(world: World) -> None:
    take(world, event(world.acme.id, "a"))
    assert repriced(world, price("0.02", since="2026-02-01T00:00:00Z")).figures is not None
    assert corrections() == []


def test_a_run_that_is_done_again_does_nothing(world: World) -> None:
    take(world, event(world.acme.id, "a"))
    run = repriced(world, price("0.05"))
    written = corrections()

    assert actions.carry_out(run.id)
    assert actions.decide_rerating(world.rhea.scope, rerating_id=run.id, reason="r").state == "done"
    corrected(world.rhea.scope, period=DAY)

    assert corrections() == written


def test_only_what_was_asked_for_is_corrected(world: World) -> None:
    take(
        world,
        event(world.acme.id, "a"),
        event(world.acme.id, "sent", meter="sms.sent"),
        event(world.acme.id, "before", time="2026-02-28T23:59:59.999999Z"),
        event(world.acme.id, "after", time="2026-03-02T00:00:00Z"),
        event(world.birch.id, "b"),
        event(world.cedar.id, "c"),
    )
    record_beneath_charges(world.rhea, world.rhea_card.id, price("0.05"), price("0.06", meter="sms.sent"))

    run = corrected(world.rhea.scope, period=DAY, company_id=world.acme.id, meters=["sms.delivered"])

    assert run.figures is not None
    assert [(line.company_id, line.count) for line in run.figures.by_company] == [(world.acme.id, 1)]
    run = corrected(world.rhea.scope, period=DAY, buyer_id=world.sola.id)
    assert run.figures is not None
    assert [(line.company_id, line.count) for line in run.figures.by_company] == [(world.cedar.id, 1)]
    assert differences() == []


def test_both_edges_are_corrected_together_by_who_holds_both(world: World) -> None:
    take(world, event(world.acme.id, "a"), event(world.cedar.id, "c"), event(world.echo.id, "e"))
    record_beneath_charges(world.rhea, world.rhea_card.id, price("0.05"))
    record_beneath_charges(world.twin, world.wholesale.id, price("0.04"))

    run = corrected(world.rhea.scope, period=DAY, above=world.twin.scope)

    assert run.figures is not None
    assert (run.figures.difference(0), run.figures.difference(1), run.figures.margin) == (60_000_000, 60_000_000, 0)
    assert cells(world, "rhea") == [
        (world.acme.id, 2, 1, 1, 40_000_000, 50_000_000, 0),
        (world.cedar.id, 2, 1, 1, 40_000_000, 50_000_000, 0),
    ]
    assert cells(world, "twin")[2] == (world.echo.id, 2, 1, 1, 0, 10_000_000, 0), "a direct company is another contract"
    assert cells(world, "sola") == [(world.cedar.id, 2, 1, 1, 50_000_000, 30_000_000, 0)]
    assert differences() == []


def test_a_reseller_cannot_correct_what_it_pays_and_sees_no_run_of_another(world: World) -> None:
    take(world, event(world.acme.id, "a"))
    run = actions.ask_rerating(world.rhea.scope, period=DAY)

    with pytest.raises(ReratingUnknown):
        queries.rerating(world.strand.scope, run.id)
    with pytest.raises(NotFound):
        actions.decide_rerating(world.twin.scope, rerating_id=run.id, reason="r")
    with pytest.raises(NotFound):
        actions.ask_rerating(world.strand.scope, prices=NewPrices(world.rhea_card.id, (price("0.01"),)))
    with pytest.raises(Forbidden):
        actions.ask_rerating(world.acme.scope, period=DAY)
    assert queries.reratings(world.strand.scope) == []


def test_a_charge_that_loses_its_price_waits_for_another_on_both_books(world: World) -> None:
    take(world, event(world.cedar.id, "c"), event(world.acme.id, "a"))
    empty = pricing.create_rate_card(world.rhea.scope, name="Empty")

    for buyer in (world.sola.id, world.acme.id):
        given = NewAssignment(buyer, empty.id, BEGINNING)
        run = corrected(world.rhea.scope, assignment=given)
        assert run.figures is not None
        assert run.figures.losing(0) == 1

    assert [row[4:] for row in cells(world, "rhea")] == [(10_000_000, 0, 1), (10_000_000, 0, 1)]
    assert cells(world, "sola") == [(world.cedar.id, 2, 1, 1, 0, 30_000_000, 1)]
    assert {group.count for group in queries.unrated_groups(world.rhea.scope)} == {1}
    assert differences() == []
    assert actions.publish_rates(world.rhea.scope, card_id=empty.id, rates=[price("0.07")]).priced == 2
    assert [row[4:] for row in cells(world, "rhea")] == [(10_000_000, 70_000_000, 0), (10_000_000, 70_000_000, 0)]
    assert cells(world, "sola") == [(world.cedar.id, 2, 1, 1, 70_000_000, 30_000_000, 0)]
    assert differences() == []


def test_usage_priced_late_is_corrected_like_any_other(world: World) -> None:
    card = without_price(world)
    take(world, event(world.acme.id, "a", meter="sms.sent"))
    actions.publish_rates(world.rhea.scope, card_id=card, rates=[rate("0.05")])

    corrected(world.rhea.scope, prices=NewPrices(card, (rate("0.08"),)))

    assert cells(world, "rhea")[0][-2:] == (80_000_000, 0)
    assert [kind for kind, *_ in corrections()] == ["priced", "reversal", "rerated"]
    assert differences() == []


def test_after_a_correction_the_guard_of_prices_asks_what_stands(world: World) -> None:
    take(world, event(world.acme.id, "a"))
    repriced(world, price("0.05"))

    actions.publish_rates(world.rhea.scope, card_id=world.rhea_card.id, rates=[price("0.05")])
    with pytest.raises(AlreadyCharged):
        actions.publish_rates(world.rhea.scope, card_id=world.rhea_card.id, rates=[price("0.02")])


def test_the_drill_down_shows_what_stands_and_that_it_was_corrected(world: World) -> None:
    take(world, event(world.acme.id, "a", quantity=2), event(world.acme.id, "b", quantity=5))
    repriced(world, price("0.05", since="2026-03-01T00:00:00Z"))

    [group] = queries.charges_by_rate(world.rhea.scope, world.acme.id, DAY, meters=["sms.delivered"])

    assert group.sell_rate is not None
    assert (group.count, group.sell, group.sell_rate.terms.unit_price_nano) == (2, 350_000_000, 50_000_000)
    page = queries.events_of(
        world.rhea.scope, world.acme.id, DAY, meters=["sms.delivered"], sell_rate=group.sell_rate.rate_id
    )
    assert [(line.id, line.sell.amount, line.sell.is_corrected) for line in page.items] == [
        ("b", 250_000_000, True),
        ("a", 100_000_000, True),
    ]
    assert page.items[0].buy is not None
    assert not page.items[0].buy.is_corrected
    trace = queries.trace(world.twin.scope, company_id=world.acme.id, source="smsc-1", event_id="a")
    assert [(charge.amount, charge.recorded_as) for charge in trace.charges] == [
        (40_000_000, "with the event"),
        (-40_000_000, "later (reversal)"),
        (100_000_000, "later (rerated)"),
        (20_000_000, "with the event"),
    ]


def test_a_preview_is_outdated_after_another_decision_or_a_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    take(world, event(world.acme.id, "a"))
    first, second = (
        actions.ask_rerating(world.rhea.scope, prices=NewPrices(world.rhea_card.id, (price(text),)))
        for text in ("0.05", "0.06")
    )
    with pytest.raises(ReratingUndecidable, match="asked"):
        actions.decide_rerating(world.rhea.scope, rerating_id=first.id, reason="r")
    for run in (first, second):
        actions.count_preview(run.id)
    actions.decide_rerating(world.rhea.scope, rerating_id=first.id, reason="r")

    with pytest.raises(ReratingUndecidable, match="outdated"):
        actions.decide_rerating(world.rhea.scope, rerating_id=second.id, reason="r")
    actions.carry_out(first.id)
    actions.recount_rerating(world.rhea.scope, rerating_id=second.id)
    actions.count_preview(second.id)
    monkeypatch.setattr("twin.metering.actions.rerating._PREVIEW_LASTS", timedelta(0))
    with pytest.raises(ReratingUndecidable, match="outdated"):
        actions.decide_rerating(world.rhea.scope, rerating_id=second.id, reason="r")


def test_a_decision_records_who_and_why_and_its_prices_at_once(world: World) -> None:
    take(world, event(world.acme.id, "a"))
    run = repriced(world, price("0.05"))

    assert (run.decided_at is not None, run.reason) == (True, "wrong price")
    assert [row[0] for row in rows("select event from kernel_securityevent order by id desc limit 2")] == [
        "charges.corrected",
        "rates.published",
    ]


def test_corrections_cannot_be_changed_or_removed(world: World) -> None:
    take(world, event(world.acme.id, "a"))
    repriced(world, price("0.05"))
    for statement in ("update metering_correction set amount = 0", "delete from metering_correction"):
        with pytest.raises(DatabaseError, match="append-only"):
            rows(statement)
