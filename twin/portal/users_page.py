"""What the users page shows, and the address that shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext as _

from twin.companies.queries import EMPLOYEE_ORDERS, EMPLOYEES_A_PAGE
from twin.companies.types import Employee, EmployeePage, Invitation, Scope
from twin.kernel import clock
from twin.portal.listing import Head, ListAsked, Segment
from twin.portal.people_words import role_words
from twin.portal.rules.figures import count_text
from twin.portal.words import date_words

SEGMENTS: Final = ("all", "blocked", "invited")
_COLUMNS: Final[dict[str, Promise]] = {
    "id": gettext_lazy("Id"),
    "name": pgettext_lazy("name of a person", "Name"),
    "email": gettext_lazy("Email"),
    "company": gettext_lazy("Company"),
    "role": gettext_lazy("Role"),
    "dialogs": gettext_lazy("Max. dialogs"),
    "last_login": gettext_lazy("Last sign-in"),
}


@dataclass(frozen=True)
class UsersAsked(ListAsked):
    """The list of people as asked for."""

    route = "portal:users"
    codes = SEGMENTS
    orders = EMPLOYEE_ORDERS
    rows_a_page = EMPLOYEES_A_PAGE


@dataclass(frozen=True)
class UserRow:
    """One person; `seen` is the day of the last sign-in."""

    employee: Employee
    role: str
    dialogs: str
    seen: str
    is_self: bool


@dataclass(frozen=True)
class InvitationRow:
    invitation: Invitation
    role: str
    sent: str
    expires: str
    is_expired: bool
    may_act: bool


@dataclass(frozen=True)
class UsersPage:
    """Read by the templates."""

    asked: UsersAsked
    found: EmployeePage
    open_invitations: tuple[Invitation, ...]
    scope: Scope
    zone: ZoneInfo

    @property
    def shows_companies(self) -> bool:
        return self.scope.kind != "company"

    @property
    def shows_invitations(self) -> bool:
        return self.asked.segment == "invited"

    @property
    def heads(self) -> list[Head]:
        shown = [name for name in _COLUMNS if self.shows_companies or name != "company"]
        return [self.asked.head(name, str(_COLUMNS[name]), is_figure=name == "dialogs") for name in shown]

    @property
    def segments(self) -> list[Segment]:
        return [
            self._segment("all", pgettext("people", "All"), self.found.everybody),
            self._segment("blocked", pgettext("people", "Blocked"), self.found.blocked),
            self._segment("invited", pgettext("people", "Invited"), len(self.open_invitations)),
        ]

    def _segment(self, code: str, title: str, count: int) -> Segment:
        return self.asked.segment_of(code, title, _number(count))

    @property
    def rows(self) -> list[UserRow]:
        return [
            UserRow(
                employee=one,
                role=role_words(one.role),
                dialogs=_number(one.effective_max_dialogs),
                seen=self._day(one.last_login_at) if one.last_login_at else "",
                is_self=one.person_id == self.scope.person_id,
            )
            for one in self.found.items
        ]

    @property
    def invitation_rows(self) -> list[InvitationRow]:
        return [
            InvitationRow(
                invitation=one,
                role=role_words(one.role),
                sent=self._day(one.sent_at),
                expires=self._day(one.expires_at),
                is_expired=one.expires_at <= clock.now(),
                may_act=self.scope.kind != "reseller"
                or one.company_id == self.scope.organisation_id
                or one.role == "administrator",
            )
            for one in self.open_invitations
        ]

    def _day(self, moment: datetime) -> str:
        return date_words(moment.astimezone(self.zone))

    @property
    def count_words(self) -> str:
        """Said aloud by screen readers when a search changes it."""
        number = len(self.open_invitations) if self.shows_invitations else self.found.total
        return ngettext("%(n)s person", "%(n)s people", number) % {"n": _number(number)}

    @property
    def range_words(self) -> str:
        first = self.asked.offset + 1
        return _("%(first)s–%(last)s of %(people)s") % {
            "first": _number(first),
            "last": _number(first + len(self.found.items) - 1),
            "people": self.count_words,
        }

    @property
    def last_page(self) -> int:
        return max(1, -(-self.found.total // EMPLOYEES_A_PAGE))

    @property
    def last_href(self) -> str:
        return replace(self.asked, page=self.last_page).href

    @property
    def previous_href(self) -> str:
        return replace(self.asked, page=self.asked.page - 1).href if self.asked.page > 1 else ""

    @property
    def next_href(self) -> str:
        return replace(self.asked, page=self.asked.page + 1).href if self.asked.page < self.last_page else ""

    @property
    def everybody_href(self) -> str:
        return UsersAsked().href


def _number(count: int) -> str:
    return count_text(count, get_language() or "en")
