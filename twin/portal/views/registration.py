"""Registration: details, the code of the mail, the code of the SMS; then the sign-in page opens."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from twin.accounts import actions
from twin.accounts.errors import EmailTaken, PhoneChangesUsedUp, RegistrationNotFound, ResendsUsedUp, TooMany
from twin.accounts.types import Answer, RegistrationUnderWay
from twin.accounts.under_way import registration as registration_of
from twin.kernel import clock
from twin.kernel.addresses import address_of
from twin.portal.fields import countries, phone_words, region_of
from twin.portal.invited import join_if_invited
from twin.portal.legal import consents_given
from twin.portal.limits import refused
from twin.portal.registration_forms import DetailsForm, EmailCodeForm, PhoneCodeForm, PhoneForm
from twin.pricing.actions import register_company

SESSION_KEY: Final = "twin_registration"
_HOME_COUNTRY: Final = {"ru": "RU", "en": "GB"}

Step = Callable[[HttpRequest, RegistrationUnderWay], HttpResponse]


def _at(step: str) -> Callable[[Step], Callable[[HttpRequest], HttpResponse]]:
    """The view belongs to one step: whoever stands at another is led there, whoever at none begins."""

    def decorate(view: Step) -> Callable[[HttpRequest], HttpResponse]:
        @never_cache
        @wraps(view)
        def answer(request: HttpRequest) -> HttpResponse:
            under_way = under_way_of(request)
            if under_way is None or under_way.step != step:
                return _to_step(under_way)
            try:
                return view(request, under_way)
            except RegistrationNotFound:
                # Another tab was quicker.
                return _to_step(under_way_of(request))

        return answer

    return decorate


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password")
def details(request: HttpRequest) -> HttpResponse:
    """The first step; somebody in the middle of it is led on, `?anew` begins again."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(reverse("portal:personal_account"))
    if request.method != "POST":
        under_way = under_way_of(request)
        if under_way is not None and under_way.step != "done" and "anew" not in request.GET:
            return _to_step(under_way)
        return _details_page(request, DetailsForm(initial=_guesses(request)))
    form = DetailsForm(request.POST)
    if not form.is_valid():
        return _details_page(request, form)
    given = {name: form.cleaned_data[name] for name in ("name", "email", "password", "phone", "time_zone")}
    try:
        begun = actions.begin_registration(**given, consents=consents_given(request))
    except TooMany as error:
        form.add_error(None, refused(request, error))
        return _details_page(request, form, status=429)
    remember(request, str(begun.id))
    return _to_step(begun)


@require_http_methods(["GET", "HEAD", "POST"])
@_at("email")
def email_code(request: HttpRequest, under_way: RegistrationUnderWay) -> HttpResponse:
    if request.method != "POST":
        return _email_page(request, under_way, EmailCodeForm())
    form = EmailCodeForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data["code"]
        answer = actions.confirm_registration_email(under_way.id, code=given, address=address_of(request))
        if answer.is_right:
            return _first_sms(request, under_way)
        form.add_error("code", _wrong_code_words(answer))
    return _email_page(request, _again(under_way), form)


@require_http_methods(["GET", "HEAD", "POST"])
@_at("phone")
def phone_code(request: HttpRequest, under_way: RegistrationUnderWay) -> HttpResponse:
    if request.method != "POST":
        return _phone_page(request, under_way, PhoneCodeForm())
    form = PhoneCodeForm(request.POST)
    if form.is_valid() and under_way.challenge is not None:
        try:
            answer = _finish(request, under_way, form.cleaned_data["code"])
        except EmailTaken:
            messages.warning(
                request, _("Somebody registered with this email in between. Sign in, or recover the password.")
            )
            return HttpResponseRedirect(reverse("account_login"))
        if answer.is_right:
            messages.success(request, _("You are registered. Sign in with your email and password."))
            return HttpResponseRedirect(reverse("account_login"))
        form.add_error("code", _wrong_code_words(answer))
    return _phone_page(request, _again(under_way), form)


@require_POST
@_at("email")
def email_again(request: HttpRequest, under_way: RegistrationUnderWay) -> HttpResponse:
    return _send_again(
        request, under_way, lambda note, status: _email_page(request, under_way, EmailCodeForm(), note, status)
    )


@require_POST
@_at("phone")
def phone_again(request: HttpRequest, under_way: RegistrationUnderWay) -> HttpResponse:
    return _send_again(
        request, under_way, lambda note, status: _phone_page(request, under_way, PhoneCodeForm(), note, status)
    )


@require_http_methods(["GET", "HEAD", "POST"])
@_at("phone")
def change_phone(request: HttpRequest, under_way: RegistrationUnderWay) -> HttpResponse:
    """Another number, before the first one is confirmed."""
    form = PhoneForm(request.POST if request.method == "POST" else None, initial={"phone": under_way.phone})
    status = 200
    if form.is_bound and form.is_valid():
        number = form.cleaned_data["phone"]
        try:
            actions.send_registration_sms(under_way.id, address=address_of(request), phone=number)
            return HttpResponseRedirect(reverse("portal:registration_phone"))
        except TooMany as error:
            form.add_error("phone", refused(request, error))
            status = 429
        except PhoneChangesUsedUp:
            form.add_error("phone", _("The number was changed three times already. Begin the registration again."))
    return render(request, "registration/change_phone.html", {"form": form}, status=status)


