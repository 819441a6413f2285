"""`/reports`: the figures as JSON, CSV or a workbook, the same in each."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from itertools import chain
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router
from pydantic import Field, StringConstraints, WithJsonSchema

from twin.api.auth import ApiKey, scope_of
from twin.api.fields import Cursor, Flag, Instant, Limit, QueryId, QueryInput, Search, Zone, known_id, one_of
from twin.api.negotiation import chosen_type
from twin.api.schemas import ReportOut, UsageReportOut
from twin.companies.access import report_scope, usage_scope
from twin.companies.types import REPORTS_READ
from twin.kernel.errors import invalid_field
from twin.kernel.period import Period
from twin.pricing.meters import METERS
from twin.reports import exports, queries, usage_exports
from twin.reports.documents import json_chunks
from twin.reports.types import LARGEST_PAGE, ReportQuery, ResellerReport, UsageQuery, UsageReport

JSON = "application/json"
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEASURES = ("count", "quantity", "buy", "sell")
SORT_KEYS = (
    *("company_id", "company_name", "total_buy", "total_sell", "margin"),
    *(f"{meter.code}.{measure}" for meter in METERS for measure in MEASURES),
)
router = Router(tags=["Report"])
_encoder = msgspec.json.Encoder()
# What is longer is sent as it is written: whole answers of ten thousand companies would fill the process. A reader
# of a stream holds a thread, so what fits is handed over at once.
SENT_WHOLE: Final = 2 * 1024 * 1024

AnyResponse = TypeVar("AnyResponse", bound=HttpResponseBase)

Sort = Annotated[
    str,
    StringConstraints(max_length=64),
    WithJsonSchema({"type": "string", "pattern": one_of(SORT_KEYS, before="-?"), "examples": ["-total_sell"]}),
]
SectionCode = Literal["messaging", "chat", "telephony_legacy", "telephony_new", "bot"]


class ReportInput(QueryInput):
    from_: Annotated[Instant, Field(alias="from", description="The first instant that counts.")]
    to: Annotated[
        Instant,
        Field(
            description="The first instant that no longer counts; later than `from`.",
            json_schema_extra={"examples": ["2026-11-01T00:00:00Z"]},
        ),
    ]
    reseller: Annotated[QueryId | None, Field(description="Whose report; the key's company when left out.")] = None
    has_expenses: Annotated[Flag, Field(description="Only rows with an amount or without a price.")] = False
    time_zone: Annotated[Zone | None, Field(description="How times are shown; the reseller's when left out.")] = None
    section: Annotated[SectionCode | None, Field(description="One section; required with `cursor`.")] = None
    search: Annotated[Search, Field(description="A part of the name in any case, or the whole id.")] = ""
    sort: Annotated[Sort, Field(description="`-` before it for descending; ties by company id.")] = "company_id"
    side: Annotated[
        Literal["sell", "buy"], Field(description="On which side CSV and XLSX show the prices of channels.")
    ] = "sell"
    after_statements: Annotated[
        Flag, Field(description="Also tell what came or changed after the closed statement of its month.")
    ] = False
    limit: Limit = LARGEST_PAGE
    cursor: Cursor | None = None


class UsageInput(QueryInput):
    from_: Annotated[Instant, Field(alias="from", description="The first instant that counts.")]
    to: Annotated[
        Instant,
        Field(
            description="The first instant that no longer counts; later than `from`.",
            json_schema_extra={"examples": ["2026-11-01T00:00:00Z"]},
        ),
    ]
    company: Annotated[QueryId | None, Field(description="Which company; the key's own when left out.")] = None
    time_zone: Annotated[Zone | None, Field(description="How times are shown; the company's when left out.")] = None
    section: Annotated[SectionCode | None, Field(description="One section; required with text/csv.")] = None


_FILES = {
    "responses": {
        200: {
            "content": {
                CSV: {"schema": {"type": "string"}},
                XLSX: {"schema": {"type": "string", "format": "binary"}},
            }
        }
    }
}


@router.get(
    "/reports/reseller-companies",
    auth=ApiKey(REPORTS_READ, query=ReportInput),
    response=ReportOut,
    by_alias=True,
    openapi_extra=_FILES,
)
def reseller_companies(request: HttpRequest, query: Query[ReportInput]) -> HttpResponseBase:
    """Who beneath the reseller used what, what it costs the reseller and what it earns.

    Amounts are exact decimal strings. `Accept: text/csv` answers one section (`section` is
    required), the spreadsheet type a workbook of all of them. With `after_statements` rows and totals tell what
    closed statements have not seen of them, null for nothing; tables have three more columns where there is something.
    """
    media_type = chosen_type(request.META.get("HTTP_ACCEPT", ""), (JSON, CSV, XLSX))
    if media_type == CSV and query.section is None:
        raise invalid_field("`section` is required with text/csv: a table holds one section.", "section")
    named = None if query.reseller is None else known_id(query.reseller)
    scope = report_scope(scope_of(request), named)
    report = queries.reseller_companies(scope, _question(query))
    response = _rendered(report, query, media_type)
    response["Vary"] = "Accept"
    return response


@router.get(
    "/reports/usage",
    auth=ApiKey(REPORTS_READ, query=UsageInput),
    response=UsageReportOut,
    by_alias=True,
    openapi_extra=_FILES,
)
def usage(request: HttpRequest, query: Query[UsageInput]) -> HttpResponse:
    """What one company used of every service and what it pays its seller for it.

    The company itself, its seller and the platform may ask; a seller is told what it sold itself.
    Amounts are exact decimal strings. `Accept: text/csv` and the spreadsheet type as for the other report.
    """
    media_type = chosen_type(request.META.get("HTTP_ACCEPT", ""), (JSON, CSV, XLSX))
    if media_type == CSV and query.section is None:
        raise invalid_field("`section` is required with text/csv: a table holds one section.", "section")
    named = None if query.company is None else known_id(query.company)
    question = UsageQuery(
        period=Period(query.from_, query.to), company_id=named, time_zone=query.time_zone, section=query.section
    )
    report = queries.company_usage(usage_scope(scope_of(request), named), question)
    response = _rendered_usage(report, query.section, media_type)
    response["Vary"] = "Accept"
    return response


def _rendered_usage(report: UsageReport, section: str | None, media_type: str) -> HttpResponse:
    if media_type == CSV and section is not None:
        table = usage_exports.usage_csv(report, section)
        return _download(table.encode(), f"{CSV}; charset=utf-8", f"usage-{section}.csv")
    if media_type == XLSX:
        book = BytesIO()
        usage_exports.usage_xlsx(report, book)
        return _download(book.getvalue(), XLSX, "usage.xlsx")
    return HttpResponse(_encoder.encode(usage_exports.usage_document(report)), content_type=JSON)


def _question(query: ReportInput) -> ReportQuery:
    return ReportQuery(
        period=Period(query.from_, query.to),
        reseller_id=query.reseller,
        has_expenses=query.has_expenses,
        time_zone=query.time_zone,
        section=query.section,
        search=query.search,
        sort=query.sort,
        limit=query.limit,
        cursor=query.cursor,
        side=query.side,
        after_statements=query.after_statements,
    )


def _rendered(report: ResellerReport, query: ReportInput, media_type: str) -> HttpResponseBase:
    if media_type == CSV and query.section is not None:
        table = (chunk.encode() for chunk in exports.csv_chunks(report, query.section, query.side))
        return _named(_sent(table, f"{CSV}; charset=utf-8"), f"reseller-companies-{query.section}.csv")
    if media_type == XLSX:
        book = BytesIO()
        exports.xlsx_file(report, query.side, book)
        return _download(book.getvalue(), XLSX, "reseller-companies.xlsx")
    return _sent(json_chunks(report), JSON)


def _sent(chunks: Iterator[bytes], content_type: str) -> HttpResponseBase:
    """One body with its length, or a stream where it is long; the first chunks are made before anything is sent."""
    begun: list[bytes] = []
    size = 0
    for chunk in chunks:
        begun.append(chunk)
        size += len(chunk)
        if size > SENT_WHOLE:
            return StreamingHttpResponse(chain(begun, chunks), content_type=content_type)
    return HttpResponse(b"".join(begun), content_type=content_type)


def _download(content: bytes, content_type: str, name: str) -> HttpResponse:
    return _named(HttpResponse(content, content_type=content_type), name)


def _named(response: AnyResponse, name: str) -> AnyResponse:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
