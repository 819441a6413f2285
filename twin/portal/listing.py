"""What every list with a search shares: the question as it stands in the address, headings that sort, segments."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Self
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from twin.portal.rules.figures import count_text

LONGEST_SEARCH: Final = 200


@dataclass(frozen=True)
class Head:
    """A column's heading: a press sorts by it, another one the other way round; without `href` it does not sort."""

    name: str
    title: str
    href: str
    sorted_as: str
    is_figure: bool


@dataclass(frozen=True)
class Segment:
    title: str
    count: str
    href: str
    is_current: bool


@dataclass(frozen=True)
class ListAsked:
    """Search, segment, order and page, as they stand in the address; what cannot be is taken as not given."""

    route: ClassVar[str]
    codes: ClassVar[Collection[str]]  # of the segments
    orders: ClassVar[Collection[str]]
    rows_a_page: ClassVar[int]

    search: str = ""
    segment: str = "all"
    sort: str = "name"
    page: int = 1

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self:
        segment, sort, page = given.get("show", ""), given.get("sort", ""), given.get("page", "")
        return cls(
            search=given.get("search", "").strip()[:LONGEST_SEARCH],
            segment=segment if segment in cls.codes else cls().segment,
            sort=sort if sort.removeprefix("-") in cls.orders else "name",
            page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
        )

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.rows_a_page

    @property
    def href(self) -> str:
        usual = type(self)()
        pairs = [("search", self.search, usual.search), ("show", self.segment, usual.segment)]
        pairs += [("sort", self.sort, usual.sort), ("page", str(self.page), str(usual.page))]
        query = urlencode([(name, value) for name, value, default in pairs if value != default])
        return self.path + (f"?{query}" if query else "")

    @property
    def path(self) -> str:
        return reverse(self.route)

    def head(self, name: str, title: str, *, is_figure: bool = False) -> Head:
        """The heading of a column as rows stand now."""
        if name not in self.orders:
            return Head(name, title, "", "", is_figure)
        is_current = self.sort.removeprefix("-") == name
        is_falling = self.sort == f"-{name}"
        sorted_as = ("descending" if is_falling else "ascending") if is_current else ""
        next_sort = f"-{name}" if is_current and not is_falling else name
        return Head(name, title, replace(self, sort=next_sort, page=1).href, sorted_as, is_figure)

    def segment_of(self, code: str, title: str, count: str) -> Segment:
        return Segment(title, count, replace(self, segment=code, page=1).href, self.segment == code)


@dataclass(frozen=True)
class Pager:
    """Where a page of a list stands among all that was found, and the ways to the others."""

    asked: ListAsked
    shown: int
    total: int

    @property
    def words(self) -> str:
        first = self.asked.offset + 1
        return _("%(first)s–%(last)s of %(total)s") % {
            "first": _number(first),
            "last": _number(first + self.shown - 1),
            "total": _number(self.total),
        }

    @property
    def last_page(self) -> int:
        return max(1, -(-self.total // self.asked.rows_a_page))

    @property
    def last_href(self) -> str:
        return replace(self.asked, page=self.last_page).href

    @property
    def is_beyond(self) -> bool:
        return self.asked.page > self.last_page

    @property
    def previous_href(self) -> str:
        return replace(self.asked, page=self.asked.page - 1).href if self.asked.page > 1 else ""

    @property
    def next_href(self) -> str:
        return replace(self.asked, page=self.asked.page + 1).href if self.asked.page < self.last_page else ""


def _number(count: int) -> str:
    return count_text(count, get_language() or "en")
