"""Payments from a bank file: chosen, looked through line by line, recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from twin.billing.actions.bank import import_bank_file
from twin.billing.errors import AccountNotFound, BillingInvalid
from twin.billing.queries.bank import BankProposal, bank_proposals
from twin.billing.rules.bank import MOST_LETTERS
from twin.companies.queries import direct_buyers, get_company
from twin.companies.rules.ordering import place_of
from twin.companies.types import Scope
from twin.portal.balance_form import BankFileForm
from twin.portal.money_words import Amount, amount_of
from twin.portal.views.balance import UNPROCESSABLE
from twin.portal.views.balances import writing_scope
from twin.portal.visitor import visitor_of
from twin.portal.words import date_words

# Django reads at most a thousand fields of a form.
MOST_UNDECIDED: Final = 300
MOST_NAMED: Final = 200
_PROBLEMS: Final[dict[str, Promise]] = {
    "date": gettext_lazy("the day cannot be read or lies in the future"),
    "amount": gettext_lazy("the amount cannot be read"),
    "currency": gettext_lazy("another currency"),
    "columns": gettext_lazy("too few or too many columns"),
}


@dataclass(frozen=True)
class LineRow:
    """One line of the file and what becomes of it: taken, asked about, or left out."""

    proposal: BankProposal
    currency: str
    chosen: str

    @property
    def number(self) -> int:
        return self.proposal.line.number

    @property
    def day(self) -> str:
        on = self.proposal.line.on
        return date_words(on) if on else ""

    @property
    def amount(self) -> Amount | None:
        """None where the line could not be read: no other figure than that of the file is shown."""
        line = self.proposal.line
        return None if line.problem else amount_of(line.amount_minor, self.currency)

    @property
    def problem(self) -> str:
        problem = self.proposal.line.problem
        return str(_PROBLEMS[problem]) if problem else ""

    @property
    def is_open(self) -> bool:
        """Whether somebody may say from whom it is."""
        line = self.proposal.line
        return not (self.proposal.is_known or line.problem or line.is_outgoing or self.proposal.is_certain)

    @property
    def is_taken(self) -> bool:
        line = self.proposal.line
        return self.proposal.is_certain and not (self.proposal.is_known or line.problem or line.is_outgoing)

    @property
    def documents(self) -> str:
        return ", ".join(one.code for one in self.proposal.matched.documents)

    @property
    def suggestion(self) -> str:
        """The id to begin with: the one chosen before, else a guess."""
        return self.chosen or str(self.proposal.matched.buyer_id or "")


@dataclass(frozen=True)
class BankPage:
    """The file looked through."""

    text: str
    rows: tuple[LineRow, ...]
    currency: str
    buyers: tuple[tuple[int, str], ...]
    problem: str = ""

    @property
    def taken(self) -> Amount:
        return amount_of(sum(row.proposal.line.amount_minor for row in self.rows if row.is_taken), self.currency)

    @property
    def taken_count(self) -> int:
        return sum(row.is_taken for row in self.rows)

    @property
    def open_count(self) -> int:
        return sum(row.is_open for row in self.rows)

    @property
    def known_count(self) -> int:
        return sum(row.proposal.is_known for row in self.rows)

    @property
    def is_too_open(self) -> bool:
        return self.open_count > MOST_UNDECIDED


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def bank_file(request: HttpRequest) -> HttpResponse:
    """Choose a file; posted, it is shown line by line and nothing is recorded yet."""
    scope = writing_scope(request)
    form = BankFileForm(request.POST, request.FILES) if request.method == "POST" else BankFileForm()
    if request.method == "POST" and form.is_valid():
        try:
            page = _page(request, scope, form.cleaned_data["file"])
        except BillingInvalid:
            form.add_error(
                "file", _("This is no such file. Its first line names the columns; at most 1000 lines follow.")
            )
        else:
            return render(request, "portal/balance/bank_preview.html", {"page": page})
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "portal/balance/bank.html", {"form": form}, status=status)


@require_POST
@login_required
def record_bank_file(request: HttpRequest) -> HttpResponse:
    """Record what was looked through; what came in between from somebody else is not recorded twice."""
    scope = writing_scope(request)
    text = request.POST.get("text", "")[: MOST_LETTERS + 1]
    try:
        chosen = _chosen(request, bank_proposals(scope, text))
        with transaction.atomic():
            done = import_bank_file(scope, text, buyers=chosen, by=_person(request))
    except BillingInvalid:
        return HttpResponseRedirect(reverse("portal:bank_file"))
    except AccountNotFound:
        page = _page(request, scope, text, problem=_("A company that was named does not buy from you: check its id."))
        return render(request, "portal/balance/bank_preview.html", {"page": page}, status=UNPROCESSABLE)
    words = ngettext("%(n)s payment is recorded.", "%(n)s payments are recorded.", done.recorded)
    messages.success(request, words % {"n": done.recorded})
    return HttpResponseRedirect(reverse("portal:payments"))


def _chosen(request: HttpRequest, proposals: list[BankProposal]) -> dict[int, int | None]:
    """By line: from whom it is, None where somebody leaves it out."""
    chosen: dict[int, int | None] = {}
    for one in proposals:
        number = one.line.number
        named = request.POST.get(f"buyer_{number}", "").strip()
        if request.POST.get(f"skip_{number}"):
            chosen[number] = None
        elif named:
            is_id = named.isascii() and named.isdigit() and len(named) < 10
            chosen[number] = int(named) if is_id else 0
    return chosen


def _page(request: HttpRequest, scope: Scope, text: str, *, problem: str = "") -> BankPage:
    currency = get_company(scope, scope.organisation_id).currency
    rows = tuple(
        LineRow(one, currency, request.POST.get(f"buyer_{one.line.number}", "").strip()[:10])
        for one in bank_proposals(scope, text)
    )
    buyers = sorted(((one.company_id, one.name) for one in direct_buyers(scope)), key=lambda one: place_of(one[1]))
    return BankPage(text, rows, currency, tuple(buyers) if len(buyers) <= MOST_NAMED else (), problem)


def _person(request: HttpRequest) -> str:
    visitor = visitor_of(request)
    return visitor.person if visitor else ""
