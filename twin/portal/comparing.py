"""Figures beside those of the period before, and bars beside each other."""

from __future__ import annotations

from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from twin.kernel.money import amount_text
from twin.kernel.period import Period
from twin.portal.report_words import Figure, active_language, figure_of
from twin.portal.rules.figures import change_text, money_text
from twin.portal.rules.periods import whole_month
from twin.portal.words import moment_words, month_words

# Bars are as wide as this at most; it is also the view box of their picture.
BAR_WIDTH: Final = 100
STEP_TITLES: Final[dict[str, Promise]] = {
    "hour": gettext_lazy("By hour"),
    "day": gettext_lazy("By day"),
    "month": gettext_lazy("By month"),
    "year": gettext_lazy("By year"),
}


class KeyFigure(NamedTuple):
    """A total, and how it stands against the equal period before; `arrow` is empty where nothing moved."""

    code: str
    figure: Figure
    arrow: str
    change: str
    difference: str
    difference_exact: str


def key_figure(code: str, now: int, before: int) -> KeyFigure:
    difference = now - before
    sign = "+" if difference > 0 else ""
    language = active_language()
    return KeyFigure(
        code=code,
        figure=figure_of(now),
        arrow="" if difference == 0 else "↑" if difference > 0 else "↓",
        change=change_text(now, before, language) or "",
        difference=f"{sign}{money_text(difference, language)}",
        difference_exact=amount_text(difference),
    )


def before_words(previous: Period, zone: ZoneInfo, *, is_running: bool) -> str:
    """With what a period is compared: a month by its name, else the time before."""
    month = whole_month(previous, zone)
    if month is not None:
        return _("against %(month)s") % {"month": month_words(month)}
    if is_running:
        return _("against the same time of the period before")
    return _("against the period before")


def bounds_words(period: Period, zone: ZoneInfo) -> str:
    return f"{moment_words(period.start, zone)} – {moment_words(period.end, zone)}"


def bar_width(part: int, largest: int) -> int:
    """Of `BAR_WIDTH`; what is there at all can be seen."""
    if part <= 0 or largest <= 0:
        return 0
    return max(1, part * BAR_WIDTH // largest)
