"""Reports → Reseller and companies."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from twin.companies import queries as companies
from twin.kernel.errors import Invalid
from twin.kernel.tenancy import tenant_transaction
from twin.portal.asking import FORMATS, ROWS_A_PAGE, Asked
from twin.portal.overview_page import OverviewPage
from twin.portal.report_columns import choose_columns, table_choice
from twin.portal.report_page import ReportPage
from twin.portal.report_request import UNPROCESSABLE, Asking, Parts, asking_of, control_of, to_canonical
from twin.portal.views.files import file_answer
from twin.portal.visitor import visitor_of
from twin.reports.columns import COLUMNS, SECTIONS
from twin.reports.queries import overview as overview_query
from twin.reports.queries import reseller_companies as report_query
from twin.reports.types import Overview, OverviewQuery, ReportQuery, ResellerReport

XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A page that is open already asks for its table alone, by this header.
PART_HEADER: Final = "X-Twin-Part"


@require_safe
@never_cache
@login_required
def reseller_companies(request: HttpRequest) -> HttpResponseBase:
    """The report for one reseller and period; the whole state stands in the address.

    Answers an address that is not canonical with the way to the one that is, and
    input that cannot be used with the page, a sentence by the field and status 422.
    """
    asking = asking_of(request)
    asked = asking.asked
    if asked.problems:
        return _show(request, asking, asked, None, None, Parts())
    file_format = request.GET.get("format", "")
    if not file_format and set(request.GET.items()) != set(asked.pairs()):
        return to_canonical(request, asked, asked.address(request.path, page=asked.page))
    try:
        if file_format in FORMATS:
            return file_answer(request, asking)
        return _answer(request, asking)
    except Invalid as error:
        names = {str(problem.loc[-1]) for problem in error.errors if problem.loc}
        return _show(request, asking, asked.refused(names), None, None, Parts())


def _answer(request: HttpRequest, asking: Asking) -> HttpResponseBase:
    asked, parts = asking.asked, Parts()
    query = _query(asked, limit=ROWS_A_PAGE, offset=(asked.page - 1) * ROWS_A_PAGE)
    # One snapshot, so that overview and table tell the same while usage comes in.
    with tenant_transaction(asking.scope.organisation_id, snapshot=True):
        report = parts.read("report", lambda: report_query(asking.scope, query))
        overview = None if _is_part(request) else parts.read("overview", lambda: _overview(asking))
    if report is not None:
        last_page = max(1, -(-report.sections[asked.section].row_count // ROWS_A_PAGE))
        if asked.page > last_page:
            return HttpResponseRedirect(asked.address(request.path, page=last_page))
    return _show(request, asking, asked, report, overview, parts)


def _overview(asking: Asking) -> Overview:
    if asking.asked.period is None:
        raise ValueError("There is no overview without a period.")
    return overview_query(asking.scope, OverviewQuery(period=asking.asked.period, time_zone=asking.asked.zone.key))


def _is_part(request: HttpRequest) -> bool:
    return request.headers.get(PART_HEADER) == "table"


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
        after_statements=True,
    )


def _show(
    request: HttpRequest,
    asking: Asking,
    asked: Asked,
    report: ResellerReport | None,
    overview: Overview | None,
    parts: Parts,
) -> HttpResponse:
    resellers = companies.sellers(asking.own_scope) if asking.own_scope.kind == "platform" else []
    page = ReportPage(
        asked=asked,
        report=report,
        reseller=asking.reseller,
        path=request.path,
        period=control_of(request, asking, asked, has_sides=True, has_expenses=True, resellers=resellers),
        choice=table_choice(asking.visitor.employment.person_id),
        overview=OverviewPage(overview, asked, request.path, asking.now, mends=_mends(asking)) if overview else None,
        failed=parts.failed,
    )
    template = "portal/report_part.html" if _is_part(request) else "portal/reseller_companies.html"
    return render(request, template, {"page": page}, status=UNPROCESSABLE if asked.problems else 200)


def _mends(asking: Asking) -> bool:
    """Whether what is to do can be done by the visitor: prices are set by who sells, nobody else finds them."""
    return asking.visitor.manages_companies and asking.reseller.id == asking.own_scope.organisation_id


@require_POST
@login_required
def choose_report_columns(request: HttpRequest) -> HttpResponse:
    """Keep which columns of a section the person wants to see; leads back to where it was chosen."""
    visitor = visitor_of(request)
    section = request.POST.get("section", "")
    if visitor is None or section not in SECTIONS:
        return HttpResponseBadRequest()
    every = [column.code for column in COLUMNS[section]]
    shown = every if "all" in request.POST else request.POST.getlist("shown")
    choose_columns(visitor.employment.person_id, section, shown, is_compact="compact" in request.POST)
    wanted = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(wanted if allowed else reverse("portal:reseller_companies"))
