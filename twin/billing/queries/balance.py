"""Where a buyer stands with its seller, now: the ledger and what is not invoiced yet, exact."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from twin.billing.errors import AccountNotFound
from twin.billing.queries.settings import settings_of
from twin.billing.rules.balances import TAX_PARTS, balance_in, tax_parts, with_tax
from twin.billing.rules.rounding import minor_nano
from twin.billing.types import Balance, Reason, Settings, Spending
from twin.companies.access import billing_scope
from twin.companies.queries import MAX_ID, direct_sellers, get_company
from twin.companies.types import BILLING_READ, CompanyState, Scope
from twin.kernel.tenancy import scoped, tenant_transaction
from twin.metering.queries.spent import spent_by_buyers

# Statements of a pair tile its charges: what stands in no closed one is all charges less those of the closed ones.
# A closing between reading the charges and this statement moves money from one part to the other, never out of both.
# `buyers` null: all of them; each value is written out as one text, as quoting thousands of them takes longer.
CHARGED: Final = """
    charged(buyer_id, amount) as (select * from unnest(%(charged)s::int[], %(amounts)s::numeric[]))
"""
_ASKED: Final = f"""
    with {CHARGED}, spent as (
        select buyer_id, coalesce(amount, 0) as amount
        from unnest(%(buyers)s::int[]) asked(buyer_id) left join charged using (buyer_id)
    ),
"""  # noqa: S608 - constants only
# What is known of each buyer in `spent`.
FIGURES: Final = f"""
    booked as (
        select buyer_id, -sum(amount_minor)::bigint as minor from billing_posting
        where seller_id = %(seller)s and account = 'receivable'
          and (%(buyers)s::int[] is null or buyer_id = any(%(buyers)s::int[])) group by 1
    ), closed as (
        select buyer_id, sum(amount) as amount from billing_statement
        where seller_id = %(seller)s and state = 'closed'
          and (%(buyers)s::int[] is null or buyer_id = any(%(buyers)s::int[])) group by 1
    ), unissued as materialized (
        select s.id, s.buyer_id, s.late_policy from billing_statement s
        left join billing_invoice i on i.statement_id = s.id and i.corrects_id is null
        where s.seller_id = %(seller)s and s.state = 'closed' and i.id is null
          and (%(buyers)s::int[] is null or s.buyer_id = any(%(buyers)s::int[]))
    ), waiting as (
        select buyer_id, sum(amount) as amount from (
            select u.buyer_id, sum(l.amount) as amount
            from unissued u join billing_line l on l.statement_id = u.id
            group by u.id, u.buyer_id, u.late_policy, l.kind, l.month
            having l.kind = 'usage' or u.late_policy is distinct from 'write_off' or sum(l.amount) < 0
        ) owed group by 1
    ), figures as (
        select spent.buyer_id, coalesce(a.mode, 'postpaid') as mode, a.credit_limit_minor,
            coalesce(a.warn_percents, '{{80,100}}') as warn_percents, coalesce(booked.minor, 0) as booked_minor,
            spent.amount - coalesce(closed.amount, 0) + coalesce(waiting.amount, 0) as unbilled,
            coalesce(waiting.amount, 0) as waiting,
            coalesce(a.credit_limit_minor, case a.mode when 'prepaid' then 0 end) as limit_minor
        from spent
        left join billing_account a on a.seller_id = %(seller)s and a.buyer_id = spent.buyer_id
        left join booked on booked.buyer_id = spent.buyer_id
        left join closed on closed.buyer_id = spent.buyer_id
        left join waiting on waiting.buyer_id = spent.buyer_id
    ), taxed as (
        select f.*, div(unbilled * (%(parts)s + {TAX_PARTS}) + case when unbilled > 0 then {TAX_PARTS - 1} else 0 end,
                        {TAX_PARTS}) as unbilled_gross
        from figures f
    ), balances as (
        select t.*, (booked_minor + limit_minor)::numeric * %(unit)s - unbilled_gross as available from taxed t
    )
"""  # noqa: S608 - constants only
COLUMNS: Final = """
    b.buyer_id, b.mode, b.credit_limit_minor, b.warn_percents, b.booked_minor, b.unbilled::text, b.waiting::text,
    b.unbilled_gross::text, b.available::text
