"""Reports → Reseller and companies."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from twin.companies import access
from twin.companies import queries as companies
from twin.companies.types import Company, Scope
from twin.kernel import clock
from twin.kernel.errors import Invalid, NotFound
from twin.portal.asking import FORMATS, ROWS_A_PAGE, Asked, read
from twin.portal.report_page import ReportPage, oddity_words
from twin.portal.visitor import Visitor, visitor_of
from twin.reports.exports import csv_chunks, xlsx_file
from twin.reports.queries import reseller_companies as report_query
from twin.reports.types import ReportQuery, ResellerReport

UNPROCESSABLE: Final = 422
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
@never_cache
@login_required
def reseller_companies(request: HttpRequest) -> HttpResponseBase:
    """The report for one reseller and period; the whole state stands in the address.

    Answers an address that is not canonical with the way to the one that is, and
    input that cannot be used with the page, a sentence by the field and status 422.
    """
    visitor = visitor_of(request)
    if visitor is None or visitor.scope is None or not visitor.sees_reseller_report:
        raise Http404
    scope, reseller = _whose(request, visitor.scope)
    asked = read(request.GET.dict(), default_zone=reseller.time_zone, now=clock.now())
    # Only platform staff look at more than one reseller, so only their addresses name it.
    asked = asked.for_reseller(reseller.id if visitor.scope.kind == "platform" else None)
    if asked.problems:
        return _show(request, visitor, reseller, asked, None)
    file_format = request.GET.get("format", "")
    if not file_format and set(request.GET.items()) != set(asked.pairs()):
        for name, moment in asked.odd.items():
            messages.warning(request, oddity_words(name, moment, asked.zone))
        return HttpResponseRedirect(asked.address(request.path, page=asked.page))
    return _answer(request, visitor, scope, reseller, asked, file_format)


def _answer(
    request: HttpRequest, visitor: Visitor, scope: Scope, reseller: Company, asked: Asked, file_format: str
) -> HttpResponseBase:
    try:
        if file_format in FORMATS:
            return _file(scope, reseller, asked, file_format)
        report = report_query(scope, _query(asked, limit=ROWS_A_PAGE, offset=(asked.page - 1) * ROWS_A_PAGE))
    except Invalid as error:
        names = {str(problem.loc[-1]) for problem in error.errors if problem.loc}
        return _show(request, visitor, reseller, asked.refused(names), None)
    last_page = max(1, -(-report.sections[asked.section].row_count // ROWS_A_PAGE))
    if asked.page > last_page:
        return HttpResponseRedirect(asked.address(request.path, page=last_page))
    return _show(request, visitor, reseller, asked, report)


def _whose(request: HttpRequest, own: Scope) -> tuple[Scope, Company]:
    """The reseller whose report it is; another's is not found."""
    named = request.GET.get("reseller", "").strip()
    try:
        wanted = int(named) if named else None
        scope = access.report_scope(own, wanted)
        return scope, companies.get_company(scope, scope.organisation_id)
    except (NotFound, ValueError, OverflowError):
        raise Http404 from None


def _query(asked: Asked, *, limit: int | None, offset: int = 0, section: str | None = None) -> ReportQuery:
    if asked.period is None:
        raise ValueError("There is no report without a period.")
    return ReportQuery(
        period=asked.period,
        has_expenses=asked.has_expenses,
        time_zone=asked.zone.key,
        section=section,
        search=asked.search,
        sort=asked.sort,
        limit=limit,
        offset=offset,
        side=asked.side,
    )


def _file(scope: Scope, reseller: Company, asked: Asked, file_format: str) -> HttpResponseBase:
    """Every row that passes the filters, not only the page shown."""
    section = asked.section if file_format == "csv" else None
    report = report_query(scope, _query(asked, limit=None, section=section))
    response: HttpResponseBase
    if file_format == "csv":
        response = StreamingHttpResponse(
            csv_chunks(report, asked.section, asked.side), content_type="text/csv; charset=utf-8"
        )
    else:
        target = BytesIO()
        xlsx_file(report, asked.side, target)
        response = HttpResponse(target.getvalue(), content_type=XLSX_TYPE)
    start = report.period.start.astimezone(asked.zone)
    name = f"reseller-{reseller.id}-{start:%Y-%m-%d}{f'-{asked.section}' if section else ''}.{file_format}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _show(
    request: HttpRequest, visitor: Visitor, reseller: Company, asked: Asked, report: ResellerReport | None
) -> HttpResponse:
    page = ReportPage(
        asked=asked,
        report=report,
        reseller=reseller,
        path=request.path,
        now=clock.now(),
        resellers=_resellers(visitor),
    )
    status = 200 if report else UNPROCESSABLE
    return render(request, "portal/reseller_companies.html", {"page": page}, status=status)


def _resellers(visitor: Visitor) -> list[Company]:
    """For platform staff: whose report may be chosen, the platform itself first."""
    scope = visitor.scope
    if scope is None or scope.kind != "platform":
        return []
    found: list[Company] = []
    cursor: str | None = None
    while True:
        page = companies.list_companies(scope, limit=companies.MAX_PAGE, cursor=cursor)
        found.extend(company for company in page.items if company.kind != "company")
        cursor = page.next_cursor
        if cursor is None:
            return sorted(found, key=lambda company: (company.kind != "platform", company.name.casefold()))
