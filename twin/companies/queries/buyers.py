"""Who buys, or once bought, directly from the asking organisation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from django.db import connections

from twin.companies.rules.tree import folded, is_searchable
from twin.companies.types import Scope, Stay
from twin.kernel.tenancy import scoped
from twin.kernel.text import containing


@dataclass(frozen=True, slots=True)
class DirectBuyer:
    """A company and its times directly under the organisation, in order; the last one may be open."""

    company_id: int
    name: str
    time_zone: str
    currency: str
    stays: tuple[Stay, ...]


@scoped
def buyers_named(scope: Scope, search: str, *, limit: int) -> list[int]:
    """The ids of direct buyers, present or former, with this part in their name or with this id; so many at most."""
    if not search or not is_searchable(search):
        return []
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "select c.id from companies_company c where (c.search_name like %(part)s or c.id::text = %(whole)s)"
            " and exists (select 1 from companies_ancestry a where a.company_id = c.id"
            "  and a.ancestor_id = %(organisation)s and a.distance = 1) order by c.id limit %(limit)s",
            {
                "organisation": scope.organisation_id,
                "part": containing(folded(search)),
                "whole": search,
                "limit": limit,
            },
        )
        return [row[0] for row in cursor.fetchall()]


@scoped
def direct_buyers(scope: Scope, *, only: Iterable[int] | None = None) -> list[DirectBuyer]:
    """Every company (or those named) that was, is or will be the organisation's direct child, by id."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "select a.company_id, c.name, c.time_zone, c.currency, a.start_at, a.end_at"
            " from companies_ancestry a join companies_company c on c.id = a.company_id"
            " where a.ancestor_id = %(organisation)s and a.distance = 1"
            " and (%(only)s::int[] is null or a.company_id = any(%(only)s))"
            " order by a.company_id, a.start_at nulls first",
            {"organisation": scope.organisation_id, "only": None if only is None else list(only)},
        )
        rows = cursor.fetchall()
    return [
        DirectBuyer(*buyer, stays=tuple(Stay(buyer[0], start, end) for *_, start, end in stays))
        for buyer, stays in groupby(rows, key=lambda row: (row[0], row[1], row[2], row[3]))
    ]