"""

OF_BUYERS: Final = f"{_ASKED} {FIGURES} select {COLUMNS} from balances b"  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class Asked:
    """Of whom balances are asked, None: of everybody; and what they need: all charges, the seller's tax, the money."""

    seller_id: int
    buyers: Collection[int] | None
    spent: Mapping[int, int]
    settings: Settings
    currency: str

    def parameters(self) -> dict[str, Any]:
        return {
            "seller": self.seller_id,
            "buyers": None if self.buyers is None else _array(self.buyers),
            "charged": _array(self.spent),
            "amounts": _array(self.spent.values()),
            "parts": tax_parts(self.settings),
            "unit": minor_nano(1, self.currency),
        }


def _array(numbers: Iterable[int]) -> str:
    return f"{{{','.join(map(str, numbers))}}}"


@scoped
def balance(scope: Scope, seller_id: int, buyer_id: int) -> Balance:
    """Payments − invoices − what is not invoiced yet, for one of the two; `AccountNotFound` for everybody else.

    Read in the name of the seller, as its tax and its totals are not the buyer's to read; only figures
    of this pair leave here. Exact at the instant of reading.
    """
    scope.require(BILLING_READ)
    require_pair(scope, seller_id, buyer_id)
    return _read(scope, seller_id, buyer_id, get_company(scope, scope.organisation_id).currency)


def _read(scope: Scope, seller_id: int, buyer_id: int, currency: str) -> Balance:
    """`balance` for whoever has made sure already that the two are seller and buyer."""
    seller = scope if scope.organisation_id == seller_id else billing_scope(seller_id)
    with tenant_transaction(seller_id), connection.cursor() as cursor:
        asked = Asked(seller_id, [buyer_id], spent_by_buyers(seller, only=[buyer_id]), settings_of(seller), currency)
        cursor.execute(OF_BUYERS, asked.parameters())
        return balance_in(seller_id, currency, cursor.fetchone())


@scoped(snapshot=True)
def exhausted_balance(scope: Scope) -> Balance | None:
    """The balance of the asking organisation with its present seller, when nothing more may be spent.

    Needs no permission: everybody who works there is told. One short question where there is no limit.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select seller_id from billing_account where buyer_id = %s"
            " and (mode = 'prepaid' or credit_limit_minor is not null)",
            [scope.organisation_id],
        )
        limited = {row[0] for row in cursor.fetchall()}
    own = get_company(scope, scope.organisation_id) if limited else None
    if own is None or own.parent_id is None or own.parent_id not in limited:
        return None
    found = _read(scope, own.parent_id, own.id, own.currency)
    return found if found.is_exhausted else None


@scoped
def sellers_of(scope: Scope) -> list[int]:
    """From whom the asking organisation bought or buys directly: the present seller first, then former ones."""
    spans = direct_sellers(scope, scope.organisation_id)
    return list(dict.fromkeys(seller for seller, _ in reversed(spans)))


@scoped
def may_spend(scope: Scope, seller_id: int, buyer_id: int, *, amount: int) -> Spending:
    """Whether charges of this exact amount (nano-units, before tax) are covered now; nothing is reserved."""
    found = balance(scope, seller_id, buyer_id)
    settings = settings_of(billing_scope(seller_id))
    state = get_company(scope, buyer_id).state
    needed = with_tax(found.unbilled + amount, tax_parts(settings)) - found.unbilled_gross
    return Spending(allowed=not (reason := _reason(state, found, needed)), reason=reason, needed=needed, balance=found)


def _reason(state: CompanyState, found: Balance, needed: int) -> Reason:
    if state != "active":
        return state
    if found.available is None or needed <= found.available:
        return ""
    return "exhausted" if found.is_exhausted else "not_enough"


def require_pair(scope: Scope, seller_id: int, buyer_id: int) -> None:
    """Raise `AccountNotFound` unless the asker is one of the two and the one sold to the other at some time."""
    is_party = scope.organisation_id in (seller_id, buyer_id) and 0 < buyer_id <= MAX_ID
    if not (is_party and any(seller == seller_id for seller, _ in direct_sellers(scope, buyer_id))):
        raise AccountNotFound(f"There is no account of company {buyer_id} with company {seller_id}.")
