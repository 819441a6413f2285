"""What the pages of corrections show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from twin.metering.types import PLANNED_RATE, RateFigures, RateTerms, Rerating, ReratingFigures
from twin.portal.corrections_form import CorrectionForm
from twin.portal.prices_page import selector_words
from twin.portal.report_words import Figure, active_language, figure_of
from twin.portal.rules.figures import count_text, exact_text
from twin.portal.words import moment_words
from twin.pricing.meters import METER_BY_ID
from twin.pricing.types import Terms
from twin.pricing.words import METER_TITLES

COMPANIES_SHOWN: Final = 100
# New prices have no end; the year says so.
_FOR_EVER: Final = 9999
STATES: Final[dict[str, tuple[Promise, str]]] = {
    "asked": (gettext_lazy("being counted"), "plain"),
    "ready": (gettext_lazy("to be decided"), "warning"),
    "running": (gettext_lazy("being corrected"), "accent"),
    "done": (gettext_lazy("corrected"), "good"),
    "discarded": (gettext_lazy("discarded"), "plain"),
}


@dataclass(frozen=True)
class CorrectionRow:
    """One correction in the list."""

    id: int
    title: str
    asked: str
    state: str
    kind: str
    difference: Figure | None
    reason: str


@dataclass(frozen=True)
class CorrectionsPage:
    """The corrections of one seller, newest first, and the form for another."""

    runs: Sequence[Rerating]
    form: CorrectionForm
    zone: ZoneInfo
    currency: str

    @property
    def rows(self) -> list[CorrectionRow]:
        return [self._row(run) for run in self.runs]

    def _row(self, run: Rerating) -> CorrectionRow:
        words, kind = STATES[run.state]
        figures = run.figures or run.preview
        return CorrectionRow(
            id=run.id,
            title=span_words(run, self.zone),
            asked=moment_words(run.asked_at.replace(microsecond=0), self.zone),
            state=str(words),
            kind=kind,
            difference=figure_of(figures.difference(0)) if figures else None,
            reason=run.reason,
        )


@dataclass(frozen=True)
class ChangeRow:
    """What one change of price, or one company, makes of some charges."""

    title: str
    old: str
    new: str
    count: str
    before: Figure
    after: Figure
    difference: Figure
    lost: bool = False


@dataclass(frozen=True)
class Side:
    """One edge: what its charges were and become."""

    title: str
    before: Figure
    after: Figure
    difference: Figure
    by_rate: Sequence[ChangeRow]
    by_company: Sequence[ChangeRow]
    more_companies: str


@dataclass(frozen=True)
class CorrectionPage:
    """One correction: what was asked, what it changes or changed on either side, and the decision."""

    run: Rerating
    form: forms.Form
    zone: ZoneInfo
    currency: str
    names: Mapping[int, str]
    rates: Mapping[int, RateTerms]
    card: str = ""

    @property
    def state(self) -> str:
        return str(STATES[self.run.state][0])

    @property
    def kind(self) -> str:
        return STATES[self.run.state][1]

    @property
    def is_open(self) -> bool:
        """Whether the page will say more in a while."""
        return self.run.state in ("asked", "running")

    @property
    def may_decide(self) -> bool:
        return self.run.state == "ready"

    @property
    def changes_prices(self) -> bool:
        return self.run.prices is not None or self.run.assignment is not None

    @property
    def has_changes(self) -> bool:
        return bool(self.figures.by_rate)

    @property
    def act(self) -> str:
        """What the button does."""
        number = self.figures.changed(0) + self.figures.changed(1)
        if not number:
            return _("Record the price")
        words = ngettext("Correct %(n)s charge", "Correct %(n)s charges", number)
        return words % {"n": count_text(number, active_language())}

    @property
    def title(self) -> str:
        return span_words(self.run, self.zone)

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What was asked for, named."""
        run = self.run
        told = [
            (_("Company"), self.names.get(run.buyer_id or 0, str(run.buyer_id or "")) if run.buyer_id else ""),
            (_("Usage of"), self.names.get(run.company_id or 0, str(run.company_id or "")) if run.company_id else ""),
            (_("Meters"), ", ".join(str(METER_TITLES[code]) for code in run.meters or ())),
            (_("Rate card"), self.card),
            (
                pgettext("a correction", "Asked for"),
                _by(moment_words(run.asked_at.replace(microsecond=0), self.zone), run.asked_by),
            ),
            (_("Decided"), self._decided),
            (_("Reason"), run.reason),
        ]
        return [(name, text) for name, text in told if text]

    @property
    def _decided(self) -> str:
        at = self.run.decided_at
        return _by(moment_words(at.replace(microsecond=0), self.zone), self.run.decided_by) if at else ""

    @property
    def new_prices(self) -> list[tuple[str, str, str]]:
        """Meter, price, from when: what is recorded with the decision."""
        rates = self.run.prices.rates if self.run.prices else ()
        return [
            (
                str(METER_TITLES[rate.meter]),
                terms_words(
                    Terms(rate.unit_price_nano, rate.per, rate.minimum, rate.increment, rate.setup_fee_nano),
                    rate.selector,
                ),
                moment_words(rate.effective_from, self.zone),
            )
            for rate in rates
        ]

    @cached_property
    def figures(self) -> ReratingFigures:
        """What was changed, else what would be."""
        done = self.run.figures if self.run.state in ("running", "done") else None
        return done or self.run.preview or ReratingFigures()

    @property
    def looked_at(self) -> str:
        return count_text(self.figures.looked_at, active_language())

    @property
    def progress(self) -> str:
        """How far a correction under way has come."""
        of = self.run.preview.looked_at if self.run.preview else 0
        words = _("%(done)s of %(all)s events") if of else _("%(done)s events")
        return words % {"done": self.looked_at, "all": count_text(of, active_language())}

    @property
    def margin(self) -> Figure:
        return figure_of(self.figures.margin)

    @property
    def losing(self) -> str:
        number = self.figures.losing(0) + self.figures.losing(1)
        words = ngettext(
            "%(n)s charge has no price any more: it is taken back and waits for a price.",
            "%(n)s charges have no price any more: they are taken back and wait for a price.",
            number,
        )
        return words % {"n": count_text(number, active_language())} if number else ""

    @property
    def sides(self) -> list[Side]:
        """The own edge, and the one above where it was asked for."""
        found = [self._side(0, _("What your companies pay you"))]
        if self.run.above_id is not None:
            name = self.names.get(self.run.above_id, str(self.run.above_id))
            found.append(self._side(1, _("What you pay %(seller)s") % {"seller": name}))
        return found

    def _side(self, edge: int, title: str) -> Side:
        lines = [line for line in self.figures.by_rate if line.edge == edge]
        companies = [line for line in self.figures.by_company if line.edge == edge]
        companies.sort(key=lambda line: (-abs(line.after - line.before), line.company_id))
        before, after = sum(line.before for line in lines), sum(line.after for line in lines)
        return Side(
            title=title,
            before=figure_of(before),
            after=figure_of(after),
            difference=figure_of(after - before),
            by_rate=[self._rate_row(line) for line in lines],
            by_company=[
                _row(self.names.get(line.company_id, str(line.company_id)), line.count, line.before, line.after)
                for line in companies[:COMPANIES_SHOWN]
            ],
            more_companies=_more(len(companies) - COMPANIES_SHOWN),
        )

    def _rate_row(self, line: RateFigures) -> ChangeRow:
        title = str(METER_TITLES[METER_BY_ID[line.meter_id].code])
        old, new = self._rate_words(line.old_rate), self._rate_words(line.new_rate)
        return _row(title, line.count, line.before, line.after, old=old, new=new, lost=not line.new_rate)

    def _rate_words(self, rate_id: int) -> str:
        if not rate_id:
            return _("no price")
        if rate_id >= PLANNED_RATE and self.run.prices is not None:
            rate = self.run.prices.rates[rate_id - PLANNED_RATE]
            terms = Terms(rate.unit_price_nano, rate.per, rate.minimum, rate.increment, rate.setup_fee_nano)
            return terms_words(terms, rate.selector)
        known = self.rates.get(rate_id)
        return terms_words(known.terms, known.selector) if known else str(rate_id)


