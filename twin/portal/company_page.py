"""What the company information window shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from twin.companies.errors import FieldProblem
from twin.companies.rules.countries import WITHOUT_POSTAL_CODES
from twin.companies.rules.information import missing, missing_for_invoices, necessary_count
from twin.companies.types import Colleague, InformationChange, Invitation
from twin.kernel.period import offered_zones
from twin.portal.company_form import CountryChoice, Shown, countries, long_label, shown_fields
from twin.portal.words import date_words

NECESSARY = (
    *("name", "email", "phone", "time_zone", "country", "registration_number"),
    *("legal_street", "legal_city", "legal_postal_code"),
)
PEOPLE_SHOWN = 8


@dataclass(frozen=True)
class Missing:
    """A necessary thing, and whether it is given by now."""

    name: str
    label: str
    is_given: bool


@dataclass(frozen=True)
class ChangeShown:
    when: str
    by: str
    fields: str


@dataclass(frozen=True)
class Invite:
    """The small form of a new user: what was typed and why it was not sent."""

    name: str = ""
    email: str = ""
    problem: str = ""


@dataclass(frozen=True)
class CompanyPage:
    """Everything one showing of the window needs; `values` is what stands in the fields."""

    values: Mapping[str, str]
    version: int
    is_held: bool
    zone: ZoneInfo
    problems: tuple[FieldProblem, ...] = ()
    meanwhile: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[InformationChange, ...] = ()
    history: tuple[InformationChange, ...] = ()
    drafted_at: datetime | None = None
    people: tuple[Colleague, ...] = ()
    invitations: tuple[Invitation, ...] = ()
    person_id: int = 0
    invite: Invite = Invite()

    @property
    def frame(self) -> str:
        """Until everything necessary is given there is no menu: it would lead nowhere."""
        return "portal/plain.html" if self.is_held else "portal/shell.html"

    @cached_property
    def f(self) -> dict[str, Shown]:
        """The fields by name; short, as templates name them often."""
        return shown_fields(self.values, problems=self.problems, meanwhile=self._meanwhile_words(), necessary=NECESSARY)

    def _meanwhile_words(self) -> dict[str, str]:
        """What the other person saved, in words; a country by its name, an emptied field said so."""
        named = {choice.code: choice.name for choice in countries()}
        return {
            name: (named.get(value, value) if name.endswith("country") else value) or gettext("nothing")
            for name, value in self.meanwhile.items()
        }

    @property
    def countries(self) -> tuple[CountryChoice, ...]:
        return countries()

    @property
    def zones(self) -> tuple[str, ...]:
        return offered_zones()

    @cached_property
    def necessary(self) -> tuple[Missing, ...]:
        absent = missing(self.values)
        return tuple(Missing(name, self._label(name), name not in absent) for name in NECESSARY)

    @staticmethod
    def _label(name: str) -> str:
        words = long_label(name)
        # In the middle of a sentence; abbreviations keep their capitals.
        return words[:1].lower() + words[1:] if words[1:2].islower() else words

    @property
    def is_lacking(self) -> bool:
        return bool(missing(self.values))

    @property
    def necessary_total(self) -> int:
        return necessary_count(self.values.get("country", ""))

    @property
    def necessary_given(self) -> int:
        return self.necessary_total - len(missing(self.values))

    @property
    def countries_without_codes(self) -> str:
        return " ".join(sorted(WITHOUT_POSTAL_CODES))

    @cached_property
    def waiting_for_invoices(self) -> str:
        """What only invoices wait for, as one list of words; empty while more is missing."""
        if missing(self.values):
            return ""
        return ", ".join(self._label(name) for name in missing_for_invoices(self.values))

    @property
    def draft_time(self) -> str:
        return self._moment(self.drafted_at) if self.drafted_at else ""

    @property
    def changed_meanwhile(self) -> list[ChangeShown]:
        return self._shown(self.changes)

    @property
    def history_shown(self) -> list[ChangeShown]:
        return self._shown(self.history)

    def _shown(self, changes: Iterable[InformationChange]) -> list[ChangeShown]:
        return [
            ChangeShown(
                when=self._moment(change.changed_at),
                by=change.by or gettext("the operator or a key"),
                fields=", ".join(self._label(name) for name in change.fields),
            )
            for change in changes
        ]

    def _moment(self, instant: datetime) -> str:
        local = instant.astimezone(self.zone)
        return f"{date_words(local)}, {local:%H:%M}"

    @property
    def people_shown(self) -> tuple[Colleague, ...]:
        return self.people[:PEOPLE_SHOWN]

    @property
    def people_hidden(self) -> int:
        return max(0, len(self.people) - PEOPLE_SHOWN)
