"""The whole way of one event: taken, rated per edge with the calculation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connections

from twin.companies.types import Scope
from twin.kernel.money import amount_text
from twin.metering.errors import EventUnknown
from twin.metering.rules.identity import key_of
from twin.metering.types import Trace, TracedCharge
from twin.pricing.rules.charge import billed_quantity
from twin.pricing.types import Terms

_EVENT = """
    select e.event_time, e.quantity, e.batch, m.code, a.body::json, b.received_at, ch.sellers, r.rates,
           array[e.amount_0, e.amount_1, e.amount_2, e.amount_3] || e.amounts_above, b.shard
    from metering_event e
    join metering_source s using (source_id)
    join pricing_meter m on m.id = e.meter_id
    join metering_attributes a using (attributes_id)
    join metering_chain ch using (chain_id)
    join metering_rating r using (rating_id)
    join metering_batch b on b.shard = metering_shard_of(e.company_id, e.batch) and b.batch = e.batch
    where e.company_id = %(company)s and s.name = %(source)s and e.key = %(key)s
"""
_CORRECTIONS = """
    select c.pos, c.rate_id, c.amount, c.kind
    from metering_correction c join metering_source s using (source_id)
    where c.seller_id = any(%(sellers)s) and c.event_time = %(time)s and c.key = %(key)s
      and c.company_id = %(company)s and s.name = %(source)s
    order by c.correction_id
"""


def trace(scope: Scope, *, company_id: int, source: str, event_id: str) -> Trace:
    """Everything known of one event; for the operator, who may see every edge.

    Raises `EventUnknown`. Reads over the writer connection: `scope` is the platform's or the system's.
    """
    if scope.kind not in ("platform", "system"):
        raise EventUnknown("Only the operator can trace events.")
    asked: dict[str, Any] = {"company": company_id, "source": source, "key": UUID(bytes=key_of(event_id))}
    with connections["writer"].cursor() as cursor:
        cursor.execute(_EVENT, asked)
        row = cursor.fetchone()
        if row is None:
            raise EventUnknown(f"No event {event_id!r} of source {source!r} was taken for company {company_id}.")
        cursor.execute(_CORRECTIONS, asked | {"sellers": row[6], "time": row[0]})
        corrections = cursor.fetchall()
        terms = _terms(cursor, [*row[7], *(correction[1] for correction in corrections)])
    return Trace(
        company_id=company_id, source=source, id=event_id, meter=row[3], quantity=row[1], attributes=row[4],
        event_time=row[0], received_at=row[5], shard=row[9], batch=row[2],
        charges=_charges(company_id, row, corrections, terms),
    )  # fmt: skip


def _terms(cursor: Any, rate_ids: list[int]) -> dict[int, Terms]:
    cursor.execute(
        "select id, unit_price_nano, per, minimum, increment, setup_fee_nano from pricing_rate where id = any(%s)",
        [rate_ids],
    )
    return {row[0]: Terms(*row[1:]) for row in cursor.fetchall()}


def _charges(company_id: int, row: Any, corrections: list[Any], terms: dict[int, Terms]) -> list[TracedCharge]:
    quantity, sellers, rates, amounts = row[1], row[6], row[7], row[8]
    buyers = [company_id, *sellers]
    charges = []
    for pos, (seller, rate) in enumerate(zip(sellers, rates, strict=True)):
        charges.append(_charge(seller, buyers[pos], rate, amounts[pos], quantity, terms, "with the event"))
        for corrected, late_rate, amount, kind in corrections:
            if corrected == pos and kind in ("reversal", "withdrawal"):
                words = "takes back what stood" if late_rate else "takes back what had no price"
                charges.append(TracedCharge(seller, buyers[pos], late_rate or None, words, amount, f"later ({kind})"))
            elif corrected == pos:
                charges.append(_charge(seller, buyers[pos], late_rate, amount, quantity, terms, f"later ({kind})"))
    return charges


def _charge(
    seller: int, buyer: int, rate: int, amount: int, quantity: int, terms: dict[int, Terms], recorded: str
) -> TracedCharge:
    if not rate:
        return TracedCharge(seller, buyer, None, "no price at that instant: unrated", None, recorded)
    used = terms[rate]
    return TracedCharge(seller, buyer, rate, calculation_text(used, quantity), amount, recorded)


def calculation_text(terms: Terms, quantity: int) -> str:
    """The arithmetic of one charge in one line."""
    billed = billed_quantity(quantity, terms.minimum, terms.increment)
    text = f"{quantity} billed as {billed} ({terms.minimum}/{terms.increment}) × {amount_text(terms.unit_price_nano)}"
    if terms.per != 1:
        text += f" ÷ {terms.per}"
    if terms.setup_fee_nano:
        text += f" + {amount_text(terms.setup_fee_nano)} set-up"
    return text
