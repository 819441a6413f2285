"""The events behind a figure of the report as a file, each with its calculation on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from twin.companies.types import Company, Scope
from twin.kernel.period import Period, instant_text, parse_instant
from twin.metering.types import EventLine, RateGroup, RateTerms
from twin.portal.asking import Form
from twin.portal.drilling import Drill
from twin.reports.event_exports import events_csv, events_xlsx
from twin.reports.exports import Tick, unheard
from twin.reports.queries import company_days, company_events, company_rates
from twin.reports.types import EventFilter, OverviewQuery

REPORT: Final = "events"
_A_PAGE: Final = 1_000


@dataclass(frozen=True)
class EventsAsked:
    """Which events; `period` is that of the day looked at, where there is one."""

    form: Form
    reseller_id: int
    has_seller: bool
    company_id: int
    section: str
    period: Period
    time_zone: str
    which: EventFilter

    @property
    def query(self) -> OverviewQuery:
        return OverviewQuery(period=self.period, reseller_id=self.reseller_id, time_zone=self.time_zone)

    @property
    def name(self) -> str:
        """What people save it as."""
        start = self.period.start.astimezone(ZoneInfo(self.time_zone))
        return f"events-{self.company_id}-{self.section}-{start:%Y-%m-%d}.{self.form}"

    def as_json(self) -> dict[str, Any]:
        which = self.which
        return {
            "form": self.form,
            "reseller": self.reseller_id,
            "has_seller": self.has_seller,
            "company": self.company_id,
            "section": self.section,
            "from": instant_text(self.period.start),
            "to": instant_text(self.period.end),
            "time_zone": self.time_zone,
            "meters": list(which.meters),
            "sell_rate": which.sell_rate,
            "buy_rate": which.buy_rate,
            "attributes": dict(which.attributes) if which.attributes is not None else None,
        }


def events_asked(scope: Scope, reseller: Company, drill: Drill, company_id: int, form: Form) -> EventsAsked:
    """The events that the drill-down shows, all pages; raises `CompanyNotFound` as the page does."""
    asked = drill.asked
    if asked.period is None:
        raise ValueError("There are no events without a period.")
    whole = OverviewQuery(period=asked.period, time_zone=asked.zone.key)
    row = drill.row_of(company_days(scope, whole, company_id, asked.section).rows) if drill.day else None
    return EventsAsked(
        form=form,
        reseller_id=reseller.id,
        has_seller=reseller.kind != "platform",
        company_id=company_id,
        section=asked.section,
        period=row.period if row else asked.period,
        time_zone=asked.zone.key,
        which=drill.which,
    )


def from_json(kept: Mapping[str, Any]) -> EventsAsked:
    """What `as_json` wrote."""
    return EventsAsked(
        form=kept["form"],
        reseller_id=kept["reseller"],
        has_seller=kept["has_seller"],
        company_id=kept["company"],
        section=kept["section"],
        period=Period(parse_instant(kept["from"]), parse_instant(kept["to"])),
        time_zone=kept["time_zone"],
        which=EventFilter(
            meters=tuple(kept["meters"]),
            sell_rate=kept["sell_rate"],
            buy_rate=kept["buy_rate"],
            attributes=kept["attributes"],
        ),
    )


def rows_in(scope: Scope, asked: EventsAsked) -> int:
    """How many events there are, counted by their rates; `scope` is the reseller's."""
    groups = company_rates(scope, asked.query, asked.company_id, asked.section).rows
    return sum(group.count for group in groups if _belongs(group, asked.which))


def _belongs(group: RateGroup, which: EventFilter) -> bool:
    return (
        (not which.meters or group.meter in which.meters)
        and (which.sell_rate is None or which.sell_rate == _number_of(group.sell_rate))
        and (which.buy_rate is None or which.buy_rate == _number_of(group.buy_rate))
        and (which.attributes is None or dict(which.attributes) == dict(group.attributes))
    )


def _number_of(rate: RateTerms | None) -> int:
    """0 stands for what has no price."""
    return rate.rate_id if rate else 0


def write_events(scope: Scope, asked: EventsAsked, target: Path, tick: Tick = unheard) -> int:
    """Write the file, newest event first; how many it holds."""
    write = events_xlsx if asked.form == "xlsx" else events_csv
    zone = ZoneInfo(asked.time_zone)
    return write(_events(scope, asked), zone, target, has_seller=asked.has_seller, tick=tick)


def _events(scope: Scope, asked: EventsAsked) -> Iterator[EventLine]:
    """Page by page, so that memory holds one of them however many there are."""
    cursor: str | None = None
    while True:
        page = company_events(
            scope, asked.query, asked.company_id, asked.section, which=asked.which, limit=_A_PAGE, cursor=cursor
        )
        yield from page.events
        cursor = page.next_cursor
        if cursor is None:
            return
