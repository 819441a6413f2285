"""The ways out of the report page: which files are offered, and where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from twin.portal.asking import Asked
from twin.portal.report_words import TAB_TITLES


class Way(NamedTuple):
    """One file."""

    title: str
    href: str


class Offer(NamedTuple):
    """What is in the files, in words."""

    title: str
    hint: str
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Downloads:
    """Files of the report that the address asks for; its period must be readable."""

    asked: Asked

    @property
    def offers(self) -> list[Offer]:
        return [
            Offer(
                _("This section: %(section)s") % {"section": TAB_TITLES[self.asked.section]},
                _("rows and columns as shown, all pages"),
                self._ways("section", "csv", "xlsx", "pdf"),
            ),
            Offer(_("All sections"), _("with the same filters"), self._ways("sections", "xlsx", "pdf")),
            Offer(_("Everything"), _("every company, all columns, no filter"), self._ways("all", "csv", "xlsx", "pdf")),
        ]

    @property
    def pdf_href(self) -> str:
        return self._href("section", "pdf")

    @property
    def files_href(self) -> str:
        return reverse("portal:files")

    def _ways(self, extent: str, *forms: str) -> tuple[Way, ...]:
        names = {"csv": "CSV" if extent == "section" else "CSV (ZIP)", "xlsx": "XLSX", "pdf": "PDF"}
        return tuple(Way(names[form], self._href(extent, form)) for form in forms)

    def _href(self, extent: str, form: str) -> str:
        pairs = [pair for pair in self.asked.pairs() if pair[0] not in ("page", "chart", "channel")]
        return f"{reverse('portal:report_file')}?{urlencode([*pairs, ('format', form), ('extent', extent)])}"
