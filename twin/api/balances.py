"""`/companies/{id}/balance` and what changes it: terms, payments, refunds. Between a company and its direct seller."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field, WithJsonSchema

from twin.api.auth import ApiKey, asked_of, reads_json, scope_of
from twin.api.fields import (
    Id,
    IdempotencyKey,
    Input,
    Instant,
    PathId,
    Price,
    QueryId,
    QueryInput,
    Reason,
    Search,
    known_id,
)
from twin.api.schemas import Output, Text
from twin.billing.actions.accounts import set_account
from twin.billing.actions.payments import record_payment, record_refund, reverse
from twin.billing.actions.repeating import done_once
from twin.billing.errors import AccountNotFound
from twin.billing.queries.balance import balance, may_spend
from twin.billing.queries.balances import BALANCE_ORDERS, BalancesAsked, balances
from twin.billing.queries.transactions import TransactionsAsked, transaction_of, transactions
from twin.billing.rules.rounding import minor_text, to_minor
from twin.billing.types import Balance, BuyerBalance, Spending, Transaction
from twin.companies.queries import get_company
from twin.companies.types import BILLING_READ, BILLING_WRITE, Company, Scope
from twin.kernel.errors import Invalid, invalid_field
from twin.kernel.money import amount_text, from_nano
from twin.kernel.period import Period, instant_text

MOST_TRANSACTIONS = 1_000
Line = Annotated[
    str,
    Field(max_length=140, pattern=r"^[^\u0000-\u001f\u007f]*$"),
    WithJsonSchema({"type": "string", "maxLength": 140}),
]
Note = Annotated[
    str,
    Field(max_length=500, pattern=r"^[^\u0000-\u001f\u007f]*$"),
    WithJsonSchema({"type": "string", "maxLength": 500}),
]
# Decimals beyond those of the currency are refused: money is never rounded on its way in.
Money = Annotated[
    Price,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^[0-9]{1,9}(\.[0-9]{1,4})?$",
            "description": "Money with at most the decimals that the currency has.",
            "examples": ["12.50"],
        }
    ),
]
Mode = Literal["prepaid", "postpaid"]
Kind = Literal["invoice", "credit_note", "payment", "refund", "reversal"]
router = Router(tags=["Balance"])


class BalanceOut(Output):
    """Where the company stands with its seller. Amounts are exact; a negative `booked` is owed."""

    company_id: int
    seller_id: int
    currency: str
    mode: Mode
    credit_limit: str | None
    warn_percents: list[int]
    booked: str
    unbilled: str
    unbilled_with_tax: str
    available: str | None
    exhausted: bool


class OwedOut(BalanceOut):
    """A buyer with its balance; `open` is what is to be paid of its invoices, `overdue` what is late of that."""

    company_name: str
    is_current: bool
    open: str
    overdue: str


class OwedPageOut(Output):
    """`booked` and `unbilled` are the sums of all that were asked for."""

    items: list[OwedOut]
    total: int
    booked: str
    unbilled: str
    currency: str
    next_offset: int | None


class OwedQuery(QueryInput):
    """`search` is part of the name in any case or the whole id; `former` ones are listed while something is open."""

    state: Literal["all", "owing", "overdue", "exhausted", "former"] = "all"
    search: Search | None = None
    sort: Annotated[str, Field(pattern=f"^-?({'|'.join(BALANCE_ORDERS)})$")] = "name"
    limit: Annotated[int, Field(ge=1, le=MOST_TRANSACTIONS)] = 100
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0


class Spend(Input):
    amount: Annotated[Price, Field(description="What the usage would be charged, before tax.")]


class SpendOut(Output):
    """`needed` is the amount with its tax, `available` what there is: null without a limit."""

    allowed: bool
    reason: Literal["", "blocked", "closed", "exhausted", "not_enough"]
    detail: str
    amount: str
    needed: str
    available: str | None
    currency: str


class AccountChange(Input):
    mode: Mode
    credit_limit: Annotated[Money | None, Field(description="How far the balance may go below zero; null: no limit.")]
    warn_percents: Annotated[list[Annotated[int, Field(ge=1, le=1000)]], Field(max_length=10)] = [80, 100]


class NewPayment(Input):
    company_id: Id
    amount: Money
    at: Annotated[Instant, Field(description="When the money moved.")]
    reference: Line = ""
    note: Note = ""
    invoices: Annotated[
        list[Annotated[int, Field(ge=1, le=2**53 - 1)]],
        Field(max_length=100, description="Settled first, in this order; a request for a top-up may stand among them."),
    ] = []
    again: Annotated[bool, Field(description="An equal payment that is recorded already was another one.")] = False


class NewRefund(Input):
    company_id: Id
    amount: Money
    at: Instant
    reference: Line = ""
    note: Note = ""
    payment_id: Annotated[int, Field(ge=1, le=2**53 - 1)] | None = None


class Reversal(Input):
    reason: Reason


class AllocationOut(Output):
    invoice_id: int
    number: str
    amount: str


class TransactionOut(Output):
    """One movement; `amount` is its effect on the company's balance, `balance` what it was afterwards."""

    id: int
    seller_id: int
    company_id: int
    kind: Kind
    at: Text
    recorded_at: Text
    amount: str
    balance: str
    currency: str
    invoice_id: int | None
    number: str
    reference: str
    note: str
    reverses_id: int | None
    reversed: bool
    settles: list[AllocationOut]


