"""Changing prices without ever changing what is charged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from twin.companies.catalogue import catalogue_change
from twin.companies.recording import record_deed
from twin.companies.types import Scope, Stay
from twin.kernel.period import instant_text
from twin.kernel.tenancy import scoped, tenant_transaction
from twin.metering.actions.pending import price_pending
from twin.metering.errors import AlreadyCharged
from twin.metering.queries.clashes import rate_clashes
from twin.metering.types import Assigned, Priced
from twin.pricing import actions as pricing
from twin.pricing.meters import METER_BY_ID
from twin.pricing.rules.new_rates import check_rates
from twin.pricing.types import NewRate


def publish_rates(scope: Scope, *, card_id: int, rates: Sequence[NewRate]) -> Priced:
    """Record rates, whole or not at all, and price the usage that waited for them.

    To be called outside any transaction: pricing what waited needs the lock that the record gives back.
    Up to 10,000 waiting edges are priced before it returns, the rest (`pending`) by a job.
    Raises `AlreadyCharged` when usage is charged whose price a new rate would change.
    """
    scope.require("prices:write")
    check_rates(rates)
    with tenant_transaction(scope.organisation_id), catalogue_change() as change:
        _refuse_changed_charges(scope, card_id, rates)
        pricing.record_rates(scope, change=change, card_id=card_id, rates=list(rates))
        _note_rates(scope, card_id, rates)
    return price_pending(scope.organisation_id)


def assign_rate_card(scope: Scope, *, buyer_id: int, card_id: int, effective_from: datetime) -> Assigned:
    """Let the buyer pay by this card from then on, and price the usage that waited for it.

    Raises `AlreadyCharged` when usage of this pair at or after `effective_from` is charged.
    """
    scope.require("prices:write")
    with tenant_transaction(scope.organisation_id), catalogue_change() as change:
        assignment = pricing.record_assignment(
            scope, change=change, buyer_id=buyer_id, card_id=card_id, effective_from=effective_from
        )
        _refuse_charged_pair(buyer_id, effective_from)
        _note_assignment(scope, buyer_id, card_id, effective_from)
    priced = price_pending(scope.organisation_id)
    return Assigned(assignment, priced.priced, priced.pending)


def _note_rates(scope: Scope, card_id: int, rates: Sequence[NewRate]) -> None:
    """In the record of the seller: what it charges whom is nobody else's business."""
    record_deed(
        scope,
        "rates.published",
        company_id=scope.organisation_id,
        rate_card_id=card_id,
        number=len(rates),
        meters=sorted({rate.meter for rate in rates}),
    )


def _note_assignment(scope: Scope, buyer_id: int, card_id: int, effective_from: datetime) -> None:
    record_deed(
        scope,
        "rate_card.assigned",
        company_id=scope.organisation_id,
        rate_card_id=card_id,
        buyer_id=buyer_id,
        effective_from=instant_text(effective_from),
    )


def _refuse_changed_charges(scope: Scope, card_id: int, rates: Sequence[NewRate]) -> None:
    for clash in rate_clashes(scope, card_id, rates):
        rate = rates[clash.index]
        raise AlreadyCharged(
            f"rates[{clash.index}] ({rate.meter} from {instant_text(rate.effective_from)}) would change the"
            f" price of usage that is already charged, up to {instant_text(clash.last_at)}. Choose a"
            " later effective_from; a correction of charged usage is a separate act.",
            last_at=clash.last_at,
            company_id=clash.company_id,
            meter=rate.meter,
        )


def _refuse_charged_pair(buyer_id: int, since: datetime) -> None:
    rows = _rows(
        """
        select event_time, company_id, meter_id from (
            select event_time, company_id, meter_id from metering_sold
            where buyer_id = %(buyer)s and event_time >= %(since)s and sell_rate_id <> 0
            union all
            select event_time, company_id, meter_id from metering_correction
            where buyer_id = %(buyer)s and event_time >= %(since)s
              and seller_id = nullif(current_setting('twin.organisation', true), '')::int
        ) charged order by event_time desc limit 1
        """,
        {"buyer": buyer_id, "since": since},
    )
    if rows:
        last, company_id, meter_id = rows[0]
        raise AlreadyCharged(
            f"Usage of company {buyer_id} up to {instant_text(last)} is already charged by the present card."
            " Choose an effective_from after that instant.",
            last_at=last,
            company_id=company_id,
            meter=METER_BY_ID[meter_id].code,
        )


@scoped
def last_usage_within(
    scope: Scope,  # noqa: ARG001 - `scoped` tells the view who asks
    stays: Sequence[Stay],
    since: datetime,
) -> datetime | None:
    """The latest usage at or after `since` that was sold under the organisation in one of these stays."""
    # The ids beside the join let the index of events be asked once for each company.
    rows = _rows(
        """
        select max(event_time)
        from metering_sold
        join unnest(%(ids)s::int[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
            as stay(company_id, start_at, end_at) using (company_id)
        where company_id = any(%(ids)s) and event_time >= %(since)s
          and (start_at is null or event_time >= start_at) and (end_at is null or event_time < end_at)
        """,
        {
            "ids": [stay.company_id for stay in stays],
            "starts": [stay.start for stay in stays],
            "ends": [stay.end for stay in stays],
            "since": since,
        },
    )
    found: datetime | None = rows[0][0]
    return found


def _rows(sql: str, parameters: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
