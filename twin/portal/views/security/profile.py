"""Name, time zone, email, phone and password."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from twin.accounts import actions as accounts
from twin.accounts.errors import PasswordUnchanged, PasswordWrong, TooMany
from twin.accounts.rules.phones import shown_phone, split_phone
from twin.accounts.sessions import carry_session
from twin.accounts.types import Answer, Challenge
from twin.accounts.under_way import challenge
from twin.kernel.addresses import address_of
from twin.kernel.errors import TwinError
from twin.portal import reauthentication
from twin.portal.fields import countries, region_of
from twin.portal.limits import refused
from twin.portal.security_forms import CodeForm, EmailForm, PasswordForm, PhoneForm, ProfileForm, refusal_words
from twin.portal.signed_in import person_id

# Under which key of the session the id of the code under way lies.
_UNDER_WAY: Final = "security_challenge_%s"
_TOO_MANY: Final = 429
_UNPROCESSABLE: Final = 422


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """The name others see and the zone of times."""
    kept = {"name": request.user.name, "time_zone": request.user.time_zone}  # type: ignore[union-attr]  # signed in
    form = ProfileForm(request.POST or None, initial=kept)
    if request.method == "POST" and form.is_valid():
        try:
            accounts.change_profile(user_id=person_id(request), **form.cleaned_data)
        except TwinError as error:
            form.add_error("name", refusal_words(error))
        else:
            return _done(request, _("Your profile was saved."))
    return show_form(request, form, title=_("Name and time zone"), submit=_("Save"))


@sensitive_post_parameters("current", "new")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def password(request: HttpRequest) -> HttpResponse:
    """A new password against the current one; every other browser is signed out."""
    form = PasswordForm(request.POST or None)
    if request.method == "POST":
        limited = ratelimit.consume_or_429(request, action="change_password", user=request.user)
        if limited is not None:
            return limited  # type: ignore[no-any-return]  # allauth ships no types
        if form.is_valid() and _password_is_changed(request, form):
            return _done(request, _("Your password was changed. Every other browser was signed out."))
    lead = _("Every other browser is signed out, and you get a mail.")
    return show_form(request, form, title=_("Change the password"), lead=lead, submit=_("Change the password"))


def _password_is_changed(request: HttpRequest, form: Form) -> bool:
    key = request.session.session_key
    try:
        accounts.change_password(
            user_id=person_id(request), address=address_of(request), session_key=key, **form.cleaned_data
        )
    except (PasswordWrong, PasswordUnchanged) as error:
        form.add_error("current" if isinstance(error, PasswordWrong) else "new", refusal_words(error))
        return False
    except ValidationError as error:
        form.add_error("new", error)
        return False
    request.user.refresh_from_db()  # type: ignore[union-attr]  # signed in
    # This session goes on: under a new key, bound to the new password.
    update_session_auth_hash(request, request.user)  # type: ignore[arg-type]  # as above
    carry_session(old_key=key, new_key=request.session.session_key)
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@reauthentication.required
def email(request: HttpRequest) -> HttpResponse:
    """A code to the new address first; the old one stays until it is typed in."""
    form = EmailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            started = accounts.start_email_change(
                user_id=person_id(request), email=form.cleaned_data["email"], address=address_of(request)
            )
        except TwinError as error:
            return _refused(request, form, "email", error, title=_("Change the email address"))
        return _to_code(request, started, "portal:security_email_code")
    return show_form(request, form, title=_("Change the email address"), submit=_("Send the code"))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@reauthentication.required
def phone(request: HttpRequest) -> HttpResponse:
    """A code to the new number first; the old one stays until it is typed in."""
    form = PhoneForm(request.POST or None, initial={"phone": [_country_of(request), ""]})
    if request.method == "POST" and form.is_valid():
        try:
            started = accounts.start_phone_change(
                user_id=person_id(request), phone=form.cleaned_data["phone"], address=address_of(request)
            )
        except TwinError as error:
            return _refused(request, form, "phone", error, title=_("Change the phone number"))
        return _to_code(request, started, "portal:security_phone_code")
    return show_form(request, form, title=_("Change the phone number"), submit=_("Send the code"))


def _country_of(request: HttpRequest) -> str:
    """Of the number so far; without one, the first the browser speaks the language of."""
    kept, _number = split_phone(request.user.phone)  # type: ignore[union-attr]  # signed in
    return kept or region_of(request.headers.get("Accept-Language", ""), tuple(countries()))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@reauthentication.required
def email_code(request: HttpRequest) -> HttpResponse:
    return _code_page(request, accounts.EMAIL_CHANGE, back="portal:security_email")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@reauthentication.required
def phone_code(request: HttpRequest) -> HttpResponse:
    return _code_page(request, accounts.PHONE_CHANGE, back="portal:security_phone")


@require_POST
@never_cache
@reauthentication.required
def resend(request: HttpRequest, purpose: str) -> HttpResponse:
    """Another code to the same place, at most three times, 30 seconds apart."""
    if purpose not in ("email", "phone"):
        raise Http404
    is_email = purpose == "email"
    name = accounts.EMAIL_CHANGE if is_email else accounts.PHONE_CHANGE
    code_page = reverse("portal:security_email_code" if is_email else "portal:security_phone_code")
    under_way = request.session.get(_UNDER_WAY % name, "")
    try:
        accounts.resend_challenge(
            UUID(under_way), purpose=name, address=address_of(request), user_id=person_id(request)
        )
    except ValueError:
        return HttpResponseRedirect(reverse("portal:security"))
    except TwinError as error:
        messages.error(request, words_of(request, error))
    else:
        messages.success(request, _("Another code is on its way. The one before no longer works."))
    return HttpResponseRedirect(code_page)


def _to_code(request: HttpRequest, started: Challenge, page: str) -> HttpResponse:
    request.session[_UNDER_WAY % started.purpose] = str(started.id)
    return HttpResponseRedirect(reverse(page))


def _code_page(request: HttpRequest, purpose: str, *, back: str) -> HttpResponse:
    under_way = _under_way(request, purpose)
    if under_way is None:
        return HttpResponseRedirect(reverse(back))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        response = _answer(request, form, under_way, back)
        if response is not None:
            return response
        under_way = _under_way(request, purpose) or under_way
    is_email = under_way.channel == "mail"
    context = {
        "form": form,
        "challenge": under_way,
        "target": under_way.target if is_email else shown_phone(under_way.target),
        "is_email": is_email,
        "back": reverse(back),
        "resend": reverse("portal:security_resend", args=["email" if is_email else "phone"]),
    }
    return render(request, "portal/security/code.html", context, status=_UNPROCESSABLE if form.errors else 200)


def _under_way(request: HttpRequest, purpose: str) -> Challenge | None:
    try:
        kept = UUID(request.session.get(_UNDER_WAY % purpose, ""))
    except ValueError:
        return None
    return challenge(kept, purpose=purpose, user_id=person_id(request))


def _answer(request: HttpRequest, form: CodeForm, under_way: Challenge, back: str) -> HttpResponse | None:
    """Where a right or a useless code leads; None when another try is left."""
    confirm = accounts.confirm_email_change if under_way.channel == "mail" else accounts.confirm_phone_change
    try:
        answer: Answer = confirm(
            user_id=person_id(request),
            challenge_id=under_way.id,
            code=form.cleaned_data["code"],
            address=address_of(request),
        )
    except TwinError as error:
        messages.error(request, refusal_words(error))
        return HttpResponseRedirect(reverse(back))
    if answer.is_right:
        del request.session[_UNDER_WAY % under_way.purpose]
        is_email = under_way.channel == "mail"
        return _done(request, _("Your email address was changed.") if is_email else _("Your phone number was changed."))
    form.add_error("code", wrong_code_words(answer))
    return None


def wrong_code_words(answer: Answer) -> str:
    if answer.is_open:
        return _("This is not the code. Compare it with the latest message.")
    return _("This code is used up or too old. Have another one sent.")


def _refused(request: HttpRequest, form: Form, field: str, error: TwinError, *, title: str) -> HttpResponse:
    is_limit = isinstance(error, TooMany)
    form.add_error(None if is_limit else field, words_of(request, error))
    status = _TOO_MANY if is_limit else _UNPROCESSABLE
    return show_form(request, form, title=title, submit=_("Send the code"), status=status)


def words_of(request: HttpRequest, error: TwinError) -> str:
    """The refusal in words; a limit that was reached is also noted."""
    return refused(request, error) if isinstance(error, TooMany) else refusal_words(error)


def _done(request: HttpRequest, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return HttpResponseRedirect(reverse("portal:security"))


def show_form(
    request: HttpRequest,
    form: Form,
    *,
    title: str,
    submit: str,
    lead: str = "",
    status: int | None = None,
) -> HttpResponse:
    """A page with one form; 422 when something in it has to be mended."""
    context = {"form": form, "title": title, "lead": lead, "submit": submit}
    answered = status or (_UNPROCESSABLE if form.errors else 200)
    return render(request, "portal/security/form.html", context, status=answered)