def under_way_of(request: HttpRequest) -> RegistrationUnderWay | None:
    """The registration this browser is in the middle of, or has just finished."""
    kept = request.session.get(SESSION_KEY)
    return registration_of(kept) if kept else None


def remember(request: HttpRequest, registration_id: str) -> None:
    """This browser goes on with that registration."""
    request.session[SESSION_KEY] = registration_id


def go_on(request: HttpRequest, registration_id: UUID) -> HttpResponse:
    """To the step at which somebody stopped, who has just given the email and password of the registration."""
    remember(request, str(registration_id))
    try:
        actions.resume_registration(registration_id, address=address_of(request))
    except TooMany as error:
        messages.warning(request, refused(request, error))
    return _to_step(under_way_of(request))


def _finish(request: HttpRequest, under_way: RegistrationUnderWay, code: str) -> Answer:
    """Person and company come into being together, or neither; whoever was invited joins that company instead."""
    with transaction.atomic():
        answer, person = actions.confirm_registration_phone(under_way.id, code=code, address=address_of(request))
        if person is not None and not join_if_invited(request, person, under_way.email):
            register_company(person=person, name=under_way.name, time_zone=under_way.time_zone)
    return answer


def _first_sms(request: HttpRequest, under_way: RegistrationUnderWay) -> HttpResponse:
    try:
        actions.send_registration_sms(under_way.id, address=address_of(request))
    except TooMany as error:
        return _phone_page(request, _again(under_way), PhoneCodeForm(), refused(request, error), 429)
    return HttpResponseRedirect(reverse("portal:registration_phone"))


def _send_again(
    request: HttpRequest, under_way: RegistrationUnderWay, page: Callable[[str, int], HttpResponse]
) -> HttpResponse:
    try:
        actions.resend_registration_code(under_way.id, address=address_of(request))
    except TooMany as error:
        return page(refused(request, error), 429)
    except ResendsUsedUp:
        return page(_("The code was sent three times. Begin again, or sign in later to go on from here."), 429)
    messages.success(request, _("A new code is on its way. The one before no longer works."))
    return HttpResponseRedirect(request.path.removesuffix("/again"))


def _again(under_way: RegistrationUnderWay) -> RegistrationUnderWay:
    """As it is after what was just done."""
    return registration_of(under_way.id) or under_way


def _to_step(under_way: RegistrationUnderWay | None) -> HttpResponse:
    if under_way is None:
        return HttpResponseRedirect(reverse("portal:registration"))
    if under_way.step == "done":
        return HttpResponseRedirect(reverse("account_login"))
    return HttpResponseRedirect(reverse(f"portal:registration_{under_way.step}"))


def _guesses(request: HttpRequest) -> dict[str, Any]:
    return {"phone": phone_guess(request)}


def phone_guess(request: HttpRequest) -> tuple[str, str]:
    """The country whose number somebody with this browser probably has, and no number."""
    accepted = request.headers.get("Accept-Language", "")
    language = getattr(request, "LANGUAGE_CODE", "en")
    return region_of(accepted, list(countries())) or _HOME_COUNTRY.get(language, ""), ""


def _wrong_code_words(answer: Answer) -> str:
    if not answer.is_open:
        return _("This code is of no use any more. Send a new one.")
    if answer.tries_left == 1:
        return _("That code is not right. One try left.")
    return _("That code is not right. Two tries left.")


def _details_page(request: HttpRequest, form: DetailsForm, status: int = 200) -> HttpResponse:
    return render(request, "registration/details.html", {"form": form}, status=status)


def _email_page(
    request: HttpRequest, under_way: RegistrationUnderWay, form: EmailCodeForm, note: str = "", status: int = 200
) -> HttpResponse:
    context = {"form": form, "note": note, "email": under_way.email} | _code_facts(under_way)
    return render(request, "registration/email_code.html", context, status=status)


def _phone_page(
    request: HttpRequest, under_way: RegistrationUnderWay, form: PhoneCodeForm, note: str = "", status: int = 200
) -> HttpResponse:
    context = {"form": form, "note": note, "phone": phone_words(under_way.phone)} | _code_facts(under_way)
    return render(request, "registration/phone_code.html", context, status=status)


def _code_facts(under_way: RegistrationUnderWay) -> dict[str, Any]:
    sent = under_way.challenge
    if sent is None:
        return {"sent": None, "wait": 0}
    wait = max(0, int((sent.resend_at - clock.now()).total_seconds() + 0.999))
    until = sent.expires_at.astimezone(ZoneInfo(under_way.time_zone))
    return {"sent": sent, "wait": wait, "until": f"{until:%H:%M}"}