class TransactionPageOut(Output):
    items: list[TransactionOut]
    total: int
    next_offset: int | None


class TransactionQuery(QueryInput):
    """`side=bought`: between the key's company and its sellers; `side=sold`: between it and its buyers."""

    side: Literal["bought", "sold"] = "bought"
    company: QueryId | None = None
    kind: Literal["all", "invoice", "credit_note", "payment", "refund", "reversal"] = "all"
    search: Search | None = None
    from_: Annotated[Instant | None, Field(alias="from")] = None
    to: Instant | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_TRANSACTIONS)] = 100
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0


@router.get("/companies/{int:company_id}/balance", auth=ApiKey(BILLING_READ), response=BalanceOut)
def get_balance(request: HttpRequest, company_id: PathId) -> BalanceOut:
    """Payments − invoices, what is not invoiced yet and what may still be spent, at this instant.

    Of the key's own company, or of one whose seller it is.
    """
    scope = scope_of(request)
    return _balance(balance(scope, *_pair(scope, company_id)))


@router.get("/balances", auth=ApiKey(BILLING_READ, query=OwedQuery), response=OwedPageOut)
def list_balances(request: HttpRequest, query: Query[OwedQuery]) -> OwedPageOut:
    """What every company that buys from the key's company owes it, at this instant."""
    page = balances(
        scope_of(request),
        BalancesAsked(
            state=query.state, search=query.search or "", sort=query.sort, offset=query.offset, limit=query.limit
        ),
    )
    following = query.offset + len(page.items)
    return OwedPageOut(
        items=[_owed(one) for one in page.items],
        total=page.total,
        booked=minor_text(page.booked_minor, page.currency),
        unbilled=amount_text(page.unbilled),
        currency=page.currency,
        next_offset=following if following < page.total else None,
    )


@router.post("/companies/{int:company_id}/may-spend", auth=reads_json(BILLING_READ), response=SpendOut)
def ask_to_spend(request: HttpRequest, company_id: PathId, body: Spend) -> SpendOut:
    """Whether charges of this amount are covered now; asking reserves nothing."""
    scope = scope_of(request)
    return _spending(may_spend(scope, *_pair(scope, company_id), amount=body.amount), body.amount)


@router.put("/companies/{int:company_id}/account", auth=reads_json(BILLING_WRITE), response=BalanceOut)
def change_account(request: HttpRequest, company_id: PathId, body: AccountChange) -> BalanceOut:
    """Say how the company pays the key's company and up to which limit; holds from now on."""
    scope = scope_of(request)
    limit = None if body.credit_limit is None else _minor(scope, body.credit_limit, "credit_limit")
    set_account(
        scope,
        buyer_id=known_id(company_id),
        mode=body.mode,
        credit_limit_minor=limit,
        warn_percents=body.warn_percents,
    )
    return _balance(balance(scope, scope.organisation_id, company_id))


@router.get("/transactions", auth=ApiKey(BILLING_READ, query=TransactionQuery), response=TransactionPageOut)
def list_transactions(request: HttpRequest, query: Query[TransactionQuery]) -> TransactionPageOut:
    """Invoices, credit notes, payments and refunds as they moved the balance, newest first."""
    scope = scope_of(request)
    if (query.from_ is None) != (query.to is None):
        raise invalid_field("`from` and `to` come together.", "from" if query.from_ is None else "to")
    asked = TransactionsAsked(
        side=query.side,
        kind=query.kind,
        search=query.search or "",
        period=Period(query.from_, query.to) if query.from_ and query.to else None,
        partner_id=None if query.company is None else known_id(query.company),
        offset=query.offset,
        limit=query.limit,
    )
    page = transactions(scope, asked)
    following = query.offset + len(page.items)
    currency = _own(scope).currency
    return TransactionPageOut(
        items=[_transaction(one, currency) for one in page.items],
        total=page.total,
        next_offset=following if following < page.total else None,
    )


@router.get("/transactions/{int:transaction_id}", auth=ApiKey(BILLING_READ), response=TransactionOut)
def get_transaction(request: HttpRequest, transaction_id: PathId) -> TransactionOut:
    """One movement of which the key's company is a party, with what it settles now."""
    return _told(scope_of(request), known_id(transaction_id))


@router.post("/payments", auth=reads_json(BILLING_WRITE), response={201: TransactionOut})
def add_payment(
    request: HttpRequest, body: NewPayment, idempotency_key: IdempotencyKey = None
) -> Status[TransactionOut]:
    """Record what a company paid to the key's company. It settles what is named, then what is due first.

    409 when the same amount of the same day and reference is recorded already, unless `again`.
    """
    scope = scope_of(request)
    amount = _minor(scope, body.amount, "amount")
    number = done_once(
        scope,
        key=idempotency_key,
        asked=asked_of(request),
        act=lambda: record_payment(
            scope,
            buyer_id=body.company_id,
            amount_minor=amount,
            at=body.at,
            reference=body.reference,
            note=body.note,
            invoices=body.invoices,
            again=body.again,
            by=_by(scope),
        ),
    )
    return Status(201, _told(scope, number))


