"""Reads of the tree; what lies outside the scope is not found.

A scope sees its own organisation and what lies beneath it now. A company whose membership
has not begun yet is already seen by those above its first parent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, cast

from django.db import connections, transaction

from twin.companies.catalogue import share_catalogue
from twin.companies.errors import CompanyInvalid, CompanyNotFound
from twin.companies.models import ApiKey as ApiKeyRow
from twin.companies.rules.lineage import lineages, sellers_at
from twin.companies.rules.tree import folded, is_searchable, reference_instant
from twin.companies.types import (
    ApiKey,
    Company,
    CompanyKind,
    CompanyState,
    Dependent,
    Membership,
    Page,
    Scope,
    Stay,
    TreeSnapshot,
)
from twin.kernel import clock
from twin.kernel.errors import FieldError
from twin.kernel.period import Period
from twin.kernel.tenancy import scoped
from twin.kernel.text import containing

MAX_ID: Final = 2**31 - 1
MAX_PAGE: Final = 10_000
_FAR_FUTURE: Final = datetime.max.replace(tzinfo=UTC)

# The span whose chain counts "now": of a company that has not begun, its first.
_IN_SIGHT: Final = """
    (a.start_at is null or a.start_at <= greatest(%(now)s, c.existed_from))
    and (a.end_at is null or a.end_at > greatest(%(now)s, c.existed_from))
"""

_COLUMNS: Final = """
    select c.id, c.kind, c.name,
        case when c.id = %(organisation)s then p.ancestor_id
             when cardinality(a.path) = 0 then %(organisation)s
             else a.path[cardinality(a.path)] end,
        c.time_zone, c.currency, c.state, c.state_reason, c.external_id, c.closed_at, c.existed_from
"""

# An organisation's own parent is the one thing it sees upwards.
_VISIBLE: Final = f"""
    from companies_company c
    left join companies_ancestry a on a.company_id = c.id and a.ancestor_id = %(organisation)s and {_IN_SIGHT}
    left join lateral (
        select a.ancestor_id from companies_ancestry a
        where c.id = %(organisation)s and a.company_id = c.id and a.distance = 1 and {_IN_SIGHT}
    ) p on true
    where (c.id = %(organisation)s or a.id is not null)
"""  # noqa: S608 - constants only


@scoped
def get_company(scope: Scope, company_id: int) -> Company:
    """The company; raises `CompanyNotFound` for what does not exist and what is out of sight alike."""
    found = _companies(scope, "and c.id = %(id)s", id=company_id) if 0 < company_id <= MAX_ID else []
    if not found:
        raise CompanyNotFound(f"There is no company {company_id}.")
    return found[0]


@scoped
def list_companies(scope: Scope, *, search: str | None = None, limit: int = 100, cursor: str | None = None) -> Page:
    """A page of the visible companies, the own one included, by id.

    `search` is part of the name in any case, or the whole id, or the whole external id.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise _wrong(f"`limit` must be between 1 and {MAX_PAGE}.", "limit")
    if not is_searchable(search or ""):
        return Page((), None)
    found = _companies(
        scope,
        "and c.id > %(after)s " + (_MATCHES if search else "") + " order by c.id limit %(limit)s",
        after=_after(cursor),
        limit=limit + 1,
        part=containing(folded(search or "")),
        whole=search,
    )
    more = len(found) > limit
    return Page(tuple(found[:limit]), str(found[limit - 1].id) if more else None)


_MATCHES: Final = r"and (c.search_name like %(part)s or c.id::text = %(whole)s or c.external_id = %(whole)s)"


@scoped
def sellers(scope: Scope) -> list[Company]:
    """The asking organisation and every reseller beneath it now: the own one first, the others by name."""
    found = _companies(scope, "and (c.kind <> 'company' or c.id = %(organisation)s)")
    return sorted(found, key=lambda company: (company.id != scope.organisation_id, company.name.casefold()))


@scoped
def children(scope: Scope, parent_id: int, *, limit: int | None = None) -> list[Company]:
    """The companies directly under a visible parent now, by id; the first `limit` of them."""
    parent = get_company(scope, parent_id)
    below = (
        "and (cardinality(a.path) = 0 and %(parent)s = %(organisation)s or a.path[cardinality(a.path)] = %(parent)s)"
    )
    return _companies(scope, below + " order by c.id limit %(limit)s", parent=parent.id, limit=limit)


