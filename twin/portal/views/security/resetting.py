"""The way back for people who lost app, passkeys and codes: started by staff, finished by the person alone."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from allauth.core import ratelimit
from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from twin.accounts import actions as accounts
from twin.accounts.errors import PasswordWrong, RecoveryLinkDead, TooMany
from twin.accounts.types import Challenge, Person
from twin.accounts.under_way import challenge
from twin.companies.actions.employees import company_to_manage
from twin.companies.queries import get_employee
from twin.kernel.addresses import address_of
from twin.kernel.errors import Forbidden, NotFound, TwinError
from twin.portal import reauthentication
from twin.portal.limits import refused
from twin.portal.security_forms import CodeForm, OwnPasswordForm
from twin.portal.signed_in import person_id as own_id
from twin.portal.views.security.profile import wrong_code_words
from twin.portal.visitor import visitor_of

_KEY: Final = "security_reset_key"
_CHALLENGE: Final = "security_reset_challenge"
_UNPROCESSABLE: Final = 422
_TOO_MANY: Final = 429


@require_POST
@never_cache
@reauthentication.required
def start(request: HttpRequest, company_id: int, person_id: int) -> HttpResponse:
    """Have the link sent to an employee of one's company; platform staff to anybody's. Nothing is removed by that."""
    visitor = visitor_of(request)
    if visitor is None or visitor.scope is None or not visitor.manages_people:
        raise Http404
    try:
        company_to_manage(visitor.scope, company_id)
        employee = get_employee(visitor.scope, company_id=company_id, person_id=person_id)
        accounts.start_factor_reset(user_id=employee.person_id, by_user_id=own_id(request), address=address_of(request))
    except TooMany as error:
        messages.error(request, refused(request, error))
    except (NotFound, Forbidden):
        raise Http404 from None
    else:
        messages.success(
            request, _("%(name)s got a mail with a link that removes the second factor.") % {"name": employee.name}
        )
    return HttpResponseRedirect(reverse("portal:user", args=[company_id, person_id]))


@require_safe
@never_cache
def follow(request: HttpRequest, key: str) -> HttpResponse:
    """Takes the key out of the address at once, so that no history, log or referrer keeps it."""
    request.session[_KEY] = key
    request.session.pop(_CHALLENGE, None)
    return HttpResponseRedirect(reverse("portal:factor_reset"))


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def prove(request: HttpRequest) -> HttpResponse:
    """The password first."""
    person = _person(request)
    if person is None:
        return _dead(request)
    form = OwnPasswordForm(request.POST or None)
    status = 200
    if request.method == "POST":
        limited = ratelimit.consume_or_429(request, action="login_failed", key=f"factor-reset-{person.pk}")
        if limited is not None:
            return limited  # type: ignore[no-any-return]  # allauth ships no types
        if form.is_valid():
            try:
                return _begun(request, form.cleaned_data["password"])
            except RecoveryLinkDead:
                return _dead(request)
            except PasswordWrong:
                form.add_error("password", _("This is not the password of this account."))
            except TooMany as error:
                form.add_error(None, refused(request, error))
                status = _TOO_MANY
    return _show(request, form, person, None, status)


def _begun(request: HttpRequest, password: str) -> HttpResponse:
    started = accounts.begin_factor_reset(key=request.session[_KEY], password=password, address=address_of(request))
    if started is None:
        return _done(request)
    request.session[_CHALLENGE] = str(started.id)
    return HttpResponseRedirect(reverse("portal:factor_reset_code"))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def code(request: HttpRequest) -> HttpResponse:
    """Then the code that went to the confirmed phone."""
    person = _person(request)
    if person is None:
        return _dead(request)
    under_way = _under_way(request, person)
    if under_way is None:
        return HttpResponseRedirect(reverse("portal:factor_reset"))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            answer = accounts.finish_factor_reset(
                key=request.session[_KEY],
                challenge_id=under_way.id,
                code=form.cleaned_data["code"],
                address=address_of(request),
            )
        except TwinError:
            return _dead(request)
        if answer.is_right:
            return _done(request)
        form.add_error("code", wrong_code_words(answer))
    return _show(request, form, person, under_way, 200)


def _person(request: HttpRequest) -> Person | None:
    return accounts.person_of_factor_reset(request.session.get(_KEY, ""))


def _under_way(request: HttpRequest, person: Person) -> Challenge | None:
    try:
        kept = UUID(request.session.get(_CHALLENGE, ""))
    except ValueError:
        return None
    return challenge(kept, purpose=accounts.FACTOR_RESET, user_id=person.pk)


def _show(request: HttpRequest, form: Form, person: Person, under_way: Challenge | None, status: int) -> HttpResponse:
    answered = _UNPROCESSABLE if form.errors and status == 200 else status
    context = {"form": form, "person": person, "challenge": under_way}
    return render(request, "portal/security/reset.html", context, status=answered)


def _dead(request: HttpRequest) -> HttpResponse:
    context = {
        "status": 404,
        "title": _("This link no longer works"),
        "sentence": _("It was used, is older than an hour, or you signed in meanwhile. Ask for another one."),
    }
    return render(request, "portal/error.html", context, status=404)


def _done(request: HttpRequest) -> HttpResponse:
    for name in (_KEY, _CHALLENGE):
        request.session.pop(name, None)
    messages.success(request, _("Your second factor is removed. Sign in with your password, then set up a new one."))
    return HttpResponseRedirect(reverse("account_login"))
