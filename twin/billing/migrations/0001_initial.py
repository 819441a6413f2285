"""Statements, invoices and the ledger between a seller and its direct buyer; every row has exactly these two parties."""

from __future__ import annotations

from django.db import connections, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

ORGANISATION = "(select nullif(current_setting('twin.organisation', true), '')::int)"

# Exact amounts are nano-units in numeric(40, 0): a sum of many charges may leave 63 bits. `_minor` is the currency's minor unit.
TABLES = """
create table billing_settings (
    seller_id int primary key references companies_company,
    series text not null default 'INV',
    credit_series text not null default 'CN',
    top_up_series text not null default 'TOP',
    grace interval not null default '1 day',
    payment_days int not null default 14 check (payment_days between 0 and 365),
    closes_automatically boolean not null default true,
    tax_kind text not null default 'exempt' check (tax_kind in ('rate', 'exempt', 'reverse_charge')),
    tax_percent numeric(7, 4) not null default 0 check (tax_percent between 0 and 100),
    tax_text text not null default '',
    late_policy text not null default 'next_invoice' check (late_policy in ('next_invoice', 'credit_note', 'write_off')),
    late_threshold_minor bigint check (late_threshold_minor >= 0),
    language text not null default 'en' check (language in ('en', 'ru')),
    footer text not null default '',
    logo_digest bytea
);

create table billing_logo (
    seller_id int not null references companies_company,
    digest bytea not null,
    media_type text not null check (media_type in ('image/png', 'image/svg+xml', 'image/jpeg')),
    body bytea not null,
    primary key (seller_id, digest)
);

create table billing_statement (
    id bigint generated always as identity primary key,
    seller_id int not null references companies_company,
    buyer_id int not null references companies_company,
    month date not null check (extract(day from month) = 1),
    time_zone text not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    currency char(3) not null,
    state text not null default 'closing' check (state in ('closing', 'closed')),
    -- What closing waits for: '' nothing, 'unrated' usage without a price, 'late' usage above the threshold.
    held text not null default '' check (held in ('', 'unrated', 'late')),
    since bigint[] not null,
    cutoff bigint[],
    late_policy text check (late_policy in ('next_invoice', 'credit_note', 'write_off')),
    signed_off_reason text not null default '',
    signed_off_by text not null default '',
    signed_off_at timestamptz,
    amount numeric(40, 0),
    digest bytea,
    closed_at timestamptz,
    check (starts_at < ends_at),
    check ((state = 'closed') = (cutoff is not null and amount is not null and digest is not null and closed_at is not null)),
    unique (seller_id, buyer_id, starts_at)
);
create index billing_statement_buyer on billing_statement (buyer_id, starts_at);
create index billing_statement_month on billing_statement (seller_id, month);

create table billing_line (
    statement_id bigint not null references billing_statement,
    number int not null,
    seller_id int not null,
    buyer_id int not null,
    kind text not null check (kind in ('usage', 'late')),
    month date not null,
    meter_id smallint not null,
    rate_id int not null,
    unit_price_nano bigint not null,
    per int not null,
    minimum bigint not null,
    increment bigint not null,
    setup_fee_nano bigint not null,
    selector jsonb not null,
    count bigint not null,
    quantity numeric(40, 0) not null,
    billed numeric(40, 0) not null,
    amount numeric(40, 0) not null,
    primary key (statement_id, number)
);

create table billing_series (
    seller_id int not null references companies_company,
    series text not null,
    last bigint not null default 0,
    primary key (seller_id, series)
);

create table billing_invoice (
    id bigint generated always as identity primary key,
    seller_id int not null references companies_company,
    buyer_id int not null references companies_company,
    kind text not null check (kind in ('invoice', 'credit_note', 'top_up')),
    series text not null,
    number bigint not null,
    statement_id bigint references billing_statement,
    corrects_id bigint references billing_invoice,
    reason text not null default '',
    issued_at timestamptz not null,
    issued_on date not null,
    due_on date,
    month date,
    currency char(3) not null,
    language text not null,
    seller_details jsonb not null,
    buyer_details jsonb not null,
    tax_kind text not null,
    tax_percent numeric(7, 4) not null,
    tax_text text not null,
    footer text not null,
    logo_digest bytea,
    net_minor bigint not null,
    tax_minor bigint not null,
    gross_minor bigint not null,
    check (gross_minor = net_minor + tax_minor),
    unique (seller_id, series, number)
);
create unique index billing_invoice_of_statement on billing_invoice (statement_id, kind) where corrects_id is null;
create index billing_invoice_buyer on billing_invoice (buyer_id, issued_at);
create index billing_invoice_issued on billing_invoice (seller_id, issued_at);
create index billing_invoice_corrects on billing_invoice (corrects_id) where corrects_id is not null;

create table billing_invoice_line (
    invoice_id bigint not null references billing_invoice,
    number int not null,
    seller_id int not null,
    buyer_id int not null,
    statement_line int,
    credits_line int,
    month date,
    meter_id smallint,
    unit_price_nano bigint,
    per int,
    minimum bigint,
    increment bigint,
    setup_fee_nano bigint,
    selector jsonb not null default '{}',
    description text not null default '',
    -- Which part of the credited line is taken back, as a fraction: thirds add up to the whole.
    share text not null default '',
    count numeric(40, 0),
    quantity numeric(40, 0),
    billed numeric(40, 0),
    exact numeric(40, 0) not null,
    net_minor bigint not null,
    primary key (invoice_id, number)
);

create table billing_account (
    seller_id int not null references companies_company,
    buyer_id int not null references companies_company,
    mode text not null default 'postpaid' check (mode in ('prepaid', 'postpaid')),
    -- null: without limit; prepaid means 0 unless a limit is given.
    credit_limit_minor bigint check (credit_limit_minor >= 0),
    warn_percents int[] not null default '{80,100}',
    warned_percent int not null default 0,
    primary key (seller_id, buyer_id)
);

create table billing_transaction (
    id bigint generated always as identity primary key,
    seller_id int not null references companies_company,
    buyer_id int not null references companies_company,
    kind text not null check (kind in ('invoice', 'credit_note', 'payment', 'refund', 'reversal')),
    invoice_id bigint references billing_invoice,
    reverses_id bigint unique references billing_transaction,
    -- When the money moved; recorded_at is when Twin learned of it.
    at timestamptz not null,
    recorded_at timestamptz not null default now(),
    reference text not null default '',
    note text not null default '',
    recorded_by text not null default '',
    -- A line of a bank file counts once, however often the file is read.
    bank_key bytea
);
create unique index billing_transaction_bank on billing_transaction (seller_id, bank_key) where bank_key is not null;
create unique index billing_transaction_invoice on billing_transaction (invoice_id) where kind in ('invoice', 'credit_note');
create index billing_transaction_pair on billing_transaction (seller_id, buyer_id, at);
create index billing_transaction_buyer on billing_transaction (buyer_id, at);

create table billing_posting (
    transaction_id bigint not null references billing_transaction,
    number smallint not null,
    seller_id int not null,
    buyer_id int not null,
    account text not null check (account in ('receivable', 'revenue', 'tax', 'cash')),
    amount_minor bigint not null check (amount_minor <> 0),
    primary key (transaction_id, number)
);
create index billing_posting_pair on billing_posting (seller_id, buyer_id, account) include (amount_minor);

-- Which money settles what: `transaction_id` gave it, an invoice or a refund took it. Taken back by a row with the other
-- sign. What is not allocated is money on account.
create table billing_allocation (
    id bigint generated always as identity primary key,
    transaction_id bigint not null references billing_transaction,
    invoice_id bigint references billing_invoice,
    refund_id bigint references billing_transaction,
    seller_id int not null,
    buyer_id int not null,
    amount_minor bigint not null check (amount_minor <> 0),
    recorded_at timestamptz not null default now(),
    check (num_nonnulls(invoice_id, refund_id) = 1)
);
create index billing_allocation_transaction on billing_allocation (transaction_id);
create index billing_allocation_invoice on billing_allocation (invoice_id) include (amount_minor);
create index billing_allocation_refund on billing_allocation (refund_id) where refund_id is not null;
"""

