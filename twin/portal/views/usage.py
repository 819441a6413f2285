"""Reports → Usage: what one company used and pays, for the company itself or its seller."""

from __future__ import annotations

from io import BytesIO

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from twin.companies import access
from twin.companies import queries as companies
from twin.companies.types import Company, Scope
from twin.kernel import clock
from twin.kernel.errors import NotFound
from twin.portal.asking import Asked, read
from twin.portal.period_control import PeriodControl
from twin.portal.report_files import TYPES
from twin.portal.report_request import UNPROCESSABLE, Parts, named_id, to_canonical
from twin.portal.usage_page import UsagePage
from twin.portal.visitor import visitor_of
from twin.reports.queries import company_usage
from twin.reports.types import UsageQuery, UsageReport
from twin.reports.usage_exports import usage_csv, usage_xlsx


@require_safe
@never_cache
@login_required
def usage(request: HttpRequest) -> HttpResponse:
    """The whole state stands in the address; a company out of sight, or one of a sub-reseller, is not found."""
    visitor = visitor_of(request)
    if visitor is None or visitor.scope is None or not visitor.sees_usage:
        raise Http404
    scope, company = _whose(request, visitor.scope)
    asked = read(request.GET.dict(), default_zone=company.time_zone, now=clock.now())
    is_own = company.id == visitor.scope.organisation_id
    asked = asked.for_company(None if is_own else company.id)
    if asked.problems:
        return _show(request, asked, company, None, Parts())
    if set(request.GET.items()) != set(asked.usage_pairs()):
        return to_canonical(request, asked, asked.usage_address(request.path))
    parts = Parts()
    found = parts.read("usage", lambda: _usage(scope, company, asked))
    return _show(request, asked, company, found, parts)


@require_safe
@never_cache
@login_required
def usage_file(request: HttpRequest) -> HttpResponse:
    """The same as a workbook, or one section as a table; a few lines, so made while one waits."""
    visitor = visitor_of(request)
    if visitor is None or visitor.scope is None or not visitor.sees_usage:
        raise Http404
    scope, company = _whose(request, visitor.scope)
    asked = read(request.GET.dict(), default_zone=company.time_zone, now=clock.now())
    form = request.GET.get("format")
    if asked.problems or form not in ("csv", "xlsx"):
        return HttpResponseRedirect(f"{reverse('portal:usage')}?{request.GET.urlencode()}")
    report = _usage(scope, company, asked)
    start = report.period.start.astimezone(asked.zone)
    name = f"usage-{company.id}-{start:%Y-%m-%d}{f'-{asked.section}' if form == 'csv' else ''}.{form}"
    response = HttpResponse(_rendered(report, asked.section, form), content_type=TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _rendered(report: UsageReport, section: str, form: str) -> bytes:
    if form == "csv":
        return usage_csv(report, section).encode()
    book = BytesIO()
    usage_xlsx(report, book)
    return book.getvalue()


def _whose(request: HttpRequest, own: Scope) -> tuple[Scope, Company]:
    named = named_id(request, "company")
    try:
        scope = access.usage_scope(own, named)
        return scope, companies.get_company(scope, named or own.organisation_id)
    except NotFound:
        raise Http404 from None


def _usage(scope: Scope, company: Company, asked: Asked) -> UsageReport:
    if asked.period is None:
        raise ValueError("There is no usage without a period.")
    return company_usage(scope, UsageQuery(period=asked.period, company_id=company.id, time_zone=asked.zone.key))


def _show(
    request: HttpRequest, asked: Asked, company: Company, found: UsageReport | None, parts: Parts
) -> HttpResponse:
    now, own_zone = clock.now(), getattr(request.user, "time_zone", "")
    page = UsagePage(
        usage=found,
        asked=asked,
        path=request.path,
        now=now,
        period=PeriodControl(asked=asked, path=request.path, now=now, zones_near=(company.time_zone, own_zone)),
        company_name=company.name,
        currency=company.currency,
        is_own=asked.company_id is None,
        back_href=reverse("portal:reseller_companies") if asked.company_id else "",
        failed=parts.failed,
    )
    return render(request, "portal/usage.html", {"page": page}, status=UNPROCESSABLE if asked.problems else 200)
