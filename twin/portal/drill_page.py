"""The drill-down as the template reads it: one company by day, by rate, event by event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from twin.billing.queries.closed import ClosedSpan
from twin.metering.types import EdgeCharge, EventLine, RateGroup, RateTerms
from twin.portal.drilling import Drill
from twin.portal.period_control import Link, PeriodControl
from twin.portal.report_words import (
    CHANNEL_TITLES,
    TAB_TITLES,
    Figure,
    active_language,
    attributes_words,
    figure_of,
    quantity_words,
)
from twin.portal.rules.channels import channel_of, channels_of
from twin.portal.rules.figures import count_text, exact_text, share_text
from twin.portal.words import length_words, moment_words, month_words, offset_words, short_date_words, step_words
from twin.pricing.meters import METER_BY_CODE
from twin.pricing.words import METER_TITLES
from twin.reports.columns import SECTIONS, Column
from twin.reports.types import CompanyDays, CompanyEvents, CompanyRates, DayRow

# More columns of counts than this stand side by side only in the report itself.
_MOST_COUNTS: Final = 4


class CountFigure(NamedTuple):
    text: str
    zero: bool


class DayLine(NamedTuple):
    words: str
    odd: str
    href: str
    current: bool
    counts: list[CountFigure]
    buy: Figure
    sell: Figure
    margin: Figure
    unrated: str


class RateLine(NamedTuple):
    """What was charged alike; unit prices as they stand in the rate."""

    title: str
    attributes: str
    href: str
    current: bool
    events: str
    quantity: str
    unit_buy: str
    unit_sell: str
    buy: Figure | None
    sell: Figure | None
    margin: Figure | None


class Side(NamedTuple):
    """One side of an event with its arithmetic; `rate` empty where there is no price yet."""

    title: str
    rate: str
    selector: str
    since: str
    rule: str
    calculation: str
    amount: str
    late: bool
    corrected: bool = False


class EventRow(NamedTuple):
    """`instant` is the whole time with its offset; `date` is empty where all events are of one day."""

    time: str
    date: str
    instant: str
    key: str
    source: str
    meter: str
    attributes: str
    quantity: str
    buy: str
    sell: str
    margin: str
    loss: bool
    received: str
    sides: list[Side]
    withdrawn: bool = False
    after: str = ""
    after_href: str = ""


@dataclass(frozen=True)
class DrillPage:
    drill: Drill
    path: str
    report_path: str
    period: PeriodControl
    days: CompanyDays | None
    rates: CompanyRates | None
    events: CompanyEvents | None
    has_seller: bool
    failed: dict[str, str]
    name: str
    company_id: int
    company_path: tuple[str, ...]
    currency: str
    usage_path: str = ""
    closed: Sequence[ClosedSpan] = ()
    opens_statements: bool = True
    # The reseller beneath which the company did not lie in this period.
    absent_under: str = ""

    # Where this is -----------------------------------------------------------

    @property
    def section_title(self) -> str:
        return _(SECTIONS[self.drill.asked.section].title)

    @property
    def channel_title(self) -> str:
        return str(CHANNEL_TITLES[self.drill.asked.channel]) if self.drill.asked.channel else ""

    @property
    def title(self) -> str:
        """The company and what of it is looked at."""
        what = self.channel_title or str(TAB_TITLES[self.drill.asked.section])
        return f"{self.name}, {what}"

    @property
    def under_words(self) -> str:
        return _("under %(path)s") % {"path": " / ".join(self.company_path)} if self.company_path else ""

    @property
    def back_href(self) -> str:
        if self.drill.asked.period is None:
            return self.report_path
        kept = [pair for pair in self.drill.pairs() if pair[0] in ("reseller", "from", "to", "time_zone", "section")]
        return f"{self.report_path}?{urlencode(kept)}"

    @property
    def usage_href(self) -> str:
        """What the company itself sees of it; empty where that is not for the reader."""
        if not self.usage_path or self.drill.asked.period is None:
            return ""
        kept = [pair for pair in self.drill.asked.period_pairs() if pair[0] != "reseller"]
        return f"{self.usage_path}?{urlencode([('company', self.company_id), *kept])}"

    @cached_property
    def tabs(self) -> list[Link]:
        if self.drill.asked.period is None:
            return []
        top = self.drill.without_rate()
        return [
            Link(
                str(title),
                replace(top, asked=replace(top.asked, section=code, channel="")).address(self.path),
                code == self.drill.asked.section,
            )
            for code, title in TAB_TITLES.items()
        ]

    @cached_property
    def channels(self) -> list[Link]:
        codes = channels_of(self.drill.asked.section) if self.drill.asked.period else ()
        top = self.drill.without_rate()
        every = [("", _("All")), *((code, str(CHANNEL_TITLES[code])) for code in codes)] if codes else []
        return [
            Link(
                title,
                replace(top, asked=replace(top.asked, channel=code)).address(self.path),
                code == self.drill.asked.channel,
            )
            for code, title in every
        ]

    # Figures and days --------------------------------------------------------

    @cached_property
    def columns(self) -> list[Column]:
        """Counts and seconds of what is looked at; none where there would be too many beside the amounts."""
        channel = self.drill.asked.channel
        found = [
            column
            for column in SECTIONS[self.drill.asked.section].columns
            if column.kind in ("count", "seconds") and (not channel or channel_of(column.code) == channel)
        ]
        return found if len(found) <= _MOST_COUNTS else []

    @property
    def count_titles(self) -> list[str]:
        return [_(column.title) for column in self.columns]

    @property
    def counts(self) -> list[tuple[str, str]]:
        if self.days is None:
            return []
        totals = self.days.totals
        return [
            (_(column.title), count_text(column.figures(totals, "sell"), active_language())) for column in self.columns
        ]

    @cached_property
    def sums(self) -> list[tuple[int, int]]:
        """(buy, sell) of each row, of the meters that are looked at only."""
        rows = self.days.rows if self.days else ()
        return [self._sums(row) for row in rows]

    def _sums(self, row: DayRow) -> tuple[int, int]:
        figures = [row.meters[meter] for meter in self._channel_meters]
        return sum(each.buy for each in figures), sum(each.sell for each in figures)

    @property
    def _channel_meters(self) -> tuple[str, ...]:
        return self.drill.without_rate().meters

    @property
    def total_buy(self) -> Figure:
        return figure_of(sum(buy for buy, _sell in self.sums))

    @property
    def total_sell(self) -> Figure:
        return figure_of(sum(sell for _buy, sell in self.sums))

    @property
    def total_margin(self) -> Figure:
        return figure_of(sum(sell - buy for buy, sell in self.sums))

    @property
    def margin_share(self) -> str | None:
        sell = sum(sell for _buy, sell in self.sums)
        return share_text(sum(sell - buy for buy, sell in self.sums), sell, active_language())

    @property
    def unrated_words(self) -> str:
        count = self.days.totals.unrated if self.days else 0
        words = ngettext("%(n)s event has no price", "%(n)s events have no price", count)
        return words % {"n": count_text(count, active_language())} if count else ""

    @property
    def by_day_title(self) -> str:
        return _("By month") if self.days and self.days.step == "month" else _("By day")

    @property
    def day_count_words(self) -> str:
        count = len(self.days.rows) if self.days else 0
        if self.days and self.days.step == "month":
            return ngettext("%(n)s month", "%(n)s months", count) % {"n": count}
        return ngettext("%(n)s day", "%(n)s days", count) % {"n": count}

    @cached_property
    def day_lines(self) -> list[DayLine]:
        if self.days is None:
            return []
        return [self._day_line(row, *sums) for row, sums in zip(self.days.rows, self.sums, strict=True)]

    def _day_line(self, row: DayRow, buy: int, sell: int) -> DayLine:
        zone = self.drill.asked.zone
        first = row.period.start.astimezone(zone).date()
        words, _short = step_words(row.period, zone, self.days.step if self.days else "day")
        usual = row.period.length.total_seconds() == 86_400 or (self.days is not None and self.days.step != "day")
        counts = [column.figures(row, "sell") for column in self.columns]  # type: ignore[arg-type]  # has the same meters
        unrated = ngettext("%(n)s not rated", "%(n)s not rated", row.unrated) if row.unrated else ""
        return DayLine(
            words=words,
            odd="" if usual else length_words(row.period, zone).partition(":")[0],
            href=replace(self.drill.without_rate(), day=first).address(self.path) + "#rates",
            current=first == self.drill.day,
            counts=[CountFigure(count_text(count, active_language()), count == 0) for count in counts],
            buy=figure_of(buy),
            sell=figure_of(sell),
            margin=figure_of(sell - buy),
            unrated=unrated % {"n": count_text(row.unrated, active_language())} if unrated else "",
        )

    # The chosen day ----------------------------------------------------------

    @property
    def chosen_words(self) -> str:
        row = self.drill.row_of(self.days.rows) if self.days else None
        if row is None or self.days is None:
            return _("whole period")
        return step_words(row.period, self.drill.asked.zone, self.days.step)[0]

    @property
    def whole_href(self) -> str:
        """Back to all days; empty when no day is chosen."""
        return replace(self.drill, day=None).address(self.path) + "#rates" if self.drill.day else ""

    # Rates -------------------------------------------------------------------

    @cached_property
    def groups(self) -> list[RateGroup]:
        rows = self.rates.rows if self.rates else ()
        wanted = self._channel_meters
        return [group for group in rows if group.meter in wanted]

    @cached_property
    def rate_lines(self) -> list[RateLine]:
        return [self._rate_line(group) for group in self.groups]

    def _rate_line(self, group: RateGroup) -> RateLine:
        unit = METER_BY_CODE[group.meter].unit
        rated_buy = not group.has_buying_side or group.buy_rate is not None
        rated_both = group.sell_rate is not None and rated_buy
        return RateLine(
            title=str(METER_TITLES[group.meter]),
            attributes=attributes_words(group.attributes),
            href=self._group_drill(group).address(self.path) + "#events",
            current=self._is_chosen(group),
            events=count_text(group.count, active_language()),
            quantity=quantity_words(group.quantity, unit),
            unit_buy=unit_price_words(group.buy_rate) if group.has_buying_side else "",
            unit_sell=unit_price_words(group.sell_rate),
            buy=figure_of(group.buy) if rated_buy else None,
            sell=figure_of(group.sell) if group.sell_rate else None,
            margin=figure_of(group.sell - group.buy) if rated_both else None,
        )

    def _group_drill(self, group: RateGroup) -> Drill:
        return replace(
            self.drill,
            meter=group.meter,
            sell_rate=group.sell_rate.rate_id if group.sell_rate else 0,
            buy_rate=(group.buy_rate.rate_id if group.buy_rate else 0) if group.has_buying_side else None,
            attributes=group.attributes,
            cursor="",
        )

    def _is_chosen(self, group: RateGroup) -> bool:
        return self.drill.has_rate and self._group_drill(group) == replace(self.drill, cursor="")

    @property
    def rates_total(self) -> list[Figure]:
        buy, sell = sum(group.buy for group in self.groups), sum(group.sell for group in self.groups)
        return [figure_of(buy), figure_of(sell), figure_of(sell - buy)]

    @property
    def rates_count(self) -> str:
        return count_text(sum(group.count for group in self.groups), active_language())

    @property
    def all_rates_href(self) -> str:
        """Back to the events of every rate; empty when none is chosen."""
        chosen = self.drill.has_rate or self.drill.meter
        return self.drill.without_rate().address(self.path) + "#events" if chosen else ""

    # Events ------------------------------------------------------------------

    @property
    def events_words(self) -> str:
        """Which events are listed: of which day, meter, rate."""
        parts = [self.chosen_words]
        if self.drill.meter:
            parts.append(str(METER_TITLES[self.drill.meter]))
        if self.drill.attributes is not None:
            parts.append(attributes_words(self.drill.attributes))
        if 0 in (self.drill.sell_rate, self.drill.buy_rate):
            parts.append(_("without a price"))
        return ", ".join(parts)

    @cached_property
    def event_rows(self) -> list[EventRow]:
        return [self._event_row(event) for event in (self.events.events if self.events else ())]

    def _event_row(self, event: EventLine) -> EventRow:
        local = event.event_time.astimezone(self.drill.asked.zone)
        fraction = f".{local.microsecond:06d}".rstrip("0") if local.microsecond else ""
        known = event.sell.rate is not None and (event.buy is None or event.buy.rate is not None)
        margin = event.sell.amount - (event.buy.amount if event.buy else 0)
        unit = METER_BY_CODE[event.meter].unit
        sides = [_side(_("Total price to Twin"), event.buy, event, self.drill)] if event.buy else []
        after, after_href = _after_statement(event, self.closed)
        return EventRow(
            time=f"{local:%H:%M:%S}{fraction}",
            date="" if self.drill.day and self.days and self.days.step == "day" else short_date_words(local),
            instant=f"{moment_words(event.event_time, self.drill.asked.zone)}, {offset_words(local)}",
            key=event.id,
            source=event.source,
            meter=str(METER_TITLES[event.meter]),
            attributes=attributes_words(event.attributes),
            quantity=quantity_words(event.quantity, unit),
            buy=_amount(event.buy, event) if event.buy else "",
            sell=_amount(event.sell, event),
            margin=exact_text(margin, active_language()) if known or event.is_withdrawn else _("not rated"),
            loss=known and margin < 0,
            received=moment_words(event.received_at, self.drill.asked.zone),
            sides=[*sides, _side(_("Total price to reseller"), event.sell, event, self.drill)],
            withdrawn=event.is_withdrawn,
            after=after,
            after_href=after_href if self.opens_statements else "",
        )

    @property
    def file_hrefs(self) -> list[Link]:
        """The events shown, all pages, as files."""
        address = self.drill.address(reverse("portal:events_file", args=[self.company_id]))
        return [Link(form.upper(), f"{address}&format={form}") for form in ("csv", "xlsx")]

    @property
    def newest_href(self) -> str:
        return self.drill.address(self.path) + "#events" if self.drill.cursor else ""

    @property
    def older_href(self) -> str:
        cursor = self.events.next_cursor if self.events else None
        return self.drill.address(self.path, cursor=cursor) + "#events" if cursor else ""


def unit_price_words(rate: RateTerms | None) -> str:
    """`0.0745`, `0.06 / 60, 60/1, + 0.01`: price, per how many, minimum and increment, set-up fee."""
    if rate is None:
        return _("not rated")
    terms = rate.terms
    language = active_language()
    parts = [exact_text(terms.unit_price_nano, language) + (f" / {terms.per}" if terms.per != 1 else "")]
    if (terms.minimum, terms.increment) != (0, 1):
        parts.append(f"{terms.minimum}/{terms.increment}")
    if terms.setup_fee_nano:
        parts.append(f"+ {exact_text(terms.setup_fee_nano, language)}")
    return ", ".join(parts)


def _amount(charge: EdgeCharge, event: EventLine) -> str:
    """What was taken back costs nothing; what has no price yet is not rated."""
    known = charge.rate is not None or event.is_withdrawn
    return exact_text(charge.amount, active_language()) if known else _("not rated")


def _side(title: str, charge: EdgeCharge, event: EventLine, drill: Drill) -> Side:
    rate = charge.rate
    if rate is None:
        return Side(title, "", "", "", "", "", _amount(charge, event), False)
    terms = rate.terms
    return Side(
        title=title,
        rate=_("version %(number)s") % {"number": rate.rate_id},
        selector=attributes_words(rate.selector) if rate.selector else _("none: the rate for all others"),
        since=moment_words(rate.effective_from, drill.asked.zone),
        rule=f"{terms.minimum}/{terms.increment}",
        calculation=_calculation(charge, rate, event),
        amount=exact_text(charge.amount, active_language()),
        late=charge.is_late,
        corrected=charge.is_corrected,
    )


def _after_statement(event: EventLine, closed: Sequence[ClosedSpan]) -> tuple[str, str]:
    """What a closed statement of the event's month has not seen of it, and the address of that statement."""
    span = next((one for one in closed if one.buyer_id == event.buyer_id and event.event_time in one.period), None)
    place = event.place
    if span is None or place is None:
        return "", ""
    href = reverse("portal:statement", args=[span.statement_id])
    if span.came_after(place):
        return _("came after the statement of %(month)s") % {"month": month_words(span.month)}, href
    if span.changed_after(place):
        return _("changed after the statement of %(month)s") % {"month": month_words(span.month)}, href
    return "", ""


def _calculation(charge: EdgeCharge, rate: RateTerms, event: EventLine) -> str:
    """The arithmetic of one charge in one line."""
    language = active_language()
    billed = count_text(charge.billed, language)
    used = quantity_words(event.quantity, METER_BY_CODE[event.meter].unit)
    if charge.billed != event.quantity:
        used = _("%(used)s, billed as %(billed)s") % {"used": used, "billed": billed}
    parts = [f"{used} × {exact_text(rate.terms.unit_price_nano, language)}"]
    if rate.terms.per != 1:
        parts.append(f"÷ {rate.terms.per}")
    if rate.terms.setup_fee_nano and charge.billed:
        parts.append(_("+ %(fee)s set-up fee") % {"fee": exact_text(rate.terms.setup_fee_nano, language)})
    return " ".join(parts)
