"""The words at the top of every page of a company whose account is exhausted."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from twin.billing.queries.balance import exhausted_balance
from twin.companies.types import BILLING_READ, Scope
from twin.portal.report_words import active_language
from twin.portal.rules.figures import money_text


@dataclass(frozen=True)
class Exhausted:
    """One sentence; amounts only for those who may read them."""

    text: str


def exhausted_words(scope: Scope) -> Exhausted | None:
    """None while something may still be spent, or there is no limit."""
    found = exhausted_balance(scope) if scope.kind != "platform" else None
    if found is None:
        return None
    if BILLING_READ not in scope.permissions or not found.available:
        return Exhausted(_("The balance of your company is exhausted: paid services stop until it is topped up."))
    beyond = money_text(-found.available, active_language())
    return Exhausted(
        _("The balance is exhausted, by %(amount)s %(currency)s: paid services stop until it is topped up.")
        % {"amount": beyond, "currency": found.currency}
    )
