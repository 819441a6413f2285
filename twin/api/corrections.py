"""`/corrections` and `/usage/withdrawals`: what is charged wrongly, charged again or taken back, always on record."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from twin.api.auth import ApiKey, reads_json, scope_of
from twin.api.fields import NO_NUL, Id, IdCursor, Input, Instant, Limit, MeterCode, PathId, QueryInput, Reason, known_id
from twin.api.prices import new_rate
from twin.api.schemas import CardChoice, Output, RateIn, Text
from twin.companies.types import BILLING_READ, BILLING_WRITE, Scope
from twin.kernel.errors import invalid_field
from twin.kernel.money import amount_text
from twin.kernel.period import Period, instant_text
from twin.metering import actions, queries
from twin.metering.types import (
    PLANNED_RATE,
    CompanyFigures,
    NewAssignment,
    NewPrices,
    RateFigures,
    Rerating,
    ReratingFigures,
)
from twin.pricing.meters import METER_BY_ID

# Some seconds' work; the job does what is longer.
_EVENTS_AT_ONCE: Final = 100_000
_MOST_RATES: Final = 1_000
router = Router(tags=["Corrections"])
State = Literal["asked", "ready", "running", "done", "discarded"]
Source = Annotated[
    str,
    Field(min_length=1, max_length=128, pattern=NO_NUL),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 128, "pattern": NO_NUL}),
]
EventId = Annotated[
    str,
    Field(min_length=1, max_length=256, pattern=NO_NUL),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 256, "pattern": NO_NUL}),
]


class RatesToRecord(Input):
    """Rates that clash with charges: recorded when the correction is decided, with all that they change."""

    rate_card_id: Id
    rates: Annotated[list[RateIn], Field(min_length=1, max_length=_MOST_RATES)]


class CardToGive(CardChoice):
    """A card that a buyer should have had: given when the correction is decided."""

    company_id: Id


class NewCorrection(Input):
    """A period to be charged again by the prices of now, or new prices with all that they change: one of the three.

    `buyer_id`, `company_id` and `meters` narrow a period down; new prices reach as far as they change something.
    """

    from_: Annotated[Instant | None, Field(alias="from")] = None
    to: Instant | None = None
    buyer_id: Annotated[Id | None, Field(description="Only what this direct buyer owes.")] = None
    company_id: Annotated[Id | None, Field(description="Only what this company used.")] = None
    meters: Annotated[list[MeterCode], Field(max_length=50)] = []
    new_rates: RatesToRecord | None = None
    new_card: CardToGive | None = None

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        has_period = self.from_ is not None or self.to is not None
        if has_period and (self.from_ is None or self.to is None):
            raise PydanticCustomError("period", "`from` and `to` come together")
        if [has_period, self.new_rates is not None, self.new_card is not None].count(True) != 1:
            raise PydanticCustomError("correction", "Name a period, or `new_rates`, or `new_card`: one of the three")
        narrows = (self.buyer_id, self.company_id, self.meters or None)
        if not has_period and any(one is not None for one in narrows):
            raise PydanticCustomError("correction", "Only a period can be narrowed down")
        return self


class Decision(Input):
    reason: Reason


class RateChangeOut(Output):
    """Charges that go from one rate to another; a rate of null: no price any more, or not recorded yet (`is_new`)."""

    meter: str
    old_rate_id: int | None
    new_rate_id: int | None
    is_new: bool
    count: int
    quantity: int
    before: str
    after: str


class CompanyChangeOut(Output):
    company_id: int
    count: int
    quantity: int
    before: str
    after: str


class SideOut(Output):
    """One edge: how many of its charges change, and by how much they rise together."""

    changed: int
    before: str
    after: str
    difference: str
    without_price: int
    by_rate: list[RateChangeOut]
    by_company: list[CompanyChangeOut]


class CorrectionFiguresOut(Output):
    """`buy` is what the key's company pays for the same usage; null where the correction leaves that alone."""

    looked_at: int
    sell: SideOut
    buy: SideOut | None
    margin_difference: str


