"""Who may act for a company in its administrator's place, and for how long, as pure functions."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from twin.companies.errors import ActingInvalid
from twin.companies.types import COMPANIES_WRITE, Company, Scope
from twin.kernel.errors import FieldError, Invalid
from twin.kernel.text import clean_text

ACTING_LIFE: Final = timedelta(minutes=60)
LONGEST_REASON: Final = 500


def may_act_for(scope: Scope, company: Company) -> bool:
    """Whether the scope's person may take the place of the visible company's administrator.

    The platform for everything beneath it, a reseller for companies it sells to directly: what a
    sub-reseller earns and what its customers pay is its own. Nobody for their own organisation
    or from within an acting.
    """
    if scope.person_id is None or scope.acting_id is not None or COMPANIES_WRITE not in scope.permissions:
        return False
    if company.id == scope.organisation_id or company.state != "active":
        return False
    if scope.kind == "platform":
        return True
    return scope.kind == "reseller" and company.kind == "company" and company.parent_id == scope.organisation_id


def checked_reason(reason: str) -> str:
    """Why somebody acts; the company reads it."""
    try:
        return clean_text(reason, field="reason", longest=LONGEST_REASON)
    except Invalid as refusal:
        raise ActingInvalid(str(refusal), [FieldError(("reason",), str(refusal))]) from None
