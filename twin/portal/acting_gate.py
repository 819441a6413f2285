"""Acting for a company in its administrator's place: whose name a request is in, and what is open to it.

The person of the session stays who they are. The session holds the number of the acting; every
request asks anew whether it lasts. What is not listed here is closed while acting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from twin.companies.access import acting_in
from twin.companies.actions import end_acting
from twin.companies.types import Acting
from twin.kernel import clock, security_log
from twin.kernel.addresses import address_of
from twin.kernel.masking import mask_people
from twin.kernel.requests import bind_acting
from twin.portal.acting import is_first_sight, kept_acting, stop
from twin.portal.second_factor import duty_of
from twin.portal.views.errors import wants_json
from twin.portal.visitor import acting_of, own_visitor_of, take_place

Answer = Callable[[HttpRequest], HttpResponse]

FORBIDDEN: Final = 403
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
# Machines and files know no session.
_ELSEWHERE: Final = ("/static/", "/api/", "/healthz", "/readyz")

# Ending it, leaving, and what a person keeps for themselves: by every method, in both ways of acting.
ALWAYS: Final = frozenset(
    f"portal:{name}" for name in ("acting_end", "language", "theme", "report_columns", "csp_report")
) | {"account_logout"}
# To look at.
READ: Final = frozenset(
    f"portal:{name}"
    for name in (
        *("home", "personal_account", "legal", "legal_version", "outbox", "styleguide"),
        *("company", "companies", "one_company"),
        *("companies_file", "company_card"),
        *("prices", "prices_paid", "rate_card", "rates_file", "rates_import", "card_trial", "books"),
        *("corrections", "correction", "statements", "statement", "statement_line"),
        *("open_statement", "open_statement_line", "invoices", "invoice", "invoice_pdf", "invoices_file"),
        *(
            "billing_settings",
            "billing_logo",
            "balance",
            "balance_file",
            "balances",
            "balances_file",
            "buyer",
            "buyer_file",
        ),
        *("payment", "payments", "payments_file"),
        *("users", "users_invite", "user"),
        *("api_keys", "api_reference", "audit", "audit_file"),
        *("reseller_companies", "resellers", "usage", "drill_down"),
        *("report_file", "events_file", "usage_file", "files", "file", "fetch_file"),
    )
)
# To change, where that was asked for. Not the person's own account, making keys, consents, inviting
# administrators or companies, taking invitations up, and what settles money: statements and invoices. Corrections
# are there: who comes from the seller above decides for both edges at once.
CHANGE: Final = frozenset(
    f"portal:{name}"
    for name in (
        *("company", "company_draft", "company_draft_discard"),
        *("company_edit", "company_reseller", "company_block", "company_close", "company_activate", "company_move"),
        *("prices", "rate_add", "card_assign", "card_copy", "card_default"),
        *("company_card", "rates_import", "card_trial"),
        *("corrections", "correct_rate", "correct_assignment"),
        *("correction_decide", "correction_discard", "correction_recount"),
        *("users_invite", "user_role", "user_dialogs", "user_block", "user_unblock", "user_sessions", "user_remove"),
        *("invitation_resend", "invitation_withdraw", "revoke_api_key"),
        *("report_file", "events_file", "usage_file", "remove_file"),
    )
)


class ActingGate:
    """Must stand after the messages and the language, and before the gates that look at the company.

    When the acting is over, the request that finds out is carried out in nobody's name.
    """

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or request.path.startswith(_ELSEWHERE):
            return self._get_response(request)
        kept = kept_acting(request) if _is_signed_in(request) else None
        if kept is None:
            return self._get_response(request)
        acting = _resume(request, kept["id"])
        if acting is None:
            return _over(request, kept["name"], kept["until"])
        response = self._get_response(request)
        if _is_signed_in(request):
            _note(request, acting, response)
        else:
            end_acting(
                organisation_id=acting.organisation_id,
                acting_id=acting.id,
                by="leaving",
                address=address_of(request),
            )
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:  # noqa: ARG002 - Django's signature
        acting = acting_of(request)
        match = request.resolver_match
        if acting is None or match is None:
            return None
        return _refusal(request, acting, match.view_name)


def _is_signed_in(request: HttpRequest) -> bool:
    """Asked before and after the page: it may have signed the person out."""
    return bool(request.user.is_authenticated)


def _resume(request: HttpRequest, acting_id: int) -> Acting | None:
    """What the session says, while it lasts; from here on the request is in the company's name."""
    own = own_visitor_of(request)
    duty = duty_of(request)
    if own is None or own.scope is None or (duty is not None and duty.is_over):
        return None
    found = acting_in(own.scope, acting_id)
    if found is None:
        return None
    employment, scope, acting = found
    take_place(request, employment, scope, acting)
    bind_acting(acting.id, acting.organisation_name)
    return acting


def _over(request: HttpRequest, name: str, until: float) -> HttpResponse:
    """Neither in the company's name nor in their own: the page was meant for another."""
    stop(request, "time" if clock.now().timestamp() >= until else "right")
    messages.warning(request, _("You no longer act for %(company)s. Nothing was changed.") % {"company": name})
    return HttpResponseRedirect(reverse("portal:personal_account"))


def _refusal(request: HttpRequest, acting: Acting, page: str) -> HttpResponse | None:
    """None where the page is open to whoever acts."""
    if page in ALWAYS:
        return None
    if request.method in _SAFE and page in READ:
        return None
    if request.method not in _SAFE and page in CHANGE:
        if acting.may_write:
            return None
        title = _("You are only looking")
        sentence = _("Nothing was changed. To change something, end this and begin again with changes allowed.")
        return _refused(request, title, sentence)
    title = _("This stays with the company")
    sentence = _(
        "Passwords, second factors, keys, consents, administrators and the settling of money are for the people of"
        " %(company)s alone."
    ) % {"company": acting.company_name}
    return _refused(request, title, sentence)


def _refused(request: HttpRequest, title: str, sentence: str) -> HttpResponse:
    """Counts as a refusal, and so stands in the record."""
    if wants_json(request):
        return JsonResponse({"title": title, "detail": sentence, "status": FORBIDDEN}, status=FORBIDDEN)
    context = {"status": FORBIDDEN, "title": title, "sentence": sentence}
    return render(request, "portal/error.html", context, status=FORBIDDEN)


def _note(request: HttpRequest, acting: Acting, response: HttpResponse) -> None:
    """The first sight of each page and every change; what was refused is recorded with the other refusals."""
    match = request.resolver_match
    if match is None or match.view_name in ALWAYS or response.status_code >= 400:
        return
    path = mask_people(request.path)
    about: dict[str, Any] = {"user_id": acting.person_id, "company_id": acting.company_id, "path": path}
    if request.method not in _SAFE:
        security_log.record("acting.changed", address=address_of(request), method=request.method, **about)
        return
    if response.status_code == 200 and is_first_sight(request):
        security_log.record("acting.looked", address=address_of(request), **about)