@scoped
def visible_ids(scope: Scope) -> set[int]:
    """The organisation's id and those of everything beneath it now."""
    with connections["default"].cursor() as cursor:
        cursor.execute("select c.id " + _VISIBLE, _asked(scope))
        return {row[0] for row in cursor.fetchall()}


@scoped
def names_of(scope: Scope, company_ids: Iterable[int]) -> dict[int, str]:
    """Names of companies that lie or once lay beneath the organisation, and its own; others are left out."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "select id, name from companies_company c where id = any(%(ids)s) and (id = %(organisation)s or exists"
            " (select 1 from companies_ancestry a where a.ancestor_id = %(organisation)s and a.company_id = c.id))",
            {**_asked(scope), "ids": list(company_ids)},
        )
        return dict(cursor.fetchall())


@scoped
def dependents_in(scope: Scope, period: Period, *, only: Iterable[int] | None = None) -> list[Dependent]:
    """Every company (or those named) that lay beneath the organisation at some instant of the period, by id.

    At any depth and in any state, also those that have moved away since; not the organisation
    itself. `path` names the resellers between as they stood last within the period.
    """
    ids = None if only is None else list(only)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            """
            select distinct on (a.company_id) a.company_id, c.name, a.path
            from companies_ancestry a join companies_company c on c.id = a.company_id
            where a.ancestor_id = %s and (a.start_at is null or a.start_at < %s) and (a.end_at is null or a.end_at > %s)
              and (%s::int[] is null or a.company_id = any(%s))
            order by a.company_id, a.start_at desc nulls last
            """,
            [scope.organisation_id, period.end, period.start, ids, ids],
        )
        rows = cursor.fetchall()
    between = names_of(scope, {one for _, _, path in rows for one in path})
    return [Dependent(company_id, name, tuple(between[one] for one in path)) for company_id, name, path in rows]


@scoped
def dependent_ids_in(scope: Scope, period: Period, *, direct: bool = False) -> list[int]:
    """The ids of `dependents_in`, or of those only of which the organisation was the direct parent."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "select distinct company_id from companies_ancestry where ancestor_id = %s"
            " and (start_at is null or start_at < %s) and (end_at is null or end_at > %s)"
            " and (not %s or distance = 1) order by company_id",
            [scope.organisation_id, period.end, period.start, direct],
        )
        return [row[0] for row in cursor.fetchall()]


