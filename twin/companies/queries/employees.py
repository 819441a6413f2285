"""Who works where, and who is invited: for those who manage people, at their company and beneath it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db import connections

from twin.companies.errors import EmployeeInvalid, EmployeeNotFound, InvitationNotFound
from twin.companies.queries.tree import MAX_ID
from twin.companies.rules.employees import DEFAULT_MAX_DIALOGS, effective_max_dialogs, letters_folding_into
from twin.companies.rules.ordering import ordered_by
from twin.companies.rules.tree import folded, is_searchable
from twin.companies.types import COMPANIES_WRITE, Employee, EmployeePage, Invitation, Scope
from twin.kernel import clock
from twin.kernel.errors import FieldError
from twin.kernel.tenancy import scoped
from twin.kernel.text import containing

EMPLOYEES_A_PAGE: Final = 50
EMPLOYEE_STATES: Final = ("all", "active", "blocked")
_MOST_INVITATIONS: Final = 200

# By lower case, so that a name in small letters stands where people look for it; ties by id.
_ORDERS: Final = {
    "id": "u.id",
    "name": ordered_by("lower(u.name)"),
    "email": "u.email",
    "company": ordered_by("c.search_name"),
    "role": "e.role",
    "dialogs": "coalesce(e.max_dialogs, i.max_dialogs, 300)",
    "last_login": "coalesce(u.last_login, '-infinity')",
}
EMPLOYEE_ORDERS: Final = tuple(_ORDERS)

# The organisation's own people and those of what lies beneath it now.
_IN_SIGHT: Final = """
    (c.id = %(organisation)s or exists (
        select 1 from companies_ancestry a where a.ancestor_id = %(organisation)s and a.company_id = c.id
        and (a.start_at is null or a.start_at <= greatest(%(now)s, c.existed_from))
        and (a.end_at is null or a.end_at > greatest(%(now)s, c.existed_from))))
"""

_FROM: Final = f"""
    from companies_employment e
    join companies_company c on c.id = e.company_id
    join accounts_user u on u.id = e.user_id
    left join companies_information i on i.company_id = e.company_id
    left join accounts_user b on b.id = e.blocked_by_id
    where e.removed_at is null and {_IN_SIGHT}
"""

_COLUMNS: Final = """
    select u.id, e.company_id, c.name, u.name, u.email, e.role, e.max_dialogs, i.max_dialogs, e.created_at,
        u.last_login, e.blocked_at, e.blocked_reason, coalesce(b.name, '')
"""

# Folded letter by letter, as the server's locale may know ASCII only; the one letter that folds into two apart.
_FOLDED: Final = "replace(translate(normalize({}, NFKC), %(letters)s, %(small)s), 'ß', 'ss')"
_MATCHES: Final = (
    f" and ({_FOLDED.format('u.name')} like %(part)s or u.email like %(part)s or u.id::text like %(part)s)"
)


@dataclass(frozen=True, slots=True)
class _Order:
    column: str
    is_falling: bool

    @property
    def sql(self) -> str:
        way = "desc" if self.is_falling else "asc"
        return f" order by {_ORDERS[self.column]} {way}, u.id, e.id"


@scoped
def employees(
    scope: Scope,
    *,
    search: str = "",
    state: str = "all",
    sort: str = "name",
    limit: int = EMPLOYEES_A_PAGE,
    offset: int = 0,
) -> EmployeePage:
    """People at the organisation and at everything beneath it now; who was removed is left out.

    `search` is part of the name or the email in any case, or of the id. `sort` is one of
    `EMPLOYEE_ORDERS`, falling with `-` before it.
    """
    scope.require(COMPANIES_WRITE)
    order = _order(sort)
    if state not in EMPLOYEE_STATES:
        raise _wrong(f"`state` is one of {', '.join(EMPLOYEE_STATES)}.", "state")
    search = search.strip()
    if not is_searchable(search):
        return EmployeePage((), 0, 0, 0)
    asked = {**_asked(scope), **_sought(search), "limit": limit, "offset": offset}
    condition = _FROM + (_MATCHES if search else "")
    wanted = {"all": "", "active": " and e.blocked_at is null", "blocked": " and e.blocked_at is not null"}[state]
    with connections["default"].cursor() as cursor:
        cursor.execute("select count(*), count(e.blocked_at)" + condition, asked)
        everybody, blocked = cursor.fetchone()
        cursor.execute(_COLUMNS + condition + wanted + order.sql + " limit %(limit)s offset %(offset)s", asked)
        found = tuple(_employee(row) for row in cursor.fetchall())
    total = {"all": everybody, "active": everybody - blocked, "blocked": blocked}[state]
    return EmployeePage(found, total, everybody, blocked)


@scoped
def get_employee(scope: Scope, *, company_id: int, person_id: int) -> Employee:
    """One of those people; `EmployeeNotFound` for strangers, the removed and the invisible alike."""
    scope.require(COMPANIES_WRITE)
    if 0 < company_id <= MAX_ID and 0 < person_id <= MAX_ID:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                _COLUMNS + _FROM + " and e.company_id = %(company)s and e.user_id = %(person)s",
                {**_asked(scope), "company": company_id, "person": person_id},
            )
            row = cursor.fetchone()
        if row is not None:
            return _employee(row)
    raise EmployeeNotFound(f"Nobody with the id {person_id} works for company {company_id}.")


_INVITATIONS: Final = f"""
    select v.id, v.company_id, c.name, v.email, v.name, v.role, coalesce(u.name, ''), v.created_at, v.sent_at,
        v.expires_at
    from companies_invitation v
    join companies_company c on c.id = v.company_id
    left join accounts_user u on u.id = v.invited_by_id
    where v.accepted_at is null and v.withdrawn_at is null and {_IN_SIGHT}
