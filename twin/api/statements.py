"""`/statements`: what a buyer owes its direct seller month by month, down to the charge; and how a seller bills."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field, WithJsonSchema

from twin.api.auth import ApiKey, reads_json, scope_of
from twin.api.fields import Cursor, Input, PathId, QueryId, QueryInput, Reason, Search, known_id
from twin.api.schemas import Output, Text
from twin.billing.actions.deciding import decide_late, sign_off
from twin.billing.actions.settings import save_settings
from twin.billing.queries.drilling import charges_of
from twin.billing.queries.listing import ListedStatement, StatementsAsked, statements
from twin.billing.queries.settings import settings_of
from twin.billing.queries.statements import open_statements, statement
from twin.billing.rules.rounding import minor, minor_text, to_minor
from twin.billing.rules.statements import line_of
from twin.billing.types import Settings, Statement, StatementLine
from twin.companies.queries import direct_sellers, get_company
from twin.companies.types import BILLING_READ, BILLING_WRITE, Scope
from twin.kernel import clock
from twin.kernel.errors import Invalid, invalid_field
from twin.kernel.money import amount_text
from twin.kernel.period import instant_text, parse_instant
from twin.metering.queries.billable_events import BillableCharge, Place

State = Literal["open", "closing", "closed"]
Held = Literal["", "unrated", "late"]
Policy = Literal["next_invoice", "credit_note", "write_off"]
Month = Annotated[
    str, Field(description="The month as its first day: 2026-10-01.", json_schema_extra={"format": "date"})
]
Series = Annotated[str, Field(max_length=12, pattern=r"^[A-Z0-9]([A-Z0-9/.-]{0,10}[A-Z0-9])?$")]
Words = Annotated[
    str,
    Field(max_length=1000, pattern=r"^[^\u0000]*$"),
    WithJsonSchema({"type": "string", "maxLength": 1000, "pattern": r"^[^\u0000]*$"}),
]
Percent = Annotated[
    str,
    Field(pattern=r"^(100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)$", description="From 0 to 100.", examples=["19"]),
]
Threshold = Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,4})?$", examples=["100.00"])]
router = Router(tags=["Statements"])


class StatementOut(Output):
    """Without lines. `amount` is exact; null while an ended month waits. `until` is where it ends, exclusive."""

    id: int | None
    seller_id: int
    company_id: int
    month: Month
    time_zone: str
    starts_at: Text
    ends_at: Text
    currency: str
    state: State
    held: Held
    amount: str | None
    closed_at: Text | None


class LineOut(Output):
    """Usage charged at one version of a rate. `month` is that of the usage: of a late line an earlier one."""

    number: int
    kind: Literal["usage", "late"]
    month: Month
    meter: str
    rate_id: int
    selector: dict[str, str]
    unit_price: str
    per: int
    minimum: int
    increment: int
    setup_fee: str
    count: int
    quantity: int
    billed_quantity: int
    amount: str
    rounded: str


class WholeStatementOut(StatementOut):
    """With lines; those of an open one are as of now. `cutoff` is its place in the order of commits."""

    cutoff: list[int] | None
    late_policy: Policy | None
    signed_off_reason: str
    lines: list[LineOut]


class StatementPageOut(Output):
    items: list[StatementOut]
    total: int
    next_offset: int | None


class OpenStatementsOut(Output):
    items: list[WholeStatementOut]


class ChargeOut(Output):
    """One charge of a line: of an event when it was taken, or what was charged or taken back for it later."""

    kind: Literal["event", "priced", "reversal", "rerated", "withdrawal"]
    company_id: int
    source: str
    id: str
    time: Text
    received_at: Text
    quantity: int
    billed_quantity: int
    amount: str
    attributes: dict[str, str]


class ChargePageOut(Output):
    items: list[ChargeOut]
    next_cursor: str | None


class SettingsBody(Input):
    """How the key's company bills; replaces all of it but the logo."""

    series: Series = "INV"
    credit_series: Series = "CN"
    top_up_series: Series = "TOP"
    grace_hours: Annotated[int, Field(ge=0, le=672)] = 24
    payment_days: Annotated[int, Field(ge=0, le=365)] = 14
    closes_automatically: bool = True
    tax_kind: Literal["rate", "exempt", "reverse_charge"] = "exempt"
    tax_percent: Percent = "0"
    tax_text: Words = ""
    late_policy: Policy = "next_invoice"
    late_threshold: Annotated[
        Threshold | None, Field(description="Late usage beyond it waits for a decision; null: never.")
    ] = None
    language: Literal["en", "ru"] = "en"
    footer: Words = ""


