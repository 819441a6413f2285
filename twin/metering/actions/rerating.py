"""Correcting what is charged: what stands is taken back and charged again by the prices of now.

Asked for, counted as a preview, decided by a person, then done in steps of one transaction each
(`recharging.py`). What people decide is here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection, connections

from twin.companies.catalogue import catalogue_change, share_catalogue
from twin.companies.errors import CompanyNotFound
from twin.companies.queries import direct_buyers, names_of
from twin.companies.recording import record_deed, record_deeds
from twin.companies.types import BILLING_WRITE, PRICES_WRITE, CatalogueChange, Scope
from twin.kernel import clock
from twin.kernel.errors import Forbidden, invalid_field
from twin.kernel.period import Period, instant_text
from twin.kernel.tenancy import scoped, tenant_transaction
from twin.kernel.text import clean_text
from twin.metering.errors import ReratingUndecidable
from twin.metering.queries.reratings import rerating
from twin.metering.rules.kept_reratings import change_json
from twin.metering.types import NewAssignment, NewPrices, Rerating
from twin.pricing import actions as pricing
from twin.pricing.meters import METER_BY_CODE
from twin.pricing.queries import get_card
from twin.pricing.rules.new_rates import check_rates

# New prices hold without end; what is charged ends with the present.
_FOR_EVER: Final = datetime(9999, 12, 31, tzinfo=UTC)
_LONGEST_REASON: Final = 500
_PREVIEW_LASTS: Final = timedelta(days=1)


@scoped
def ask_rerating(
    scope: Scope,
    *,
    period: Period | None = None,
    buyer_id: int | None = None,
    company_id: int | None = None,
    meters: Sequence[str] | None = None,
    prices: NewPrices | None = None,
    assignment: NewAssignment | None = None,
    above: Scope | None = None,
    by: str = "",
) -> Rerating:
    """Ask what it would change to charge the asker's edges of a period by the prices of now; changes nothing.

    With `prices` or an `assignment` it asks about those too, which are recorded when it is decided; it
    then reaches from their first instant on. `above` is the scope of the asker's own seller, where one
    person may decide for both edges. The preview is counted by `count_preview`.
    """
    _require(scope, above)
    if scope.kind == "company":
        raise Forbidden("Only who sells has charges to correct.")
    _know(scope, buyer_id if assignment is None else assignment.buyer_id, company_id)
    asked: dict[str, Any] = {
        "seller_id": scope.organisation_id,
        "above_id": above.organisation_id if above else None,
        "buyer_id": buyer_id,
        "company_id": company_id,
        "meters": _meters(meters),
        "change": json.dumps(change_json(prices, assignment)),
        "asked_at": clock.now(),
        "asked_by": by,
    }
    if prices is not None or assignment is not None:
        asked |= _reach_of_change(scope, prices, assignment)
    elif period is None:
        raise invalid_field("A period is needed.", "period")
    else:
        asked |= {"start_at": period.start, "end_at": period.end}
    return rerating(scope, _insert(asked))


def _require(scope: Scope, above: Scope | None) -> None:
    for one in (scope, above):
        if one is not None:
            one.require(PRICES_WRITE)
            one.require(BILLING_WRITE)


def _know(scope: Scope, buyer_id: int | None, company_id: int | None) -> None:
    """Former buyers count, and whoever once lay beneath them; raises `CompanyNotFound` for everybody else."""
    if buyer_id is not None and not direct_buyers(scope, only=[buyer_id]):
        raise CompanyNotFound(f"No company {buyer_id} buys from you.")
    if company_id is not None and company_id not in names_of(scope, [company_id]):
        raise CompanyNotFound(f"There is no company {company_id}.")


def _meters(codes: Sequence[str] | None) -> list[int] | None:
    if not codes:
        return None
    unknown = [code for code in codes if code not in METER_BY_CODE]
    if unknown:
        raise invalid_field(f"Unknown meter {unknown[0][:64]!r}.", "meters")
    return sorted({METER_BY_CODE[code].id for code in codes})


def _reach_of_change(scope: Scope, prices: NewPrices | None, assignment: NewAssignment | None) -> dict[str, Any]:
    """Everything that new prices can change, and no more: else charges would contradict the prices of their time."""
    if prices is not None and assignment is not None:
        raise invalid_field("New rates and a new card for a buyer are two corrections.", "assignment")
    if prices is not None:
        get_card(scope, prices.card_id)
        check_rates(prices.rates)
        return {
            "start_at": min(rate.effective_from for rate in prices.rates),
            "end_at": _FOR_EVER,
            "meters": _meters([rate.meter for rate in prices.rates]),
            "buyer_id": None,
            "company_id": None,
        }
    assert assignment is not None
    get_card(scope, assignment.card_id)
    return {
        "start_at": assignment.effective_from,
        "end_at": _FOR_EVER,
        "meters": None,
        "buyer_id": assignment.buyer_id,
        "company_id": None,
    }


def _insert(asked: dict[str, Any]) -> int:
    columns = ", ".join(asked)
    values = ", ".join(f"%({name})s" for name in asked)
    with connection.cursor() as cursor:
        cursor.execute(
            f"insert into metering_rerating ({columns}) values ({values}) returning rerating_id",  # noqa: S608 - names of our own columns
            asked,
        )
        return int(cursor.fetchone()[0])


def decide_rerating(
    scope: Scope, *, rerating_id: int, reason: str, above: Scope | None = None, by: str = ""
) -> Rerating:
    """Let the correction be done as previewed, and record why and its new prices, in one transaction; safe to repeat.

    The steps follow by `carry_out` or by the job. Raises `ReratingUndecidable` where it is not counted
    yet, was discarded, or the preview is outdated.
    """
    _require(scope, above)
    why = clean_text(reason, field="The reason", longest=_LONGEST_REASON)
    with tenant_transaction(scope.organisation_id):
        asked = rerating(scope, rerating_id)
    if asked.state in ("running", "done"):
        return asked
    with tenant_transaction(scope.organisation_id), _held_prices(asked) as change:
        asked = _locked(scope, rerating_id)
        if asked.state in ("running", "done"):
            return asked
        _refuse_undecidable(scope, asked, above)
        _record_prices(scope, change, asked)
        _decided(rerating_id, why, by)
        _note(scope, asked, why, above)
    return rerating(scope, rerating_id)


@contextmanager
def _held_prices(asked: Rerating) -> Iterator[CatalogueChange | None]:
    """Prices change alone; where none change, nobody else's may until it is decided."""
    if asked.prices is not None or asked.assignment is not None:
        with catalogue_change() as change:
            yield change
    else:
        share_catalogue(connections["default"])
        yield None