class CorrectionOut(Output):
    """`preview` is what it would change, null while it is counted; `figures` what it has changed, null before."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    id: int
    state: State
    from_: Annotated[Text, Field(alias="from")]
    to: Annotated[Text | None, Field(description="Null where new prices hold without end.")]
    buyer_id: int | None
    company_id: int | None
    meters: list[str] | None
    rate_card_id: int | None
    reason: str
    preview: CorrectionFiguresOut | None
    figures: CorrectionFiguresOut | None
    asked_at: Text
    asked_by: str
    decided_at: Text | None
    decided_by: str
    finished_at: Text | None


class CorrectionPageOut(Output):
    items: list[CorrectionOut]
    next_cursor: str | None


class CorrectionsQuery(QueryInput):
    limit: Limit = 50
    cursor: IdCursor | None = None


class WithdrawalIn(Input):
    company_id: Id
    source: Source
    id: EventId
    reason: Reason


class WithdrawalOut(Output):
    """`edges`: on how many it is taken back. `is_new` is false where that was done before."""

    company_id: int
    source: str
    id: str
    edges: int
    is_new: bool


@router.post("/corrections", auth=reads_json(BILLING_WRITE), response={201: CorrectionOut}, by_alias=True)
def ask_for_correction(request: HttpRequest, body: NewCorrection) -> Status[CorrectionOut]:
    """Ask what it would change to charge again by the prices of now: a dry run, nothing is changed by it.

    Needs `prices:write` too. Answered with the preview, or, beyond 100,000 events, with the state `asked`: read it
    again until it is `ready`. What the key's company sells is looked at; the edge above belongs to its seller.
    """
    scope = scope_of(request)
    run = actions.ask_rerating(scope, **_asked(body), by=_by(scope))
    actions.count_preview(run.id, at_most=_EVENTS_AT_ONCE)
    return Status(201, _told(scope, run.id))


@router.get(
    "/corrections",
    auth=ApiKey(BILLING_READ, query=CorrectionsQuery),
    response=CorrectionPageOut,
    by_alias=True,
)
def list_corrections(request: HttpRequest, query: Query[CorrectionsQuery]) -> CorrectionPageOut:
    """The corrections of the key's company, newest first."""
    before = int(query.cursor) if query.cursor else None
    found = queries.reratings(scope_of(request), limit=query.limit + 1, before=before)
    shown = found[: query.limit]
    following = str(shown[-1].id) if len(found) > query.limit else None
    return CorrectionPageOut(items=[_correction(one) for one in shown], next_cursor=following)


@router.get("/corrections/{int:correction_id}", auth=ApiKey(BILLING_READ), response=CorrectionOut, by_alias=True)
def get_correction(request: HttpRequest, correction_id: PathId) -> CorrectionOut:
    """One correction of the key's company: what was asked, what it would change, what became of it."""
    return _told(scope_of(request), known_id(correction_id))


@router.post(
    "/corrections/{int:correction_id}/decide",
    auth=reads_json(BILLING_WRITE),
    response=CorrectionOut,
    by_alias=True,
)
def decide_correction(request: HttpRequest, correction_id: PathId, body: Decision) -> CorrectionOut:
    """Correct the charges as previewed; safe to repeat. Needs `prices:write` too.

    409 without a preview, after it was discarded, or when prices have changed since: count it again. Beyond
    100,000 events it is answered `running` and a job goes on.
    """
    scope = scope_of(request)
    run = actions.decide_rerating(scope, rerating_id=known_id(correction_id), reason=body.reason, by=_by(scope))
    actions.carry_out(run.id, at_most=_EVENTS_AT_ONCE)
    return _told(scope, run.id)


@router.post(
    "/corrections/{int:correction_id}/recount", auth=ApiKey(BILLING_WRITE), response=CorrectionOut, by_alias=True
)
def recount_correction(request: HttpRequest, correction_id: PathId) -> CorrectionOut:
    """Count the preview again; 409 once it was decided. Needs `prices:write` too."""
    scope = scope_of(request)
    run = actions.recount_rerating(scope, rerating_id=known_id(correction_id))
    actions.count_preview(run.id, at_most=_EVENTS_AT_ONCE)
    return _told(scope, run.id)


@router.post(
    "/corrections/{int:correction_id}/discard", auth=ApiKey(BILLING_WRITE), response=CorrectionOut, by_alias=True
)
def discard_correction(request: HttpRequest, correction_id: PathId) -> CorrectionOut:
    """Leave the charges as they are; 409 once it was decided. Needs `prices:write` too."""
    scope = scope_of(request)
    return _correction(actions.discard_rerating(scope, rerating_id=known_id(correction_id)))


