"""The companies beneath an organisation as a list to look through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from django.db import connections

from twin.companies.rules.ordering import ordered_by
from twin.companies.rules.tree import folded, is_searchable
from twin.companies.types import CompanyKind, CompanyState, Scope
from twin.kernel import clock
from twin.kernel.tenancy import scoped
from twin.kernel.text import containing

COMPANIES_A_PAGE: Final = 50
DIRECTORY_STATES: Final = ("all", "blocked", "closed", "incomplete")
_BY_NAME: Final = (ordered_by("f.search_name"), "f.search_name")
_ORDERS: Final = {
    "id": ("f.id",),
    "name": (*_BY_NAME, "f.id"),
    "seller": (ordered_by("p.search_name"), *_BY_NAME, "f.id"),
    "kind": ("f.kind", *_BY_NAME, "f.id"),
    "state": ("f.state", *_BY_NAME, "f.id"),
}
DIRECTORY_ORDERS: Final = tuple(_ORDERS)
_SHORTEST_NUMBER: Final = 4

# The numbers by which a company is known to the tax office or the register; the first given one is shown.
_NUMBERS: Final = ("vat_number", "inn", "utr", "ein", "registration_number", "ogrn", "duns")
_FOUND: Final = f"""
    with found as (
        select c.id, c.kind, c.name, c.search_name, c.external_id, c.state, c.state_reason, c.existed_from,
            case when cardinality(a.path) = 0 then a.ancestor_id else a.path[cardinality(a.path)] end as parent_id,
            coalesce({", ".join(f"nullif(i.{name}, '')" for name in _NUMBERS)}, '') as tax_number,
            coalesce(i.is_complete, false) as is_complete
        from companies_company c
        join companies_ancestry a on a.company_id = c.id and a.ancestor_id = %(organisation)s
            and (a.start_at is null or a.start_at <= greatest(%(now)s, c.existed_from))
            and (a.end_at is null or a.end_at > greatest(%(now)s, c.existed_from))
        left join companies_information i on i.company_id = c.id
        where %(whole)s = '' or c.search_name like %(part)s or c.id::text = %(whole)s or c.external_id = %(whole)s
            or (length(%(number)s) >= {_SHORTEST_NUMBER} and exists (
                select 1 from unnest(array[{", ".join(f"i.{name}" for name in _NUMBERS)}]) given
                where upper(regexp_replace(given, '[^0-9A-Za-z]', '', 'g')) like '%%' || %(number)s || '%%'))
    )
"""  # noqa: S608 - constants only
_IN_STATE: Final = {
    "all": "true",
    "blocked": "f.state = 'blocked'",
    "closed": "f.state = 'closed'",
    "incomplete": "not f.is_complete and f.state <> 'closed'",
}


@dataclass(frozen=True, slots=True)
class ListedCompany:
    """A company beneath the asker; `seller` names the one directly above, `tax_number` the first number given."""

    id: int
    kind: CompanyKind
    name: str
    external_id: str
    seller_id: int
    seller: str
    tax_number: str
    state: CompanyState
    state_reason: str
    is_complete: bool
    existed_from: datetime | None


@dataclass(frozen=True, slots=True)
class Directory:
    """One page of companies, and of all that were looked for how many are in each state."""

    items: tuple[ListedCompany, ...]
    total: int
    counts: dict[str, int]


@scoped
def directory(
    scope: Scope,
    *,
    search: str = "",
    state: str = "all",
    sort: str = "name",
    offset: int = 0,
    limit: int = COMPANIES_A_PAGE,
) -> Directory:
    """What lies beneath the organisation now, at any depth; a planned company counts from its founding on.

    `search` is part of the name in any case, the whole id or external id, or four or more
    letters and digits of a tax or registration number however it is spaced.
    """
    if not is_searchable(search):
        return Directory((), 0, dict.fromkeys(DIRECTORY_STATES, 0))
    asked = _asked(scope, search, offset, limit)
    counted = ", ".join(f"count(*) filter (where {condition})" for condition in _IN_STATE.values())
    with connections["default"].cursor() as cursor:
        cursor.execute(f"{_FOUND} select {counted} from found f", asked)  # noqa: S608 - constants only
        counts = dict(zip(_IN_STATE, cursor.fetchone(), strict=True))
        cursor.execute(_page(state, sort), asked)
        items = tuple(_listed(row) for row in cursor.fetchall())
    return Directory(items, counts[state], counts)


def _asked(scope: Scope, search: str, offset: int, limit: int) -> dict[str, Any]:
    number = "".join(letter for letter in search.upper() if letter.isascii() and letter.isalnum())
    return {
        "organisation": scope.organisation_id,
        "now": clock.now(),
        "whole": search,
        "part": containing(folded(search)),
        # A name in letters alone is not looked for in numbers.
        "number": number if any(letter.isdigit() for letter in number) else "",
        "offset": offset,
        "limit": limit,
    }


def _page(state: str, sort: str) -> str:
    first, *rest = _ORDERS[sort.removeprefix("-")]
    order = ", ".join([f"{first} desc" if sort.startswith("-") else first, *rest])
    return f"""{_FOUND}
        select f.id, f.kind, f.name, coalesce(f.external_id, ''), f.parent_id, coalesce(p.name, '') as seller,
            f.tax_number, f.state, f.state_reason, f.is_complete, f.existed_from
        from found f left join companies_company p on p.id = f.parent_id
        where {_IN_STATE[state]}
        order by {order}
        offset %(offset)s limit %(limit)s
    """  # noqa: S608 - constants only


def _listed(row: tuple[Any, ...]) -> ListedCompany:
    company_id, kind, name, external_id, seller_id, seller, tax_number, state, reason, is_complete, existed_from = row
    return ListedCompany(
        id=company_id,
        kind=cast(CompanyKind, kind),
        name=name,
        external_id=external_id,
        seller_id=seller_id,
        seller=seller,
        tax_number=tax_number,
        state=cast(CompanyState, state),
        state_reason=reason,
        is_complete=is_complete,
        existed_from=existed_from,
    )
