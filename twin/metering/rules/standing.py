"""What the corrections of an event left standing on the two edges of one seller, as a part of other questions."""

from __future__ import annotations

# One row per corrected event; a rate of 0: no price stands there, null: that edge was never corrected. Asked with
# %(seller)s, %(start)s, %(end)s; `only` narrows both halves, so that each goes by its index.
_STANDING = """
    select company_id, source_id, key,
           (array_agg(rate order by correction_id desc) filter (where sells))[1] as sell_rate,
           coalesce(sum(amount) filter (where sells), 0)::bigint as sell,
           bool_or(sells and is_back) is true as sell_back,
           array_agg(array[shard, batch]) filter (where sells) as sell_places,
           (array_agg(rate order by correction_id desc) filter (where not sells))[1] as buy_rate,
           coalesce(sum(amount) filter (where not sells), 0)::bigint as buy,
           bool_or(not sells and is_back) is true as buy_back,
           bool_or(is_withdrawn) as withdrawn
    from (
        select {columns}, true as sells from metering_correction
        where seller_id = %(seller)s and event_time >= %(start)s and event_time < %(end)s {only}
        union all
        select {columns}, false from metering_correction
        where buyer_id = %(seller)s and pos > 0 and event_time >= %(start)s and event_time < %(end)s {only}
    ) corrected
    group by company_id, source_id, key
"""
_COLUMNS = """
    company_id, source_id, key, correction_id, batch, metering_shard_of(company_id, batch)::bigint as shard, amount,
    kind in ('reversal', 'withdrawal') as is_back, kind = 'withdrawal' as is_withdrawn,
    case when kind in ('priced', 'rerated') then rate_id else 0 end as rate
"""


def standing(only: str = "") -> str:
    """The question, narrowed by a further condition that begins with `and`."""
    return _STANDING.format(columns=_COLUMNS, only=only)
