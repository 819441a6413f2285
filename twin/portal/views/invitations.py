"""Taking an invitation up: with a new account, by the password of an existing one, or with a click when signed in."""

from __future__ import annotations

from typing import Any, Final

from allauth.account.adapter import get_adapter
from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from twin.accounts import actions as accounts
from twin.accounts.errors import EmailTaken, TooMany
from twin.companies.access import offer_behind
from twin.companies.actions import accept_invitation, may_move_over
from twin.companies.errors import EmployedElsewhere, InvitationUnusable
from twin.companies.types import Offer
from twin.kernel.addresses import address_of
from twin.kernel.errors import TwinError
from twin.portal.fields import PhoneField, TimeZoneField
from twin.portal.invited import forget, keep, kept_offer, kept_token
from twin.portal.legal import consents_given
from twin.portal.limits import limit_words
from twin.portal.people_words import refusal_words, role_words
from twin.portal.registration_forms import ChecksPassword, ConsentFields, NameField, NewPasswordField
from twin.portal.signed_in import person_id
from twin.portal.views.registration import phone_guess, remember
from twin.portal.visitor import visitor_of

UNPROCESSABLE: Final = 422


class NewAccountForm(ChecksPassword, ConsentFields):
    """What an invited person tells; the address is the invitation's."""

    name = NameField()
    password = NewPasswordField()
    phone = PhoneField(label=gettext_lazy("Phone number"))
    time_zone = TimeZoneField(label=gettext_lazy("Time zone"))

    def __init__(self, *args: Any, email: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self._email = email

    def context(self) -> list[str]:
        return [self._email, *super().context()]


class JoinForm(forms.Form):
    """The password of the account that the address has already."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )


@require_safe
@never_cache
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """The address in the mail; it uses nothing up, as mail programs open links by themselves."""
    if offer_behind(token) is None:
        return _gone(request)
    keep(request, token)
    return HttpResponseRedirect(reverse("portal:invitation"))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password")
def invitation(request: HttpRequest) -> HttpResponse:
    """What is offered, and the way to take it up that fits whoever holds the link.

    One page for every invitation that cannot be used, whatever the reason.
    """
    offer = kept_offer(request)
    if offer is None:
        return _gone(request)
    if request.user.is_authenticated:
        return _for_signed_in(request, offer)
    if get_user_model().objects.filter(email=offer.email).exists():
        return _for_existing(request, offer)
    return _for_newcomer(request, offer)


def _for_signed_in(request: HttpRequest, offer: Offer) -> HttpResponse:
    """A click joins, where nothing stands in the way."""
    if getattr(request.user, "email", "") != offer.email:
        return _page(request, offer, "other.html")
    visitor = visitor_of(request)
    works_elsewhere = (
        visitor is not None
        and visitor.employment.company_id != offer.company_id
        and not may_move_over(visitor.employment)
    )
    if works_elsewhere and visitor is not None:
        return _page(request, offer, "elsewhere.html", elsewhere=visitor.company_name)
    if request.method != "POST":
        return _page(request, offer, "join.html")
    return _join(request, offer, person_id(request), reverse("portal:personal_account"))


def _for_existing(request: HttpRequest, offer: Offer) -> HttpResponse:
    """The password joins without signing in: what else the sign-in asks for is asked there."""
    form = JoinForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, offer, "join.html", form)
    try:
        person = get_adapter(request).authenticate(request, email=offer.email, password=form.cleaned_data["password"])
    except forms.ValidationError as error:
        form.add_error(None, error)
        return _page(request, offer, "join.html", form, status=429)
    if person is None or person.email != offer.email:
        form.add_error("password", _("This is not the password of that account."))
        return _page(request, offer, "join.html", form)
    return _join(request, offer, person.pk, reverse("account_login"), form)


def _for_newcomer(request: HttpRequest, offer: Offer) -> HttpResponse:
    """Details first, then the code of the SMS: the mailbox is proven by the link."""
    if request.method != "POST":
        initial = {"name": offer.name, "phone": phone_guess(request)}
        return _page(request, offer, "newcomer.html", NewAccountForm(email=offer.email, initial=initial))
    form = NewAccountForm(request.POST, email=offer.email)
    if not form.is_valid():
        return _page(request, offer, "newcomer.html", form)
    given = {name: form.cleaned_data[name] for name in ("name", "password", "phone", "time_zone")}
    try:
        begun = accounts.begin_invited_registration(**given, email=offer.email, consents=consents_given(request))
    except EmailTaken:
        # Registered in another tab meanwhile.
        return HttpResponseRedirect(reverse("portal:invitation"))
    remember(request, str(begun.id))
    try:
        accounts.send_registration_sms(begun.id, address=address_of(request))
    except TooMany as error:
        messages.warning(request, limit_words(error))
    return HttpResponseRedirect(reverse("portal:registration_phone"))


def _join(request: HttpRequest, offer: Offer, user_id: int, then: str, form: forms.Form | None = None) -> HttpResponse:
    try:
        accept_invitation(token=kept_token(request), user_id=user_id, address=address_of(request))
    except InvitationUnusable:
        return _gone(request)
    except EmployedElsewhere as error:
        return _page(request, offer, "elsewhere.html", form, note=refusal_words(error), status=UNPROCESSABLE)
    except TwinError as error:
        messages.error(request, refusal_words(error))
        return _page(request, offer, "join.html", form, status=UNPROCESSABLE)
    forget(request)
    messages.success(request, _("You work for %(company)s now.") % {"company": offer.company_name})
    return HttpResponseRedirect(then)


def _gone(request: HttpRequest) -> HttpResponse:
    forget(request)
    return render(request, "portal/invitations/gone.html", status=404)


def _page(
    request: HttpRequest,
    offer: Offer,
    template: str,
    form: forms.Form | None = None,
    *,
    status: int | None = None,
    **context: Any,
) -> HttpResponse:
    told = {"offer": offer, "role": role_words(offer.role).lower(), "form": form, **context}
    refused = UNPROCESSABLE if form is not None and form.errors else 200
    return render(request, f"portal/invitations/{template}", told, status=status or refused)
