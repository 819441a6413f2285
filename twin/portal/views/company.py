"""The company information window: after every sign-in until it is complete, later from the menu."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from twin.billing.actions.resuming import look_again_soon
from twin.companies import queries as companies
from twin.companies.actions import discard_information_draft, invite_person, keep_information_draft, save_information
from twin.companies.errors import (
    AlreadyEmployed,
    EmployeeInvalid,
    InformationChanged,
    InformationInvalid,
    InvitedTooOften,
)
from twin.companies.rules.information import FIELDS, differs, merged, readable
from twin.companies.types import COMPANIES_WRITE, CompanyInformation, Scope
from twin.kernel.addresses import address_of
from twin.kernel.period import parse_zone
from twin.portal import reauthentication
from twin.portal.company_page import CompanyPage, Invite
from twin.portal.visitor import Visitor, visitor_of

View = Callable[[HttpRequest], HttpResponse]

UNPROCESSABLE = 422
CONFLICT = 409
_LONGEST_VERSION = 9


def _only_by_form(view: View) -> View:
    """Whoever comes by a link, as after signing in again, is led to the window itself."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        return view(request) if request.method == "POST" else HttpResponseRedirect(reverse("portal:company"))

    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def company(request: HttpRequest) -> HttpResponse:
    """Shows the window and saves it; who may not change it is told who can, while it is not complete."""
    visitor = visitor_of(request)
    if visitor is None or visitor.scope is None:
        raise Http404
    if COMPANIES_WRITE not in visitor.scope.permissions:
        return _waiting(request, visitor, visitor.scope)
    window = _Window.of(request, visitor, visitor.scope)
    return window.save(request) if request.method == "POST" else window.show(request, window.begun())


@login_required
@_only_by_form
def keep_draft(request: HttpRequest) -> HttpResponse:
    """Keeps what was typed; a script is answered with nothing, a press of the button with the window."""
    window = _window_to_change(request)
    window.keep(request.POST)
    if request.headers.get("Accept") == "application/json":
        return HttpResponse(status=204)
    return HttpResponseRedirect(f"{reverse('portal:company')}#details")


@login_required
@_only_by_form
def discard_draft(request: HttpRequest) -> HttpResponse:
    """Forgets what was typed: the window shows again what is saved."""
    window = _window_to_change(request)
    discard_information_draft(window.scope)
    messages.success(request, _("The draft is gone. This is what is saved."))
    return HttpResponseRedirect(reverse("portal:company"))


@login_required
@_only_by_form
def register_user(request: HttpRequest) -> HttpResponse:
    """Invites an administrator; what was typed into the rest of the window is kept as a draft."""
    window = _window_to_change(request)
    if "version" in request.POST:
        window.keep(request.POST)
    invite = Invite(request.POST.get("new_name", "").strip(), request.POST.get("new_email", "").strip())
    if not reauthentication.is_fresh(request):
        # The form is kept with the session until the person has shown who they are: without the details of the bank.
        kept = QueryDict(mutable=True)
        kept.update({"new_name": invite.name, "new_email": invite.email})
        request.POST = kept  # type: ignore[assignment]  # Django's stubs want the immutable kind, which it is not here
    reauthentication.require(request)
    problem = _invited(request, window.scope, invite)
    if problem:
        return window.show(request, replace(window.begun(), invite=replace(invite, problem=problem)), UNPROCESSABLE)
    messages.success(request, _("An invitation is on its way to %(email)s.") % {"email": invite.email})
    return HttpResponseRedirect(f"{reverse('portal:company')}#employees")


def _invited(request: HttpRequest, scope: Scope, invite: Invite) -> str:
    """Send the invitation; what stands in its way, in words."""
    try:
        invite_person(scope, name=invite.name, email=invite.email, role="administrator", address=address_of(request))
    except AlreadyEmployed:
        return _("This person works for your company already.")
    except InvitedTooOften:
        return _("Too many invitations were sent. Wait a while, then try again.")
    except EmployeeInvalid as refusal:
        names = {str(error.loc[-1]) for error in refusal.errors if error.loc}
        if "email" in names:
            return _("Write an email address such as office@example.com.")
        return _("Write the name of the new user, at most 200 characters.")
    return ""


def _waiting(request: HttpRequest, visitor: Visitor, scope: Scope) -> HttpResponse:
    if visitor.employment.is_informed or request.method == "POST":
        raise Http404
    people = [one for one in companies.colleagues(scope) if one.role == "administrator"]
    return render(request, "portal/company_waiting.html", {"people": people, "company": visitor.company_name})


