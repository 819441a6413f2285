"""Rows of documents as they are told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from twin.billing.types import Invoice, InvoiceKind, InvoiceLine, TaxKind
from twin.pricing.meters import METER_BY_ID
from twin.pricing.types import Terms


def invoice_in(row: Sequence[Any]) -> Invoice:
    """A document without its lines."""
    return Invoice(
        id=row[0],
        seller_id=row[1],
        buyer_id=row[2],
        kind=cast(InvoiceKind, row[3]),
        series=row[4],
        number=row[5],
        statement_id=row[6],
        corrects_id=row[7],
        reason=row[8],
        issued_at=row[9],
        issued_on=row[10],
        due_on=row[11],
        month=row[12],
        currency=row[13],
        language=row[14],
        seller_details=_plain(row[15]),
        buyer_details=_plain(row[16]),
        tax_kind=cast(TaxKind, row[17]),
        tax_percent=row[18],
        tax_text=row[19],
        footer=row[20],
        logo_digest=None if row[21] is None else bytes(row[21]),
        net_minor=row[22],
        tax_minor=row[23],
        gross_minor=row[24],
        paid_minor=row[25],
        credited_minor=row[26],
    )


def invoice_line_in(row: Sequence[Any]) -> InvoiceLine:
    """A line; the id of its document stands before it."""
    _, number, statement_line, credits_line, month, meter_id, price, per, minimum, increment, fee, *rest = row
    selector, description, count, quantity, billed, exact, net_minor, share = rest
    return InvoiceLine(
        number=number,
        statement_line=statement_line,
        credits_line=credits_line,
        month=month,
        meter=None if meter_id is None else METER_BY_ID[meter_id].code,
        terms=None if price is None else Terms(price, per, minimum, increment, fee),
        selector=_plain(selector),
        description=description,
        count=None if count is None else int(count),
        quantity=None if quantity is None else int(quantity),
        billed=None if billed is None else int(billed),
        exact=int(exact),
        net_minor=net_minor,
        share=share,
    )


def _plain(given: Any) -> dict[str, str]:
    """What stands in a column of JSON, whether the driver has read it or not."""
    loaded = json.loads(given) if isinstance(given, str) else given
    return dict(loaded)
