"""Which new rates contradict charges that stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from django.db import connection

from twin.companies.types import Scope
from twin.kernel.tenancy import scoped
from twin.metering.rules.clashes import ChargedUsage, RatesOfMeter, would_change
from twin.metering.types import RateClash
from twin.pricing.meters import METER_BY_CODE
from twin.pricing.queries import rates_of
from twin.pricing.types import NewRate

_ROWS_A_LOOK = 2_000
# What stands: the charge of the event itself, or what its last correction left. The latest event with its
# company at once: arrays compare from the left.
_CHARGED = """
    with last as materialized (
        select distinct on (company_id, source_id, key) company_id, source_id, key, kind, rate_id, attributes_id,
               event_time
        from metering_correction
        where seller_id = %(seller)s and meter_id = %(meter)s and event_time >= %(since)s
        order by company_id, source_id, key, correction_id desc
    )
    select rate_id, a.body::json, max(array[(extract(epoch from event_time) * 1000000)::bigint, company_id])
    from (
        select sell_rate_id as rate_id, attributes_id, event_time, company_id from metering_sold e
        where meter_id = %(meter)s and event_time >= %(since)s and sell_rate_id = any(%(rates)s)
          and not exists (
            select 1 from last
            where last.company_id = e.company_id and last.source_id = e.source_id and last.key = e.key
          )
        union all
        select rate_id, attributes_id, event_time, company_id from last
        where kind in ('priced', 'rerated') and rate_id = any(%(rates)s)
    ) charged
    join metering_attributes a using (attributes_id)
    group by rate_id, a.attributes_id
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@scoped
def rate_clashes(scope: Scope, card_id: int, rates: Sequence[NewRate]) -> list[RateClash]:
    """Of the new rates those that would change a charge by this card of the asker, in their order.

    Each names the latest usage that it would change. Certain only while nothing is being rated.
    """
    known = {rate.id: rate for rate in rates_of(scope, card_id)}
    latest: dict[int, ChargedUsage] = {}
    for meter_id, numbered in _by_meter(rates).items():
        of_meter, since = RatesOfMeter(numbered), min(rate.effective_from for _, rate in numbered)
        for usage in _charged(scope, meter_id, since, list(known)):
            for number, rate in of_meter.fitting(usage.attributes):
                if would_change(rate, known[usage.rate_id], usage.last_at):
                    latest[number] = max(usage, latest.get(number, usage), key=lambda one: one.last_at)
    return [RateClash(number, latest[number].company_id, latest[number].last_at) for number in sorted(latest)]


def _by_meter(rates: Sequence[NewRate]) -> dict[int, list[tuple[int, NewRate]]]:
    found: defaultdict[int, list[tuple[int, NewRate]]] = defaultdict(list)
    for number, rate in enumerate(rates):
        if rate.meter in METER_BY_CODE:
            found[METER_BY_CODE[rate.meter].id].append((number, rate))
    return found


def _charged(scope: Scope, meter_id: int, since: datetime, rate_ids: list[int]) -> Iterator[ChargedUsage]:
    """What these rates have charged since then, as the seller's own view tells; read in parts, it may be long."""
    if not rate_ids:
        return
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            _CHARGED, {"seller": scope.organisation_id, "meter": meter_id, "since": since, "rates": rate_ids}
        )
        while rows := cursor.fetchmany(_ROWS_A_LOOK):
            for rate_id, attributes, (micros, company_id) in rows:
                yield ChargedUsage(rate_id, attributes, _EPOCH + timedelta(microseconds=micros), company_id)
