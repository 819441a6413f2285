"""How corrections are kept: the columns of a run, and its prices and figures as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from twin.kernel.period import Period, instant_text, parse_instant
from twin.metering.rules.figures import Tally
from twin.metering.types import NewAssignment, NewPrices, Rerating
from twin.pricing.meters import METER_BY_ID
from twin.pricing.types import NewRate

COLUMNS: Final = (
    "rerating_id, seller_id, above_id, buyer_id, company_id, meters, start_at, end_at, reason, change, state, preview,"
    " figures, asked_at, asked_by, counted_at, decided_at, decided_by, finished_at"
)


def rerating_of(row: Any) -> Rerating:
    """A row of `COLUMNS`; JSON comes as text or as read, whichever connection brought it."""
    change = read_json(row[9]) or {}
    preview, figures = read_json(row[11]), read_json(row[12])
    return Rerating(
        id=row[0],
        seller_id=row[1],
        above_id=row[2],
        buyer_id=row[3],
        company_id=row[4],
        meters=None if row[5] is None else tuple(METER_BY_ID[number].code for number in row[5]),
        period=Period(row[6], row[7]),
        reason=row[8],
        prices=_prices(change),
        assignment=_assignment(change),
        state=row[10],
        preview=Tally.of_json(preview).figures() if preview else None,
        figures=Tally.of_json(figures).figures() if figures else None,
        asked_at=row[13],
        asked_by=row[14],
        counted_at=row[15],
        decided_at=row[16],
        decided_by=row[17],
        finished_at=row[18],
    )


def read_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def change_json(prices: NewPrices | None, assignment: NewAssignment | None) -> dict[str, Any]:
    """What is recorded with the decision, as it is kept until then."""
    change: dict[str, Any] = {}
    if prices is not None:
        change["prices"] = {"card_id": prices.card_id, "rates": [_rate_json(rate) for rate in prices.rates]}
    if assignment is not None:
        change["assignment"] = {
            "buyer_id": assignment.buyer_id,
            "card_id": assignment.card_id,
            "effective_from": instant_text(assignment.effective_from),
        }
    return change


def _rate_json(rate: NewRate) -> dict[str, Any]:
    terms = (rate.unit_price_nano, rate.per, rate.minimum, rate.increment, rate.setup_fee_nano)
    return {
        "meter": rate.meter,
        "selector": dict(rate.selector),
        "terms": list(terms),
        "effective_from": instant_text(rate.effective_from),
    }


def _prices(change: Mapping[str, Any]) -> NewPrices | None:
    kept = change.get("prices")
    if not kept:
        return None
    return NewPrices(kept["card_id"], tuple(map(_rate, kept["rates"])))


def _rate(kept: Mapping[str, Any]) -> NewRate:
    unit_price, per, minimum, increment, fee = kept["terms"]
    since = parse_instant(kept["effective_from"])
    return NewRate(kept["meter"], kept["selector"], unit_price, per, minimum, increment, fee, since)


def _assignment(change: Mapping[str, Any]) -> NewAssignment | None:
    kept = change.get("assignment")
    if not kept:
        return None
    return NewAssignment(kept["buyer_id"], kept["card_id"], parse_instant(kept["effective_from"]))
