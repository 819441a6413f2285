"""The report's address: read with patience, written in one way only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from twin.kernel.errors import Invalid
from twin.kernel.period import Period, instant_text, parse_zone, zone_called
from twin.portal.rules.channels import channels_of
from twin.portal.rules.periods import Moment, MomentUnreadable, presets, read_moment
from twin.reports.columns import SECTIONS
from twin.reports.types import SIDES, Side

Form = Literal["csv", "xlsx", "pdf"]
ROWS_A_PAGE: Final = 100
DEFAULT_SORT: Final = "company_id"
# Keys that mean the same in every section and so survive a change of the tab.
COMMON_SORTS: Final = ("company_id", "company_name", "total_buy", "total_sell", "margin")
PERIOD_NAMES: Final = ("reseller", "company", "from", "to", "time_zone")
FORMATS: Final[tuple[Form, ...]] = ("csv", "xlsx", "pdf")
_YES: Final = {"true": True, "1": True, "on": True, "yes": True, "false": False, "0": False, "": False}
_LAST_PAGE: Final = 1_000_000


@dataclass(frozen=True)
class Asked:
    """What the address says. `period` is None while `problems` explains why it cannot be read."""

    zone: ZoneInfo
    raw: Mapping[str, str]
    period: Period | None = None
    odd: Mapping[str, Moment] = field(default_factory=dict)
    reseller_id: int | None = None
    company_id: int | None = None
    has_expenses: bool = False
    search: str = ""
    sort: str = DEFAULT_SORT
    side: Side = "sell"
    section: str = next(iter(SECTIONS))
    page: int = 1
    chart: str = ""
    channel: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)

    def pairs(self) -> list[tuple[str, str]]:
        """The canonical parameters in their order; what has its default value is left out."""
        if self.period is None:
            raise ValueError("An address without a period has no canonical form.")
        every = [
            ("reseller", str(self.reseller_id or ""), ""),
            ("company", str(self.company_id or ""), ""),
            ("from", instant_text(self.period.start), ""),
            ("to", instant_text(self.period.end), ""),
            ("time_zone", self.zone.key, ""),
            ("has_expenses", "true" if self.has_expenses else "", ""),
            ("search", self.search, ""),
            ("sort", self.sort, DEFAULT_SORT),
            ("side", self.side, SIDES[0]),
            ("section", self.section, next(iter(SECTIONS))),
            ("channel", self.channel, ""),
            ("chart", self.chart, ""),
            ("page", str(self.page), "1"),
        ]
        return [(name, value) for name, value, default in every if value != default]

    def period_pairs(self) -> list[tuple[str, str]]:
        """Whose report and which period: what every page of the report hands on to the next."""
        return [pair for pair in self.pairs() if pair[0] in PERIOD_NAMES]

    def usage_pairs(self) -> list[tuple[str, str]]:
        """The canonical parameters of the page of one company's usage."""
        return [pair for pair in self.pairs() if pair[0] in (*PERIOD_NAMES, "chart")]

    def usage_address(self, path: str) -> str:
        return f"{path}?{urlencode(self.usage_pairs())}"

    def sellers_pairs(self) -> list[tuple[str, str]]:
        """The canonical parameters of the page of all resellers."""
        return [pair for pair in self.pairs() if pair[0] in ("from", "to", "time_zone", "sort")]

    def sellers_address(self, path: str, **changes: Any) -> str:
        return f"{path}?{urlencode(replace(self, **changes).sellers_pairs())}"

    def for_company(self, company_id: int | None) -> Asked:
        """The same question about a company that the address names, or that goes without saying."""
        return replace(self, company_id=company_id)

    def for_reseller(self, reseller_id: int | None) -> Asked:
        """The same question about a reseller that the address names, or that goes without saying."""
        return replace(self, reseller_id=reseller_id)

    def refused(self, names: Collection[str]) -> Asked:
        """The same question without the search or order that the report could not use, and why."""
        problems = {name: _("This cannot be used here.") for name in names or ("address",)}
        if "search" in problems:
            problems["search"] = _("A search has at most 200 characters, all of them printable.")
        return replace(
            self,
            search="" if "search" in problems else self.search,
            sort=DEFAULT_SORT if "sort" in problems else self.sort,
            problems={**problems, **self.problems},
        )

    def address(self, path: str, **changes: object) -> str:
        """The canonical address of this report with some things changed; any change starts at page 1."""
        if changes.get("section", self.section) != self.section:
            changes = {"channel": "", **changes}
        changed = replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]  # names and types are Asked's own
        return f"{path}?{urlencode(changed.pairs())}"


