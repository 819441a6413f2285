"""The list of balances as a file: what is shown, all pages."""

from __future__ import annotations

from dataclasses import replace
from tempfile import TemporaryFile
from typing import Final

from django.http import FileResponse, HttpRequest, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase

from twin.billing.queries.balances import balances
from twin.companies.types import Scope
from twin.portal.balance_page import BalancesListAsked
from twin.portal.report_files import TYPES
from twin.reports.balance_exports import balances_csv, balances_xlsx

MOST_ROWS: Final = 100_000


def balances_file(request: HttpRequest, scope: Scope, asked: BalancesListAsked) -> HttpResponseBase:
    """All that was looked for, at most 100,000 companies; a form that is not known leads back to the list."""
    form = request.GET.get("format")
    if form not in ("csv", "xlsx"):
        return HttpResponseRedirect(asked.href)
    found = balances(scope, replace(asked.question, offset=0, limit=MOST_ROWS)).items
    response: HttpResponseBase
    if form == "csv":
        response = StreamingHttpResponse(balances_csv(found), content_type=TYPES[form])
    else:
        file = TemporaryFile()  # noqa: SIM115 - the answer closes it
        balances_xlsx(found, file)
        file.seek(0)
        response = FileResponse(file, content_type=TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="balances-{scope.organisation_id}.{form}"'
    return response
