"""Users: the people of a company, for a reseller also of those beneath it; inviting and managing them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from twin.companies import actions, queries
from twin.companies.errors import NotYours
from twin.companies.rules.ordering import place_of
from twin.companies.types import Company, Employee, Scope
from twin.kernel.addresses import address_of
from twin.kernel.errors import Invalid, NotFound, TwinError
from twin.portal import reauthentication
from twin.portal.people_words import field_problems, refusal_words
from twin.portal.user_page import UserPage
from twin.portal.users_form import MOST_CHOICES, BlockForm, DialogsForm, InviteForm, RemoveForm, RoleForm
from twin.portal.users_page import UsersAsked, UsersPage
from twin.portal.visitor import visitor_of
from twin.portal.words import zone_of

UNPROCESSABLE: Final = 422


@require_safe
@never_cache
@login_required
def users(request: HttpRequest) -> HttpResponse:
    """The list; its whole state stands in the address. A page beyond the last leads to the last."""
    scope = _scope(request)
    asked = UsersAsked.read(request.GET.dict())
    state = "blocked" if asked.segment == "blocked" else "all"
    found = queries.employees(scope, search=asked.search, state=state, sort=asked.sort, offset=asked.offset)
    page = UsersPage(asked, found, _invitations(scope, asked), scope, zone_of(request.user))
    if asked.page > page.last_page:
        return HttpResponseRedirect(page.last_href)
    return render(request, "portal/users/list.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def invite(request: HttpRequest) -> HttpResponse:
    """Register new user: an invitation by mail; an administrator's needs the inviter's password lately given."""
    scope = _scope(request)
    sent = request.POST if request.method == "POST" else None
    form = InviteForm(sent, companies=_companies_to_invite_to(scope), own_id=scope.organisation_id)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["role"] == "administrator":
            reauthentication.require(request)
        if _is_invited(request, scope, form):
            return HttpResponseRedirect(reverse("portal:users"))
    return render(request, "portal/users/invite.html", {"form": form}, status=UNPROCESSABLE if form.errors else 200)


@require_safe
@never_cache
@login_required
def user(request: HttpRequest, company_id: int, person_id: int) -> HttpResponse:
    """One person, and what may be done about them."""
    return _show(request, _scope(request), company_id, person_id)


@require_POST
@login_required
def change_role(request: HttpRequest, company_id: int, person_id: int) -> HttpResponse:
    form = RoleForm(request.POST)

    def act(scope: Scope, target: dict[str, Any]) -> str:
        if form.cleaned_data["role"] == "administrator":
            reauthentication.require(request)
        actions.change_role(scope, role=form.cleaned_data["role"], **target)
        return _("The role is changed.")

    return _carry_out(request, company_id, person_id, form, "role", act)


@require_POST
@login_required
def set_max_dialogs(request: HttpRequest, company_id: int, person_id: int) -> HttpResponse:
    form = DialogsForm(request.POST)

    def act(scope: Scope, target: dict[str, Any]) -> str:
        actions.set_max_dialogs(scope, max_dialogs=form.cleaned_data["max_dialogs"], **target)
        return _("The maximum number of dialogs is changed.")

    return _carry_out(request, company_id, person_id, form, "dialogs", act)


@require_POST
@login_required
def block(request: HttpRequest, company_id: int, person_id: int) -> HttpResponse:
    form = BlockForm(request.POST, auto_id="block_%s")

    def act(scope: Scope, target: dict[str, Any]) -> str:
        given = form.cleaned_data
        actions.block_employee(scope, reason=given["reason"], keep_keys=given["keep_keys"], **target)
        return _("The person is blocked and signed out everywhere.")

    return _carry_out(request, company_id, person_id, form, "block", act)


@require_POST
@login_required
def unblock(request: HttpRequest, company_id: int, person_id: int) -> HttpResponse:
    def act(scope: Scope, target: dict[str, Any]) -> str:
        actions.unblock_employee(scope, **target)
        return _("The person may sign in again.")

    return _carry_out(request, company_id, person_id, forms.Form(request.POST), "", act)


@require_POST
@login_required
def end_sessions(request: HttpRequest, company_id: int, person_id: int) -> HttpResponse:
    def act(scope: Scope, target: dict[str, Any]) -> str:
        ended = actions.end_employee_sessions(scope, **target)
        return ngettext("%(n)s session is ended.", "%(n)s sessions are ended.", ended) % {"n": ended}

    return _carry_out(request, company_id, person_id, forms.Form(request.POST), "", act)


@require_POST
@login_required
def remove(request: HttpRequest, company_id: int, person_id: int) -> HttpResponse:
    """The person's work ends; whoever removes themselves leaves and is signed out."""
    form = RemoveForm(request.POST, auto_id="remove_%s")

    def act(scope: Scope, target: dict[str, Any]) -> str:
        actions.remove_employee(scope, keep_keys=form.cleaned_data["keep_keys"], **target)
        return _("The person is removed and signed out everywhere.")

    def leave(is_self: bool) -> HttpResponse:
        if not is_self:
            return HttpResponseRedirect(reverse("portal:users"))
        logout(request)
        messages.success(request, _("You have left the company."))
        return HttpResponseRedirect(reverse("account_login"))

    return _carry_out(request, company_id, person_id, form, "remove", act, leave)


