"""A list of movements as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from twin.billing.queries.transactions import TransactionsAsked, transactions
from twin.companies.types import Scope
from twin.portal.balance_page import MovesAddress
from twin.portal.report_files import TYPES
from twin.reports.move_exports import moves_csv, moves_xlsx

MOST_ROWS: Final = 100_000


def moves_file(
    request: HttpRequest,
    scope: Scope,
    address: MovesAddress,
    asked: TransactionsAsked,
    names: Mapping[int, str],
    currency: str,
) -> HttpResponse:
    """All that was looked for, at most 100,000 movements; a form that is not known leads back to the list."""
    form = request.GET.get("format")
    if form not in ("csv", "xlsx"):
        return HttpResponseRedirect(address.href)
    found = transactions(scope, replace(asked, offset=0, limit=MOST_ROWS)).items
    body = moves_csv(found, names, currency) if form == "csv" else moves_xlsx(found, names, currency)
    response = HttpResponse(body, content_type=TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="transactions-{scope.organisation_id}.{form}"'
    return response
