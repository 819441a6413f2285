"""From a figure of the report to the events behind it: one company by day, by rate, event by event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from twin.companies.queries import MAX_ID, dependents_in
from twin.companies.types import Scope
from twin.kernel.errors import NotFound, invalid_field
from twin.kernel.period import Period, parse_zone
from twin.kernel.tenancy import scoped
from twin.metering.queries import cells_by, charges_by_rate, events_of
from twin.metering.types import RateGroup
from twin.reports.queries.companies import reporting_reseller
from twin.reports.rules.calendar import step_of_days, steps
from twin.reports.rules.layout import SECTION_METERS
from twin.reports.rules.summing import by_meter, unrated_of
from twin.reports.types import (
    NOTHING_USED,
    Cells,
    CompanyDays,
    CompanyEvents,
    CompanyRates,
    CompanyView,
    DayRow,
    EventFilter,
    MeterFigures,
    OverviewQuery,
    Sums,
    Totals,
)

EVENTS_A_PAGE: Final = 100
MOST_EVENTS_A_PAGE: Final = 1_000


@scoped(snapshot=True)
def company_days(scope: Scope, query: OverviewQuery, company_id: int, section: str) -> CompanyDays:
    """One company's section day by day (month by month beyond 400 days), quiet days included.

    The scope comes from `companies.access.report_scope`. A company that did not lie beneath
    the reseller in the period is not found.
    """
    view = _view(scope, query, company_id, section)
    step = step_of_days(query.period)
    parts = steps(query.period, step, parse_zone(view.time_zone))
    cells = cells_by(scope, parts, company_id=company_id)
    rows = tuple(_day(part, section, found) for part, found in zip(parts, cells, strict=True))
    return CompanyDays(**_facts(view), step=step, rows=rows, totals=_totals(rows, section))


@scoped(snapshot=True)
def company_rates(
    scope: Scope, query: OverviewQuery, company_id: int, section: str, *, meter: str | None = None
) -> CompanyRates:
    """By which rates one company's section, or one meter of it, was charged on the sides of the reseller."""
    view = _view(scope, query, company_id, section)
    groups = charges_by_rate(scope, company_id, query.period, meters=_meters(section, meter))
    return CompanyRates(**_facts(view), rows=tuple(groups), totals=_sums(groups))


@scoped(snapshot=True)
def company_events(
    scope: Scope,
    query: OverviewQuery,
    company_id: int,
    section: str,
    *,
    which: EventFilter | None = None,
    limit: int = EVENTS_A_PAGE,
    cursor: str | None = None,
) -> CompanyEvents:
    """Events of one company's section, newest first; a cursor of another question is refused."""
    if not 1 <= limit <= MOST_EVENTS_A_PAGE:
        raise invalid_field(f"`limit` is 1 to {MOST_EVENTS_A_PAGE}.", "limit")
    view = _view(scope, query, company_id, section)
    asked = which or EventFilter()
    page = events_of(
        scope,
        company_id,
        query.period,
        meters=[code for meter in asked.meters or (asked.meter,) for code in _meters(section, meter)],
        sell_rate=asked.sell_rate,
        buy_rate=asked.buy_rate,
        attributes=asked.attributes,
        limit=limit,
        cursor=cursor,
    )
    return CompanyEvents(**_facts(view), asked=asked, events=page.items, next_cursor=page.next_cursor)


def _view(scope: Scope, query: OverviewQuery, company_id: int, section: str) -> CompanyView:
    scope.require("reports:read")
    reseller = reporting_reseller(scope, query.reseller_id)
    if section not in SECTION_METERS:
        raise invalid_field(f"`section` is one of {', '.join(SECTION_METERS)}.", "section")
    zone = parse_zone(query.time_zone or reseller.time_zone)
    found = dependents_in(scope, query.period, only=[company_id]) if 0 < company_id <= MAX_ID else ()
    if not found:
        raise NotFound(f"There is no company {company_id} in this report.")
    return CompanyView(reseller, found[0], query.period, zone.key, reseller.currency, section)


def _facts(view: CompanyView) -> dict[str, Any]:
    return {name: getattr(view, name) for name in CompanyView.__dataclass_fields__}


def _meters(section: str, meter: str | None) -> Sequence[str]:
    if meter is None:
        return SECTION_METERS[section]
    if meter not in SECTION_METERS[section]:
        raise invalid_field(f"`meter` is one of {', '.join(SECTION_METERS[section])}.", "meter")
    return (meter,)


def _day(period: Period, section: str, cells: Cells) -> DayRow:
    used = by_meter(cells)
    meters: Mapping[str, MeterFigures] = {code: used.get(code, NOTHING_USED) for code in SECTION_METERS[section]}
    return DayRow(
        period=period,
        unrated=unrated_of(cells, SECTION_METERS[section]),
        meters=meters,
        total_buy=sum(figures.buy for figures in meters.values()),
        total_sell=sum(figures.sell for figures in meters.values()),
    )


def _totals(rows: Sequence[DayRow], section: str) -> Totals:
    meters = {
        code: MeterFigures(
            *(
                sum(getattr(row.meters[code], name) for row in rows)
                for name in ("count", "quantity", "buy", "sell", "unrated")
            )
        )
        for code in SECTION_METERS[section]
    }
    buy, sell = sum(row.total_buy for row in rows), sum(row.total_sell for row in rows)
    return Totals(meters, buy, sell, sell - buy, sum(row.unrated for row in rows))


def _sums(groups: Sequence[RateGroup]) -> Sums:
    return Sums(
        count=sum(group.count for group in groups),
        sell=sum(group.sell for group in groups),
        buy=sum(group.buy for group in groups),
        unrated=sum(group.count for group in groups if group.is_unrated),
    )
