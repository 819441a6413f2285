"""`/companies`: the tree as the key's company sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from twin.api.auth import ApiKey, reads_json, scope_of
from twin.api.fields import IdCursor, Limit, PathId, QueryInput, Search, known_id
from twin.api.schemas import CompanyChange, CompanyOut, CompanyPage, Move, NewCompany
from twin.billing.queries.balances import balances_of
from twin.billing.rules.rounding import minor_text
from twin.billing.types import Balance
from twin.companies import actions, queries
from twin.companies.types import BILLING_READ, COMPANIES_READ, COMPANIES_WRITE, Company, Scope
from twin.kernel.money import amount_text
from twin.kernel.period import instant_text
from twin.metering import actions as metering
from twin.pricing import actions as pricing

router = Router(tags=["Companies"])


class CompanyQuery(QueryInput):
    search: Search | None = None
    limit: Limit = 100
    cursor: IdCursor | None = None


@router.post("/companies", auth=reads_json(COMPANIES_WRITE), response={201: CompanyOut})
def create_company(request: HttpRequest, body: NewCompany) -> Status[CompanyOut]:
    """Create a company beneath the key's company or beneath a reseller that lies there.

    It starts with its seller's default rate card, if there is one.
    """
    return Status(201, _told(request, pricing.create_company(scope_of(request), **dict(body))))


@router.get("/companies", auth=ApiKey(COMPANIES_READ, query=CompanyQuery), response=CompanyPage)
def list_companies(request: HttpRequest, query: Query[CompanyQuery]) -> CompanyPage:
    """The key's company and all that lies beneath it now, in the order of their ids.

    `search` finds a part of the name in any case, or the whole id.
    """
    page = queries.list_companies(scope_of(request), search=query.search, limit=query.limit, cursor=query.cursor)
    known = _balances(scope_of(request), page.items)
    items = [_shown(company, known.get(company.id)) for company in page.items]
    return CompanyPage(items=items, next_cursor=page.next_cursor)


@router.get("/companies/{int:company_id}", auth=ApiKey(COMPANIES_READ), response=CompanyOut)
def get_company(request: HttpRequest, company_id: PathId) -> CompanyOut:
    """One company in sight."""
    return _told(request, queries.get_company(scope_of(request), known_id(company_id)))


@router.patch("/companies/{int:company_id}", auth=reads_json(COMPANIES_WRITE), response=CompanyOut)
def update_company(request: HttpRequest, company_id: PathId, body: CompanyChange) -> CompanyOut:
    """Change what is named in the body. Blocking stops people and keys, never the record of usage."""
    changes: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    return _told(request, actions.update_company(scope_of(request), known_id(company_id), **changes))


@router.post("/companies/{int:company_id}/move", auth=reads_json(COMPANIES_WRITE), response=CompanyOut)
def move_company(request: HttpRequest, company_id: PathId, body: Move) -> CompanyOut:
    """Let the company belong to another parent from an instant on; the span before stays as it was."""
    return _told(
        request,
        metering.move_company(
            scope_of(request),
            company_id=known_id(company_id),
            parent_id=body.parent_id,
            effective_from=body.effective_from,
        ),
    )


def _told(request: HttpRequest, company: Company) -> CompanyOut:
    return _shown(company, _balances(scope_of(request), [company]).get(company.id))


def _balances(scope: Scope, companies: Sequence[Company]) -> Mapping[int, Balance]:
    """Of those whose seller the key's company is, if it may read them."""
    own = [one.id for one in companies if one.parent_id == scope.organisation_id]
    return balances_of(scope, own) if own and BILLING_READ in scope.permissions else {}


def _shown(company: Company, known: Balance | None = None) -> CompanyOut:
    limit = known.account.limit_minor if known else None
    return CompanyOut(
        id=company.id,
        name=company.name,
        kind=company.kind,
        parent_id=company.parent_id,
        time_zone=company.time_zone,
        currency=company.currency,
        state=company.state,
        external_id=company.external_id,
        state_reason=company.state_reason or None,
        closed_at=instant_text(company.closed_at) if company.closed_at else None,
        balance=minor_text(known.booked_minor, known.currency) if known else None,
        credit_limit=minor_text(limit, known.currency) if known and limit is not None else None,
        available=amount_text(known.available) if known and known.available is not None else None,
    )