def read(given: Mapping[str, str], *, default_zone: str, now: datetime) -> Asked:
    """Read the parameters of an address; never raises, `problems` names what cannot be used.

    Without bounds: this month in the zone.
    """
    problems: dict[str, str] = {}
    _check_format(given, problems)
    zone = _zone(given, default_zone, problems)
    period, odd = _period(given, zone, now, problems)
    return Asked(
        zone=zone,
        raw=given,
        period=period,
        odd=odd,
        has_expenses=_flag(given, "has_expenses", problems),
        search=given.get("search", "").strip(),
        sort=given.get("sort", "").strip() or DEFAULT_SORT,
        side=_side(given, problems),
        section=_section(given, problems),
        page=_page(given, problems),
        chart=_chart(given, problems),
        channel=_channel(given, problems),
        problems=problems,
    )


def _zone(given: Mapping[str, str], default: str, problems: dict[str, str]) -> ZoneInfo:
    name = given.get("time_zone", "").strip()
    try:
        return parse_zone(zone_called(name) or name if name else default)
    except Invalid:
        problems["time_zone"] = _("This time zone is not known. Choose one from the list, such as Europe/Berlin.")
        return ZoneInfo(default)


def _period(
    given: Mapping[str, str], zone: ZoneInfo, now: datetime, problems: dict[str, str]
) -> tuple[Period | None, dict[str, Moment]]:
    if not given.get("from", "").strip() and not given.get("to", "").strip():
        return presets(now, zone)["this_month"], {}
    moments = {name: _moment(given, name, zone, problems) for name in ("from", "to")}
    start, end = moments["from"], moments["to"]
    if start is None or end is None or "time_zone" in problems:
        return None, {}
    if start.instant >= end.instant:
        problems["to"] = _("The end must be later than the beginning.")
        return None, {}
    odd = {name: moment for name, moment in moments.items() if moment and moment.oddity == "skipped"}
    return Period(start.instant, end.instant), odd


def _moment(given: Mapping[str, str], name: str, zone: ZoneInfo, problems: dict[str, str]) -> Moment | None:
    text = given.get(name, "").strip()
    if not text:
        problems[name] = _("Give a date and a time here as well.")
        return None
    try:
        return read_moment(text, zone, second_time=given.get(f"{name}_occurrence") == "second")
    except MomentUnreadable:
        problems[name] = _("This date and time cannot be read. Write it like 2026-10-01T00:00:00.")
        return None


def _flag(given: Mapping[str, str], name: str, problems: dict[str, str]) -> bool:
    text = given.get(name, "").strip().lower()
    if text not in _YES:
        problems[name] = _("This is either true or false.")
    return _YES.get(text, False)


def _page(given: Mapping[str, str], problems: dict[str, str]) -> int:
    text = given.get("page", "").strip() or "1"
    if text.isascii() and text.isdigit() and 1 <= int(text[:12]) <= _LAST_PAGE:
        return int(text)
    problems["page"] = _("This must be a whole number from 1 upwards.")
    return 1


def _check_format(given: Mapping[str, str], problems: dict[str, str]) -> None:
    if given.get("format", "") not in ("", *FORMATS):
        problems["format"] = _("Files are made as csv, xlsx or pdf.")


def _side(given: Mapping[str, str], problems: dict[str, str]) -> Side:
    text = given.get("side", "").strip() or SIDES[0]
    for side in SIDES:
        if side == text:
            return side
    problems["side"] = _("Prices are shown either to reseller (sell) or to Twin (buy).")
    return SIDES[0]


def _chart(given: Mapping[str, str], problems: dict[str, str]) -> str:
    text = given.get("chart", "").strip()
    if text in ("", *SECTIONS):
        return text
    problems["chart"] = _("There is no such section.")
    return ""


def _channel(given: Mapping[str, str], problems: dict[str, str]) -> str:
    text = given.get("channel", "").strip()
    section = given.get("section", "").strip() or next(iter(SECTIONS))
    if not text or text in channels_of(section):
        return text
    problems["channel"] = _("This section has no such channel.")
    return ""


def _section(given: Mapping[str, str], problems: dict[str, str]) -> str:
    text = given.get("section", "").strip() or next(iter(SECTIONS))
    if text in SECTIONS:
        return text
    problems["section"] = _("There is no such section.")
    return next(iter(SECTIONS))
