"""The list of companies to take away."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from twin.companies import queries
from twin.companies.recording import record_deed
from twin.kernel import clock
from twin.portal.companies_files import companies_csv, companies_xlsx
from twin.portal.companies_page import CompaniesAsked, CompaniesPage
from twin.portal.views.companies import balances_shown, seller_scope
from twin.pricing.queries import cards_of_buyers

# As many as a page is answered with in a few seconds.
MOST_LISTED: Final = 50_000
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
@never_cache
@login_required
def companies_file(request: HttpRequest) -> HttpResponse:
    """The companies that the same address shows, all pages, as CSV or XLSX; that somebody took them is recorded."""
    scope = seller_scope(request)
    asked = CompaniesAsked.read(request.GET.dict())
    found = queries.directory(scope, search=asked.search, state=asked.segment, sort=asked.sort, limit=MOST_LISTED)
    rows = CompaniesPage(asked, found, cards_of_buyers(scope, clock.now()), scope, balances_shown(scope, found)).rows
    is_xlsx = request.GET.get("format") == "xlsx"
    if request.method == "GET":
        record_deed(scope, "company.list_exported", company_id=scope.organisation_id, number=len(rows))
    response = (
        HttpResponse(companies_xlsx(rows), content_type=_XLSX)
        if is_xlsx
        else HttpResponse(companies_csv(rows), content_type="text/csv; charset=utf-8")
    )
    name = f"companies-{scope.organisation_id}.{'xlsx' if is_xlsx else 'csv'}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