@require_POST
@login_required
def resend_invitation(request: HttpRequest, company_id: int, invitation_id: int) -> HttpResponse:
    return _about_invitation(
        request, company_id, invitation_id, actions.resend_invitation, _("The invitation was sent again.")
    )


@require_POST
@login_required
def withdraw_invitation(request: HttpRequest, company_id: int, invitation_id: int) -> HttpResponse:
    return _about_invitation(
        request, company_id, invitation_id, actions.withdraw_invitation, _("The invitation is withdrawn.")
    )


def _scope(request: HttpRequest) -> Scope:
    """Administrators' scope; for everybody else these pages are not there."""
    visitor = visitor_of(request)
    if visitor is None or visitor.scope is None or not visitor.manages_people:
        raise Http404
    return visitor.scope


def _invitations(scope: Scope, asked: UsersAsked) -> tuple[Any, ...]:
    wanted = asked.search.casefold()
    found = queries.open_invitations(scope)
    return tuple(one for one in found if wanted in one.name.casefold() or wanted in one.email)


def _companies_to_invite_to(scope: Scope) -> list[Company]:
    """The own one first, then those beneath, one more than can be chosen from; who may, the action says."""
    if scope.kind == "company":
        return [queries.get_company(scope, scope.organisation_id)]
    found = queries.list_companies(scope, limit=MOST_CHOICES + 1).items
    return sorted(found, key=lambda one: (one.id != scope.organisation_id, place_of(one.name), one.id))


def _is_invited(request: HttpRequest, scope: Scope, form: InviteForm) -> bool:
    """Whether the invitation is on its way; else the form says what stands in the way."""
    given = form.cleaned_data
    try:
        actions.invite_person(
            scope,
            company_id=given.get("company") or None,
            name=given["name"],
            email=given["email"],
            role=given["role"],
            address=address_of(request),
        )
    except Invalid as error:
        for name, problem in field_problems(error).items():
            form.add_error(name if name in form.fields else None, problem)
    except NotFound:
        form.add_error("company", _("There is no such company."))
    except TwinError as error:
        form.add_error(None, refusal_words(error))
    else:
        messages.success(request, _("An invitation is on its way to %(email)s.") % {"email": given["email"]})
    return not form.errors


def _carry_out(
    request: HttpRequest,
    company_id: int,
    person_id: int,
    form: forms.Form,
    name: str,
    act: Callable[[Scope, dict[str, Any]], str],
    leave: Callable[[bool], HttpResponse] | None = None,
) -> HttpResponse:
    """Do it and come back to the person; a refusal is told there, by the form it belongs to."""
    scope = _scope(request)
    if not form.is_valid():
        return _show(request, scope, company_id, person_id, **{name: form})
    target = {"company_id": company_id, "person_id": person_id, "address": address_of(request)}
    try:
        done = act(scope, target)
    except NotFound:
        raise Http404 from None
    except NotYours:
        raise PermissionDenied from None
    except Invalid as error:
        for field, problem in field_problems(error).items():
            form.add_error(field if field in form.fields else None, problem)
        return _show(request, scope, company_id, person_id, **{name: form})
    except TwinError as error:
        messages.error(request, refusal_words(error))
        return HttpResponseRedirect(reverse("portal:user", args=[company_id, person_id]))
    if leave is not None:
        response = leave(person_id == scope.person_id)
        if person_id != scope.person_id:
            messages.success(request, done)
        return response
    messages.success(request, done)
    return HttpResponseRedirect(reverse("portal:user", args=[company_id, person_id]))


def _show(request: HttpRequest, scope: Scope, company_id: int, person_id: int, **refused: forms.Form) -> HttpResponse:
    try:
        employee: Employee = queries.get_employee(scope, company_id=company_id, person_id=person_id)
        default = queries.default_max_dialogs(scope, company_id)
    except NotFound:
        raise Http404 from None
    page = UserPage.of(employee, scope, zone_of(request.user), default, refused)
    if refused and not page.may_manage:
        raise PermissionDenied
    return render(request, "portal/users/person.html", {"page": page}, status=UNPROCESSABLE if refused else 200)


def _about_invitation(
    request: HttpRequest, company_id: int, invitation_id: int, action: Callable[..., object], done: str
) -> HttpResponse:
    scope = _scope(request)
    try:
        action(scope, company_id=company_id, invitation_id=invitation_id, address=address_of(request))
    except NotFound:
        raise Http404 from None
    except NotYours:
        raise PermissionDenied from None
    except TwinError as error:
        messages.error(request, refusal_words(error))
    else:
        messages.success(request, done)
    return HttpResponseRedirect(UsersAsked(segment="invited").href)
