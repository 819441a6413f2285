"""Attaching a company to a reseller: invited by the reseller, decided by the company's administrator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from twin.companies import actions, queries
from twin.companies.access import attachment_behind
from twin.companies.types import AttachmentOffer, Scope
from twin.kernel.addresses import address_of
from twin.kernel.errors import NotFound, TwinError
from twin.kernel.sealing import SealBroken, seal, unseal
from twin.metering.actions import accept_attachment
from twin.portal import reauthentication
from twin.portal.attachment_words import STATES, obstacle_words, seller_words
from twin.portal.attachments_page import AttachmentRow, row_of
from twin.portal.signed_in import person_id
from twin.portal.users_form import LONGEST_EMAIL
from twin.portal.views.companies import seller_scope
from twin.portal.words import moment_words, zone_of

UNPROCESSABLE: Final = 422
_KEPT: Final = "twin_attachment"


class AttachForm(forms.Form):
    """Whom to invite."""

    email = forms.CharField(
        label=gettext_lazy("Email of the company's administrator"),
        max_length=LONGEST_EMAIL,
        help_text=gettext_lazy("The one they sign in to Twin with. The invitation is valid for 7 days."),
        widget=forms.EmailInput({"autocomplete": "off"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def attach(request: HttpRequest) -> HttpResponse:
    """Invite a company, and those invited that have not come. The answer is the same for every address."""
    scope = _reseller_scope(request)
    form = AttachForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.invite_company(scope, email=form.cleaned_data["email"], address=address_of(request))
        except TwinError as error:
            form.add_error("email", seller_words(error))
        else:
            messages.success(
                request, _("An invitation is on its way to %(email)s.") % {"email": form.cleaned_data["email"]}
            )
            return HttpResponseRedirect(reverse("portal:companies_attach"))
    rows: list[AttachmentRow] = [row_of(one, zone_of(request.user)) for one in queries.waiting_attachments(scope)]
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "portal/companies/attach.html", {"form": form, "rows": rows}, status=status)


@require_POST
@login_required
def resend(request: HttpRequest, attachment_id: int) -> HttpResponse:
    return _about(request, attachment_id, actions.resend_attachment, _("The invitation was sent again."))


@require_POST
@login_required
def withdraw(request: HttpRequest, attachment_id: int) -> HttpResponse:
    return _about(request, attachment_id, actions.withdraw_attachment, _("The invitation is withdrawn."))


@require_safe
@never_cache
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """The address in the mail; it uses nothing up, as mail programs open links by themselves."""
    if attachment_behind(token) is None:
        return _gone(request, None)
    request.session[_KEPT] = seal(token)
    return HttpResponseRedirect(reverse("portal:attachment"))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def attachment(request: HttpRequest) -> HttpResponse:
    """Who invites and what it means; whoever may decide accepts here, the others are told who can."""
    offer = attachment_behind(_kept_token(request))
    if offer is None or offer.state != "open":
        return _gone(request, offer)
    if not request.user.is_authenticated:
        return _page(request, offer, "stranger.html", sign_in=_sign_in_href())
    if getattr(request.user, "email", "") != offer.email:
        return _page(request, offer, "other.html")
    try:
        employment = actions.company_to_attach(request.user, offer)
    except TwinError as error:
        return _page(request, offer, "refused.html", why=obstacle_words(error, zone_of(request.user)))
    if request.method != "POST":
        expires = moment_words(offer.expires_at.replace(microsecond=0), zone_of(request.user))
        return _page(request, offer, "decide.html", company=employment.company_name, expires=expires)
    reauthentication.require(request)
    return _accepted(request, offer)


@require_POST
@login_required
def decline(request: HttpRequest) -> HttpResponse:
    """No; the reseller sees it and may ask again after thirty days."""
    token = _kept_token(request)
    try:
        offer = actions.decline_attachment(token=token, user_id=person_id(request), address=address_of(request))
    except NotFound:
        return _gone(request, attachment_behind(token))
    except TwinError as error:
        messages.error(request, obstacle_words(error, zone_of(request.user)))
        return HttpResponseRedirect(reverse("portal:attachment"))
    request.session.pop(_KEPT, None)
    messages.success(request, _("You declined. Nothing changes; %(seller)s is told.") % {"seller": offer.seller_name})
    return HttpResponseRedirect(reverse("portal:personal_account"))


def _accepted(request: HttpRequest, offer: AttachmentOffer) -> HttpResponse:
    token = _kept_token(request)
    try:
        done = accept_attachment(token=token, user_id=person_id(request), address=address_of(request))
    except NotFound:
        return _gone(request, attachment_behind(token))
    except TwinError as error:
        why = obstacle_words(error, zone_of(request.user))
        return _page(request, offer, "refused.html", status=UNPROCESSABLE, why=why)
    request.session.pop(_KEPT, None)
    messages.success(
        request,
        _("%(company)s buys from %(seller)s from now on.") % {"company": done.company_name, "seller": done.seller_name},
    )
    return HttpResponseRedirect(reverse("portal:personal_account"))


def _reseller_scope(request: HttpRequest) -> Scope:
    """Administrators of resellers; the platform moves companies itself, for everybody else the page is not there."""
    scope = seller_scope(request)
    if scope.kind != "reseller":
        raise Http404
    return scope


def _about(request: HttpRequest, attachment_id: int, action: Callable[..., object], done: str) -> HttpResponse:
    scope = _reseller_scope(request)
    try:
        action(scope, attachment_id=attachment_id, address=address_of(request))
    except NotFound:
        raise Http404 from None
    except TwinError as error:
        messages.error(request, seller_words(error))
    else:
        messages.success(request, done)
    return HttpResponseRedirect(reverse("portal:companies_attach"))


def _kept_token(request: HttpRequest) -> str:
    """The secret this browser came with; empty when it came with none."""
    try:
        return unseal(request.session[_KEPT])
    except (KeyError, SealBroken):
        return ""


def _sign_in_href() -> str:
    return f"{reverse('account_login')}?{urlencode({'next': reverse('portal:attachment')})}"


def _gone(request: HttpRequest, offer: AttachmentOffer | None) -> HttpResponse:
    """Why the link cannot be used any more; of one that never was, that it cannot."""
    request.session.pop(_KEPT, None)
    why = str(STATES[offer.state]) % {"seller": offer.seller_name} if offer is not None else ""
    return render(request, "portal/attachments/gone.html", {"why": why}, status=404)


def _page(
    request: HttpRequest, offer: AttachmentOffer, template: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    return render(request, f"portal/attachments/{template}", {"offer": offer, **context}, status=status)
