"""What the database's own catalogue says of tables, and questions put to it as owner and as application."""

from __future__ import annotations

from typing import Any

from django.db import connections

TENANT_COLUMNS = ("company_id", "seller_id", "buyer_id", "ancestor_id", "organisation_id", "parent_id")

# Views run as their owner, who bypasses row-level security: each carries its own condition.
VIEWS_OF_THE_APP = {
    "metering_billable",
    "metering_running_correction",
    "metering_sold",
    "metering_sold_event",
    "pricing_rate_paid",
}


def owner_rows(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


def app_rows(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connections["default"].cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


def tenant_tables() -> dict[str, list[str]]:
    """Every table with a tenant column, and those columns."""
    rows = owner_rows(
        """
        select c.relname, array_agg(a.attname::text order by a.attname)
        from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not a.attisdropped
          and (a.attname = any(%s) or (c.relname = 'companies_company' and a.attname = 'id'))
        group by c.relname
        """,
        list(TENANT_COLUMNS),
    )
    return dict(rows)


def readable_by_app(names: set[str]) -> list[str]:
    user = connections["default"].settings_dict["USER"]
    found = owner_rows(
        "select n from unnest(%s::text[]) n where has_table_privilege(%s, n, 'select') order by n", list(names), user
    )
    return [row[0] for row in found]
