"""The columns by which documents are read."""

from __future__ import annotations

from typing import Final

# What money and credit notes have made of a document since; of a request for a top-up: what was paid on it.
COLUMNS: Final = """
    i.id, i.seller_id, i.buyer_id, i.kind, i.series, i.number, i.statement_id, i.corrects_id, i.reason, i.issued_at,
    i.issued_on, i.due_on, i.month, i.currency, i.language, i.seller_details, i.buyer_details, i.tax_kind,
    i.tax_percent, i.tax_text, i.footer, i.logo_digest, i.net_minor, i.tax_minor, i.gross_minor, p.paid, p.credited
"""
SINCE: Final = """
    cross join lateral (
        select
            case i.kind
            when 'invoice' then
                coalesce((select sum(a.amount_minor) from billing_allocation a where a.invoice_id = i.id), 0)
            when 'top_up' then
                coalesce((select -sum(g.amount_minor) from billing_transaction t
                    join billing_posting g on g.transaction_id = t.id and g.account = 'receivable'
                    where t.invoice_id = i.id and t.kind = 'payment'
                    and not exists (select 1 from billing_transaction r where r.reverses_id = t.id)), 0)
            else 0 end::bigint as paid,
            case when i.kind = 'invoice' then
                coalesce((select -sum(n.gross_minor) from billing_invoice n where n.corrects_id = i.id), 0)
            else 0 end::bigint as credited
    ) p
"""
LINES: Final = """
    select invoice_id, number, statement_line, credits_line, month, meter_id, unit_price_nano, per, minimum, increment,
        setup_fee_nano, selector, description, count, quantity, billed, exact, net_minor, share
    from billing_invoice_line where invoice_id = any(%s) order by invoice_id, number
"""
