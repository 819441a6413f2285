"""Files as the pages tell of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from twin.kernel.period import parse_instant
from twin.portal.report_files import LARGEST_PDF
from twin.portal.report_words import active_language
from twin.portal.rules.figures import count_text
from twin.portal.words import moment_words
from twin.reports.event_exports import MOST_WORKBOOK_ROWS
from twin.reports.types import ExportFile

STATES: Final[dict[str, Promise]] = {
    "waiting": gettext_lazy("Waiting"),
    "working": gettext_lazy("Being made"),
    "done": gettext_lazy("Ready"),
    "failed": gettext_lazy("Failed"),
    "expired": gettext_lazy("Expired"),
}
_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True)
class FileLine:
    """One file; times in the organisation's zone."""

    export: ExportFile
    zone: ZoneInfo

    @property
    def state_words(self) -> str:
        return str(STATES[self.export.state])

    @property
    def is_under_way(self) -> bool:
        return self.export.state in ("waiting", "working")

    @property
    def is_ready(self) -> bool:
        return self.export.state == "done"

    @property
    def period_words(self) -> str:
        question = self.export.question
        zone = ZoneInfo(question["time_zone"])
        start, end = (moment_words(parse_instant(question[name]), zone) for name in ("from", "to"))
        return _("%(start)s to %(end)s, end not included") % {"start": start, "end": end} + f" ({zone.key})"

    @property
    def rows_words(self) -> str:
        return rows_words(self.export.rows_total)

    @property
    def progress_words(self) -> str:
        texts = {
            "done": count_text(self.export.rows_done, active_language()),
            "n": count_text(self.export.rows_total, active_language()),
        }
        return _("%(done)s of %(n)s rows") % texts

    @property
    def rows_total(self) -> int:
        return max(self.export.rows_total, 1)

    @property
    def rows_done(self) -> int:
        return min(self.export.rows_done, self.rows_total)

    @property
    def size_words(self) -> str:
        return size_words(self.export.size)

    @property
    def asked_words(self) -> str:
        return moment_words(self.export.asked_at.replace(microsecond=0), self.zone)

    @property
    def expires_words(self) -> str:
        expires_at = self.export.expires_at
        return moment_words(expires_at.replace(microsecond=0), self.zone) if expires_at else ""


@dataclass(frozen=True)
class LargeFile:
    """A file too long to wait for; one that `is_too_large` is not made at all. `here` is its address."""

    name: str
    rows: int
    here: str
    is_too_large: bool

    @property
    def is_pdf(self) -> bool:
        return self.name.endswith(".pdf")

    @property
    def rows_words(self) -> str:
        return rows_words(self.rows)

    @property
    def most_words(self) -> str:
        return rows_words(LARGEST_PDF if self.is_pdf else MOST_WORKBOOK_ROWS)

    @property
    def other_href(self) -> str:
        """The same in a form that holds more."""
        return re.sub(r"\bformat=[a-z]+", "format=xlsx" if self.is_pdf else "format=csv", self.here)


def rows_words(number: int) -> str:
    return ngettext("%(n)s row", "%(n)s rows", number) % {"n": count_text(number, active_language())}


def size_words(size: int) -> str:
    """`312 kB`, `1.4 MB`."""
    if size < _MEGABYTE:
        return _("%(n)s kB") % {"n": count_text(max(1, round(size / 1000)), active_language())}
    return _("%(n)s MB") % {"n": number_format(size / _MEGABYTE, decimal_pos=1)}
