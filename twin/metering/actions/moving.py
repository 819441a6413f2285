"""Moving a company to another seller at an instant that no usage has reached yet."""

from __future__ import annotations

from datetime import datetime, timedelta

from twin.companies import actions as companies
from twin.companies.access import attaching_scope, platform_scope
from twin.companies.catalogue import catalogue_change
from twin.companies.errors import MembershipTooEarly
from twin.companies.queries import stays_with
from twin.companies.types import Attaching, CatalogueChange, Company, Scope
from twin.kernel import clock, security_log
from twin.kernel.errors import Clash
from twin.kernel.period import instant_text
from twin.kernel.tenancy import tenant_transaction
from twin.metering.actions.pricing import last_usage_within
from twin.metering.errors import AlreadyCharged
from twin.pricing.actions import assign_default

_MICROSECOND = timedelta(microseconds=1)


def move_company(scope: Scope, *, company_id: int, parent_id: int, effective_from: datetime) -> Company:
    """Put the company, and all beneath it, under another parent from that instant on.

    Refused when usage of the company or of anything beneath it lies at or after the instant:
    that usage belongs to the seller it happened under. The message names the earliest free
    instant. The new seller's default card is assigned when the pair has no card yet.
    """
    scope.require("companies:write")
    with tenant_transaction(scope.organisation_id), catalogue_change() as change:
        return _move(scope, change, company_id, parent_id, effective_from)


def accept_attachment(*, token: str, user_id: int, address: str | None = None) -> Attaching:
    """Put the company of the administrator who accepts under the reseller whose link this is, at this instant.

    Used up once, whoever comes together. Refused as `companies.take_up_attachment` refuses, and while
    usage stands at a later instant, as events may be up to five minutes ahead; nothing is changed then.
    """
    with catalogue_change() as change:
        attaching = companies.take_up_attachment(change=change, token=token, user_id=user_id)
        scope = attaching_scope(user_id)
        with tenant_transaction(scope.organisation_id):
            _move(scope, change, attaching.company_id, attaching.seller_id, clock.now())
        security_log.record(
            "company.attached",
            user_id=user_id,
            company_id=attaching.company_id,
            address=address,
            seller=attaching.seller_name,
            attachment_id=attaching.attachment_id,
        )
        companies.tell_of_attaching(attaching)
    return attaching


def _move(scope: Scope, change: CatalogueChange, company_id: int, parent_id: int, start: datetime) -> Company:
    try:
        moved = companies.record_move(
            scope, change=change, company_id=company_id, parent_id=parent_id, effective_from=start
        )
    except MembershipTooEarly as error:
        raise _named_free_instant(company_id, error) from error
    last = _last_usage(company_id, start)
    if last is not None:
        free = instant_text(last + _MICROSECOND)
        raise AlreadyCharged(
            f"Usage up to {instant_text(last)} stands under the present seller."
            f" The earliest free instant for this move is {free}."
        )
    assign_default(scope, change=change, seller_id=parent_id, buyer_id=company_id, at=start)
    return moved


def _last_usage(company_id: int, since: datetime) -> datetime | None:
    """The latest usage at or after `since` of the company, or of anything else while it lay beneath it."""
    # Asked for the platform, which stands above every sale: meanwhile another may have been the seller.
    above_all = platform_scope()
    return last_usage_within(above_all, stays_with(above_all, company_id, since), since)


def _named_free_instant(company_id: int, error: MembershipTooEarly) -> Clash:
    """The same refusal, naming an instant that usage leaves free as well."""
    last = _last_usage(company_id, error.earliest) if error.earliest is not None else None
    if last is None:
        return error
    return AlreadyCharged(
        "A move must be later than the start of the last membership and than all usage."
        f" The earliest free instant is {instant_text(last + _MICROSECOND)}."
    )