def terms_words(terms: Terms, selector: Mapping[str, str]) -> str:
    """`0.0500 / 60 (60/1) + 0.0100, country=DE`: a price as one reads it."""
    language = active_language()
    text = exact_text(terms.unit_price_nano, language)
    if terms.per != 1:
        text += f" / {count_text(terms.per, language)}"
    if (terms.minimum, terms.increment) != (0, 1):
        text += f" ({terms.minimum}/{terms.increment})"
    if terms.setup_fee_nano:
        text += f" + {exact_text(terms.setup_fee_nano, language)}"
    return text + (f", {selector_words(selector)}" if selector else "")


def span_words(run: Rerating, zone: ZoneInfo) -> str:
    """Which time the correction is about; one of new prices reaches until now."""
    start = moment_words(run.period.start, zone)
    if run.period.end.year == _FOR_EVER:
        return _("From %(moment)s on") % {"moment": start}
    return f"{start} – {moment_words(run.period.end, zone)}"


def _by(moment: str, who: str) -> str:
    return f"{moment}, {who}" if who else moment


def _row(
    title: str, count: int, before: int, after: int, *, old: str = "", new: str = "", lost: bool = False
) -> ChangeRow:
    return ChangeRow(
        title=title,
        old=old,
        new=new,
        count=count_text(count, active_language()),
        before=figure_of(before),
        after=figure_of(after),
        difference=figure_of(after - before),
        lost=lost,
    )


def _more(rest: int) -> str:
    words = ngettext("and %(n)s more company", "and %(n)s more companies", rest)
    return words % {"n": count_text(rest, active_language())} if rest > 0 else ""
