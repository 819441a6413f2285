"""The report Reseller and companies."""

from __future__ import annotations

from twin.companies.queries import dependents_in, get_company
from twin.companies.types import Company, Scope
from twin.kernel.errors import NotFound
from twin.kernel.tenancy import scoped
from twin.metering.queries import cells_in
from twin.reports.queries.after_statements import charged_after_statements
from twin.reports.rules.answering import answer
from twin.reports.rules.asking import check
from twin.reports.types import ReportQuery, ResellerReport

REPORTING_KINDS = ("platform", "reseller")


@scoped(snapshot=True)
def reseller_companies(scope: Scope, query: ReportQuery) -> ResellerReport:
    """Who beneath the scope's organisation used what, what it costs and what it earns, in one snapshot.

    The scope comes from `companies.access.report_scope`, which says who may see whose report;
    an organisation that is no reseller has none. Raises `ReportQueryInvalid` before anything is read.
    """
    check(query)
    scope.require("reports:read")
    reseller = reporting_reseller(scope, query.reseller_id)
    after = charged_after_statements(scope, query.period) if query.after_statements else []
    return answer(reseller, dependents_in(scope, query.period), cells_in(scope, query.period), query, after)


def reporting_reseller(scope: Scope, reseller_id: int | None) -> Company:
    """The organisation whose report it is; another one, or one that sells nothing, is not found."""
    reseller = get_company(scope, scope.organisation_id)
    asks_for_another = reseller_id not in (None, reseller.id)
    if asks_for_another or reseller.kind not in REPORTING_KINDS:
        raise NotFound("There is no such reseller.")
    return reseller
