"""Documents as files."""

from __future__ import annotations

from twin.billing.papers import Printing, file_name, pdf_of
from twin.billing.queries.invoices import invoice, logo_on
from twin.companies.types import Scope
from twin.kernel.tenancy import tenant_transaction
from twin.kernel.typesetting import TypesettingFailed


def document_pdf(scope: Scope, invoice_id: int) -> tuple[str, bytes]:
    """Name and bytes of the document's PDF, always the same bytes; raises `InvoiceNotFound`.

    A logo that cannot be drawn is left out rather than that nobody gets the document.
    """
    with tenant_transaction(scope.organisation_id, snapshot=True):
        printing = _printing(scope, invoice_id)
    try:
        body = pdf_of(printing)
    except TypesettingFailed:
        if printing.logo is None:
            raise
        body = pdf_of(Printing(printing.document, printing.corrects))
    return file_name(printing.document), body


def _printing(scope: Scope, invoice_id: int) -> Printing:
    document = invoice(scope, invoice_id)
    corrects = invoice(scope, document.corrects_id) if document.corrects_id is not None else None
    logo = logo_on(scope, document.seller_id, document.logo_digest) if document.logo_digest is not None else None
    return Printing(document, corrects, logo)
