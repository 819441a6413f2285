"""What the to-do of the books shows: usage without a price, contradicting events, companies without a card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import get_language

from twin.companies.types import Company
from twin.metering.types import Conflict, Contradiction, UnratedGroup
from twin.portal.report_words import METER_TITLES
from twin.portal.rules.figures import count_text
from twin.portal.words import moment_words


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
    """Read by the template; `more` says that a list is longer than what is shown."""

    to_price: Sequence[UnratedRow]
    with_seller: Sequence[UnratedRow]
    conflicts: Sequence[ConflictRow]
    without_card: Sequence[Company]
    more_to_price: bool
    more_conflicts: bool

    @property
    def is_done(self) -> bool:
        return not (self.to_price or self.with_seller or self.conflicts or self.without_card)


def unrated_row(
    group: UnratedGroup, names: Mapping[int, str], card_id: int | None, own: int, zone: ZoneInfo
) -> UnratedRow:
    """The price has to count from the first of these events on, so the form proposes its second."""
    is_seller = group.seller_id == own
    since = group.first_at.astimezone(zone).replace(microsecond=0, tzinfo=None).isoformat()
    query = urlencode({"meter": group.meter, "selector": _attributes(group.attributes), "effective_from": since})
    to_rate = f"{reverse('portal:rate_card', args=[card_id])}?{query}#rate" if card_id else reverse("portal:prices")
    return UnratedRow(
        company=names.get(group.buyer_id if is_seller else group.seller_id, ""),
        meter=str(METER_TITLES[group.meter]),
        attributes=_attributes(group.attributes),
        count=count_text(group.count, get_language() or "en"),
        first=moment_words(group.first_at, zone),
        last=moment_words(group.last_at, zone),
        href=to_rate if is_seller else "",
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
        event_time=moment_words(one.event_time, zone),
        received=moment_words(one.recorded_at.replace(microsecond=0), zone),
    )


def _attributes(attributes: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(attributes.items()))
