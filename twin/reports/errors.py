"""What a report can refuse."""

from __future__ import annotations

from twin.kernel.errors import Clash, Invalid, NotFound, TwinError


class ReportQueryInvalid(Invalid):
    """The question cannot be answered as it is asked; `errors` names each field."""


class FiguresWithoutCompany(TwinError):
    """Usage stands in the totals for a company that never lay beneath the reseller in the period."""


class ExportNotFound(NotFound):
    """The file does not exist, belongs to another organisation, or was removed."""


class TooManyExports(Clash):
    """The organisation has as many files under way as it may have at a time."""