class SettingsOut(Output):
    series: str
    credit_series: str
    top_up_series: str
    grace_hours: int
    payment_days: int
    closes_automatically: bool
    tax_kind: Literal["rate", "exempt", "reverse_charge"]
    tax_percent: str
    tax_text: str
    late_policy: Policy
    late_threshold: str | None
    language: str
    footer: str
    has_logo: bool


class SignOff(Input):
    reason: Reason


class LateDecision(Input):
    policy: Policy


class StatementsQuery(QueryInput):
    """`side=received`: made for the key's company; `side=issued`: made by it."""

    side: Literal["received", "issued"] = "received"
    state: Literal["all", "closed", "waiting"] = "all"
    search: Search | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0


class OpenQuery(QueryInput):
    company: QueryId | None = None


class ChargesQuery(QueryInput):
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    cursor: Cursor | None = None


@router.get("/statements", auth=ApiKey(BILLING_READ, query=StatementsQuery), response=StatementPageOut)
def list_statements(request: HttpRequest, query: Query[StatementsQuery]) -> StatementPageOut:
    """Closed statements and those that wait for somebody's word, newest first; of `issued` also by name or id."""
    asked = StatementsAsked(
        side=query.side, state=query.state, search=query.search or "", offset=query.offset, limit=query.limit
    )
    page = statements(scope_of(request), asked)
    following = query.offset + len(page.items)
    return StatementPageOut(
        items=[_listed(one) for one in page.items],
        total=page.total,
        next_offset=following if following < page.total else None,
    )


@router.get("/open-statements", auth=ApiKey(BILLING_READ, query=OpenQuery), response=OpenStatementsOut)
def list_open_statements(request: HttpRequest, query: Query[OpenQuery]) -> OpenStatementsOut:
    """The months that no closed statement holds, as of now: of the key's company, or of a company it sells to."""
    scope = scope_of(request)
    own = scope.organisation_id
    if query.company is None or query.company == own:
        sellers = {seller for seller, _held in direct_sellers(scope, own)}
        pairs = [(seller, own) for seller in sorted(sellers)]
    else:
        pairs = [(own, get_company(scope, query.company).id)]
    return OpenStatementsOut(items=[_whole(one) for pair in pairs for one in open_statements(scope, *pair)])


@router.get("/statements/{int:statement_id}", auth=ApiKey(BILLING_READ), response=WholeStatementOut)
def get_statement(request: HttpRequest, statement_id: PathId) -> WholeStatementOut:
    """A statement of which the key's company is the seller or the buyer."""
    return _whole(statement(scope_of(request), known_id(statement_id)))


@router.get(
    "/statements/{int:statement_id}/lines/{int:number}/charges",
    auth=ApiKey(BILLING_READ, query=ChargesQuery),
    response=ChargePageOut,
)
def list_charges(
    request: HttpRequest, statement_id: PathId, number: PathId, query: Query[ChargesQuery]
) -> ChargePageOut:
    """The charges that a line adds up, oldest first, as of the statement's cutoff."""
    scope = scope_of(request)
    found = statement(scope, known_id(statement_id))
    page = charges_of(scope, found, line_of(found, number), after=_read_cursor(query.cursor), limit=query.limit)
    return ChargePageOut(
        items=[_charge(one) for one in page.items],
        next_cursor=None if page.following is None else _cursor(page.following),
    )


@router.post("/statements/{int:statement_id}/sign-off", auth=reads_json(BILLING_WRITE), response=WholeStatementOut)
def sign_statement_off(request: HttpRequest, statement_id: PathId, body: SignOff) -> WholeStatementOut:
    """Close a statement although usage lacks a price; 409 when it does not wait for that."""
    scope = scope_of(request)
    sign_off(scope, known_id(statement_id), reason=body.reason, now=clock.now())
    return _whole(statement(scope, statement_id))


@router.post("/statements/{int:statement_id}/late", auth=reads_json(BILLING_WRITE), response=WholeStatementOut)
def decide_late_usage(request: HttpRequest, statement_id: PathId, body: LateDecision) -> WholeStatementOut:
    """Say what becomes of late usage above the threshold; 409 when the statement does not wait for that."""
    scope = scope_of(request)
    decide_late(scope, known_id(statement_id), policy=body.policy, now=clock.now())
    return _whole(statement(scope, statement_id))


@router.get("/billing-settings", auth=ApiKey(BILLING_READ), response=SettingsOut)
def get_billing_settings(request: HttpRequest) -> SettingsOut:
    """How the key's company bills its buyers."""
    scope = scope_of(request)
    return _settings(settings_of(scope), _currency(scope))


