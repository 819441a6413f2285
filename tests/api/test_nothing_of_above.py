"""Whoever buys learns nothing of what its seller pays: not by a price, an amount, a margin, nor by subtraction."""

from __future__ import annotations

import re
from itertools import product

import pytest

from tests.api.client import Answer, Api
from tests.api.test_matrix import EXPECTED, all_routes
from tests.billing.ledgers import owner
from tests.billing.months import close, use
from tests.informing import inform
from tests.metering.test_rerating import corrected, price
from tests.world import World
from twin.metering.types import NewPrices

pytestmark = pytest.mark.database

# What Rhea pays for 1000 parts, its margin, and what a correction of what it pays changed: none of it is Acme's.
ABOVE = ("17311", "17.311", "2.689", "7.311", "0.017", "17.31", "2.69", "7.31")
TOLD = re.compile(r"(?<![\d.:])(?:" + "|".join(map(re.escape, ABOVE)) + r")\d*(?![\d:])")


def test_no_answer_to_a_buyer_holds_what_its_seller_pays(api: Api, world: World) -> None:
    for party in (world.twin, world.rhea, world.acme):
        inform(party.id)
    use(world.acme.id, "2026-03-01T12:00", quantity=1000)
    for month in ("04", "05"):
        close(world.rhea, f"2026-{month}-03T00:00", tell=False)
        close(world.twin, f"2026-{month}-03T00:00", tell=False)
        new = price("0.017311", meter="sms.sent")
        corrected(world.twin.scope, prices=NewPrices(world.wholesale.id, (new,)))
    answers = {path: api.get(path, world.acme) for path in paths_of(world)}
    assert sum(answer.status == 200 for answer in answers.values()) >= 15
    assert {path for path, answer in answers.items() if tells(answer)} == set()
    # The same addresses do tell it to those whose business it is.
    assert any(tells(api.get(path, world.rhea)) for path in answers)


def tells(answer: Answer) -> bool:
    """A PDF and a workbook say what the same document says as JSON."""
    return TOLD.search(answer.content.decode(errors="ignore")) is not None


def paths_of(world: World) -> list[str]:
    """Every address that reads, with the numbers of all statements and documents there are."""
    numbers = {
        "company_id": [world.acme.id, world.rhea.id],
        "statement_id": [row[0] for row in owner("select id from billing_statement where amount <> 0")],
        "invoice_id": [row[0] for row in owner("select id from billing_invoice")],
    }
    names = {name: party.id for name, party in world.parties.items()} | {"rhea_card": world.rhea_card.id}
    found = []
    for route in all_routes():
        method, _, path = route.partition(" ")
        query = EXPECTED[route].path.partition("?")[2].format(**names)
        wanted = re.findall(r"{(\w+)}", path)
        for chosen in product(*(numbers.get(name, [1]) for name in wanted)):
            if method == "GET":
                address = path.format(**dict(zip(wanted, chosen, strict=True)))
                found.append(f"{address}?{query}" if query else address)
    return found
