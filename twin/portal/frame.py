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

from twin.portal.visitor import Visitor, visitor_of

THEME_COOKIE = "twin_theme"
THEMES: dict[str, Promise] = {"system": _("As the device"), "light": _("Light"), "dark": _("Dark")}
LANGUAGE_MARKS = {"en": "EN", "ru": "РУ"}
REPORTS_PATH = "/reports/reseller-companies"


@dataclass(frozen=True)
class MenuEntry:
    title: str
    href: str
    current: bool


@dataclass(frozen=True)
class MenuHead:
    title: str
    icon: str
    entries: tuple[MenuEntry, ...]


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
        if self.visitor is None or not self.visitor.sees_reseller_report:
            return ()
        href = reverse("portal:reseller_companies")
        entry = MenuEntry(gettext("Reseller and companies"), href, self._request.path.startswith(REPORTS_PATH))
        return (MenuHead(gettext("Reports"), "reports", (entry,)),)

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
