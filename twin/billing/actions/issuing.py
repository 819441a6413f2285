"""Statements become documents: as soon as both parties' details are complete, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from twin.billing.actions.recording import Document, record_documents
from twin.billing.errors import StatementNotFound
from twin.billing.queries.invoices import invoices_of_statements
from twin.billing.queries.settings import settings_of
from twin.billing.queries.waiting import Party, parties
from twin.billing.rules.details import frozen
from twin.billing.rules.documents import Draft, documents_of, sums_of
from twin.billing.types import Invoice, Settings, Statement
from twin.companies.access import platform_scope
from twin.companies.types import BILLING_WRITE, Scope
from twin.kernel.tenancy import scoped


def issue_for_statement(scope: Scope, statement: Statement, *, tell: bool = True) -> Invoice | None:
    """`issue_for_statements` of one; its first document, None when there is none (yet)."""
    return next(iter(issue_for_statements(scope, [statement], tell=tell)), None)


@scoped
def issue_for_statements(
    scope: Scope, statements: Sequence[Statement], *, tell: bool = True, issued_at: datetime | None = None
) -> list[Invoice]:
    """Issue what closed statements become: each an invoice, a credit note, one of each, or nothing.

    While details of either party are missing a statement waits, see `queries.waiting`. Safe to repeat: what
    is issued is returned. Belongs into the transaction that closes the statements. `tell` sends the mails.
    `issued_at` is the present unless told otherwise.
    """
    scope.require(BILLING_WRITE)
    drafts = {_number(scope, one): documents_of(one) for one in statements}
    wanted = [number for number, made in drafts.items() if made]
    if not wanted:
        return []
    _hold(wanted)
    issued = invoices_of_statements(scope, wanted)
    done = {one.statement_id for one in issued}
    left = [one for one in statements if drafts[one.id or 0] and one.id not in done]
    return [*issued, *_issue(scope, left, drafts, tell, issued_at)] if left else issued


def _number(scope: Scope, statement: Statement) -> int:
    if statement.id is None or statement.seller_id != scope.organisation_id:
        raise StatementNotFound(f"There is no closed statement {statement.id} of yours.")
    return statement.id


def _hold(statement_ids: Sequence[int]) -> None:
    """Nobody else makes documents of the statements until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select 1 from billing_statement where id = any(%s) order by id for no key update", [list(statement_ids)]
        )


def _issue(
    scope: Scope,
    statements: Sequence[Statement],
    drafts: Mapping[int, Sequence[Draft]],
    tell: bool,
    issued_at: datetime | None,
) -> list[Invoice]:
    # In the platform's name: a former seller sees its buyer no more.
    known = parties(platform_scope(), {scope.organisation_id, *(one.buyer_id for one in statements)})
    seller, settings = known[scope.organisation_id], settings_of(scope)
    if seller.missing:
        return []
    documents = [
        _document(draft, one, settings, seller, known[one.buyer_id])
        for one in statements
        if not known[one.buyer_id].missing
        for draft in drafts[one.id or 0]
    ]
    if not documents:
        return []
    return record_documents(scope, documents, settings=settings, tell=tell, issued_at=issued_at)


def _document(draft: Draft, statement: Statement, settings: Settings, seller: Party, buyer: Party) -> Document:
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
        seller_details=frozen(seller.values),
        buyer_details=frozen(buyer.values),
        seller_zone=seller.time_zone,
        payment_days=settings.payment_days if draft.kind == "invoice" else None,
        statement_id=statement.id,
        month=statement.month,
    )
