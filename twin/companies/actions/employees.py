"""Who works for a company, in which role, with which limits; blocking and removing people.

People are managed at the organisation itself; platform staff manage them everywhere. Each
action locks the company's row first, so that two of them together cannot take away its last
administrator.
"""

from __future__ import annotations

from typing import Final

from twin.accounts.sessions import end_sessions
from twin.accounts.types import Person
from twin.companies.errors import EmployeeNotFound, LastAdministrator, NotWhileActing, NotYours, NotYourself
from twin.companies.models import ApiKey as ApiKeyRow
from twin.companies.models import Company as CompanyRow
from twin.companies.models import Employment as EmploymentRow
from twin.companies.models import Invitation as InvitationRow
from twin.companies.queries import get_company
from twin.companies.recording import record_deed
from twin.companies.rules.employees import checked_max_dialogs, checked_role, checked_text
from twin.companies.types import COMPANIES_WRITE, Company, Role, Scope
from twin.kernel import clock
from twin.kernel.security_events import Event
from twin.kernel.tenancy import scoped, tenant_transaction

_LONGEST_REASON: Final = 500


@scoped
def add_employee(scope: Scope, *, user: Person, company_id: int, role: Role) -> None:
    """Let a person work for a visible company in a role; repeated, the role is changed.

    Who was blocked or removed there works again.
    """
    scope.require(COMPANIES_WRITE)
    refuse_while_acting(scope, role)
    company = get_company(scope, company_id)
    with tenant_transaction(company.id):
        employ(company.id, user.pk, role)
    record_deed(scope, "employee.added", company_id=company.id, person_id=user.pk, role=role)


@scoped
def change_role(scope: Scope, *, company_id: int, person_id: int, role: str, address: str | None = None) -> None:
    """Give an employee another role; what they may do follows at their next request.

    Who stops being administrator takes their open invitations along. Raises `LastAdministrator`.
    """
    wanted = checked_role(role)
    refuse_while_acting(scope, wanted)
    company = company_to_manage(scope, company_id)
    with tenant_transaction(company.id):
        row = _locked_employee(scope, company.id, person_id)
        if row.role == wanted:
            return
        if wanted != "administrator":
            _refuse_last(company.id, row)
            withdraw_invitations_by(company.id, person_id)
        before, row.role = row.role, wanted
        row.save(update_fields=["role"])
        _note(scope, "employee.role_changed", company, person_id, address, before=before, after=wanted)


@scoped
def set_max_dialogs(
    scope: Scope, *, company_id: int, person_id: int, max_dialogs: int | None, address: str | None = None
) -> None:
    """Give an employee an own maximum number of dialogs; None leaves it to the company's default."""
    wanted = checked_max_dialogs(max_dialogs)
    company = company_to_manage(scope, company_id)
    with tenant_transaction(company.id):
        row = _locked_employee(scope, company.id, person_id)
        if row.max_dialogs == wanted:
            return
        before, row.max_dialogs = row.max_dialogs, wanted
        row.save(update_fields=["max_dialogs"])
        _note(scope, "employee.max_dialogs_changed", company, person_id, address, before=before, after=wanted)


@scoped
def block_employee(
    scope: Scope, *, company_id: int, person_id: int, reason: str, keep_keys: bool = False, address: str | None = None
) -> None:
    """Shut a person out for a reason: sessions end, their open invitations are withdrawn, their keys revoked.

    `keep_keys` lets the API keys they made go on. Repeated, only the reason changes. Nobody
    blocks themselves; raises `LastAdministrator`.
    """
    why = checked_text(reason, field="reason", longest=_LONGEST_REASON)
    company = company_to_manage(scope, company_id)
    if person_id == scope.person_id:
        raise NotYourself("Nobody blocks themselves; another administrator can.")
    with tenant_transaction(company.id):
        row = _locked_employee(scope, company.id, person_id)
        if row.blocked_at is None:
            _refuse_last(company.id, row)
            row.blocked_at, row.blocked_by_id = clock.now(), scope.person_id
        row.blocked_reason = why
        row.save(update_fields=["blocked_at", "blocked_by", "blocked_reason"])
        _shut_out(scope, "employee.blocked", company, person_id, keep_keys, address)


@scoped
def unblock_employee(scope: Scope, *, company_id: int, person_id: int, address: str | None = None) -> None:
    """Let a blocked person in again; sessions and keys that ended stay ended."""
    company = company_to_manage(scope, company_id)
    with tenant_transaction(company.id):
        row = _locked_employee(scope, company.id, person_id)
        if row.blocked_at is None:
            return
        row.blocked_at, row.blocked_by_id, row.blocked_reason = None, None, ""
        row.save(update_fields=["blocked_at", "blocked_by", "blocked_reason"])
        _note(scope, "employee.unblocked", company, person_id, address)