@router.put("/billing-settings", auth=reads_json(BILLING_WRITE), response=SettingsOut)
def put_billing_settings(request: HttpRequest, body: SettingsBody) -> SettingsOut:
    """Bill like this from now on; what is issued keeps what it was issued with."""
    scope = scope_of(request)
    currency = _currency(scope)
    given = body.model_dump()
    threshold = given.pop("late_threshold")
    wanted = Settings(
        grace=timedelta(hours=given.pop("grace_hours")),
        tax_percent=Decimal(given.pop("tax_percent")),
        late_threshold_minor=None if threshold is None else _minor(threshold, currency),
        **given,
    )
    return _settings(save_settings(scope, settings=wanted), currency)


def _currency(scope: Scope) -> str:
    return get_company(scope, scope.organisation_id).currency


def _minor(text: str, currency: str) -> int:
    try:
        return to_minor(Decimal(text), currency)
    except Invalid as error:
        raise invalid_field(str(error), "late_threshold") from error


def _listed(one: ListedStatement) -> StatementOut:
    return StatementOut(
        id=one.id,
        seller_id=one.seller_id,
        company_id=one.buyer_id,
        month=one.month.isoformat(),
        time_zone=one.time_zone,
        starts_at=instant_text(one.starts_at),
        ends_at=instant_text(one.ends_at),
        currency=one.currency,
        state=one.state,
        held=one.held,
        amount=None if one.amount is None else amount_text(one.amount),
        closed_at=instant_text(one.closed_at) if one.closed_at else None,
    )


def _whole(found: Statement) -> WholeStatementOut:
    return WholeStatementOut(
        id=found.id,
        seller_id=found.seller_id,
        company_id=found.buyer_id,
        month=found.month.isoformat(),
        time_zone=found.time_zone,
        starts_at=instant_text(found.period.start),
        ends_at=instant_text(found.period.end),
        currency=found.currency,
        state=found.state,
        held=found.held,
        amount=None if found.amount is None else amount_text(found.amount),
        closed_at=instant_text(found.closed_at) if found.closed_at else None,
        cutoff=None if found.cutoff is None else list(found.cutoff),
        late_policy=found.late_policy,
        signed_off_reason=found.signed_off_reason,
        lines=[_line(line, found.currency) for line in found.lines],
    )


def _line(line: StatementLine, currency: str) -> LineOut:
    terms = line.terms
    return LineOut(
        number=line.number,
        kind=line.kind,
        month=line.month.isoformat(),
        meter=line.meter,
        rate_id=line.rate_id,
        selector=dict(line.selector),
        unit_price=amount_text(terms.unit_price_nano),
        per=terms.per,
        minimum=terms.minimum,
        increment=terms.increment,
        setup_fee=amount_text(terms.setup_fee_nano),
        count=line.count,
        quantity=line.quantity,
        billed_quantity=line.billed,
        amount=amount_text(line.amount),
        rounded=minor_text(minor(line.amount, currency), currency),
    )


def _charge(one: BillableCharge) -> ChargeOut:
    return ChargeOut(
        kind=one.kind,
        company_id=one.company_id,
        source=one.source,
        id=one.id,
        time=instant_text(one.event_time),
        received_at=instant_text(one.received_at),
        quantity=one.quantity,
        billed_quantity=one.billed,
        amount=amount_text(one.amount),
        attributes=one.attributes,
    )


def _settings(found: Settings, currency: str) -> SettingsOut:
    threshold = found.late_threshold_minor
    return SettingsOut(
        series=found.series,
        credit_series=found.credit_series,
        top_up_series=found.top_up_series,
        grace_hours=found.grace // timedelta(hours=1),
        payment_days=found.payment_days,
        closes_automatically=found.closes_automatically,
        tax_kind=found.tax_kind,
        tax_percent=f"{found.tax_percent.normalize():f}",
        tax_text=found.tax_text,
        late_policy=found.late_policy,
        late_threshold=None if threshold is None else minor_text(threshold, currency),
        language=found.language,
        footer=found.footer,
        has_logo=found.logo_digest is not None,
    )


def _cursor(place: Place) -> str:
    moment, source, key, number = place
    text = f"{instant_text(moment)}~{source}~{key.hex}~{number}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(text: str | None) -> Place | None:
    if text is None:
        return None
    try:
        plain = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
        moment, source, key, number = plain.split("~")
        place = parse_instant(moment), int(source), UUID(hex=key), int(number)
    except (ValueError, binascii.Error, Invalid):
        raise invalid_field("This `cursor` is not one that this list gave out.", "cursor") from None
    if not (0 <= place[1] < 2**31 and 0 <= place[3] < 2**63):
        raise invalid_field("This `cursor` is not one that this list gave out.", "cursor")
    return place