@router.post("/usage/withdrawals", auth=reads_json(BILLING_WRITE), response=WithdrawalOut)
def withdraw_event(request: HttpRequest, body: WithdrawalIn) -> WithdrawalOut:
    """Take one event back on every edge: nobody owes for it, no total counts it; its id stays used.

    For the platform's keys that hold `usage:write` too, as only it takes usage in. Safe to repeat.
    """
    done = actions.withdraw_event(
        scope_of(request), company_id=body.company_id, source=body.source, event_id=body.id, reason=body.reason
    )
    return WithdrawalOut(
        company_id=done.company_id, source=done.source, id=done.id, edges=done.edges, is_new=done.is_new
    )


def _asked(body: NewCorrection) -> dict[str, Any]:
    """What was asked for, in the words of the action."""
    if body.new_rates is not None:
        rates = tuple(new_rate(one) for one in body.new_rates.rates)
        return {"prices": NewPrices(body.new_rates.rate_card_id, rates)}
    if body.new_card is not None:
        given = body.new_card
        return {"assignment": NewAssignment(given.company_id, given.rate_card_id, given.effective_from)}
    if body.from_ is None or body.to is None or body.from_ >= body.to:
        raise invalid_field("`from` must be earlier than `to`.", "to")
    return {
        "period": Period(body.from_, body.to),
        "buyer_id": body.buyer_id,
        "company_id": body.company_id,
        "meters": body.meters or None,
    }


def _by(scope: Scope) -> str:
    return f"API key {scope.key_id}" if scope.key_id is not None else ""


def _told(scope: Scope, correction_id: int) -> CorrectionOut:
    return _correction(queries.rerating(scope, correction_id))


def _correction(run: Rerating) -> CorrectionOut:
    change = run.prices or run.assignment
    return CorrectionOut(
        id=run.id,
        state=run.state,
        from_=instant_text(run.period.start),
        to=None if change else instant_text(run.period.end),
        buyer_id=run.buyer_id,
        company_id=run.company_id,
        meters=None if run.meters is None else list(run.meters),
        rate_card_id=change.card_id if change else None,
        reason=run.reason,
        preview=_figures(run, run.preview),
        figures=_figures(run, run.figures),
        asked_at=instant_text(run.asked_at),
        asked_by=run.asked_by,
        decided_at=instant_text(run.decided_at) if run.decided_at else None,
        decided_by=run.decided_by,
        finished_at=instant_text(run.finished_at) if run.finished_at else None,
    )


def _figures(run: Rerating, found: ReratingFigures | None) -> CorrectionFiguresOut | None:
    if found is None:
        return None
    return CorrectionFiguresOut(
        looked_at=found.looked_at,
        sell=_side(found, 0),
        buy=_side(found, 1) if run.above_id is not None else None,
        margin_difference=amount_text(found.margin),
    )


def _side(found: ReratingFigures, edge: int) -> SideOut:
    lines = [line for line in found.by_rate if line.edge == edge]
    return SideOut(
        changed=found.changed(edge),
        before=amount_text(sum(line.before for line in lines)),
        after=amount_text(sum(line.after for line in lines)),
        difference=amount_text(found.difference(edge)),
        without_price=found.losing(edge),
        by_rate=[_rate_change(line) for line in lines],
        by_company=[_company_change(line) for line in found.by_company if line.edge == edge],
    )


def _rate_change(line: RateFigures) -> RateChangeOut:
    is_new = line.new_rate >= PLANNED_RATE
    return RateChangeOut(
        meter=METER_BY_ID[line.meter_id].code,
        old_rate_id=line.old_rate or None,
        new_rate_id=None if is_new else line.new_rate or None,
        is_new=is_new,
        count=line.count,
        quantity=line.quantity,
        before=amount_text(line.before),
        after=amount_text(line.after),
    )


def _company_change(line: CompanyFigures) -> CompanyChangeOut:
    return CompanyChangeOut(
        company_id=line.company_id,
        count=line.count,
        quantity=line.quantity,
        before=amount_text(line.before),
        after=amount_text(line.after),
    )