@scoped
def stays_with(scope: Scope, company_id: int, since: datetime) -> list[Stay]:
    """When, after `since`, the company and what lay beneath it were beneath the organisation."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "select company_id, start_at, end_at from companies_ancestry where ancestor_id = %(organisation)s"
            " and (company_id = %(company)s or %(company)s = any(path)) and (end_at is null or end_at > %(since)s)"
            " order by company_id, start_at nulls first",
            {"organisation": scope.organisation_id, "company": company_id, "since": since},
        )
        return [Stay(*row) for row in cursor.fetchall()]


@scoped
def direct_sellers(scope: Scope, company_id: int) -> list[tuple[int, Period]]:
    """Under whom the company lay directly, and when, in order of time; the last span is open to the far future.

    The company itself is told all of it, anybody else the spans in which it was the seller.
    """
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "select ancestor_id, start_at, end_at from companies_ancestry"
            " where company_id = %(company)s and distance = 1 and %(organisation)s in (ancestor_id, company_id)"
            " order by start_at",
            {"organisation": scope.organisation_id, "company": company_id},
        )
        return [(seller, Period(start, end or _FAR_FUTURE)) for seller, start, end in cursor.fetchall()]


@scoped
def was_parent_at(scope: Scope, buyer_id: int, at: datetime) -> bool:
    """Whether the organisation was the direct parent of the buyer at that instant; a former one was."""
    return _was_above(scope.organisation_id, buyer_id, at, "and distance = 1")


@scoped
def held_at(scope: Scope, company_id: int, at: datetime) -> bool:
    """Whether the company was the organisation itself or lay beneath it at that instant."""
    return company_id == scope.organisation_id or _was_above(scope.organisation_id, company_id, at, "")


@scoped
def last_membership(scope: Scope, company_id: int) -> Membership:
    """The membership of a visible company that starts last, perhaps in the future."""
    company = get_company(scope, company_id)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "select company_id, parent_id, start_at from companies_membership"
            " where company_id = %s order by start_at desc limit 1",
            [company.id],
        )
        row = cursor.fetchone()
    if row is None:
        raise CompanyNotFound("The platform lies under nobody.")
    return Membership(*row)


@scoped
def keys_of(scope: Scope) -> list[ApiKey]:
    """The keys of the organisation itself, newest first, without their secrets."""
    rows = ApiKeyRow.objects.filter(company_id=scope.organisation_id).select_related("created_by").order_by("-id")
    return [replace(shown_key(row), created_by=_name_of(row.created_by)) for row in rows]


def _name_of(person: Any) -> str:
    return str(person.name or person.email) if person is not None else ""


def shown_key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        row.pk,
        row.company_id,
        row.name,
        row.prefix,
        tuple(row.scopes),
        row.created_at,
        row.expires_at,
        row.revoked_at,
        row.last_used_at,
    )


def tree_snapshot(scope: Scope) -> TreeSnapshot:
    """The whole tree with its history, for ingestion; `scope` is the system's.

    Reads over the writer connection and holds the catalogue lock shared for its transaction,
    so that tree and version belong together. `CompanyNotFound` for any other scope.
    """
    if scope.kind != "system":
        raise CompanyNotFound("Only loaders of ingestion read the whole tree.")
    connection = connections["writer"]
    with transaction.atomic(using="writer"):
        version = share_catalogue(connection)
        with connection.cursor() as cursor:
            cursor.execute(
                "select id, kind, name, null, time_zone, currency, state, state_reason, external_id, closed_at,"
                " existed_from from companies_company order by id"
            )
            rows = cursor.fetchall()
            cursor.execute("select company_id, parent_id, start_at from companies_membership")
            memberships = [Membership(*row) for row in cursor.fetchall()]
    return _snapshot(version, rows, memberships)


def _snapshot(version: int, rows: list[tuple[Any, ...]], memberships: list[Membership]) -> TreeSnapshot:
    platform = next((row[0] for row in rows if row[1] == "platform"), None)
    chains = lineages(platform, memberships) if platform is not None else {}
    now = clock.now()
    companies = {}
    for row in rows:
        above = sellers_at(chains[row[0]], reference_instant(row[10], now))
        companies[row[0]] = _company((*row[:3], above[0] if above else None, *row[4:]))
    return TreeSnapshot(version, companies, chains)


def _companies(scope: Scope, condition: str, **parameters: Any) -> list[Company]:
    with connections["default"].cursor() as cursor:
        cursor.execute(_COLUMNS + _VISIBLE + condition, {**_asked(scope), **parameters})
        return [_company(row) for row in cursor.fetchall()]


def _company(row: tuple[Any, ...]) -> Company:
    company_id, kind, name, parent_id, time_zone, currency, state, reason, external_id, closed_at, existed_from = row
    return Company(
        company_id,
        cast(CompanyKind, kind),
        name,
        parent_id,
        time_zone,
        currency,
        cast(CompanyState, state),
        reason,
        external_id,
        closed_at,
        existed_from,
    )


def _asked(scope: Scope) -> dict[str, Any]:
    return {"organisation": scope.organisation_id, "now": clock.now()}


def _was_above(ancestor_id: int, company_id: int, at: datetime, condition: str) -> bool:
    between = (
        "select exists (select 1 from companies_ancestry where ancestor_id = %s and company_id = %s"
        " and (start_at is null or start_at <= %s) and (end_at is null or end_at > %s) "
    )
    with connections["default"].cursor() as cursor:
        cursor.execute(between + condition + ")", [ancestor_id, company_id, at, at])
        return bool(cursor.fetchone()[0])


def _after(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 10 and int(cursor) <= MAX_ID):
        raise _wrong("`cursor` is not one that this list gave out.", "cursor")
    return int(cursor)


def _wrong(message: str, field: str) -> CompanyInvalid:
    return CompanyInvalid(message, [FieldError((field,), message)])
