"""What the API reads and answers, field by field; nothing leaves that is not named here."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from twin.api.fields import (
    LARGEST_QUANTITY,
    Attribute,
    AttributeName,
    Code,
    Id,
    Input,
    Instant,
    MeterCode,
    Name,
    Price,
    Reason,
    Zone,
    attributes_schema,
)

Kind = Literal["company", "reseller"]
State = Literal["active", "blocked", "closed"]
Text = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class Output(BaseModel):
    """Base of everything answered."""

    model_config = ConfigDict(frozen=True)


class FieldProblem(Output):
    loc: list[str | int]
    msg: str


class Problem(Output):
    """RFC 9457 problem details; `errors` comes with bad input."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | None = None


# Companies -------------------------------------------------------------------
class NewCompany(Input):
    name: Name
    kind: Kind
    time_zone: Zone
    parent_id: Annotated[Id | None, Field(description="The seller; the key's own company when left out.")] = None
    external_id: Annotated[Code | None, Field(description="Unique among the companies of one parent.")] = None
    currency: Annotated[
        str | None, Field(max_length=3, description="The installation's currency; any other is refused.")
    ] = None
    effective_from: Annotated[
        Instant | None, Field(description="From when it belongs to the parent; now when left out.")
    ] = None


def _describe_change(schema: dict[str, Any]) -> None:
    """What is not named stays as it is, so no field has a default."""
    for described in schema["properties"].values():
        described.pop("default", None)
    schema["if"] = {"properties": {"state": {"enum": ["blocked", "closed"]}}, "required": ["state"]}
    schema["then"] = {"required": ["reason"]}
    schema["dependentRequired"] = {"reason": ["state"]}


class CompanyChange(Input):
    """Only what is named is changed; `external_id: null` removes it."""

    model_config = ConfigDict(json_schema_extra=_describe_change)

    name: Name = ""
    external_id: Code | None = None
    time_zone: Zone = ""
    state: State = "active"
    reason: Annotated[Reason, Field(description="Why; needed for `blocked` and `closed`.")] = ""
    kind: Annotated[Literal["reseller"], Field(description="A company may become a reseller, never back.")] = "reseller"

    @model_validator(mode="after")
    def _state_and_reason(self) -> Self:
        named = self.model_fields_set
        if "state" in named and self.state != "active" and "reason" not in named:
            raise PydanticCustomError("reason", "Blocking or closing a company needs a `reason`")
        if "reason" in named and "state" not in named:
            raise PydanticCustomError("reason", "A `reason` comes with a `state`")
        return self


class Move(Input):
    parent_id: Id
    effective_from: Instant


class CompanyOut(Output):
    id: int
    name: str
    kind: Literal["platform", "reseller", "company"]
    parent_id: int | None
    time_zone: str
    currency: str
    state: State
    external_id: str | None
    state_reason: str | None
    closed_at: Text | None
    # Told to its seller's keys with `billing:read`; null for others, and where there is no limit.
    balance: str | None = None
    credit_limit: str | None = None
    available: str | None = None


class CompanyPage(Output):
    items: list[CompanyOut]
    next_cursor: str | None


# Prices ----------------------------------------------------------------------
class NewRateCard(Input):
    name: Name
    default: bool = False


class RateCardOut(Output):
    id: int
    name: str
    default: bool


class RateCardPage(Output):
    items: list[RateCardOut]
    next_cursor: str | None


def _describe_rate(schema: dict[str, Any]) -> None:
    """The default of a price is written as prices are: as a string."""
    schema["properties"]["setup_fee"]["default"] = "0"


class RateIn(Input):
    model_config = ConfigDict(json_schema_extra=_describe_rate)

    meter: MeterCode
    selector: Annotated[dict[AttributeName, Attribute], Field(max_length=4), WithJsonSchema(attributes_schema(4))] = {}
    unit_price: Price
    per: Annotated[int, Field(ge=1, le=10**6)] = 1
    minimum: Annotated[int, Field(ge=0, le=LARGEST_QUANTITY)] = 0
    increment: Annotated[int, Field(ge=1, le=LARGEST_QUANTITY)] = 1
    setup_fee: Price = 0
    effective_from: Instant


class NewRates(Input):
    """At least one rate, at most 10,000 in one call."""

    rates: Annotated[list[RateIn], Field(min_length=1)]


class PricedOut(Output):
    """Unrated usage that got its price in this call, and what a job will price."""

    priced: int
    pending: int


