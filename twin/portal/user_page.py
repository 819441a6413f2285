"""What the page of one person shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django import forms

from twin.accounts.factors import has_second_factor
from twin.accounts.sessions import sessions_of
from twin.companies.types import Employee, Scope
from twin.portal.people_words import role_words
from twin.portal.users_form import BlockForm, DialogsForm, RemoveForm, RoleForm
from twin.portal.words import date_words, moment_words


@dataclass(frozen=True)
class UserPage:
    """`may_manage` is false for people of companies beneath a reseller: it sees them, their company manages them."""

    employee: Employee
    may_manage: bool
    is_self: bool
    role: str
    since: str
    last_login: str
    blocked_since: str
    default_dialogs: int
    sessions: int
    role_form: forms.Form
    dialogs_form: forms.Form
    block_form: forms.Form
    remove_form: forms.Form

    @property
    def may_reset_factor(self) -> bool:
        """Whoever manages the person may have the link sent that removes a lost second factor."""
        return self.may_manage and not self.is_self and has_second_factor(self.employee.person_id)

    @classmethod
    def of(
        cls, employee: Employee, scope: Scope, zone: ZoneInfo, default: int, refused: Mapping[str, forms.Form]
    ) -> UserPage:
        """The page with its forms as they are, or as they were sent and refused."""
        blocked_at, last_login = employee.blocked_at, employee.last_login_at
        return cls(
            employee=employee,
            may_manage=scope.kind == "platform" or employee.company_id == scope.organisation_id,
            is_self=employee.person_id == scope.person_id,
            role=role_words(employee.role),
            since=date_words(employee.employed_at.astimezone(zone)),
            last_login=moment_words(last_login.replace(microsecond=0), zone) if last_login else "",
            blocked_since=moment_words(blocked_at.replace(microsecond=0), zone) if blocked_at else "",
            default_dialogs=default,
            sessions=len(sessions_of(employee.person_id, None)),
            role_form=refused.get("role") or RoleForm(initial={"role": employee.role}),
            dialogs_form=refused.get("dialogs") or DialogsForm(initial={"max_dialogs": employee.max_dialogs}),
            block_form=refused.get("block") or BlockForm(auto_id="block_%s"),
            remove_form=refused.get("remove") or RemoveForm(auto_id="remove_%s"),
        )
