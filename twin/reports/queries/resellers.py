"""All resellers beside each other, for the platform."""

from __future__ import annotations

import numpy as np

from twin.companies.access import report_scopes
from twin.companies.types import Company, Scope
from twin.kernel.period import Period
from twin.kernel.tenancy import scoped
from twin.metering.queries import cells_in
from twin.reports.rules.summing import total
from twin.reports.types import SellerRow, SellersReport


@scoped(snapshot=True)
def resellers(scope: Scope, period: Period) -> SellersReport:
    """The totals of every reseller's own report, the platform's first, in one snapshot.

    Only the platform may read others' reports; for anybody else there is nothing.
    """
    found = report_scopes(scope)
    names = {seller.id: seller.name for seller, _ in found}
    rows = tuple(_row(own, seller, names.get(seller.parent_id or 0, ""), period) for seller, own in found)
    return SellersReport(period, found[0][0].currency, rows)


def _row(scope: Scope, seller: Company, parent_name: str, period: Period) -> SellerRow:
    """`scope` is the seller's: its books are read behind its own door."""
    cells = cells_in(scope, period)
    return SellerRow(seller, parent_name, total(cells), int(np.unique(cells.company).size))
