"""The overview above the report: key figures beside those before, the trend, who is big, who falls, what is to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from twin.portal.asking import COMMON_SORTS, DEFAULT_SORT, Asked
from twin.portal.comparing import STEP_TITLES, KeyFigure, bar_width, before_words, bounds_words, key_figure
from twin.portal.period_control import Link
from twin.portal.report_words import TAB_TITLES, Figure, active_language, attributes_words, figure_of
from twin.portal.rules.figures import change_text, count_text, exact_text, share_text
from twin.portal.words import moment_words, step_words
from twin.pricing.meters import METER_BY_CODE
from twin.pricing.words import METER_TITLES
from twin.reports.types import CompanyTrend, Overview, RateUnderCost, Sums, UnratedUsage

TO_DO_SHOWN: Final = 10


class ServiceLine(NamedTuple):
    title: str
    href: str
    bar: int
    buy: Figure
    sell: Figure
    margin: Figure


class CompanyLine(NamedTuple):
    """A company in a list; `path` names the resellers between."""

    name: str
    path: str
    href: str
    bar: int
    before: Figure
    sell: Figure
    margin: Figure
    loss: Figure
    change: str
    unrated: bool


class TrendLine(NamedTuple):
    """One step; the figures are None while its time has not come."""

    words: str
    short: str
    buy: Figure | None
    sell: Figure | None
    margin: Figure | None


class ToDo(NamedTuple):
    """What waits for somebody, with the way there and, for who may, the way to mend it."""

    words: str
    more: str
    href: str
    link: str
    mend_href: str = ""
    mend_link: str = ""


@dataclass(frozen=True)
class OverviewPage:
    overview: Overview
    asked: Asked
    path: str
    now: datetime
    mends: bool = False

    @property
    def currency(self) -> str:
        return self.overview.currency

    # Key figures -------------------------------------------------------------

    @cached_property
    def total_buy(self) -> KeyFigure:
        return key_figure("total-buy", self.overview.now.buy, self.overview.before.buy)

    @cached_property
    def total_sell(self) -> KeyFigure:
        return key_figure("total-sell", self.overview.now.sell, self.overview.before.sell)

    @cached_property
    def margin(self) -> KeyFigure:
        return key_figure("margin", self.overview.now.margin, self.overview.before.margin)

    @property
    def margin_share(self) -> str | None:
        return share_text(self.overview.now.margin, self.overview.now.sell, active_language())

    @property
    def before_words(self) -> str:
        return before_words(self.overview.previous, self.asked.zone, is_running=self.overview.is_running)

    @property
    def before_bounds(self) -> str:
        return bounds_words(self.overview.previous, self.asked.zone)

    @property
    def unrated(self) -> int:
        return self.overview.now.unrated

    @property
    def unrated_words(self) -> str:
        words = ngettext("%(n)s event has no price", "%(n)s events have no price", self.unrated)
        return words % {"n": count_text(self.unrated, active_language())}

    @property
    def under_cost_words(self) -> str:
        count = len(self.overview.under_cost)
        words = ngettext("%(n)s rate lies under its cost", "%(n)s rates lie under their cost", count)
        return words % {"n": count_text(count, active_language())} if count else ""

    # By service and over time ------------------------------------------------

    @cached_property
    def services(self) -> list[ServiceLine]:
        largest = max((sums.sell for sums in self.overview.services.values()), default=0)
        return [self._service(code, sums, largest) for code, sums in self.overview.services.items()]

    def _service(self, code: str, sums: Sums, largest: int) -> ServiceLine:
        kept = self.asked.sort if self.asked.sort.removeprefix("-") in COMMON_SORTS else DEFAULT_SORT
        return ServiceLine(
            title=str(TAB_TITLES[code]),
            href=self.asked.address(self.path, section=code, sort=kept) + "#table-part",
            bar=bar_width(sums.sell, largest),
            buy=figure_of(sums.buy),
            sell=figure_of(sums.sell),
            margin=figure_of(sums.margin),
        )

    @cached_property
    def charts(self) -> list[Link]:
        """Whose trend may be shown: all services, or one."""
        shown = {"": _("All services"), **{code: str(title) for code, title in TAB_TITLES.items()}}
        return [
            Link(
                title,
                self.asked.address(self.path, chart=code, page=self.asked.page) + "#trend",
                code == self.asked.chart,
            )
            for code, title in shown.items()
        ]

    @property
    def trend_title(self) -> str:
        return str(STEP_TITLES[self.overview.step])

    @cached_property
    def trend(self) -> list[TrendLine]:
        lines = []
        for point in self.overview.points:
            words, short = step_words(point.period, self.asked.zone, self.overview.step)
            if point.period.start > self.now:
                lines.append(TrendLine(words, short, None, None, None))
                continue
            sums = point.services[self.asked.chart] if self.asked.chart else point.all
            lines.append(TrendLine(words, short, *(figure_of(nano) for nano in (sums.buy, sums.sell, sums.margin))))
        return lines

    @cached_property
    def trend_sums(self) -> Sums:
        return self.overview.services[self.asked.chart] if self.asked.chart else self.overview.now

    @property
    def trend_total(self) -> list[Figure]:
        sums = self.trend_sums
        return [figure_of(nano) for nano in (sums.buy, sums.sell, sums.margin)]

    # Companies ---------------------------------------------------------------

    @cached_property
    def biggest(self) -> list[CompanyLine]:
        largest = max((company.now.sell for company in self.overview.biggest), default=0)
        return [self._company(company, company.now.sell, largest) for company in self.overview.biggest]

    @cached_property
    def falling(self) -> list[CompanyLine]:
        largest = max((company.loss for company in self.overview.falling), default=0)
        return [self._company(company, company.loss, largest) for company in self.overview.falling]

    @property
    def falling_more(self) -> str:
        rest = self.overview.falling_count - len(self.overview.falling)
        words = ngettext("and %(n)s more company", "and %(n)s more companies", rest)
        return words % {"n": count_text(rest, active_language())} if rest > 0 else ""

    def _company(self, company: CompanyTrend, size: int, largest: int) -> CompanyLine:
        path = _("under %(path)s") % {"path": " / ".join(company.path)} if company.path else ""
        return CompanyLine(
            name=company.company_name,
            path=path,
            href=self._beneath(company.company_id),
            bar=bar_width(size, largest),
            before=figure_of(company.before.sell),
            sell=figure_of(company.now.sell),
            margin=figure_of(company.now.margin),
            loss=figure_of(-company.loss),
            change=change_text(company.now.sell, company.before.sell, active_language()) or "",
            unrated=company.now.unrated > 0,
        )

    def _beneath(self, company_id: int, **more: str) -> str:
        pairs = [*self.asked.period_pairs(), *more.items()]
        return f"{self.path}/{company_id}?{urlencode(pairs)}"

    # To do -------------------------------------------------------------------

    @property
    def to_do_count(self) -> int:
        return len(self.overview.unrated) + len(self.overview.under_cost)

    @cached_property
    def to_do(self) -> list[ToDo]:
        unrated = [self._unrated(group) for group in self.overview.unrated[:TO_DO_SHOWN]]
        return unrated + [self._under_cost(rate) for rate in self.overview.under_cost[:TO_DO_SHOWN]]

    @property
    def books_href(self) -> str:
        """Where all of it stands; empty for who cannot mend it."""
        return reverse("portal:books") if self.mends else ""

    @property
    def to_do_more(self) -> str:
        rest = self.to_do_count - len(self.to_do)
        words = ngettext("and %(n)s more", "and %(n)s more", rest)
        return words % {"n": count_text(rest, active_language())} if rest > 0 else ""

    def _unrated(self, group: UnratedUsage) -> ToDo:
        texts = {
            "n": count_text(group.count, active_language()),
            "what": METER_TITLES[group.meter],
            "attributes": attributes_words(group.attributes),
        }
        if not group.is_own_price:
            words = ngettext(
                "%(n)s event waits for your seller's price: %(what)s, %(attributes)s",
                "%(n)s events wait for your seller's price: %(what)s, %(attributes)s",
                group.count,
            )
            return ToDo(words % texts, "", "", "")
        words = ngettext(
            "%(n)s event of %(company)s has no rate: %(what)s, %(attributes)s",
            "%(n)s events of %(company)s have no rate: %(what)s, %(attributes)s",
            group.count,
        )
        service = METER_BY_CODE[group.meter].service
        href = self._beneath(group.buyer_id, section=service, meter=group.meter, sell_rate="0")
        since = _("since %(time)s") % {"time": moment_words(group.first_at, self.asked.zone)}
        mend = f"{reverse('portal:books')}?{urlencode({'search': group.buyer_name, 'show': 'unrated'})}"
        return self._mended(
            ToDo(words % {**texts, "company": group.buyer_name}, since, href, _("Show the events")), mend
        )

    def _mended(self, to_do: ToDo, href: str) -> ToDo:
        return to_do._replace(mend_href=href, mend_link=_("Set a price")) if self.mends else to_do

    def _under_cost(self, rate: RateUnderCost) -> ToDo:
        words = _("%(what)s, %(attributes)s, is sold under cost on %(card)s: %(sell)s for what costs %(buy)s") % {
            "what": " + ".join(str(METER_TITLES[meter]) for meter in rate.meters),
            "attributes": attributes_words(rate.attributes),
            "card": rate.card_name,
            "sell": exact_text(rate.sell, active_language()),
            "buy": exact_text(rate.buy, active_language()),
        }
        service = METER_BY_CODE[rate.meters[0]].service
        href = self._beneath(rate.buyer_ids[0], section=service, meter=rate.meters[-1]) if rate.buyer_ids else ""
        meter = urlencode({"search": rate.meters[-1], "show": "current"})
        card = f"{reverse('portal:rate_card', args=[rate.card_id])}?{meter}"
        return self._mended(ToDo(words, ", ".join(rate.buyer_names), href, _("Show the rates")), card)
