"""What reports tell: the report of a reseller, its overview and drill-down, what one company pays, files of them."""

from twin.reports.queries.companies import reseller_companies
from twin.reports.queries.drilling import company_days, company_events, company_rates
from twin.reports.queries.files import export_of, exports_of, recipient_of
from twin.reports.queries.overview import overview
from twin.reports.queries.resellers import resellers
from twin.reports.queries.usage import company_usage

__all__ = [
    "company_days",
    "company_events",
    "company_rates",
    "company_usage",
    "export_of",
    "exports_of",
    "overview",
    "recipient_of",
    "reseller_companies",
    "resellers",
]
