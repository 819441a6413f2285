"""Documents that waited for details of a party and no longer do."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from django.db import transaction
from procrastinate.contrib.django import app

from twin.billing.actions.issuing import issue_for_statements
from twin.billing.queries.statements import statements_of
from twin.billing.queries.waiting import unissued_sellers, unissued_statements
from twin.companies.access import billing_scope
from twin.companies.types import BILLING_WRITE, Scope
from twin.kernel.tenancy import scoped

# By name: the jobs stand above this module.
AFTER_DETAILS: Final = "twin.billing.jobs.issue_after_details"
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


def issue_after_details(company_id: int) -> int:
    """Issue what waited for this company's details: what it sells and what it buys; how many documents."""
    own = billing_scope(company_id)
    number = issue_waiting(own)
    for seller in unissued_sellers(own):
        number += issue_waiting(billing_scope(seller), buyer_id=company_id)
    return number


def look_again_soon(company_id: int) -> None:
    """The job that does so, at once; the schedule looks again in any case."""
    app.configure_task(AFTER_DETAILS).defer(company_id=company_id)


@scoped
def _issue(scope: Scope, statement_ids: Iterable[int]) -> int:
    return len(issue_for_statements(scope, statements_of(scope, statement_ids)))
