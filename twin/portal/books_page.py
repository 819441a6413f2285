"""What the to-do of the books shows: usage without a price, contradicting events, companies without a card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy

from twin.metering.queries import OPEN_A_PAGE
from twin.metering.types import Conflict, Contradiction, OpenGroup
from twin.portal.listing import ListAsked, Pager, Segment
from twin.portal.prices_lists import segments_of
from twin.portal.rules.figures import count_text
from twin.portal.words import moment_words
from twin.pricing.rules.new_rates import MOST_SELECTOR_KEYS
from twin.pricing.rules.rate_files import selector_text
from twin.pricing.types import CompanyWithoutCard
from twin.pricing.words import METER_TITLES

# Of each list so many stand on the page of all.
SHOWN_OF_EACH: Final = 10
_SEGMENTS: Final[dict[str, Promise]] = {
    "all": pgettext_lazy("what is to do", "All"),
    "unrated": pgettext_lazy("what is to do", "Without a price"),
    "above": pgettext_lazy("what is to do", "At your seller"),
    "cardless": pgettext_lazy("what is to do", "Without a card"),
    "conflicts": pgettext_lazy("what is to do", "Contradictions"),
}


@dataclass(frozen=True)
class BooksAsked(ListAsked):
    """One of the lists in pages, or the beginning of each."""

    route = "portal:books"
    codes = tuple(_SEGMENTS)
    orders = ()
    rows_a_page = OPEN_A_PAGE

    @property
    def limit(self) -> int:
        return SHOWN_OF_EACH if self.segment == "all" else self.rows_a_page

    def shows(self, name: str) -> bool:
        return self.segment in ("all", name)

    def offset_of(self, name: str) -> int:
        return self.offset if self.segment == name else 0

    def href_of(self, name: str) -> str:
        return replace(self, segment=name, page=1).href


@dataclass(frozen=True)
class UnratedRow:
    """Events that one price would mend; `href` leads to where it is set, empty where that is the own seller's to do."""

    company: str
    meter: str
    attributes: str
    count: str
    first: str
    last: str
    href: str
    lacks_card: bool


@dataclass(frozen=True)
class Version:
    """One of two contents that came under one id."""

    meter: str
    quantity: str
    attributes: str
    event_time: str
    received: str


@dataclass(frozen=True)
class ConflictRow:
    """`kept` is what counts and stays; `refused` came later under the same id."""

    company: str
    source: str
    id: str
    kept: Version | None
    refused: Version


@dataclass(frozen=True)
class BooksPage:
    """Read by the template; `totals` counts each list as searched."""

    asked: BooksAsked
    to_price: Sequence[UnratedRow]
    with_seller: Sequence[UnratedRow]
    conflicts: Sequence[ConflictRow]
    without_card: Sequence[CompanyWithoutCard]
    totals: Mapping[str, int]

    @property
    def is_done(self) -> bool:
        """There is nothing at all."""
        return not self.asked.search and not any(self.totals.values())

    @property
    def is_found(self) -> bool:
        return bool(self.to_price or self.with_seller or self.conflicts or self.without_card)

    @property
    def segments(self) -> list[Segment]:
        return segments_of(self.asked, _SEGMENTS, {**self.totals, "all": sum(self.totals.values())})

    @property
    def pagers(self) -> dict[str, Pager | None]:
        """Of the list that is shown alone."""
        shown = {
            "unrated": self.to_price,
            "above": self.with_seller,
            "cardless": self.without_card,
            "conflicts": self.conflicts,
        }
        return {
            name: Pager(self.asked, len(rows), self.totals[name]) if self.asked.segment == name else None
            for name, rows in shown.items()
        }

    @property
    def pager(self) -> Pager | None:
        return self.pagers.get(self.asked.segment)

    @property
    def more(self) -> dict[str, str]:
        """The addresses of lists that go on."""
        if self.asked.segment != "all":
            return {}
        return {name: self.asked.href_of(name) for name, total in self.totals.items() if total > SHOWN_OF_EACH}

    @property
    def counts(self) -> dict[str, str]:
        return {name: count_text(total, get_language() or "en") for name, total in self.totals.items()}


def unrated_row(open_group: OpenGroup, names: Mapping[int, str], own: int, zone: ZoneInfo) -> UnratedRow:
    """The price has to count from the first of these events on, so the form proposes its second."""
    group, card_id = open_group.group, open_group.card_id
    is_seller = group.seller_id == own
    since = group.first_at.astimezone(zone).replace(microsecond=0, tzinfo=None).isoformat()
    # An attribute set that no price can name leads to a price for all of it.
    selector = selector_text(group.attributes) if len(group.attributes) <= MOST_SELECTOR_KEYS else ""
    query = {"meter": group.meter, "selector": selector, "effective_from": since}
    if card_id is not None:
        href = f"{reverse('portal:rate_card', args=[card_id])}?{urlencode(query)}#rate"
    else:
        given = urlencode({"effective_from": since})
        href = f"{reverse('portal:company_card', args=[group.buyer_id])}?{given}"
    return UnratedRow(
        company=names.get(group.buyer_id if is_seller else group.seller_id, ""),
        meter=str(METER_TITLES[group.meter]),
        attributes=_attributes(group.attributes),
        count=count_text(group.count, get_language() or "en"),
        first=moment_words(group.first_at.replace(microsecond=0), zone),
        last=moment_words(group.last_at.replace(microsecond=0), zone),
        href=href if is_seller else "",
        lacks_card=is_seller and card_id is None,
    )


def conflict_row(one: Contradiction, names: Mapping[int, str], zone: ZoneInfo) -> ConflictRow:
    refused = one.refused
    return ConflictRow(
        company=names.get(refused.company_id, str(refused.company_id)),
        source=refused.source,
        id=refused.id,
        kept=_version(one.kept, zone) if one.kept else None,
        refused=_version(refused, zone),
    )


def _version(one: Conflict, zone: ZoneInfo) -> Version:
    return Version(
        meter=str(METER_TITLES[one.meter]),
        quantity=count_text(one.quantity, get_language() or "en"),
        attributes=_attributes(one.attributes),
        event_time=moment_words(one.event_time.replace(microsecond=0), zone),
        received=moment_words(one.recorded_at.replace(microsecond=0), zone),
    )


def _attributes(attributes: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(attributes.items()))
