"""Payments from a bank file, as somebody has looked them through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from django.db import connection

from twin.billing.actions.booking import lock_ledgers
from twin.billing.actions.payments import Payment, pay
from twin.billing.errors import AccountNotFound, BillingInvalid
from twin.billing.queries.bank import BankProposal, bank_proposals
from twin.billing.rules.bank import moment_of
from twin.companies.queries import direct_buyers, get_company
from twin.companies.types import BILLING_WRITE, Scope
from twin.kernel.tenancy import scoped

# Two imports of one seller at once: the second one sees what the first has recorded.
_BANK_LOCK: Final = 0x42414E4B


@dataclass(frozen=True, slots=True)
class Imported:
    """How many lines became payments, and how many were recorded before."""

    recorded: int
    known: int
    left_out: int


@scoped
def import_bank_file(
    scope: Scope, text: str, *, buyers: Mapping[int, int | None] | None = None, by: str = ""
) -> Imported:
    """Record the payments of the file: of every line that says clearly who paid, and of those named in `buyers`.

    `buyers` says by the number of a line from which company it is, or with None that it is left out. Each line
    counts once, however often it comes: safe to repeat. All of it is recorded, or nothing.
    """
    scope.require(BILLING_WRITE)
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s, %s)", [_BANK_LOCK, scope.organisation_id])
    proposals = bank_proposals(scope, text)
    chosen = _chosen(scope, proposals, buyers or {})
    lock_ledgers(scope, (payer for _, payer in chosen))
    zone = ZoneInfo(get_company(scope, scope.organisation_id).time_zone)
    for one, payer in chosen:
        pay(scope, _payment(one, payer, zone), by=by)
    known = sum(one.is_known for one in proposals)
    return Imported(len(chosen), known, len(proposals) - len(chosen) - known)


def _chosen(
    scope: Scope, proposals: list[BankProposal], buyers: Mapping[int, int | None]
) -> list[tuple[BankProposal, int]]:
    chosen = []
    for one in proposals:
        if one.is_known or one.line.problem or one.line.is_outgoing:
            continue
        payer = buyers.get(one.line.number, one.matched.buyer_id if one.is_certain else None)
        if payer is not None:
            chosen.append((one, payer))
    known = {buyer.company_id for buyer in direct_buyers(scope, only={payer for _, payer in chosen})}
    for one, payer in chosen:
        if payer not in known:
            raise AccountNotFound(f"Line {one.line.number}: company {payer} does not buy from you.")
    return chosen


def _payment(one: BankProposal, payer: int, zone: ZoneInfo) -> Payment:
    line = one.line
    if line.on is None:
        raise BillingInvalid(f"Line {line.number} has no day.")
    documents = tuple(each.id for each in one.matched.documents if each.buyer_id == payer)
    return Payment(
        buyer_id=payer,
        amount_minor=line.amount_minor,
        at=moment_of(line, zone),
        reference=line.reference,
        note=line.payer,
        invoices=documents,
        bank_key=line.key,
    )