"""  # noqa: S608 - constants only


@scoped
def open_invitations(scope: Scope) -> list[Invitation]:
    """Invitations nobody has taken up yet, the expired ones among them, newest first; at most 200."""
    scope.require(COMPANIES_WRITE)
    return _invitations(scope, " order by v.sent_at desc, v.id desc limit %(most)s", most=_MOST_INVITATIONS)


@scoped
def get_invitation(scope: Scope, *, company_id: int, invitation_id: int) -> Invitation:
    """One of them; raises `InvitationNotFound`."""
    scope.require(COMPANIES_WRITE)
    if 0 < company_id <= MAX_ID and 0 < invitation_id <= MAX_ID:
        condition = " and v.id = %(id)s and v.company_id = %(company)s"
        for found in _invitations(scope, condition, id=invitation_id, company=company_id):
            return found
    raise InvitationNotFound(f"Company {company_id} has no open invitation {invitation_id}.")


def _invitations(scope: Scope, condition: str, **parameters: Any) -> list[Invitation]:
    with connections["default"].cursor() as cursor:
        cursor.execute(_INVITATIONS + condition, {**_asked(scope), **parameters})
        return [Invitation(*row) for row in cursor.fetchall()]


def _employee(row: tuple[Any, ...]) -> Employee:
    person, company, company_name, name, email, role, own, default, since, last_login, blocked_at, reason, by = row
    return Employee(
        person_id=person,
        company_id=company,
        company_name=company_name,
        name=name,
        email=email,
        role=role,
        max_dialogs=own,
        effective_max_dialogs=effective_max_dialogs(own, DEFAULT_MAX_DIALOGS if default is None else default),
        employed_at=since,
        last_login_at=last_login,
        blocked_at=blocked_at,
        blocked_reason=reason,
        blocked_by=by,
    )


def _order(sort: str) -> _Order:
    column = sort.removeprefix("-")
    if column not in _ORDERS:
        raise _wrong(f"`sort` is one of {', '.join(_ORDERS)}, with - before it for falling.", "sort")
    return _Order(column, sort.startswith("-"))


def _sought(search: str) -> dict[str, str]:
    part = folded(search)
    letters, small = letters_folding_into(part)
    return {"part": containing(part), "letters": letters, "small": small}


def _asked(scope: Scope) -> dict[str, Any]:
    return {"organisation": scope.organisation_id, "now": clock.now()}


def _wrong(message: str, field: str) -> EmployeeInvalid:
    return EmployeeInvalid(message, [FieldError((field,), message)])
