"""Statements become documents: as soon as both parties' details are complete, once."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from twin.billing.actions.recording import Document, record_document
from twin.billing.errors import StatementNotFound
from twin.billing.queries.invoices import invoices_of_statement
from twin.billing.queries.settings import settings_of
from twin.billing.queries.waiting import Party, party_of
from twin.billing.rules.details import frozen
from twin.billing.rules.documents import Draft, documents_of, sums_of
from twin.billing.types import Invoice, Settings, Statement
from twin.companies.access import platform_scope
from twin.companies.types import BILLING_WRITE, Scope
from twin.kernel.tenancy import scoped


@dataclass(frozen=True, slots=True)
class Parties:
    seller: Party
    buyer: Party

    @property
    def are_complete(self) -> bool:
        return not self.seller.missing and not self.buyer.missing


@scoped
def issue_for_statement(scope: Scope, statement: Statement, *, tell: bool = True) -> Invoice | None:
    """Issue what a closed statement becomes: an invoice, a credit note, or one of each; the first is returned.

    None when there is nothing to bill, or while details of either party are missing: then it waits, see
    `queries.waiting`. Safe to repeat: what is issued is returned. Belongs into the transaction that closes the
    statement. `tell` sends the mail about it.
    """
    scope.require(BILLING_WRITE)
    drafts = documents_of(statement)
    if statement.id is None or statement.seller_id != scope.organisation_id:
        raise StatementNotFound(f"There is no closed statement {statement.id} of yours.")
    if not drafts:
        return None
    _hold(statement.id)
    issued = invoices_of_statement(scope, statement.id)
    if issued:
        return issued[0]
    parties = parties_of(statement.seller_id, statement.buyer_id)
    if not parties.are_complete:
        return None
    settings = settings_of(scope)
    documents = [_document(draft, statement, settings, parties) for draft in drafts]
    issued = [record_document(scope, one, settings=settings, tell=tell) for one in documents]
    return issued[0]


def parties_of(seller_id: int, buyer_id: int) -> Parties:
    """Both parties as they are now, read in the platform's name: a former seller sees its buyer no more."""
    platform = platform_scope()
    return Parties(party_of(platform, seller_id), party_of(platform, buyer_id))


def _hold(statement_id: int) -> None:
    """Nobody else makes documents of the statement until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("select 1 from billing_statement where id = %s for no key update", [statement_id])


def _document(draft: Draft, statement: Statement, settings: Settings, parties: Parties) -> Document:
    sums = sums_of(draft, kind=settings.tax_kind, percent=settings.tax_percent)
    return Document(
        buyer_id=statement.buyer_id,
        kind=draft.kind,
        currency=statement.currency,
        lines=draft.lines,
        net_minor=sums.net_minor,
        tax_minor=sums.tax_minor,
        tax_kind=settings.tax_kind,
        tax_percent=settings.tax_percent,
        tax_text=settings.tax_text,
        language=settings.language,
        seller_details=frozen(parties.seller.values),
        buyer_details=frozen(parties.buyer.values),
        seller_zone=parties.seller.time_zone,
        payment_days=settings.payment_days if draft.kind == "invoice" else None,
        statement_id=statement.id,
        month=statement.month,
    )
