"""Who looks at a page: the person, the organisation, what both may see."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext as _

from twin.companies import access
from twin.companies.errors import CompanyInactive
from twin.companies.types import Acting, Employment, Scope

REPORTING_KINDS = ("platform", "reseller")


@dataclass(frozen=True)
class Visitor:
    """A signed-in person; `scope` is None while their company is blocked or closed."""

    person: str
    employment: Employment
    scope: Scope | None

    @property
    def company_name(self) -> str:
        return self.employment.company_name

    @property
    def sees_reseller_report(self) -> bool:
        scope = self.scope
        return scope is not None and scope.kind in REPORTING_KINDS and "reports:read" in scope.permissions

    @property
    def sees_usage(self) -> bool:
        """What one company used and pays: its own people, and those of its seller."""
        return self.scope is not None and "reports:read" in self.scope.permissions

    @property
    def manages_people(self) -> bool:
        """Administrators alone see and manage who works at their company."""
        return self.scope is not None and "companies:write" in self.scope.permissions

    @property
    def manages_keys(self) -> bool:
        """Administrators alone see, make and revoke their company's API keys."""
        return self.scope is not None and "companies:write" in self.scope.permissions

    @property
    def manages_companies(self) -> bool:
        """Administrators of who has companies beneath it, and so prices."""
        scope = self.scope
        return scope is not None and scope.kind in REPORTING_KINDS and "companies:write" in scope.permissions

    @property
    def reads_audit(self) -> bool:
        """Administrators alone read what happened at their company and beneath it."""
        return self.scope is not None and "companies:write" in self.scope.permissions

    @property
    def reads_billing(self) -> bool:
        """Administrators and finance see what is owed, by the company and to it."""
        return self.scope is not None and "billing:read" in self.scope.permissions

    @property
    def reads_balance(self) -> bool:
        """What the company owes its seller; the platform has none."""
        return self.reads_billing and self.employment.company_kind != "platform"

    @property
    def reads_balances(self) -> bool:
        """What is owed to whoever sells."""
        return self.reads_billing and self.employment.company_kind in REPORTING_KINDS

    @property
    def sets_billing(self) -> bool:
        """Administrators of who sells say how it bills."""
        scope = self.scope
        return scope is not None and scope.kind in REPORTING_KINDS and "billing:write" in scope.permissions

    @property
    def tells_of_company(self) -> bool:
        """Administrators alone see and change the company's information."""
        return self.scope is not None and "companies:write" in self.scope.permissions

    @property
    def role_words(self) -> str:
        """What the person is here, in words."""
        if self.employment.role == "finance":
            return _("finance")
        if self.employment.role == "chat_operator":
            return _("chat operator")
        if self.employment.company_kind == "platform":
            return _("platform administrator")
        if self.employment.company_kind == "reseller":
            return _("reseller administrator")
        return _("company administrator")


def visitor_of(request: HttpRequest) -> Visitor | None:
    """In whose name a page is looked at; None for strangers and people of no company.

    The person's own organisation, or the company they act for. Asked once per request.
    """
    place: Visitor | None = getattr(request, "twin_place", None)
    return place if place is not None else own_visitor_of(request)


def own_visitor_of(request: HttpRequest) -> Visitor | None:
    """The signed-in person at their own organisation, whomever they act for: for what is about the person."""
    if not hasattr(request, "twin_visitor"):
        request.twin_visitor = _look_up(request)  # type: ignore[attr-defined]  # kept on the request for its life
    visitor: Visitor | None = request.twin_visitor  # type: ignore[attr-defined]  # as above
    return visitor


def take_place(request: HttpRequest, employment: Employment, scope: Scope, acting: Acting) -> None:
    """The rest of this request is in the name of the company that the person acts for."""
    own = own_visitor_of(request)
    name = own.person if own is not None else ""
    request.twin_place = Visitor(name, employment, scope)  # type: ignore[attr-defined]  # kept on the request for its life
    request.twin_acting = acting  # type: ignore[attr-defined]  # as above


def acting_of(request: HttpRequest) -> Acting | None:
    """For which company the person acts, and why, until when; None while they are themselves."""
    acting: Acting | None = getattr(request, "twin_acting", None)
    return acting


def _look_up(request: HttpRequest) -> Visitor | None:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    employment = access.employment_of(user)
    if employment is None:
        return None
    try:
        scope = access.scope_of_employment(employment)
    except CompanyInactive:
        scope = None
    return Visitor(user.name or user.email, employment, scope)