PAIR = (
    "statement",
    "line",
    "invoice",
    "invoice_line",
    "account",
    "transaction",
    "posting",
    "allocation",
)
OWN = ("settings", "logo", "series")
# A buyer sees the logo on the documents it received.
BORNE = (
    "exists (select 1 from billing_invoice i where i.seller_id = billing_logo.seller_id"
    f" and i.logo_digest = billing_logo.digest and i.buyer_id = {ORGANISATION})"
)
# Once there they stay as they are.
APPEND_ONLY = ("line", "invoice", "invoice_line", "transaction", "posting", "allocation", "logo")

RULES = """
create function billing_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: record a new row instead', tg_table_name using errcode = 'restrict_violation';
end $$;

create function billing_keep_closed() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.state = 'closed' then
        raise exception 'a statement that was closed stays as it is' using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger billing_statement_closed before update or delete on billing_statement
    for each row execute function billing_keep_closed();

create function billing_check_balanced() returns trigger language plpgsql as $$
begin
    if exists (
        select 1 from billing_posting p where p.transaction_id in (select transaction_id from added)
        group by p.transaction_id having sum(p.amount_minor) <> 0
    ) then
        raise exception 'the postings of a transaction add up to zero' using errcode = 'check_violation';
    end if;
    return null;
end $$;
-- Not deferred: at the commit another organisation may ask, who sees nothing. So a transaction is posted by one statement.
create trigger billing_posting_balanced after insert on billing_posting
    referencing new table as added for each statement execute function billing_check_balanced();

-- What a transaction gives to settle others: nothing once it was reversed; a credit note that names an invoice lowers that.
create function billing_given(wanted bigint) returns bigint language sql stable as $$
    select coalesce(-sum(p.amount_minor), 0)::bigint from billing_transaction t
    join billing_posting p on p.transaction_id = t.id and p.account = 'receivable'
    left join billing_invoice i on i.id = t.invoice_id and t.kind = 'credit_note'
    where t.id = wanted and i.corrects_id is null and t.kind in ('payment', 'invoice', 'credit_note')
      and not exists (select 1 from billing_transaction r where r.reverses_id = t.id)
$$;
-- What a document or a refund still asks for at most.
create function billing_asked(document bigint, refund bigint) returns bigint language sql stable as $$
    select coalesce((select greatest(i.gross_minor + coalesce(
        (select sum(c.gross_minor) from billing_invoice c where c.corrects_id = i.id and c.kind = 'credit_note'), 0), 0)
        from billing_invoice i where i.id = document and i.kind = 'invoice'), 0)::bigint
    + coalesce((select sum(p.amount_minor) from billing_transaction t
        join billing_posting p on p.transaction_id = t.id and p.account = 'receivable'
        where t.id = refund and t.kind = 'refund'
          and not exists (select 1 from billing_transaction r where r.reverses_id = t.id)), 0)::bigint
$$;
create function billing_check_allocated() returns trigger language plpgsql as $$
begin
    if exists (
        select 1 from billing_allocation a where a.transaction_id in (select transaction_id from added)
        group by a.transaction_id having sum(a.amount_minor) not between 0 and greatest(billing_given(a.transaction_id), 0)
    ) or exists (
        select 1 from billing_allocation a
        where a.invoice_id in (select invoice_id from added) or a.refund_id in (select refund_id from added)
        group by a.invoice_id, a.refund_id
        having sum(a.amount_minor) not between 0 and billing_asked(a.invoice_id, a.refund_id)
    ) or exists (
        select 1 from added a join billing_transaction t on t.id = a.transaction_id
        left join billing_invoice i on i.id = a.invoice_id left join billing_transaction r on r.id = a.refund_id
        where (a.seller_id, a.buyer_id) is distinct from (t.seller_id, t.buyer_id)
           or (a.seller_id, a.buyer_id)
              is distinct from (coalesce(i.seller_id, r.seller_id), coalesce(i.buyer_id, r.buyer_id))
    ) then
        raise exception 'money settles no more than is there and no more than is open, between the same two'
            using errcode = 'check_violation';
    end if;
    return null;
end $$;
create trigger billing_allocation_within after insert on billing_allocation
    referencing new table as added for each statement execute function billing_check_allocated();

-- A reversal and a credit note leave nothing allocated that is no longer there: the allocations are taken back first.
create function billing_check_taken_back() returns trigger language plpgsql as $$
begin
    if exists (
        select 1 from added n join billing_allocation a on a.transaction_id = n.reverses_id or a.refund_id = n.reverses_id
        where n.kind = 'reversal' group by a.transaction_id, a.invoice_id, a.refund_id having sum(a.amount_minor) <> 0
    ) or exists (
        select 1 from added n join billing_invoice c on c.id = n.invoice_id
        join billing_allocation a on a.invoice_id = c.corrects_id
        where n.kind = 'credit_note'
        group by a.invoice_id having sum(a.amount_minor) > billing_asked(a.invoice_id, null)
    ) then
        raise exception 'what is reversed or credited settles nothing any more' using errcode = 'check_violation';
    end if;
    return null;
end $$;
create trigger billing_transaction_taken_back after insert on billing_transaction
    referencing new table as added for each statement execute function billing_check_taken_back();
"""


