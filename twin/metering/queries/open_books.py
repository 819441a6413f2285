"""The to-do of the books in pages: usage without a price, and contradicting events."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, Literal

from django.db import connection

from twin.companies.rules.employees import letters_folding_into
from twin.companies.rules.tree import folded, is_searchable
from twin.companies.types import Scope
from twin.kernel.tenancy import scoped
from twin.kernel.text import containing
from twin.metering.types import Conflict, Contradiction, ContradictionListing, OpenGroup, OpenListing, UnratedGroup

LISTED_A_PAGE: Final = 50
# Whose price is missing: the asker's own, or that of its seller.
Missing = Literal["own", "above"]

_FOLDED: Final = "replace(translate(normalize({}, NFKC), %(letters)s, %(small)s), 'ß', 'ss') like %(part)s"
_OPEN: Final = f"""
    with found as (
        select u.seller_id, u.buyer_id, u.meter_id, u.attributes_id, count(*) as number,
            min(u.event_time) as first_at, max(u.event_time) as last_at
        from metering_unrated u
        where case %(missing)s when 'own' then u.seller_id = %(organisation)s else u.buyer_id = %(organisation)s end
          and (%(whole)s = '' or u.meter_id = any(%(meters)s) or u.buyer_id::text = %(whole)s
            or exists (select 1 from companies_company c where c.id = u.buyer_id and c.search_name like %(part)s)
            or exists (select 1 from metering_attributes a, jsonb_each_text(a.body::jsonb) item(name, value)
                       where a.attributes_id = u.attributes_id and {_FOLDED.format("name || '=' || value")}))
        group by u.seller_id, u.buyer_id, u.meter_id, u.attributes_id
    )
"""  # noqa: S608 - constants only
# The price has to stand on the card by which the pair settled then; only the seller sees it.
_OPEN_PAGE: Final = f"""
    {_OPEN}
    select f.seller_id, f.buyer_id, m.code, a.body::json, f.number, f.first_at, f.last_at, (
        select s.card_id from pricing_assignment s
        where s.seller_id = %(organisation)s and s.seller_id = f.seller_id and s.buyer_id = f.buyer_id
          and s.effective_from <= f.first_at
        order by s.effective_from desc, s.id desc limit 1)
    from found f join pricing_meter m on m.id = f.meter_id join metering_attributes a using (attributes_id)
    order by f.number desc, f.buyer_id, f.meter_id, f.attributes_id offset %(offset)s limit %(limit)s
"""  # noqa: S608 - constants only
_CONFLICTS: Final = """
    with found as (
        select c.* from metering_conflict c join metering_source s using (source_id)
        where %(whole)s = '' or c.company_id::text = %(whole)s or c.event_id = %(whole)s
          or strpos(lower(s.name), lower(%(whole)s)) > 0
          or exists (select 1 from companies_company k where k.id = c.company_id and k.search_name like %(part)s)
    )
"""
_CONFLICTS_PAGE: Final = f"""
    {_CONFLICTS}
    select c.company_id, s.name, c.event_id, m.code, c.quantity, c.event_time, a.body::json, c.recorded_at,
           km.code, k.quantity, k.event_time, ka.body::json, k.received_at
    from (
        select * from found order by recorded_at desc, company_id, source_id, key, fingerprint
        offset %(offset)s limit %(limit)s
    ) c
    join metering_source s using (source_id)
    join pricing_meter m on m.id = c.meter_id
    join metering_attributes a on a.attributes_id = c.attributes_id
    left join lateral (
        select e.meter_id, e.quantity, e.event_time, e.attributes_id, e.received_at from metering_sold_event e
        where e.company_id = c.company_id and e.source_id = c.source_id and e.key = c.key limit 1
    ) k on true
    left join pricing_meter km on km.id = k.meter_id
    left join metering_attributes ka on ka.attributes_id = k.attributes_id
    order by c.recorded_at desc, c.company_id, c.source_id, c.key, c.fingerprint
"""  # noqa: S608 - constants only


@scoped
def open_edges(
    scope: Scope,
    missing: Missing,
    *,
    search: str = "",
    meters: Collection[int] = (),
    offset: int = 0,
    limit: int = LISTED_A_PAGE,
) -> OpenListing:
    """Edges without a price, grouped as one rate would mend them, those with most events first.

    `search` is part of the buyer's name or of an attribute written `country=DE`, or the buyer's whole id;
    usage of `meters` fits it too.
    """
    if not is_searchable(search):
        return OpenListing((), 0)
    asked = {**_asked(scope, search, offset, limit), "missing": missing, "meters": list(meters)}
    rows, total = _page(f"{_OPEN} select count(*) from found", _OPEN_PAGE, asked)  # noqa: S608 - constants only
    return OpenListing(tuple(OpenGroup(UnratedGroup(*row[:7]), row[7]) for row in rows), total)


@scoped
def contradictions(
    scope: Scope, *, search: str = "", offset: int = 0, limit: int = LISTED_A_PAGE
) -> ContradictionListing:
    """Conflicts, newest first, each with the event that was taken first under the same id and counts.

    `kept` is None where the event was sold by somebody else. `search` is part of the company's name or of
    the source, a whole id of a company or of an event.
    """
    if not is_searchable(search):
        return ContradictionListing((), 0)
    asked = _asked(scope, search, offset, limit)
    rows, total = _page(f"{_CONFLICTS} select count(*) from found", _CONFLICTS_PAGE, asked)  # noqa: S608 - constants only
    return ContradictionListing(tuple(_contradiction(row) for row in rows), total)


def _asked(scope: Scope, search: str, offset: int, limit: int) -> dict[str, Any]:
    part = folded(search)
    letters, small = letters_folding_into(part)
    return {
        "organisation": scope.organisation_id,
        "whole": search,
        "part": containing(part),
        "letters": letters,
        "small": small,
        "offset": offset,
        "limit": limit,
    }


def _page(count: str, page: str, asked: dict[str, Any]) -> tuple[list[tuple[Any, ...]], int]:
    with connection.cursor() as cursor:
        cursor.execute(count, asked)
        total = int(cursor.fetchone()[0])
        cursor.execute(page, asked)
        return cursor.fetchall(), total


def _contradiction(row: tuple[Any, ...]) -> Contradiction:
    refused = Conflict(*row[:8])
    if row[8] is None:
        return Contradiction(refused, None)
    return Contradiction(refused, Conflict(*row[:3], *row[8:]))