def _window_to_change(request: HttpRequest) -> _Window:
    visitor = visitor_of(request)
    if visitor is None or visitor.scope is None or COMPANIES_WRITE not in visitor.scope.permissions:
        raise Http404
    return _Window.of(request, visitor, visitor.scope)


@dataclass(frozen=True)
class _Window:
    """The window of one visitor's company as it is saved now."""

    visitor: Visitor
    scope: Scope
    saved: CompanyInformation
    email: str
    phone: str

    @classmethod
    def of(cls, request: HttpRequest, visitor: Visitor, scope: Scope) -> _Window:
        saved = companies.company_information(scope, scope.organisation_id)
        return cls(visitor, scope, saved, getattr(request.user, "email", ""), getattr(request.user, "phone", ""))

    @property
    def company_id(self) -> int:
        return self.scope.organisation_id

    def begun(self) -> CompanyPage:
        """What is saved, over it what the person typed and did not save; together with what others saved since."""
        draft = companies.own_information_draft(self.scope)
        if draft is None:
            return self._page(self._first_values())
        typed = {**self._first_values(), **draft.typed}
        if draft.base_version < self.saved.version:
            return replace(self.merged_with(draft.base_version, typed), drafted_at=draft.saved_at)
        return replace(self._page(typed), drafted_at=draft.saved_at)

    def save(self, request: HttpRequest) -> HttpResponse:
        typed, version = self._typed(request.POST), self._version(request.POST)
        try:
            save_information(self.scope, self.company_id, version=version, values=typed, address=address_of(request))
        except InformationInvalid as refusal:
            keep_information_draft(self.scope, version=version, typed=typed)
            page = replace(self._page(typed), version=version, problems=refusal.problems)
            return self.show(request, page, UNPROCESSABLE)
        except InformationChanged:
            fresh = self.of(request, self.visitor, self.scope)
            page = fresh.merged_with(version, typed)
            keep_information_draft(self.scope, version=page.version, typed=page.values)
            return fresh.show(request, page, CONFLICT)
        look_again_soon(self.company_id)
        messages.success(request, _("Company information is saved."))
        first = self.visitor.employment.company_kind != "platform" and not self.saved.is_complete
        return HttpResponseRedirect(reverse("portal:personal_account" if first else "portal:company"))

    def keep(self, posted: QueryDict) -> None:
        """As a draft, unless nothing differs from what is saved."""
        typed, version = self._typed(posted), self._version(posted)
        if version == self.saved.version and not differs(typed, self._first_values()):
            discard_information_draft(self.scope)
        else:
            keep_information_draft(self.scope, version=version, typed=typed)

    def show(self, request: HttpRequest, page: CompanyPage, status: int = 200) -> HttpResponse:
        return render(request, "portal/company.html", {"page": page}, status=status)

    def merged_with(self, version: int, typed: Mapping[str, str]) -> CompanyPage:
        """The person's fields and what others saved since `version`, both to be seen."""
        base = companies.values_at(self.scope, self.company_id, version)
        changes = tuple(companies.information_history(self.scope, self.company_id, since=version))
        both = merged(base, typed, self.saved.values)
        return replace(self._page(both.values), meanwhile=both.conflicts, changes=changes)

    def _page(self, values: Mapping[str, str]) -> CompanyPage:
        employment = self.visitor.employment
        return CompanyPage(
            values=readable(values),
            version=self.saved.version,
            is_held=employment.company_kind != "platform" and not employment.is_informed,
            zone=parse_zone(self.saved.values["time_zone"]),
            history=tuple(companies.information_history(self.scope, self.company_id, limit=10)),
            people=tuple(companies.colleagues(self.scope)),
            invitations=tuple(
                one for one in companies.open_invitations(self.scope) if one.company_id == self.company_id
            ),
            person_id=employment.person_id,
        )

    def _first_values(self) -> Mapping[str, str]:
        """What is saved. Before the first time the person's own email and phone are offered; the name given at
        registration is the person's, not the company's.
        """
        values = self.saved.values
        if self.saved.is_complete:
            return values
        name = "" if values["name"] == self.visitor.person else values["name"]
        return {**values, "name": name, "email": values["email"] or self.email, "phone": values["phone"] or self.phone}

    def _typed(self, posted: QueryDict) -> dict[str, str]:
        """What the form sent; where the person takes what the other one saved, that."""
        return {
            name: self.saved.values[name] if posted.get(f"theirs_{name}") else posted.get(name, "") for name in FIELDS
        }

    def _version(self, posted: QueryDict) -> int:
        text = posted.get("version", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_VERSION else 0
