"""The end of a month: statements, invoices with numbers and lines, postings and mails, for thousands of companies."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

from bench.measuring import Cpu, children_cpu, watch_memory
from tests.flows.installation import ROOT, Installation

Figures = dict[str, Any]
# What closing a month writes: each table's key, and which of its rows came with the statements of that month.
WRITTEN: Mapping[str, tuple[str, str]] = {
    "billing_statement": ("id", "t.month = %(month)s"),
    "billing_line": (
        "statement_id, number",
        "exists (select from billing_statement s where s.id = t.statement_id and s.month = %(month)s)",
    ),
    "billing_invoice": ("id", "t.month = %(month)s"),
    "billing_invoice_line": (
        "invoice_id, number",
        "exists (select from billing_invoice i where i.id = t.invoice_id and i.month = %(month)s)",
    ),
    "billing_transaction": (
        "id",
        "exists (select from billing_invoice i where i.id = t.invoice_id and i.month = %(month)s)",
    ),
    "billing_posting": (
        "transaction_id, number",
        """exists (select from billing_transaction b join billing_invoice i on i.id = b.invoice_id
            where b.id = t.transaction_id and i.month = %(month)s)""",
    ),
    "kernel_dispatch": ("id", "t.created_at >= %(begun)s and t.purpose = 'invoice'"),
    "procrastinate_jobs": (
        "id",
        """t.task_name = 'twin.kernel.jobs.deliver' and exists (select from kernel_dispatch d
            where d.id = (t.args ->> 'dispatch_id')::bigint and d.created_at >= %(begun)s)""",
    ),
}
# The least reading that knows what everybody owes.
READ = """
    select company_id, chain_id, meter_id, rating_id, count(*), sum(quantity), sum(amount_0), sum(amount_1)
    from metering_event where event_time >= %(month)s and event_time < %(after)s group by 1, 2, 3, 4
"""
# The server's own schedule closes nothing meanwhile.
BY_HAND = """
    insert into billing_settings (seller_id, closes_automatically, tax_kind, tax_percent)
    select id, false, 'rate', 19 from companies_company where kind <> 'company'
    on conflict (seller_id) do update set closes_automatically = false
"""
# Everybody can be invoiced, and has somebody to write to.
DETAILS = """
    insert into companies_information (company_id, version, is_complete, name_given, email, phone, max_dialogs, country,
        invoice_name, receiver_name, registration_number, bank, account, inn, kpp, ogrn, bik, correspondent_account,
        vat_number, iban, bic, utr, ein, aba, duns, legal_street, legal_city, legal_region, legal_postal_code,
        postal_same, postal_street, postal_city, postal_region, postal_postal_code, postal_country, changed_at)
    select id, 1, true, true, 'office@' || id || '.example', '+4930901820', 300, 'DE', name, name, 'HRB ' || id,
        'Sparkasse', '', '', '', '', '', '', '', 'DE89370400440532013000', 'COBADEFFXXX', '', '', '', '',
        'Hauptstraße ' || id, 'Berlin', '', '10115', true, '', '', '', '', '', now()
    from companies_company
    on conflict (company_id) do update set is_complete = true
"""
PEOPLE = """
    with person as (
        insert into accounts_user (password, email, name, phone, time_zone, language, theme, is_active, is_staff,
            second_factor_exempt, date_joined)
        select '!', 'money@' || id || '.example', name, '', 'UTC', 'en', 'system', true, false, true, now()
        from companies_company
        returning id, email
    )
    insert into companies_employment (user_id, company_id, role, created_at, blocked_reason)
    select person.id, split_part(split_part(email, '@', 2), '.', 1)::int, 'finance', now(), '' from person
"""


@dataclass(frozen=True)
class Months:
    """Months closed by `twin billing close`, beside the least that could be done: rows read once, what came copied."""

    installation: Installation
    owner: dict[str, Any]

    def prepare(self) -> None:
        """Details and somebody to write to for every company; sellers close by hand. Once, before any closing."""
        with self._connect() as connection:
            for statement in (BY_HAND, DETAILS, PEOPLE):
                connection.execute(statement)

    def close(self, month: date, seller: int | None = None) -> Figures:
        """Close a month, the next one of everybody, from the start of the command to its end; then the anchor."""
        named = [] if seller is None else ["--seller", str(seller)]
        with self._connect() as connection:
            row = connection.execute("select now()").fetchone()
            given = {"month": month, "after": _next(month), "begun": row[0] if row else None}
        database, own, begun = Cpu(self.installation), children_cpu(), time.perf_counter()
        command = subprocess.Popen(
            [sys.executable, "-m", "twin", "billing", "close", "--month", f"{month:%Y-%m}", *named],
            cwd=ROOT, env=self.installation.environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        largest = watch_memory(command.pid)
        told, _ = command.communicate()
        wall = time.perf_counter() - begun
        if command.returncode:
            raise RuntimeError(f"billing close: exit {command.returncode}, {told}")
        figures: Figures = {"seconds": wall, "memory_mb": largest / 1e6, "cpu_seconds": children_cpu() - own}
        figures |= {"database_cpu_seconds": database.seconds(), "month": f"{month:%Y-%m}"}
        return figures | self._anchor(given)

    def _anchor(self, given: Figures) -> Figures:
        """The month's rows read once and grouped, then COPY of all that was written, tables with only their keys."""
        with self._connect() as connection:
            begun = time.perf_counter()
            connection.execute(READ, given).fetchall()
            read = time.perf_counter() - begun
            found = {table: _copied(connection, table, given) for table in WRITTEN}
        counts = {table: rows for table, (rows, _) in found.items()}
        copied = sum(seconds for _, seconds in found.values())
        return {
            "statements": counts["billing_statement"],
            "lines": counts["billing_line"],
            "documents": counts["billing_invoice"],
            "postings": counts["billing_posting"],
            "mails": counts["kernel_dispatch"],
            "anchor_seconds": read + copied,
            "read_seconds": read,
        }

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(**self.owner)


def _copied(connection: psycopg.Connection[Any], table: str, given: Figures) -> tuple[int, float]:
    """How many rows the closing left in the table, and the seconds in which COPY brings them into one like it."""
    key, rows = WRITTEN[table]
    connection.execute(f"create temporary table bench_{table} (like {table}, primary key ({key}))")
    out = f"copy (select t.* from {table} t where {rows}) to stdout"  # noqa: S608 - constants only
    with connection.cursor().copy(out, given) as copy:
        data = b"".join(bytes(part) for part in copy)
    begun = time.perf_counter()
    with connection.cursor().copy(f"copy bench_{table} from stdin") as target:
        target.write(data)
    return data.count(b"\n"), time.perf_counter() - begun


def months_over(start: datetime) -> list[date]:
    """The months since then that are over, their day of grace too, in order."""
    month, end, found = start.date().replace(day=1), (datetime.now(UTC) - timedelta(days=1)).date(), []
    while _next(month) < end:
        found.append(month)
        month = _next(month)
    return found


def _next(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)
