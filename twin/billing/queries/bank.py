"""What a bank file would record: each line with what it was found to be, and whether it is recorded already."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection

from twin.billing.rules.bank import BankLine, Matched, OpenDocument, folded_name, match_lines, moment_of, read_bank_file
from twin.companies.queries import direct_buyers, get_company
from twin.companies.types import BILLING_READ, Scope
from twin.kernel import clock
from twin.kernel.tenancy import scoped

# What nobody has paid yet, or paid only in part: of requests for a top-up all of the last months.
_DOCUMENTS: Final = """
    select i.id, i.buyer_id, i.series || '-' || lpad(i.number::text, greatest(6, length(i.number::text)), '0'),
        i.gross_minor + coalesce(c.credited, 0) - coalesce(a.paid, 0), i.kind = 'top_up'
    from billing_invoice i
    left join lateral (select sum(gross_minor)::bigint as credited from billing_invoice n
                       where n.corrects_id = i.id and n.kind = 'credit_note') c on true
    left join lateral (select sum(amount_minor)::bigint as paid from billing_allocation x
                       where x.invoice_id = i.id) a on true
    where i.seller_id = %(seller)s and i.kind in ('invoice', 'top_up')
      and (i.kind = 'top_up' or i.gross_minor + coalesce(c.credited, 0) - coalesce(a.paid, 0) > 0)
      and not (i.kind = 'top_up' and exists (select 1 from billing_transaction t where t.invoice_id = i.id
               and not exists (select 1 from billing_transaction r where r.reverses_id = t.id)))
    order by i.id
"""
_NAMES: Final = """
    select distinct buyer_id, buyer_details->>'invoice_name' from billing_invoice
    where seller_id = %(seller)s and coalesce(buyer_details->>'invoice_name', '') <> ''
"""
# Somebody recorded it by hand: the same amount of the same company within these days.
_NEAR: Final = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class BankProposal:
    """A line and what would become of it.

    `is_known`: it was imported before. `recorded_by_hand`: a payment of this amount and company of about that day
    is recorded without a bank file.
    """

    matched: Matched
    buyer: str
    is_known: bool
    recorded_by_hand: bool

    @property
    def line(self) -> BankLine:
        return self.matched.line

    @property
    def is_certain(self) -> bool:
        """Taken unless somebody says otherwise: a number or a name says who paid."""
        return self.matched.match in ("document", "company") and not self.recorded_by_hand


@scoped(snapshot=True)
def bank_proposals(scope: Scope, text: str) -> list[BankProposal]:
    """What the file of the asking seller says, line by line; changes nothing."""
    scope.require(BILLING_READ)
    own = get_company(scope, scope.organisation_id)
    zone = ZoneInfo(own.time_zone)
    tomorrow = clock.now().astimezone(zone).date() + timedelta(days=1)
    lines = [
        replace(line, problem="date") if line.on and line.on > tomorrow else line
        for line in read_bank_file(text, currency=own.currency)
    ]
    buyers = {one.company_id: one.name for one in direct_buyers(scope)}
    matched = match_lines(lines, _documents(scope), _names(scope, buyers))
    known = known_lines(scope, [line.key for line in lines])
    seen: set[bytes] = set()
    proposals = []
    for one in matched:
        is_known = one.line.key in known or one.line.key in seen
        seen.add(one.line.key)
        by_hand = not is_known and _is_by_hand(scope, one, zone)
        proposals.append(BankProposal(one, buyers.get(one.buyer_id or 0, ""), is_known, by_hand))
    return proposals


@scoped
def known_lines(scope: Scope, keys: list[bytes]) -> set[bytes]:
    """Which lines were imported before; a payment that was reversed stays known."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select bank_key from billing_transaction where seller_id = %s and bank_key = any(%s)",
            [scope.organisation_id, keys],
        )
        return {bytes(row[0]) for row in cursor.fetchall()}


def _documents(scope: Scope) -> list[OpenDocument]:
    with connection.cursor() as cursor:
        cursor.execute(_DOCUMENTS, {"seller": scope.organisation_id})
        return [OpenDocument(*row) for row in cursor.fetchall()]


def _names(scope: Scope, buyers: dict[int, str]) -> dict[str, int | None]:
    """By which names a company pays: its own and those on its invoices; None where two share one."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMES, {"seller": scope.organisation_id})
        pairs: list[Any] = [*buyers.items(), *cursor.fetchall()]
    names: dict[str, int | None] = {}
    for buyer_id, name in pairs:
        known = names.setdefault(folded_name(name), buyer_id)
        if known != buyer_id:
            names[folded_name(name)] = None
    return names


def _is_by_hand(scope: Scope, one: Matched, zone: ZoneInfo) -> bool:
    if one.buyer_id is None:
        return False
    at = moment_of(one.line, zone)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select 1 from billing_transaction t
            join billing_posting p on p.transaction_id = t.id and p.account = 'cash'
            where t.seller_id = %s and t.buyer_id = %s and t.kind = 'payment' and t.bank_key is null
              and p.amount_minor = %s and t.at between %s and %s
              and not exists (select 1 from billing_transaction r where r.reverses_id = t.id)
            """,
            [scope.organisation_id, one.buyer_id, one.line.amount_minor, at - _NEAR, at + _NEAR],
        )
        return cursor.fetchone() is not None
