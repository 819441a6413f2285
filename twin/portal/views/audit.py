"""Audit: what happened at the visitor's company and beneath it, read, filtered and taken along as a file."""

from __future__ import annotations

import csv
import io
from typing import Final

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from twin.companies import queries
from twin.companies.types import Scope
from twin.kernel import security_log
from twin.kernel.addresses import address_of
from twin.portal.audit_page import AuditAsked, AuditPage, EventRow, event_row
from twin.portal.visitor import visitor_of
from twin.portal.words import zone_of
from twin.reports.rules.cells import harmless

_HEADINGS: Final = (
    "time",
    "event",
    "words",
    "company_id",
    "company",
    "person_id",
    "person",
    "about",
    "address",
    "details",
)


@require_safe
@never_cache
@login_required
def audit(request: HttpRequest) -> HttpResponse:
    """The newest events first; the whole state stands in the address."""
    scope, zone = _scope(request), zone_of(request.user)
    asked = AuditAsked.read(request.GET.dict(), zone)
    found = queries.recorded_events(
        scope, period=asked.period(zone), group=asked.group, search=asked.search, before=asked.before
    )
    page = AuditPage(asked, found, zone, shows_companies=scope.kind != "company")
    return render(request, "portal/audit/list.html", {"page": page})


@require_safe
@never_cache
@login_required
def audit_file(request: HttpRequest) -> HttpResponse:
    """The same events as CSV, the newest 50,000 of them; that somebody took them is an event too."""
    scope, zone = _scope(request), zone_of(request.user)
    asked = AuditAsked.read(request.GET.dict(), zone)
    found = queries.recorded_events(
        scope, period=asked.period(zone), group=asked.group, search=asked.search, limit=queries.MOST_RECORDED
    )
    if request.method == "GET":
        security_log.record(
            "record.exported",
            user_id=scope.person_id,
            company_id=scope.organisation_id,
            address=address_of(request),
            number=len(found.items),
        )
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_HEADINGS)
    writer.writerows(_cells(event_row(one, zone)) for one in found.items)
    # With its mark, by which spreadsheets know UTF-8.
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    name = f"audit-{scope.organisation_id}-{asked.first:%Y-%m-%d}-{asked.last:%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _cells(row: EventRow) -> list[str]:
    one = row.event
    details = "; ".join(f"{name}: {value}" for name, value in row.details)
    texts = (one.event, row.title, one.company_id, one.company, one.person_id, row.by, row.about, one.address, details)
    return [row.instant, *(harmless("" if text is None else str(text)) for text in texts)]


def _scope(request: HttpRequest) -> Scope:
    """Administrators' scope; for everybody else the record is not there."""
    visitor = visitor_of(request)
    if visitor is None or visitor.scope is None or not visitor.reads_audit:
        raise Http404
    return visitor.scope
