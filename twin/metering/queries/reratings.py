"""The corrections of charges by present prices: those of one seller, as they were asked for and what became of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.db import connection

from twin.companies.types import Scope
from twin.kernel.tenancy import scoped
from twin.metering.errors import ReratingUnknown
from twin.metering.rules.kept_reratings import COLUMNS, read_json, rerating_of
from twin.metering.types import RateTerms, Rerating
from twin.pricing.types import Terms

_HIGHEST: Final = 2**63 - 1


@scoped
def rerating(scope: Scope, rerating_id: int) -> Rerating:
    """One of the asker's own; raises `ReratingUnknown` for anybody else's as well."""
    found = None
    if 0 < rerating_id <= _HIGHEST:
        with connection.cursor() as cursor:
            cursor.execute(
                f"select {COLUMNS} from metering_rerating where rerating_id = %s and seller_id = %s",  # noqa: S608 - constants only
                [rerating_id, scope.organisation_id],
            )
            found = cursor.fetchone()
    if found is None:
        raise ReratingUnknown(f"There is no correction {rerating_id} of yours.")
    return rerating_of(found)


@scoped
def reratings(scope: Scope, *, limit: int = 50, before: int | None = None) -> list[Rerating]:
    """The asker's own, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            select {COLUMNS} from metering_rerating
            where seller_id = %(seller)s and (%(before)s::bigint is null or rerating_id < %(before)s)
            order by rerating_id desc limit %(limit)s
            """,  # noqa: S608 - constants only
            {"seller": scope.organisation_id, "before": before, "limit": limit},
        )
        return [rerating_of(row) for row in cursor.fetchall()]


_RATES_NAMED = """
    select id, meter_id, unit_price_nano, per, minimum, increment, setup_fee_nano, selector, effective_from
    from pricing_rate where seller_id = %(seller)s and id = any(%(ids)s)
    union all
    select id, meter_id, unit_price_nano, per, minimum, increment, setup_fee_nano, selector, effective_from
    from pricing_rate_paid where id = any(%(ids)s)
"""


@scoped
def rates_named(scope: Scope, ids: Collection[int]) -> dict[int, RateTerms]:
    """The recorded rates of these numbers that the asker charges or pays by; others are not there."""
    with connection.cursor() as cursor:
        cursor.execute(_RATES_NAMED, {"seller": scope.organisation_id, "ids": [one for one in ids if one < 2**31]})
        return {row[0]: RateTerms(row[0], Terms(*row[2:7]), read_json(row[7]), row[8]) for row in cursor.fetchall()}
