"""What one company used and pays, for the company itself or its seller."""

from __future__ import annotations

from collections.abc import Sequence

from twin.companies.queries import get_company
from twin.companies.types import Scope
from twin.kernel import clock
from twin.kernel.errors import invalid_field
from twin.kernel.period import parse_zone
from twin.kernel.tenancy import scoped
from twin.metering.queries import usage_cells
from twin.metering.types import UsageCell
from twin.pricing.meters import METER_BY_CODE, SERVICES
from twin.reports.rules.calendar import compared_with, step_of, steps
from twin.reports.rules.layout import SECTION_METERS
from twin.reports.types import UsageFigures, UsagePoint, UsageQuery, UsageReport, UsageSection

_NOTHING = UsageFigures(0, 0, 0)


@scoped(snapshot=True)
def company_usage(scope: Scope, query: UsageQuery) -> UsageReport:
    """What the company used of every service and what it pays its seller for it, never what the seller pays.

    The scope comes from `companies.access.usage_scope(scope, company_id)`: the company itself sees all of it, a
    seller what it sold itself, the platform asks in the company's place. Out of sight is not found.
    """
    scope.require("reports:read")
    if query.section is not None and query.section not in SECTION_METERS:
        raise invalid_field(f"`section` is one of {', '.join(SECTION_METERS)}.", "section")
    company = get_company(scope, query.company_id or scope.organisation_id)
    zone = parse_zone(query.time_zone or company.time_zone)
    previous, is_running = compared_with(query.period, clock.now(), zone)
    parts = steps(query.period, step_of(query.period), zone)
    codes = SERVICES if query.section is None else (query.section,)
    [before] = usage_cells(scope, company.id, [previous])
    read = usage_cells(scope, company.id, parts)
    sections = {code: _section(code, [cell for cells in read for cell in cells]) for code in codes}
    return UsageReport(
        company=company,
        period=query.period,
        previous=previous,
        is_running=is_running,
        time_zone=zone.key,
        currency=company.currency,
        unrated=sum(section.unrated for section in sections.values()),
        total_sell=sum(section.total_sell for section in sections.values()),
        total_before=sum(_prices(before, code) for code in codes),
        sections=sections,
        step=step_of(query.period),
        points=tuple(
            UsagePoint(part, sum(by_code.values()), by_code)
            for part, by_code in ((part, _by_code(cells, codes)) for part, cells in zip(parts, read, strict=True))
        ),
    )


def _section(code: str, cells: Sequence[UsageCell]) -> UsageSection:
    meters = dict.fromkeys(SECTION_METERS[code], _NOTHING)
    unrated = 0
    for cell in cells:
        if cell.meter in meters:
            known = meters[cell.meter]
            meters[cell.meter] = UsageFigures(
                known.count + cell.count, known.quantity + cell.quantity, known.sell + cell.price
            )
            unrated += cell.unrated
    return UsageSection(code, meters, sum(figures.sell for figures in meters.values()), unrated)


def _by_code(cells: Sequence[UsageCell], codes: Sequence[str]) -> dict[str, int]:
    return {code: _prices(cells, code) for code in codes}


def _prices(cells: Sequence[UsageCell], code: str) -> int:
    return sum(cell.price for cell in cells if METER_BY_CODE[cell.meter].service == code)
