"""Saving what a company tells of itself, and keeping what was typed until it can be saved."""

from __future__ import annotations

from collections.abc import Mapping

from twin.accounts.actions import checked_email
from twin.companies.actions.changes import locked_information, note_change
from twin.companies.errors import CompanyNotFound, InformationChanged, InformationInvalid
from twin.companies.models import Company, Information, InformationDraft
from twin.companies.queries import get_company
from twin.companies.queries.information import OF_THE_COMPANY, company_information
from twin.companies.recording import record_deed
from twin.companies.rules.information import FIELDS, YES, checked, storable
from twin.companies.rules.tree import folded
from twin.companies.types import COMPANIES_WRITE, CompanyInformation, Scope
from twin.kernel import clock
from twin.kernel.tenancy import scoped


@scoped
def save_information(
    scope: Scope, company_id: int, *, version: int, values: Mapping[str, str], address: str | None = None
) -> CompanyInformation:
    """Save the whole information of a visible company, if it still is what the asker saw as `version`.

    Raises `InformationInvalid`, which names every field and its mend, or `InformationChanged`;
    nothing is kept then. The asker's own draft is gone afterwards. Saving what is there
    already changes nothing. `address` is where the request came from, for the security log.
    """
    scope.require(COMPANIES_WRITE)
    company = get_company(scope, company_id)
    kept, problems = checked(values, checked_email)
    if problems:
        raise InformationInvalid(problems)
    row = locked_information(company.id)
    if row.version != version:
        raise InformationChanged(f"Company {company.id} was changed meanwhile: version {row.version}, not {version}.")
    now = company_information(scope, company_id).values
    before = {name: now[name] for name in FIELDS if now[name] != kept[name]}
    if before or not row.is_complete:
        _write(scope, row, kept, before)
        record_deed(
            scope,
            "company.changed",
            company_id=company.id,
            address=address,
            version=row.version,
            changed=" ".join(before),
        )
    if company.id == scope.organisation_id:
        _forget_draft(scope)
    return company_information(scope, company_id)


@scoped
def keep_information_draft(scope: Scope, *, version: int, typed: Mapping[str, str]) -> None:
    """Keep what the asking person typed into their own company's form; repeated, the last counts."""
    scope.require(COMPANIES_WRITE)
    if scope.person_id is None:
        raise CompanyNotFound("Only people leave forms half filled.")
    InformationDraft.objects.update_or_create(
        company_id=scope.organisation_id,
        user_id=scope.person_id,
        defaults={"base_version": version, "typed": storable(typed), "saved_at": clock.now()},
    )


@scoped
def discard_information_draft(scope: Scope) -> None:
    """Forget what the asking person typed and did not save."""
    scope.require(COMPANIES_WRITE)
    _forget_draft(scope)


def _write(scope: Scope, row: Information, kept: Mapping[str, str], before: Mapping[str, str]) -> None:
    note_change(scope, row, before)
    for name in FIELDS:
        if name not in OF_THE_COMPANY:
            setattr(row, name, kept[name])
    row.max_dialogs = int(kept["max_dialogs"])
    row.postal_same = kept["postal_same"] == YES
    row.is_complete = row.name_given = True
    row.save()
    if not before.keys().isdisjoint(OF_THE_COMPANY):
        Company.objects.filter(pk=row.company_id).update(
            name=kept["name"], search_name=folded(kept["name"]), time_zone=kept["time_zone"]
        )


def _forget_draft(scope: Scope) -> None:
    InformationDraft.objects.filter(company_id=scope.organisation_id, user_id=scope.person_id or 0).delete()
