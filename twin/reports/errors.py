"""What a report can refuse."""

from __future__ import annotations

from twin.kernel.errors import Invalid, TwinError


class ReportQueryInvalid(Invalid):
    """The question cannot be answered as it is asked; `errors` names each field."""


class FiguresWithoutCompany(TwinError):
    """Usage stands in the totals for a company that never lay beneath the reseller in the period."""