class RateOut(Output):
    id: int
    meter: str
    selector: dict[str, str]
    unit_price: str
    per: int
    minimum: int
    increment: int
    setup_fee: str
    effective_from: Text


class RatePage(Output):
    items: list[RateOut]
    next_cursor: str | None


class CardChoice(Input):
    rate_card_id: Id
    effective_from: Instant


class AssignmentOut(Output):
    company_id: int
    rate_card_id: int
    effective_from: Text


class AssignedOut(AssignmentOut):
    priced: int
    pending: int


# Usage -----------------------------------------------------------------------
class UsageData(BaseModel):
    """What was used. Quantity is parts for SMS and seconds for calls; 1 when left out."""

    meter: MeterCode
    quantity: Annotated[int, Field(ge=0, le=LARGEST_QUANTITY)] = 1
    attributes: Annotated[
        dict[AttributeName, Attribute], Field(max_length=16), WithJsonSchema(attributes_schema(16))
    ] = {}


class UsageEvent(BaseModel):
    """A CloudEvents 1.0 envelope; fields that are not named here are ignored."""

    specversion: Literal["1.0"]
    type: Literal["twin.usage"]
    source: Annotated[str, Field(min_length=1, max_length=128)]
    id: Annotated[str, Field(min_length=1, max_length=256)]
    subject: Annotated[str, Field(description='The company: its id in decimal digits, or "external:CODE".')]
    time: Instant
    data: UsageData


class RefusalOut(Output):
    index: int
    id: str
    detail: str


class TakenOut(Output):
    accepted: int
    duplicates: int
    unrated: int
    conflicts: list[RefusalOut]
    rejected: list[RefusalOut]


class ConflictOut(Output):
    company_id: int
    source: str
    id: str
    meter: str
    quantity: int
    time: Text
    attributes: dict[str, str]
    recorded_at: Text


class ConflictPage(Output):
    items: list[ConflictOut]
    next_cursor: str | None


class UnratedOut(Output):
    seller_id: int
    buyer_id: int
    meter: str
    attributes: dict[str, str]
    count: int
    first_at: Text
    last_at: Text


class UnratedPage(Output):
    items: list[UnratedOut]
    next_cursor: str | None


# Report ----------------------------------------------------------------------
class FiguresOut(Output):
    count: int
    quantity: int
    buy: str
    sell: str


class AfterStatementOut(Output):
    """Events that came and charges that changed after the closed statement of their month, and what that changed."""

    came: int
    changed: int
    sell: str


class RowOut(Output):
    company_id: int
    company_name: str
    path: list[str]
    unrated: int
    meters: dict[str, FiguresOut]
    total_buy: str
    total_sell: str
    margin: str
    after_statement: Annotated[AfterStatementOut | None, Field(description="There with `after_statements`.")] = None


class TotalsOut(Output):
    meters: dict[str, FiguresOut]
    total_buy: str
    total_sell: str
    margin: str
    unrated: int
    after_statement: AfterStatementOut | None = None


class SectionOut(Output):
    rows: list[RowOut]
    totals: TotalsOut
    row_count: int
    next_cursor: str | None


class PeriodOut(Output):
    model_config = ConfigDict(frozen=True, populate_by_name=True)

    from_: Annotated[Text, Field(alias="from")]
    to: Text
    time_zone: str


class ResellerOut(Output):
    id: int
    name: str


class ReportOut(Output):
    reseller: ResellerOut
    period: PeriodOut
    currency: str
    has_expenses: bool
    unrated: int
    sections: dict[str, SectionOut]


class UsageFiguresOut(Output):
    count: int
    quantity: int
    sell: str


class UsageFiguresOfSectionOut(Output):
    meters: dict[str, UsageFiguresOut]
    total_sell: str
    unrated: int


class UsageRowOut(UsageFiguresOfSectionOut):
    company_id: int
    company_name: str
    path: list[str]


class UsageSectionOut(Output):
    rows: list[UsageRowOut]
    totals: UsageFiguresOfSectionOut
    row_count: int
    next_cursor: str | None


class CompanyNameOut(Output):
    id: int
    name: str


class UsageReportOut(Output):
    """What one company used and pays; nothing here tells what anybody above it pays."""

    company: CompanyNameOut
    period: PeriodOut
    currency: str
    unrated: int
    total_sell: str
    sections: dict[str, UsageSectionOut]


class HealthOut(Output):
    status: str
    detail: str = ""


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a model whose definitions stand under `components`."""
    return model.model_json_schema(ref_template="#/components/schemas/{model}", by_alias=True)
