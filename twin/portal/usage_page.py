"""Reports → Usage as the template reads it: what one company used and what it pays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from twin.portal.asking import Asked
from twin.portal.comparing import STEP_TITLES, KeyFigure, bar_width, before_words, bounds_words, key_figure
from twin.portal.period_control import Link, PeriodControl
from twin.portal.report_words import TAB_TITLES, Figure, active_language, figure_of, quantity_words
from twin.portal.rules.figures import count_text
from twin.portal.words import step_words
from twin.pricing.meters import METER_BY_CODE
from twin.pricing.words import METER_TITLES
from twin.reports.columns import SECTIONS
from twin.reports.types import UsageFigures, UsageReport, UsageSection


class MeterLine(NamedTuple):
    code: str
    title: str
    number: str
    quantity: str
    price: Figure
    zero: bool


class ServiceLine(NamedTuple):
    code: str
    title: str
    bar: int
    price: Figure
    unrated: str
    meters: list[MeterLine]


class TrendLine(NamedTuple):
    """One step; None while its time has not come."""

    words: str
    short: str
    price: Figure | None


@dataclass(frozen=True)
class UsagePage:
    """`usage` is None when the question cannot be answered, or the figures could not be read (`failed`)."""

    usage: UsageReport | None
    asked: Asked
    path: str
    now: datetime
    period: PeriodControl
    company_name: str
    currency: str
    is_own: bool
    back_href: str
    failed: dict[str, str]

    @property
    def retry_href(self) -> str:
        return self.asked.address(self.path)

    @property
    def workbook_href(self) -> str:
        return self._file_href("xlsx")

    @property
    def table_href(self) -> str:
        """A section is to be added."""
        return self._file_href("csv")

    def _file_href(self, form: str) -> str:
        pairs = [pair for pair in self.asked.usage_pairs() if pair[0] != "chart"]
        return f"{reverse('portal:usage_file')}?{urlencode([*pairs, ('format', form)])}"

    @cached_property
    def total(self) -> KeyFigure | None:
        return key_figure("total-sell", self.usage.total_sell, self.usage.total_before) if self.usage else None

    @property
    def before_words(self) -> str:
        if self.usage is None:
            return ""
        return before_words(self.usage.previous, self.asked.zone, is_running=self.usage.is_running)

    @property
    def before_bounds(self) -> str:
        return bounds_words(self.usage.previous, self.asked.zone) if self.usage else ""

    @property
    def unrated_words(self) -> str:
        count = self.usage.unrated if self.usage else 0
        words = ngettext("%(n)s event has no price yet", "%(n)s events have no price yet", count)
        return words % {"n": count_text(count, active_language())} if count else ""

    @cached_property
    def services(self) -> list[ServiceLine]:
        sections = self.usage.sections.values() if self.usage else ()
        largest = max((section.total_sell for section in sections), default=0)
        return [_service(section, largest) for section in sections]

    @cached_property
    def used(self) -> list[ServiceLine]:
        """Services of which anything was used; the others are only named."""
        return [service for service in self.services if any(not meter.zero for meter in service.meters)]

    @property
    def unused_words(self) -> str:
        names = [service.title for service in self.services if service not in self.used]
        return _("Not used: %(services)s") % {"services": ", ".join(names)} if names and self.used else ""

    @cached_property
    def charts(self) -> list[Link]:
        shown = {"": _("All services"), **{code: str(title) for code, title in TAB_TITLES.items()}}
        return [
            Link(title, self.asked.address(self.path, chart=code) + "#trend", code == self.asked.chart)
            for code, title in shown.items()
        ]

    @property
    def trend_title(self) -> str:
        return str(STEP_TITLES[self.usage.step]) if self.usage else ""

    @cached_property
    def trend(self) -> list[TrendLine]:
        lines = []
        for point in self.usage.points if self.usage else ():
            words, short = step_words(point.period, self.asked.zone, self.usage.step if self.usage else "day")
            price = point.services[self.asked.chart] if self.asked.chart else point.sell
            lines.append(TrendLine(words, short, None if point.period.start > self.now else figure_of(price)))
        return lines

    @property
    def trend_total(self) -> Figure:
        if self.usage is None:
            return figure_of(0)
        chart = self.asked.chart
        return figure_of(self.usage.sections[chart].total_sell if chart else self.usage.total_sell)


def _service(section: UsageSection, largest: int) -> ServiceLine:
    unrated = ngettext("%(n)s not rated", "%(n)s not rated", section.unrated) if section.unrated else ""
    return ServiceLine(
        code=section.code,
        title=_(SECTIONS[section.code].title),
        bar=bar_width(section.total_sell, largest),
        price=figure_of(section.total_sell),
        unrated=unrated % {"n": count_text(section.unrated, active_language())} if unrated else "",
        meters=[_meter(code, figures) for code, figures in section.meters.items()],
    )


def _meter(code: str, figures: UsageFigures) -> MeterLine:
    return MeterLine(
        code=code,
        title=str(METER_TITLES[code]),
        number=count_text(figures.count, active_language()),
        quantity=quantity_words(figures.quantity, METER_BY_CODE[code].unit),
        price=figure_of(figures.sell),
        zero=not (figures.count or figures.sell),
    )
