"""Conflicts and usage without a price come in pages, each entry once; a cursor is a place, no key to anything."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import Api, event
from tests.world import BEGINNING, Party, World, key_of
from twin.api.cursors import cursor_of
from twin.companies.access import scope_for_key
from twin.companies.types import Company
from twin.pricing.actions import create_company


def _pages(api: Api, path: str, party: Party) -> list[list[dict[str, Any]]]:
    """All pages of two entries."""
    pages, address = [], f"{path}?limit=2"
    while True:
        answer = api.get(address, party)
        assert answer.status == 200, answer.json
        pages.append(answer.json["items"])
        if answer.json["next_cursor"] is None:
            return pages
        address = f"{path}?limit=2&cursor={answer.json['next_cursor']}"


def _cardless(world: World) -> Company:
    """A company whose seller has no price for anything."""
    given: dict[str, Any] = {"time_zone": "UTC", "effective_from": BEGINNING}
    seller = create_company(world.twin.scope, name="Bare", kind="reseller", **given)
    return create_company(world.twin.scope, name="Leaf", kind="company", parent_id=seller.id, **given)


def _party_of(company: Company) -> Party:
    key = key_of(company.id)
    scope = scope_for_key(key)
    assert scope is not None
    return Party(company, key, scope)


def test_conflicts_are_paged_newest_first(api: Api, world: World) -> None:
    keys = [str(number) for number in range(5)]
    api.usage(world.twin, *(event(world.acme.id, key) for key in keys))
    changed = {"meter": "sms.sent", "quantity": 2}
    # Three of one moment, then two of another.
    for some in (keys[:3], keys[3:]):
        assert len(api.usage(world.twin, *(event(world.acme.id, key, data=changed) for key in some)).json["conflicts"])
    pages = _pages(api, "/usage/conflicts", world.rhea)
    assert [len(page) for page in pages] == [2, 2, 1]
    found = [one["id"] for page in pages for one in page]
    assert sorted(found[:2]) == keys[3:]
    assert sorted(found) == keys
    assert found == [one["id"] for one in api.get("/usage/conflicts", world.rhea).json["items"]]


def test_usage_without_a_price_is_paged_by_what_one_rate_mends(api: Api, world: World) -> None:
    leaf = _cardless(world)
    sent = [
        event(leaf.id, f"{country}{n}", data={"meter": "sms.sent", "attributes": {"country": country}})
        for country in ("DE", "FR", "IT")
        for n in range(2)
    ]
    assert api.usage(world.twin, *sent).json["unrated"] == 6
    pages = _pages(api, "/usage/unrated", world.twin)
    # The platform is no party to that edge.
    assert pages == [[]]
    pages = _pages(api, "/usage/unrated", _party_of(leaf))
    assert [len(page) for page in pages] == [2, 1]
    assert {(one["attributes"]["country"], one["count"]) for page in pages for one in page} == {
        ("DE", 2), ("FR", 2), ("IT", 2),
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/usage/conflicts", "/usage/unrated"])
@pytest.mark.parametrize(
    "cursor", ["x", "====", cursor_of([1, 2]), cursor_of([1, 2, 3, 2**31]), cursor_of(["a", 1, 2, 3, 4]), "LTEtMQ"]
)
def test_a_cursor_of_something_else_is_refused(api: Api, world: World, path: str, cursor: str) -> None:
    assert api.get(f"{path}?cursor={cursor}", world.rhea).status == 422


def test_a_cursor_opens_nothing_of_others(api: Api, world: World) -> None:
    api.usage(world.twin, event(world.acme.id, "1"))
    api.usage(world.twin, event(world.acme.id, "1", data={"meter": "sms.sent", "quantity": 2}))
    before = cursor_of([1, 1, 1, 1])
    assert api.get(f"/usage/unrated?cursor={before}", world.strand).json["items"] == []
    assert api.get("/usage/conflicts", world.strand).json["items"] == []