@router.post("/refunds", auth=reads_json(BILLING_WRITE), response={201: TransactionOut})
def add_refund(request: HttpRequest, body: NewRefund, idempotency_key: IdempotencyKey = None) -> Status[TransactionOut]:
    """Record money given back: at most what is on account, or the payment that is named. 409 when that is less."""
    scope = scope_of(request)
    amount = _minor(scope, body.amount, "amount")
    number = done_once(
        scope,
        key=idempotency_key,
        asked=asked_of(request),
        act=lambda: record_refund(
            scope,
            buyer_id=body.company_id,
            amount_minor=amount,
            at=body.at,
            reference=body.reference,
            note=body.note,
            payment_id=body.payment_id,
            by=_by(scope),
        ),
    )
    return Status(201, _told(scope, number))


@router.post(
    "/transactions/{int:transaction_id}/reverse", auth=reads_json(BILLING_WRITE), response={201: TransactionOut}
)
def reverse_transaction(request: HttpRequest, transaction_id: PathId, body: Reversal) -> Status[TransactionOut]:
    """Undo a payment or a refund. 409 when that was done already, or something of the payment was given back."""
    scope = scope_of(request)
    number = reverse(scope, known_id(transaction_id), reason=body.reason, by=_by(scope))
    return Status(201, _told(scope, number))


def _pair(scope: Scope, company_id: int) -> tuple[int, int]:
    """Seller and buyer: the own seller of now, or the asker as the seller of that company."""
    if company_id != scope.organisation_id:
        return scope.organisation_id, known_id(company_id)
    seller_id = _own(scope).parent_id
    if seller_id is None:
        raise AccountNotFound("The platform buys from nobody.")
    return seller_id, company_id


def _own(scope: Scope) -> Company:
    return get_company(scope, scope.organisation_id)


def _by(scope: Scope) -> str:
    return f"API key {scope.key_id}" if scope.key_id is not None else ""


def _minor(scope: Scope, nano: int, field: str) -> int:
    currency = _own(scope).currency
    try:
        return to_minor(from_nano(nano), currency)
    except Invalid as error:
        raise invalid_field(str(error), field) from None


def _told(scope: Scope, number: int) -> TransactionOut:
    return _transaction(transaction_of(scope, number), _own(scope).currency)


def _balance(found: Balance) -> BalanceOut:
    account, currency = found.account, found.currency
    limit = account.limit_minor
    return BalanceOut(
        company_id=account.buyer_id,
        seller_id=account.seller_id,
        currency=currency,
        mode=account.mode,
        credit_limit=None if limit is None else minor_text(limit, currency),
        warn_percents=list(account.warn_percents),
        booked=minor_text(found.booked_minor, currency),
        unbilled=amount_text(found.unbilled),
        unbilled_with_tax=amount_text(found.unbilled_gross),
        available=None if found.available is None else amount_text(found.available),
        exhausted=found.is_exhausted,
    )


def _owed(one: BuyerBalance) -> OwedOut:
    currency = one.balance.currency
    return OwedOut(
        **_balance(one.balance).model_dump(),
        company_name=one.name,
        is_current=one.is_current,
        open=minor_text(one.open_minor, currency),
        overdue=minor_text(one.overdue_minor, currency),
    )


_DETAILS = {
    "": "The amount is covered.",
    "blocked": "The company is blocked.",
    "closed": "The company is closed.",
    "exhausted": "The balance is exhausted: a payment or a higher credit limit is needed.",
    "not_enough": "The amount is more than is available.",
}


def _spending(told: Spending, amount: int) -> SpendOut:
    available = told.balance.available
    return SpendOut(
        allowed=told.allowed,
        reason=told.reason,
        detail=_DETAILS[told.reason],
        amount=amount_text(amount),
        needed=amount_text(told.needed),
        available=None if available is None else amount_text(available),
        currency=told.balance.currency,
    )


def _transaction(one: Transaction, currency: str) -> TransactionOut:
    return TransactionOut(
        id=one.id,
        seller_id=one.seller_id,
        company_id=one.buyer_id,
        kind=one.kind,
        at=instant_text(one.at),
        recorded_at=instant_text(one.recorded_at),
        amount=minor_text(one.amount_minor, currency),
        balance=minor_text(one.balance_minor or 0, currency),
        currency=currency,
        invoice_id=one.invoice_id,
        number=one.document,
        reference=one.reference,
        note=one.note,
        reverses_id=one.reverses_id,
        reversed=one.is_reversed,
        settles=[
            AllocationOut(
                invoice_id=share.invoice_id, number=share.code, amount=minor_text(share.amount_minor, currency)
            )
            for share in one.allocations
        ],
    )
