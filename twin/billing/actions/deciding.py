"""What somebody says about a statement that waits: close it although, or what becomes of what came late."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import connection

from twin.billing.actions.closing import Closing, close_due
from twin.billing.errors import BillingInvalid, StatementHeld, StatementNotFound
from twin.billing.types import LatePolicy
from twin.companies.types import BILLING_WRITE, Scope
from twin.kernel.errors import FieldError
from twin.kernel.tenancy import scoped

POLICIES: Final = ("next_invoice", "credit_note", "write_off")
LONGEST_REASON: Final = 500


def sign_off(scope: Scope, statement_id: int, *, reason: str, by: str = "", now: datetime) -> Closing:
    """Close the seller's statement although usage in it lacks a price.

    What is priced later comes onto a later statement. Raises `StatementHeld` where it does not wait for this.
    """
    scope.require(BILLING_WRITE)
    said = reason.strip()
    if not said or len(said) > LONGEST_REASON:
        message = f"Say why in 1 to {LONGEST_REASON} characters."
        raise BillingInvalid(message, [FieldError(("reason",), message)])
    buyer = _note(
        scope,
        statement_id,
        "signed_off_reason = %(reason)s, signed_off_by = %(by)s, signed_off_at = %(now)s",
        {"reason": said, "by": by, "now": now, "held": "unrated"},
    )
    return close_due(scope, now=now, only=[buyer])


def decide_late(scope: Scope, statement_id: int, *, policy: LatePolicy, now: datetime) -> Closing:
    """Say what becomes of the late usage that a statement waits with, and close it."""
    scope.require(BILLING_WRITE)
    if policy not in POLICIES:
        message = f"`policy` is one of {', '.join(POLICIES)}."
        raise BillingInvalid(message, [FieldError(("policy",), message)])
    buyer = _note(scope, statement_id, "late_policy = %(policy)s", {"policy": policy, "held": "late"})
    return close_due(scope, now=now, only=[buyer])


@scoped
def _note(scope: Scope, statement_id: int, change: str, values: dict[str, Any]) -> int:
    """Note it on the statement; returns the buyer. A buyer's own statements are its seller's to close."""
    asked = {**values, "id": statement_id, "seller": scope.organisation_id}
    with connection.cursor() as cursor:
        cursor.execute(
            f"update billing_statement set {change} where id = %(id)s and seller_id = %(seller)s"  # noqa: S608 - ours
            " and state = 'closing' and held = %(held)s returning buyer_id",
            asked,
        )
        row = cursor.fetchone()
        if row is not None:
            return int(row[0])
        cursor.execute("select 1 from billing_statement where id = %(id)s and seller_id = %(seller)s", asked)
        if cursor.fetchone() is None:
            raise StatementNotFound(f"There is no statement {statement_id} of yours.")
    raise StatementHeld("This statement does not wait for that; look at it again.")
