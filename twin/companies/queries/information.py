"""Reads of company information, its history and a person's own half-filled form."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, cast

from twin.companies.errors import CompanyNotFound
from twin.companies.models import Company as CompanyRow
from twin.companies.models import Employment, Information, InformationChange, InformationDraft
from twin.companies.queries.tree import get_company
from twin.companies.rules.information import FIELDS, USUAL_DIALOGS, YES, missing
from twin.companies.rules.information import missing_for_invoices as missing_for_invoices_in
from twin.companies.types import Colleague, Company, CompanyInformation, Role, Scope
from twin.companies.types import InformationChange as Change
from twin.companies.types import InformationDraft as Draft
from twin.kernel.tenancy import scoped

# What a company is called and in which zone it lives is kept with the company itself.
OF_THE_COMPANY: Final = ("name", "time_zone")


@scoped
def company_information(scope: Scope, company_id: int) -> CompanyInformation:
    """What a visible company told of itself; all empty while nobody has."""
    company = get_company(scope, company_id)
    return _information_in(company, Information.objects.filter(company_id=company.id).first())


@scoped
def told_by_many(scope: Scope, company_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """The values of `company_information` of many, by company; for the platform alone, which sees them all."""
    if scope.kind != "platform":
        raise CompanyNotFound("Only the platform reads details of many companies at once.")
    named = CompanyRow.objects.filter(id__in=company_ids).values_list("id", "name", "time_zone")
    rows = {row.company_id: row for row in Information.objects.filter(company_id__in=company_ids)}
    return {company: _values_in(company, name, zone, rows.get(company)) for company, name, zone in named}


@scoped
def missing_information(scope: Scope, company_id: int) -> tuple[str, ...]:
    """The necessary fields a visible company has not given yet.

    A name that nobody chose knowingly, such as the one given at registration, is missing.
    """
    company = get_company(scope, company_id)
    row = Information.objects.filter(company_id=company.id).first()
    values = dict(_information_in(company, row).values)
    if row is None or not row.name_given:
        values["name"] = ""
    return missing(values)


@scoped
def missing_for_invoices(scope: Scope, company_id: int) -> tuple[str, ...]:
    """What a visible company must still give before an invoice can be made."""
    return missing_for_invoices_in(company_information(scope, company_id).values)


@scoped
def default_max_dialogs(scope: Scope, company_id: int) -> int:
    """How many dialogs an operator of a visible company may hold unless given another number."""
    company = get_company(scope, company_id)
    found = Information.objects.filter(company_id=company.id).values_list("max_dialogs", flat=True).first()
    return USUAL_DIALOGS if found is None else found


@scoped
def own_information_draft(scope: Scope) -> Draft | None:
    """What the asking person typed into their company's form and has not saved."""
    row = InformationDraft.objects.filter(company_id=scope.organisation_id, user_id=scope.person_id or 0).first()
    return Draft(row.base_version, row.typed, row.saved_at) if row is not None else None


@scoped
def information_history(scope: Scope, company_id: int, *, since: int = 0, limit: int = 20) -> list[Change]:
    """Who changed the information of a visible company after version `since`, newest first."""
    company = get_company(scope, company_id)
    rows = InformationChange.objects.filter(company_id=company.id, version__gt=since).order_by("-version")
    told = rows.values_list("version", "changed_at", "changed_by__name", "before")[:limit]
    return [
        Change(version, at, name or "", tuple(f for f in FIELDS if f in before)) for version, at, name, before in told
    ]


@scoped
def values_at(scope: Scope, company_id: int, version: int) -> Mapping[str, str]:
    """What the information of a visible company said at an earlier version."""
    values = dict(company_information(scope, company_id).values)
    rows = InformationChange.objects.filter(company_id=company_id, version__gt=version).order_by("-version")
    for before in rows.values_list("before", flat=True):
        values |= before
    return values


@scoped
def colleagues(scope: Scope) -> list[Colleague]:
    """Who works at the asking organisation itself, administrators first, then by name."""
    rows = Employment.objects.filter(
        company_id=scope.organisation_id, removed_at__isnull=True, blocked_at__isnull=True, user__is_active=True
    ).values_list("user_id", "user__name", "user__email", "role")
    found = [Colleague(person, name, email, cast(Role, role)) for person, name, email, role in rows]
    return sorted(found, key=lambda one: (one.role != "administrator", one.name.casefold(), one.person_id))


def _information_in(company: Company, row: Information | None) -> CompanyInformation:
    """The information as others get it, from its row or the lack of one."""
    kept = row or Information(company_id=company.id)
    return CompanyInformation(
        company.id,
        kept.version,
        kept.is_complete,
        _values_in(company.id, company.name, company.time_zone, row),
        row.changed_at if row is not None else None,
    )


def _values_in(company_id: int, name: str, time_zone: str, row: Information | None) -> dict[str, str]:
    """The values by field, from a company and its row or the lack of one."""
    kept = row or Information(company_id=company_id)
    own = {"name": name, "time_zone": time_zone}
    return {field: own[field] if field in OF_THE_COMPANY else _text(getattr(kept, field)) for field in FIELDS}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return YES if value else ""
    return str(value)
