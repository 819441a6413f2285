"""A reseller's period at a glance."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from twin.companies.queries import dependent_ids_in, dependents_in, names_of
from twin.companies.types import Company, Scope
from twin.kernel import clock
from twin.kernel.period import Period, parse_zone
from twin.kernel.tenancy import scoped
from twin.metering.queries import cells_by, cells_in, unrated_groups
from twin.pricing.queries import prices_in_force
from twin.reports.queries.companies import reporting_reseller
from twin.reports.rules.calendar import compared_with, step_of, steps
from twin.reports.rules.summing import Comparison, by_service, compare, together, total
from twin.reports.rules.under_cost import losses
from twin.reports.types import (
    CompanyTrend,
    Overview,
    OverviewQuery,
    RateUnderCost,
    TrendPoint,
    UnratedUsage,
)

_MOST_COMPANIES: Final = 10
_MOST_TO_DO: Final = 100
_MOST_NAMES: Final = 10


@scoped(snapshot=True)
def overview(scope: Scope, query: OverviewQuery) -> Overview:
    """Totals beside those of the period before, the trend, who is big, who falls, and what there is to do.

    The scope comes from `companies.access.report_scope`, as for the report itself.
    """
    scope.require("reports:read")
    reseller = reporting_reseller(scope, query.reseller_id)
    zone = parse_zone(query.time_zone or reseller.time_zone)
    now = clock.now()
    previous, is_running = compared_with(query.period, now, zone)
    cells, before = cells_in(scope, query.period), cells_in(scope, previous)
    # One that has gone since the period before is no longer compared.
    compared = compare(dependent_ids_in(scope, query.period), cells, before)
    services = by_service(cells)
    biggest, falling = compared.biggest(_MOST_COMPANIES), compared.deepest(_MOST_COMPANIES)
    trends = _trends(scope, query.period, compared, {*biggest, *falling})
    return Overview(
        reseller=reseller,
        period=query.period,
        previous=previous,
        is_running=is_running,
        time_zone=zone.key,
        currency=reseller.currency,
        now=together(list(services.values())),
        before=total(before),
        services=services,
        services_before=by_service(before),
        step=step_of(query.period),
        points=_points(scope, query.period, zone),
        biggest=tuple(trends[place] for place in biggest),
        falling=tuple(trends[place] for place in falling),
        falling_count=len(compared.falling()),
        unrated=_unrated(scope, query.period),
        under_cost=_under_cost(scope, reseller, now),
        company_count=len(compared.ids),
    )


def _points(scope: Scope, period: Period, zone: ZoneInfo) -> tuple[TrendPoint, ...]:
    parts = steps(period, step_of(period), zone)
    made = []
    for part, cells in zip(parts, cells_by(scope, parts, each_company=False), strict=True):
        services = by_service(cells)
        made.append(TrendPoint(part, together(list(services.values())), services))
    return tuple(made)


def _trends(scope: Scope, period: Period, compared: Comparison, places: Collection[int]) -> dict[int, CompanyTrend]:
    """The companies at these places, each by its place."""
    ids = {place: int(compared.ids[place]) for place in places}
    known = {one.company_id: one for one in dependents_in(scope, period, only=list(ids.values()))}
    return {
        place: CompanyTrend(company_id, known[company_id].name, known[company_id].path, *compared.sums_at(place))
        for place, company_id in ids.items()
    }


def _unrated(scope: Scope, period: Period) -> tuple[UnratedUsage, ...]:
    groups = sorted(unrated_groups(scope, period), key=lambda one: (-one.count, one.first_at))[:_MOST_TO_DO]
    names = names_of(scope, {one.buyer_id for one in groups})
    return tuple(
        UnratedUsage(
            seller_id=one.seller_id,
            buyer_id=one.buyer_id,
            buyer_name=names.get(one.buyer_id, ""),
            meter=one.meter,
            attributes=one.attributes,
            count=one.count,
            first_at=one.first_at,
            last_at=one.last_at,
            is_own_price=one.seller_id == scope.organisation_id,
        )
        for one in groups
    )


def _under_cost(scope: Scope, reseller: Company, now: datetime) -> tuple[RateUnderCost, ...]:
    """Of the cards by which direct buyers pay today; empty for the platform, which buys from nobody."""
    if reseller.parent_id is None:
        return ()
    prices = prices_in_force(scope, now)
    instant = Period(now, now + timedelta.resolution)
    buyers = set(dependent_ids_in(scope, instant, direct=True))
    found: list[RateUnderCost] = []
    for card in prices.cards:
        present = tuple(buyer for buyer in card.buyer_ids if buyer in buyers)
        lost = losses(card.rates, prices.paid, now) if present else []
        names = names_of(scope, present[:_MOST_NAMES]) if lost else {}
        found.extend(
            RateUnderCost(
                card_id=card.card.id,
                card_name=card.card.name,
                meters=loss.meters,
                attributes=loss.attributes,
                quantity=loss.quantity,
                sell=loss.sell,
                buy=loss.buy,
                buyer_ids=present,
                buyer_names=tuple(names[buyer] for buyer in present[:_MOST_NAMES]),
            )
            for loss in lost
        )
    return tuple(sorted(found, key=lambda one: one.sell - one.buy)[:_MOST_TO_DO])