def secure(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """FORCE row-level security everywhere; only the seller writes; ingestion has no business here."""
    run = schema_editor.execute
    writer = schema_editor.quote_name(str(connections["writer"].settings_dict["USER"]))
    for name in (*PAIR, *OWN):
        table = f"billing_{name}"
        read = f"seller_id = {ORGANISATION}" + (f" or buyer_id = {ORGANISATION}" if name in PAIR else "")
        if name == "logo":
            read += f" or {BORNE}"
        run(f"alter table {table} enable row level security")
        run(f"alter table {table} force row level security")
        run(f"create policy {table}_read on {table} for select using ({read})")
        run(f"create policy {table}_add on {table} for insert with check (seller_id = {ORGANISATION})")
        if name in APPEND_ONLY:
            run(
                f"create trigger {table}_append_only before update or delete on {table}"
                " for each statement execute function billing_refuse_change()"
            )
        else:
            run(
                f"create policy {table}_change on {table} for update"
                f" using (seller_id = {ORGANISATION}) with check (seller_id = {ORGANISATION})"
            )
        run(f"revoke all on {table} from {writer}")


class Migration(migrations.Migration):
    initial = True
    dependencies = [("companies", "0006_record"), ("pricing", "0002_rates_paid"), ("metering", "0003_sold_events")]
    operations = [
        migrations.RunSQL(TABLES, migrations.RunSQL.noop),
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
        migrations.RunPython(secure, migrations.RunPython.noop),
    ]
