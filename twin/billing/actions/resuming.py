"""Documents that waited for details of a party and no longer do."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from django.db import transaction

from twin.billing.actions.issuing import issue_for_statements
from twin.billing.queries.statements import statements_of
from twin.billing.queries.waiting import unissued_statements
from twin.companies.types import BILLING_WRITE, Scope
from twin.kernel.tenancy import scoped

_AT_ONCE: Final = 250


def issue_waiting(scope: Scope, *, buyer_id: int | None = None) -> int:
    """Issue what waited for details and no longer does; how many documents. Safe to repeat and to interrupt."""
    scope.require(BILLING_WRITE)
    waiting = iter(unissued_statements(scope, buyer_id=buyer_id))
    number = 0
    while part := list(islice(waiting, _AT_ONCE)):
        with transaction.atomic():
            number += _issue(scope, part)
    return number


@scoped
def _issue(scope: Scope, statement_ids: Iterable[int]) -> int:
    return len(issue_for_statements(scope, statements_of(scope, statement_ids)))
