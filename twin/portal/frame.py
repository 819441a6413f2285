"""What the frame of every page shows: who is here, where, in which language and theme."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from twin.companies.types import Acting
from twin.kernel import demonstration
from twin.portal.exhausted import Exhausted, exhausted_words
from twin.portal.second_factor import duty_of
from twin.portal.visitor import Visitor, acting_of, visitor_of
from twin.portal.words import date_words, zone_of

THEME_COOKIE = "twin_theme"
THEMES: dict[str, Promise] = {"system": _("As the device"), "light": _("Light"), "dark": _("Dark")}
LANGUAGE_MARKS = {"en": "EN", "ru": "РУ"}


@dataclass(frozen=True)
class MenuEntry:
    title: str
    href: str
    current: bool


@dataclass(frozen=True)
class MenuHead:
    """A place of its own, or with entries beneath it a heading."""

    title: str
    icon: str
    entries: tuple[MenuEntry, ...] = ()
    href: str = ""
    current: bool = False


class Frame:
    """Read by the templates; asks the database only for what a template shows.

    `account=False` never asks it: for the page that says the database is gone.
    """

    languages = settings.LANGUAGES
    themes = tuple(THEMES.items())

    def __init__(self, request: HttpRequest, *, account: bool = True) -> None:
        self._request = request
        self._account = account

    @cached_property
    def visitor(self) -> Visitor | None:
        return visitor_of(self._request) if self._account else None

    @cached_property
    def language(self) -> str:
        active = get_language() or settings.LANGUAGE_CODE
        return active if active in LANGUAGE_MARKS else settings.LANGUAGE_CODE

    @property
    def language_mark(self) -> str:
        return LANGUAGE_MARKS[self.language]

    @cached_property
    def theme(self) -> str:
        """The account's choice; for strangers the one kept in the cookie."""
        user = getattr(self._request, "user", None) if self._account else None
        if user is not None and user.is_authenticated:
            chosen = user.theme
        else:
            chosen = self._request.COOKIES.get(THEME_COOKIE, "")
        return chosen if chosen in THEMES else "system"

    @property
    def here(self) -> str:
        return self._request.get_full_path()

    @property
    def may_choose(self) -> bool:
        """Language and theme can be changed here (not on the page that has no session)."""
        return self._account

    @cached_property
    def menu(self) -> tuple[MenuHead, ...]:
        if self.visitor is None:
            return ()
        folders = (
            (gettext("Reports"), "reports", self._reports(self.visitor)),
            (gettext("Billing"), "record", self._billing(self.visitor)),
        )
        heads = [MenuHead(title, icon, entries) for title, icon, entries in folders if entries]
        return (*heads, *self._places(self.visitor), *self._own_places())

    def _places(self, visitor: Visitor) -> list[MenuHead]:
        offered = (
            (visitor.manages_companies, gettext("Companies"), "companies", "portal:companies"),
            (visitor.manages_companies, gettext("Prices"), "prices", "portal:prices"),
            (visitor.manages_companies, gettext("To do"), "done", "portal:books"),
            (visitor.manages_people, gettext("Users"), "people", "portal:users"),
            (visitor.tells_of_company, gettext("Company"), "company", "portal:company"),
            (visitor.manages_keys, gettext("API keys"), "key", "portal:api_keys"),
            (True, gettext("API"), "code", "portal:api_reference"),
            (visitor.reads_audit, gettext("Audit"), "record", "portal:audit"),
        )
        return [self._place(title, icon, name) for is_open, title, icon, name in offered if is_open]

    def _own_places(self) -> tuple[MenuHead, ...]:
        """What is the person's own, out of reach while they act for a company."""
        return () if self.acting is not None else (self._place(gettext("Security"), "shield", "portal:security"),)

    def _reports(self, visitor: Visitor) -> tuple[MenuEntry, ...]:
        """The platform buys from nobody, so it has no usage of its own; it alone has resellers side by side."""
        is_platform = visitor.employment.company_kind == "platform"
        offered = (
            (visitor.sees_reseller_report, gettext("Reseller and companies"), "portal:reseller_companies"),
            (visitor.sees_reseller_report and is_platform, gettext("All resellers"), "portal:resellers"),
            (visitor.sees_usage and not is_platform, gettext("Usage"), "portal:usage"),
        )
        path = self._request.path
        places = [(title, reverse(name)) for is_open, title, name in offered if is_open]
        return tuple(MenuEntry(title, href, path == href or path.startswith(f"{href}/")) for title, href in places)

    def _billing(self, visitor: Visitor) -> tuple[MenuEntry, ...]:
        offered = (
            (visitor.reads_billing, gettext("Invoices"), "portal:invoices"),
            (visitor.reads_billing, gettext("Statements"), "portal:statements"),
            (visitor.manages_companies, gettext("Corrections"), "portal:corrections"),
            (visitor.reads_balance, gettext("Balance"), "portal:balance"),
            (visitor.reads_balances, gettext("Balances"), "portal:balances"),
            (visitor.sets_billing, gettext("Settings"), "portal:billing_settings"),
        )
        path = self._request.path
        places = [(title, reverse(name)) for is_open, title, name in offered if is_open]
        return tuple(MenuEntry(title, href, path == href or path.startswith(f"{href}/")) for title, href in places)

    def _place(self, title: str, icon: str, name: str) -> MenuHead:
        """A page of the menu; the pages behind it count as being there."""
        href = reverse(name)
        path = self._request.path
        return MenuHead(title, icon, href=href, current=path == href or path.startswith(f"{href}/"))

    @cached_property
    def second_factor_day(self) -> str:
        """The day until which this person may put the second factor off; empty when nothing is owed."""
        duty = duty_of(self._request) if self._account and self.acting is None else None
        if duty is None or duty.is_met or duty.is_over:
            return ""
        return date_words(duty.deadline.astimezone(zone_of(self._request.user)))

    @cached_property
    def exhausted(self) -> Exhausted | None:
        """The company may spend nothing more: every page says so, to all its people."""
        visitor = self.visitor
        return None if visitor is None or visitor.scope is None else exhausted_words(visitor.scope)

    @cached_property
    def acting(self) -> Acting | None:
        """For which company the person acts in its administrator's place; every page says so."""
        return acting_of(self._request) if self._account else None

    @property
    def acting_until(self) -> str:
        """The end of it, on the clock of the person."""
        if self.acting is None:
            return ""
        return self.acting.expires_at.astimezone(zone_of(self._request.user)).strftime("%H:%M")

    @property
    def has_outbox(self) -> bool:
        """In the demonstration mails and SMS are read on a page."""
        return demonstration.is_open()

    @property
    def company(self) -> str:
        return self.visitor.company_name if self.visitor else ""

    @property
    def person(self) -> str:
        return self.visitor.person if self.visitor else ""

    @property
    def role(self) -> str:
        return self.visitor.role_words if self.visitor else ""

    @property
    def initials(self) -> str:
        words = self.person.split()
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def frame(request: HttpRequest) -> dict[str, Frame]:
    """Context processor."""
    return {"shell": Frame(request)}