@scoped
def remove_employee(
    scope: Scope, *, company_id: int, person_id: int, keep_keys: bool = False, address: str | None = None
) -> None:
    """End a person's work for a company, or one's own: out at the next request, otherwise as blocking.

    The row stays with the moment. Raises `LastAdministrator`.
    """
    company = company_to_manage(scope, company_id)
    with tenant_transaction(company.id):
        row = _locked_employee(scope, company.id, person_id)
        _refuse_last(company.id, row)
        row.removed_at = clock.now()
        row.save(update_fields=["removed_at"])
        _shut_out(scope, "employee.removed", company, person_id, keep_keys, address)


@scoped
def end_employee_sessions(scope: Scope, *, company_id: int, person_id: int, address: str | None = None) -> int:
    """Sign an employee out everywhere; how many sessions that were."""
    company = company_to_manage(scope, company_id)
    with tenant_transaction(company.id):
        _locked_employee(scope, company.id, person_id)
        ended = end_sessions(user_id=person_id)
        _note(scope, "employee.sessions_ended", company, person_id, address, sessions=ended)
    return ended


def company_to_manage(scope: Scope, company_id: int) -> Company:
    """The company whose people the scope may manage: its own, for platform staff any.

    Raises `CompanyNotFound` for what is out of sight, `NotYours` for a company beneath.
    """
    scope.require(COMPANIES_WRITE)
    company = get_company(scope, company_id)
    if company.id != scope.organisation_id and scope.kind != "platform":
        raise NotYours("The people of a company are managed by its own administrators.")
    return company


def employ(company_id: int, person_id: int, role: Role) -> None:
    """Write that a person works there, anew or again; inside the company's transaction."""
    lock_company(company_id)
    row = EmploymentRow.objects.filter(company_id=company_id, user_id=person_id).first()
    if row is None:
        EmploymentRow.objects.create(company_id=company_id, user_id=person_id, role=role, created_at=clock.now())
        return
    if role != "administrator":
        _refuse_last(company_id, row)
    if row.removed_at is not None:
        row.created_at, row.max_dialogs = clock.now(), None
    row.role, row.removed_at, row.blocked_at, row.blocked_by_id, row.blocked_reason = role, None, None, None, ""
    row.save()


def lock_company(company_id: int) -> None:
    """Changes of a company's people wait for each other; nobody else does."""
    CompanyRow.objects.select_for_update(no_key=True).only("id").get(pk=company_id)


def active_administrators(company_id: int) -> int:
    """How many people can act as administrators of the company right now."""
    return EmploymentRow.objects.filter(
        company_id=company_id,
        role="administrator",
        blocked_at__isnull=True,
        removed_at__isnull=True,
        user__is_active=True,
    ).count()


def withdraw_invitations_by(company_id: int, person_id: int) -> int:
    """What somebody offered in their role falls with the role."""
    return InvitationRow.objects.filter(
        company_id=company_id, invited_by_id=person_id, accepted_at__isnull=True, withdrawn_at__isnull=True
    ).update(withdrawn_at=clock.now())


def refuse_while_acting(scope: Scope, role: str) -> None:
    """Administrators are the company's own business: who acts in their place neither makes nor unmakes one."""
    if scope.acting_id is not None and role == "administrator":
        raise NotWhileActing("Administrators are managed by the company's own people.")


def _locked_employee(scope: Scope, company_id: int, person_id: int) -> EmploymentRow:
    lock_company(company_id)
    row = EmploymentRow.objects.filter(company_id=company_id, user_id=person_id, removed_at__isnull=True).first()
    if row is None:
        raise EmployeeNotFound(f"Nobody with the id {person_id} works for company {company_id}.")
    refuse_while_acting(scope, row.role)
    return row


def _refuse_last(company_id: int, row: EmploymentRow) -> None:
    """Asked under the lock, before an active administrator stops being one."""
    is_active = row.role == "administrator" and row.blocked_at is None and row.removed_at is None
    if is_active and active_administrators(company_id) <= 1:
        raise LastAdministrator(f"Company {company_id} would be left without an administrator.")


def _shut_out(
    scope: Scope, event: Event, company: Company, person_id: int, keep_keys: bool, address: str | None
) -> None:
    """Everything by which the person, or what they left behind, could still come in."""
    withdrawn = withdraw_invitations_by(company.id, person_id)
    revoked = 0
    if not keep_keys:
        keys = ApiKeyRow.objects.filter(company_id=company.id, created_by_id=person_id, revoked_at__isnull=True)
        revoked = keys.update(revoked_at=clock.now())
    ended = end_sessions(user_id=person_id)
    _note(scope, event, company, person_id, address, invitations=withdrawn, keys=revoked, sessions=ended)


def _note(scope: Scope, event: Event, company: Company, person_id: int, address: str | None, **fields: object) -> None:
    record_deed(scope, event, company_id=company.id, address=address, person_id=person_id, **fields)
