"""Who bills: for work that the installation does for all of them."""

from __future__ import annotations

from twin.companies.queries import sellers
from twin.companies.types import Scope


def billing_sellers(scope: Scope) -> list[int]:
    """The asking organisation and every reseller beneath it, by id; the platform's are all there are."""
    return sorted(company.id for company in sellers(scope))
