"""Reports → All resellers, for platform staff."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from twin.kernel.tenancy import tenant_transaction
from twin.portal.report_request import UNPROCESSABLE, Asking, Parts, asking_of, control_of, to_canonical
from twin.portal.resellers_page import ResellersPage
from twin.reports.queries import resellers as resellers_query
from twin.reports.types import SellersReport


@require_safe
@never_cache
@login_required
def resellers(request: HttpRequest) -> HttpResponse:
    """Every reseller as a row, with what its own report says; the whole state stands in the address."""
    asking = asking_of(request)
    if asking.own_scope.kind != "platform":
        raise Http404
    asked = asking.asked.for_reseller(None)
    parts, found = Parts(), None
    if not asked.problems:
        if set(request.GET.items()) != set(asked.sellers_pairs()):
            return to_canonical(request, asked, asked.sellers_address(request.path))
        found = parts.read("resellers", lambda: _read(asking))
    page = ResellersPage(
        report=found,
        asked=asked,
        path=request.path,
        report_path=reverse("portal:reseller_companies"),
        period=control_of(request, asking, asked),
        failed=parts.failed,
    )
    return render(request, "portal/resellers.html", {"page": page}, status=UNPROCESSABLE if asked.problems else 200)


def _read(asking: Asking) -> SellersReport:
    if asking.asked.period is None:
        raise ValueError("There is no report without a period.")
    with tenant_transaction(asking.own_scope.organisation_id, snapshot=True):
        return resellers_query(asking.own_scope, asking.asked.period)