def _locked(scope: Scope, rerating_id: int) -> Rerating:
    with connection.cursor() as cursor:
        cursor.execute("select 1 from metering_rerating where rerating_id = %s for update", [rerating_id])
    return rerating(scope, rerating_id)


def _refuse_undecidable(scope: Scope, asked: Rerating, above: Scope | None) -> None:
    if asked.state != "ready" or asked.counted_at is None:
        raise ReratingUndecidable(f"Correction {asked.id} is {asked.state}: only one with a preview can be decided.")
    if asked.above_id != (above.organisation_id if above else None):
        raise ReratingUndecidable(f"Correction {asked.id} was asked for other edges: ask for it again.")
    if clock.now() - asked.counted_at > _PREVIEW_LASTS or _decided_since(scope, asked.counted_at):
        raise ReratingUndecidable(
            f"The preview of correction {asked.id} is outdated: count it again and look at it before deciding."
        )


def _decided_since(scope: Scope, counted_at: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "select exists (select 1 from metering_rerating where seller_id = %s and decided_at >= %s)",
            [scope.organisation_id, counted_at],
        )
        return bool(cursor.fetchone()[0])


def _record_prices(scope: Scope, change: CatalogueChange | None, asked: Rerating) -> None:
    if change is None:
        return
    own = scope.organisation_id
    if asked.prices is not None:
        card_id, rates = asked.prices.card_id, list(asked.prices.rates)
        pricing.record_rates(scope, change=change, card_id=card_id, rates=rates)
        meters = sorted({rate.meter for rate in rates})
        record_deed(scope, "rates.published", company_id=own, rate_card_id=card_id, number=len(rates), meters=meters)
    if asked.assignment is not None:
        given = asked.assignment
        since = given.effective_from
        pricing.record_assignment(
            scope, change=change, buyer_id=given.buyer_id, card_id=given.card_id, effective_from=since
        )
        told = {"rate_card_id": given.card_id, "buyer_id": given.buyer_id, "effective_from": instant_text(since)}
        record_deeds(scope, "rate_card.assigned", [(own, told)])


def _decided(rerating_id: int, reason: str, by: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update metering_rerating set state = 'running', reason = %s, decided_at = %s, decided_by = %s"
            " where rerating_id = %s",
            [reason, clock.now(), by, rerating_id],
        )


def _note(scope: Scope, asked: Rerating, reason: str, above: Scope | None) -> None:
    """In the record of whoever's edges are corrected."""
    for one in (scope, above):
        if one is not None:
            record_deed(
                one,
                "charges.corrected",
                company_id=one.organisation_id,
                rerating_id=asked.id,
                seller_id=asked.seller_id,
                start=instant_text(asked.period.start),
                end=instant_text(asked.period.end),
                reason=reason,
            )


@scoped
def discard_rerating(scope: Scope, *, rerating_id: int) -> Rerating:
    """Leave the charges as they are; nothing that is decided can be discarded."""
    return _put_back(scope, rerating_id, "discarded")


@scoped
def recount_rerating(scope: Scope, *, rerating_id: int) -> Rerating:
    """Have the preview counted again."""
    return _put_back(scope, rerating_id, "asked")


def _put_back(scope: Scope, rerating_id: int, state: str) -> Rerating:
    _require(scope, None)
    asked = _locked(scope, rerating_id)
    if asked.state not in ("asked", "ready", state):
        raise ReratingUndecidable(f"Correction {asked.id} is {asked.state}: that cannot be undone.")
    with connection.cursor() as cursor:
        cursor.execute(
            "update metering_rerating set state = %s, preview = null, counted_at = null where rerating_id = %s",
            [state, rerating_id],
        )
    return rerating(scope, rerating_id)
