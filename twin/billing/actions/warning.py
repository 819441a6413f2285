"""Mails that a balance comes to its end: once for each crossing of a threshold, per account."""

from __future__ import annotations

from typing import Final

from django.db import connection
from django.utils import translation
from django.utils.translation import gettext as _

from twin.billing.queries.balances import balances_of
from twin.billing.rules.figures import minor_words
from twin.billing.rules.rounding import minor_up
from twin.billing.rules.warnings import reached, spent_percent
from twin.billing.types import Balance
from twin.billing.words import words_language
from twin.companies.access import platform_scope
from twin.companies.queries import names_of
from twin.companies.queries.recipients import money_people
from twin.companies.types import Recipient, Scope
from twin.kernel.delivery import RecipientUnusable, send_mail
from twin.kernel.links import absolute
from twin.kernel.tenancy import scoped

PURPOSE: Final = "balance"


@scoped
def warn_buyers(scope: Scope) -> int:
    """Tell the buyers of the asking seller that have crossed a threshold since the last time; returns how many.

    Below a threshold again, it warns anew at the next crossing. Mails and what was warned of are one transaction;
    safe to repeat and to run twice at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select buyer_id, warned_percent from billing_account where seller_id = %s"
            " and (mode = 'prepaid' or credit_limit_minor is not null) order by buyer_id for update",
            [scope.organisation_id],
        )
        warned = dict(cursor.fetchall())
    told = 0
    for buyer_id, balance in balances_of(scope, warned).items() if warned else ():
        percent = reached(balance.account.warn_percents, spent_percent(balance))
        if percent == warned[buyer_id]:
            continue
        _remember(scope, buyer_id, percent)
        if percent > warned[buyer_id]:
            _tell(scope, buyer_id, balance, percent)
            told += 1
    return told


def _remember(scope: Scope, buyer_id: int, percent: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update billing_account set warned_percent = %s where seller_id = %s and buyer_id = %s",
            [percent, scope.organisation_id, buyer_id],
        )


def _tell(scope: Scope, buyer_id: int, balance: Balance, percent: int) -> None:
    """The buyer's people, and the seller's too when nothing is left."""
    platform = platform_scope()
    names = names_of(platform, [buyer_id, scope.organisation_id])
    parties = {buyer_id, scope.organisation_id} if balance.is_exhausted else {buyer_id}
    for company_id, people in money_people(platform, parties).items():
        path = "/balance" if company_id == buyer_id else f"/balances/{buyer_id}"
        for recipient in people:
            _send(recipient, balance, percent, names[buyer_id], absolute(path))


def _send(recipient: Recipient, balance: Balance, percent: int, buyer: str, address: str) -> None:
    with translation.override(recipient.language):
        subject, text = _subject(balance, percent, buyer), _text(recipient, balance, percent, buyer, address)
    try:
        send_mail(to=recipient.email, subject=subject, text=text, purpose=PURPOSE)
    except RecipientUnusable:
        return


def _subject(balance: Balance, percent: int, buyer: str) -> str:
    if balance.is_exhausted:
        return _("%(company)s: the balance is exhausted") % {"company": buyer}
    return _("%(company)s: %(percent)s %% of the balance is used") % {"company": buyer, "percent": percent}


def _text(recipient: Recipient, balance: Balance, percent: int, buyer: str, address: str) -> str:
    # Rounded down: no more than there is.
    left = -minor_up(-(balance.available or 0), balance.currency)
    amount = f"{minor_words(left, balance.currency, words_language())} {balance.currency}"
    if balance.is_exhausted:
        said = _("The balance of %(company)s is exhausted. Paid services stop until it is topped up.")
    else:
        said = _("%(company)s has used %(percent)s %% of what it may spend.")
    return "\n\n".join(
        (
            _("Hello %(name)s,") % {"name": recipient.name or recipient.email},
            " ".join(
                (
                    said % {"company": buyer, "percent": percent},
                    _("It may still be spent: %(amount)s.") % {"amount": amount},
                )
            ),
            _("Balance and top-up: %(address)s.") % {"address": address},
        )
    )
