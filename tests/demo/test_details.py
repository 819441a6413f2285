"""Companies of the demonstration are complete: nobody there is asked for anything, invoices can be made."""

from __future__ import annotations

import pytest

from twin.companies.rules.information import checked, missing_for_invoices
from twin.demo.rules.cast import PLATFORM_COUNTRY, SELLERS, customers
from twin.demo.rules.details import details_of
from twin.demo.types import WorldSize

COUNTRIES = sorted(
    {PLATFORM_COUNTRY}
    | {seller.countries[0] for seller in SELLERS}
    | {customer.country for customer in customers(WorldSize(companies=200))}
)


@pytest.mark.parametrize("country", COUNTRIES)
def test_whatever_number_a_company_has_its_details_pass_every_check(country: str) -> None:
    for number in (*range(1, 120), 10_000):
        details = details_of("Zahnärzte am Park", country, number=number, domain="c-001.example")
        kept, problems = checked({**details, "name": "N", "time_zone": "UTC"}, str)
        assert problems == [], (number, problems[0].field)
        assert missing_for_invoices(kept) == ()


def test_the_same_company_always_tells_the_same() -> None:
    once, again = (details_of("A", "RU", number=7, domain="a.example") for _ in range(2))
    assert once == again
    assert once["inn"] != details_of("A", "RU", number=8, domain="a.example")["inn"]
