"""The terms between a seller and one of its buyers."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from twin.billing.actions.booking import lock_ledgers
from twin.billing.errors import BillingInvalid
from twin.billing.queries.balance import require_pair
from twin.billing.rules.rounding import minor_text
from twin.billing.types import Account, AccountMode
from twin.companies.queries import get_company
from twin.companies.recording import record_deed
from twin.companies.types import BILLING_WRITE, Scope
from twin.kernel.errors import FieldError
from twin.kernel.tenancy import scoped

_MOST_MINOR = 10**15
_MOST_WARNINGS = 10


@scoped
def set_account(
    scope: Scope,
    *,
    buyer_id: int,
    mode: AccountMode,
    credit_limit_minor: int | None,
    warn_percents: Sequence[int] = (80, 100),
) -> Account:
    """How the buyer pays the asking seller, up to which limit, and at which parts of it people are told.

    Holds from now on. The warnings begin anew: a limit that is raised warns when it is reached again.
    """
    scope.require(BILLING_WRITE)
    require_pair(scope, scope.organisation_id, buyer_id)
    _check(credit_limit_minor, warn_percents)
    warns = sorted(set(warn_percents))
    lock_ledgers(scope, [buyer_id])
    with connection.cursor() as cursor:
        cursor.execute(
            "update billing_account set mode = %s, credit_limit_minor = %s, warn_percents = %s, warned_percent = 0"
            " where seller_id = %s and buyer_id = %s",
            [mode, credit_limit_minor, warns, scope.organisation_id, buyer_id],
        )
    currency = get_company(scope, scope.organisation_id).currency
    limit = "" if credit_limit_minor is None else f"{minor_text(credit_limit_minor, currency)} {currency}"
    record_deed(scope, "account.changed", company_id=buyer_id, mode=mode, credit_limit=limit, warnings=warns)
    return Account(scope.organisation_id, buyer_id, mode, credit_limit_minor, tuple(warns))


def _check(credit_limit_minor: int | None, warn_percents: Sequence[int]) -> None:
    errors = []
    if credit_limit_minor is not None and not 0 <= credit_limit_minor <= _MOST_MINOR:
        errors.append(FieldError(("credit_limit",), "The limit is an amount of nothing or more."))
    if len(warn_percents) > _MOST_WARNINGS or not all(1 <= percent <= 1000 for percent in warn_percents):
        errors.append(FieldError(("warn_percents",), "Name at most 10 percents between 1 and 1000."))
    if errors:
        raise BillingInvalid(errors[0].msg, errors)
