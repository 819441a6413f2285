"""From a figure of the report to its events: one company by day, by rate, event by event."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from twin.billing.queries.closed import ClosedSpan, closed_spans
from twin.companies.access import usage_scope
from twin.companies.queries import MAX_ID, names_of
from twin.kernel.errors import Invalid, NotFound
from twin.kernel.period import Period
from twin.kernel.tenancy import tenant_transaction
from twin.portal.drill_page import DrillPage
from twin.portal.drilling import Drill, read_drill
from twin.portal.report_request import UNPROCESSABLE, Asking, Parts, asking_of, control_of, to_canonical
from twin.reports.queries import company_days, company_events, company_rates
from twin.reports.types import CompanyDays, CompanyEvents, CompanyRates, OverviewQuery

EVENTS_A_PAGE: Final = 50


@require_safe
@never_cache
@login_required
def company(request: HttpRequest, company_id: int) -> HttpResponse:
    """One company of the report; one that never lay beneath the reseller is not found."""
    asking = asking_of(request)
    drill = read_drill(request.GET.dict(), asking.asked)
    if asking.asked.problems:
        return _refused(request, asking, drill, company_id)
    if set(request.GET.items()) != set(drill.pairs()):
        return to_canonical(request, asking.asked, drill.address(request.path, cursor=drill.cursor))
    try:
        return _answer(request, asking, drill, company_id)
    except NotFound:
        return _at_another_time(request, asking, drill, company_id)
    except Invalid:
        # A filter or a cursor that belongs to another question: the same company without it.
        if not drill.cursor and not drill.has_rate:
            raise Http404 from None
        return HttpResponseRedirect(drill.without_rate().address(request.path))


def _answer(request: HttpRequest, asking: Asking, drill: Drill, company_id: int) -> HttpResponse:
    if asking.asked.period is None:
        raise ValueError("There is no drill-down without a period.")
    whole = OverviewQuery(period=asking.asked.period, time_zone=asking.asked.zone.key)
    scope, section, parts = asking.scope, asking.asked.section, Parts()
    with tenant_transaction(scope.organisation_id, snapshot=True):
        days = parts.read("days", lambda: company_days(scope, whole, company_id, section))
        row = drill.row_of(days.rows) if days else None
        if row is None:
            drill = replace(drill, day=None)
        chosen = replace(whole, period=row.period) if row else whole
        rates = parts.read("rates", lambda: company_rates(scope, chosen, company_id, section))
        events = parts.read("events", lambda: _events(asking, drill, chosen, company_id))
    return _show(request, asking, drill, company_id, (days, rates, events), parts)


def _events(asking: Asking, drill: Drill, chosen: OverviewQuery, company_id: int) -> CompanyEvents:
    return company_events(
        asking.scope,
        chosen,
        company_id,
        asking.asked.section,
        which=drill.which,
        limit=EVENTS_A_PAGE,
        cursor=drill.cursor or None,
    )


def _show(
    request: HttpRequest,
    asking: Asking,
    drill: Drill,
    company_id: int,
    read: tuple[CompanyDays | None, CompanyRates | None, CompanyEvents | None],
    parts: Parts,
    *,
    absent: str = "",
) -> HttpResponse:
    days, rates, events = read
    view = days or rates or events
    page = DrillPage(
        drill=drill,
        path=request.path,
        report_path=reverse("portal:reseller_companies"),
        # The period is changed here; what was chosen beneath the company ends with it.
        period=control_of(request, asking, replace(asking.asked, channel=drill.asked.channel)),
        days=days,
        rates=rates,
        events=events,
        has_seller=asking.reseller.kind != "platform",
        failed=parts.failed,
        name=view.company.name if view else absent or str(company_id),
        company_id=company_id,
        company_path=view.company.path if view else (),
        currency=asking.reseller.currency,
        usage_path=_usage_path(asking, company_id),
        closed=_closed(asking, events),
        opens_statements=asking.own_scope.organisation_id == asking.scope.organisation_id,
        absent_under=asking.reseller.name if absent else "",
    )
    return render(request, "portal/drill_down.html", {"page": page}, status=200)


def _closed(asking: Asking, events: CompanyEvents | None) -> list[ClosedSpan]:
    """The closed statements of the months of the events shown."""
    if events is None or not events.events:
        return []
    times = [event.event_time for event in events.events]
    period = Period(min(times), max(times) + timedelta(microseconds=1))
    return closed_spans(asking.scope, {event.buyer_id for event in events.events}, period)


def _usage_path(asking: Asking, company_id: int) -> str:
    """The page of what the company used and pays, where this reader may open it."""
    try:
        usage_scope(asking.own_scope, company_id)
    except NotFound:
        return ""
    return reverse("portal:usage")


def _at_another_time(request: HttpRequest, asking: Asking, drill: Drill, company_id: int) -> HttpResponse:
    """The page says so of a company that lay beneath the reseller at another time only; any other is not found."""
    is_possible = 0 < company_id <= MAX_ID and company_id != asking.scope.organisation_id
    name = names_of(asking.scope, [company_id]).get(company_id) if is_possible else None
    if name is None:
        raise Http404
    return _show(request, asking, drill, company_id, (None, None, None), Parts(), absent=name)


def _refused(request: HttpRequest, asking: Asking, drill: Drill, company_id: int) -> HttpResponse:
    """A period that cannot be read is mended where it stands."""
    response = _show(request, asking, drill, company_id, (None, None, None), Parts())
    response.status_code = UNPROCESSABLE
    return response
