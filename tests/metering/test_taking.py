"""Taking usage in: what is counted, what is refused, what is never doubled."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.world import World
from twin.kernel.money import to_nano
from twin.kernel.period import Period, parse_instant
from twin.metering import actions, queries
from twin.metering.types import TakenBatch
from twin.pricing.types import NewRate

pytestmark = pytest.mark.database

DAY = Period(parse_instant("2026-03-01T00:00:00Z"), parse_instant("2026-03-02T00:00:00Z"))


def event(company: int | str, event_id: str, **data: Any) -> dict[str, Any]:
    time = data.pop("time", "2026-03-01T10:20:30Z")
    return {
        "specversion": "1.0",
        "type": "twin.usage",
        "source": "smsc-1",
        "id": event_id,
        "subject": str(company),
        "time": time,
        "data": {"meter": "sms.delivered", **data},
    }


def take(world: World, *events: Any) -> TakenBatch:
    return actions.take_events(world.twin.scope, json.dumps(list(events)).encode(), batch=True)


def cells(world: World, party: str) -> list[tuple[int, ...]]:
    found = queries.cells_in(world.parties[party].scope, DAY)
    return list(zip(*(column.tolist() for column in found.columns()[1:]), strict=True))


def test_an_event_is_counted_and_charged_once_per_seller(world: World) -> None:
    taken = take(world, event(world.acme.id, "a", quantity=3))

    assert taken == TakenBatch(accepted=1)
    assert cells(world, "rhea") == [(world.acme.id, 2, 1, 3, 30_000_000, 60_000_000, 0)]
    assert cells(world, "twin") == [(world.acme.id, 2, 1, 3, 0, 30_000_000, 0)]
    assert cells(world, "strand") == []


def test_a_company_of_a_sub_reseller_is_charged_on_three_edges(world: World) -> None:
    take(world, event(world.cedar.id, "a"))

    assert cells(world, "sola") == [(world.cedar.id, 2, 1, 1, 20_000_000, 30_000_000, 0)]
    assert cells(world, "rhea") == [(world.cedar.id, 2, 1, 1, 10_000_000, 20_000_000, 0)]


def test_small_and_large_batches_leave_rows_and_totals_alike(world: World) -> None:
    """Up to 64 events the totals are committed with their transaction in one message, beyond by COPY."""
    for size in (64, 65):
        taken = take(world, *(event(world.acme.id, f"{size}-{number}", quantity=2) for number in range(size)))
        assert taken == TakenBatch(accepted=size)

    assert [row[2:4] for row in cells(world, "rhea")] == [(129, 258)]
    assert queries.find_differences().differences == []


def test_a_replay_is_a_duplicate_also_in_the_next_batch_and_after_a_fold(world: World) -> None:
    once = event(world.acme.id, "a")

    assert take(world, once, once).duplicates == 1
    actions.fold()
    assert take(world, once) == TakenBatch(duplicates=1)
    assert take(world, once, event(world.acme.id, "b")) == TakenBatch(accepted=1, duplicates=1)
    assert cells(world, "rhea") == [(world.acme.id, 2, 2, 2, 20_000_000, 40_000_000, 0)]


def test_the_same_key_with_other_content_is_a_conflict_and_charges_nothing(world: World) -> None:
    take(world, event(world.acme.id, "a", quantity=1))

    taken = take(world, event(world.acme.id, "a", quantity=2), event(world.acme.id, "a", quantity=1))

    assert (taken.accepted, taken.duplicates) == (0, 1)
    assert [(refusal.index, refusal.id) for refusal in taken.conflicts] == [(0, "a")]
    assert "quantity was 1" in taken.conflicts[0].detail
    take(world, event(world.acme.id, "a", quantity=2))
    assert [
        conflict.quantity for conflict in queries.conflicts_page(world.rhea.scope, after=None, limit=100).items
    ] == [2]
    assert queries.conflicts_page(world.strand.scope, after=None, limit=100).items == ()
    assert cells(world, "rhea")[0][2] == 1


def test_uuid_ids_and_other_ids_share_a_batch(world: World) -> None:
    uuid = "0f8fad5b-d9cb-469f-a165-70867728950e"

    assert take(world, event(world.acme.id, uuid), event(world.acme.id, "x")).accepted == 2
    assert take(world, event(world.acme.id, uuid), event(world.acme.id, uuid.upper())).accepted == 1


def test_totals_equal_the_rows_before_and_after_folding(world: World) -> None:
    for number in range(30):
        take(world, event(world.acme.id, f"a{number}", time=f"2026-03-01T{number % 24:02}:59:59.999999Z"))
        take(world, event(world.cedar.id, f"c{number}", time=f"2026-03-0{number % 3 + 1}T{number % 24:02}:00:00Z"))

    before = cells(world, "rhea")
    assert queries.find_differences().differences == []
    assert actions.fold() > 0
    assert queries.find_differences().differences == []
    assert cells(world, "rhea") == before


def test_another_sellers_company_is_unknown_and_the_good_items_are_taken(world: World) -> None:
    body = json.dumps([event(world.acme.id, "a"), event(world.dune.id, "b"), 7, event("external:birch", "c")]).encode()

    taken = actions.take_events(world.rhea.scope, body, batch=True)

    assert taken.accepted == 2
    assert [(refusal.index, refusal.detail[:15]) for refusal in taken.rejected] == [
        (1, "Unknown company"),
        (2, "The item is not"),
    ]


def test_amounts_beyond_63_bits_in_sum_stay_exact(world: World) -> None:
    card = world.rhea_card
    since = parse_instant("2026-02-01T00:00:00Z")
    rate = NewRate("bot.message", {}, to_nano("9000000000"), 1, 0, 1, 0, since)
    actions.publish_rates(world.rhea.scope, card_id=card.id, rates=[rate])

    for number in range(5):
        take(world, event(world.acme.id, f"big{number}", meter="bot.message"))
    actions.fold()

    assert cells(world, "rhea") == [(world.acme.id, 19, 5, 5, 50_000_000, 45_000_000_000 * 10**9, 0)]
    refused = take(world, event(world.acme.id, "huge", meter="bot.message", quantity=2))
    assert "beyond what can be stored" in refused.rejected[0].detail
