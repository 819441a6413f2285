"""What ingestion rates with: tree and prices of one version, and what is worked out from them.

In two steps, so that companies share the second: a *route* says through which sellers, and by
which card of each, a company's usage goes over one span of time; a *plan* says by which rate
version every edge of such a way is charged for one meter and set of attributes.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from twin.companies.types import Company, Segment, TreeSnapshot
from twin.kernel.period import instant_text
from twin.metering.rules.buckets import microseconds
from twin.pricing.rules.winning import card_at, winning_rate
from twin.pricing.types import PriceBook, Rate, Terms

ALWAYS = -(2**62)
NEVER = 2**62
_MOST_SPANS = 200_000  # about 100 MB
_MOST_SETS = 100_000
# Letters of remembered attribute sets: a number in every attribute must not fill the memory.
_MOST_LETTERS = 4_000_000

Projection = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Edge:
    """One contract of a chain; `rate` is None where there is no price."""

    seller_id: int
    rate: Rate | None

    @property
    def terms(self) -> Terms | None:
        return self.rate.terms if self.rate else None

    @property
    def rate_id(self) -> int:
        return self.rate.id if self.rate else 0


@dataclass(frozen=True)
class Plan:
    """How usage of one span is rated: the edges from the using company upwards."""

    number: int
    edges: tuple[Edge, ...]

    @property
    def sellers(self) -> tuple[int, ...]:
        return tuple(edge.seller_id for edge in self.edges)

    @property
    def rates(self) -> tuple[int, ...]:
        return tuple(edge.rate_id for edge in self.edges)

    @property
    def is_unrated(self) -> bool:
        return any(edge.rate is None for edge in self.edges)


@dataclass(frozen=True, slots=True)
class Way:
    """Sellers from the direct one upwards, and the card by which each one's buyer settles; None: no card."""

    sellers: tuple[int, ...]
    cards: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """`[start, end)` in microseconds since 1970 with the number of one way, or why nothing is taken."""

    start: int
    end: int
    way: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """`[start, end)` in microseconds since 1970 with the number of one plan."""

    start: int
    end: int
    plan: int


@dataclass(frozen=True, slots=True)
class Sight:
    """`[start, end)` of present instants in which an organisation sees a company."""

    start: int
    end: int
    company: int


class _Bounded(Protocol):
    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...


K = TypeVar("K")
V = TypeVar("V", bound=Hashable)
S = TypeVar("S", bound=_Bounded)


class Timeline(Generic[K, S]):
    """Spans of one key that do not overlap, found by instant; `latest` holds the one used last."""

    def __init__(self) -> None:
        self.latest: dict[K, S] = {}
        self.size = 0
        self._spans: dict[K, tuple[tuple[int, ...], tuple[S, ...]]] = {}

    def find(self, key: K, at: int) -> S | None:
        """The known span that holds the instant."""
        starts, spans = self._spans.get(key, ((), ()))
        place = bisect_right(starts, at) - 1
        if place < 0 or at >= spans[place].end:
            return None
        self.latest[key] = spans[place]
        return spans[place]

    def add(self, key: K, span: S) -> S:
        """Remember a span. Under the catalogue's lock: two threads may have worked out the same one."""
        starts, spans = self._spans.get(key, ((), ()))
        if span.start not in starts:
            ordered = sorted((*spans, span), key=lambda known: known.start)
            # Replaced as a whole: a reader in another thread sees the old pair or the new one.
            self._spans[key] = (tuple(known.start for known in ordered), tuple(ordered))
            self.size += 1
        self.latest[key] = span
        return span


@dataclass(frozen=True, slots=True)
class Home:
    """What a subject means for usage of `[start, end)`: the company and the number of its way."""

    start: int
    end: int
    company: int
    way: int


class Homes:
    """Homes by subject for one organisation; in `[since, until)` of the present it sees each of these companies."""

    def __init__(self) -> None:
        self.known: dict[str, Home] = {}
        self.since, self.until = ALWAYS, NEVER

    def learn(self, subject: str, home: Home, sight: Sight) -> None:
        self.since, self.until = max(self.since, sight.start), min(self.until, sight.end)
        self.known[subject] = home


class Variety:
    """The number and the projection of attribute sets as sent, by their items; bounded by count and by letters."""

    def __init__(self) -> None:
        self.known: dict[Projection, tuple[int, int]] = {}
        self._letters = 0

    def learn(self, found: dict[Projection, tuple[int, int]]) -> None:
        self._letters += sum(len(name) + len(value) for raw in found for name, value in raw)
        if len(self.known) > _MOST_SETS or self._letters > _MOST_LETTERS:
            self.known, self._letters = {}, 0
        self.known.update(found)


class Catalogue:
    """Tree and prices of one version; safe to share between threads, never changed but for its caches."""

    def __init__(self, tree: TreeSnapshot, book: PriceBook) -> None:
        self.version = tree.version
        self.tree = tree
        self.book = book
        self.plans: list[Plan] = []
        self.sheet: object = None  # the plans as columns, kept by `sheet.py`
        self.variety = Variety()
        self._homes: dict[int, Homes] = {}
        self.routes: Timeline[int, Route] = Timeline()
        self.spans: Timeline[tuple[int, int, int], Span] = Timeline()
        self.sights: dict[tuple[int, str], Sight] = {}
        self._ways: list[Way] = []
        self._way_numbers: dict[Way, int] = {}
        self._plan_numbers: dict[tuple[Edge, ...], int] = {}
        self._projections: list[Projection] = []
        self._projection_numbers: dict[Projection, int] = {}
        self._lock = threading.Lock()
        self._selector_keys = {key for rates in book.rates.values() for rate in rates for key, _ in rate.selector}
        self._external = self._external_codes(tree)

    @property
    def is_full(self) -> bool:
        """Time to begin anew: caches must not grow with the variety of usage."""
        return self.spans.size + len(self._projections) > _MOST_SPANS

    def projection(self, attributes: dict[str, str]) -> int:
        """The number of those attributes that some selector could ask for; the others cannot change a price."""
        wanted = self._selector_keys
        return self._numbered(
            tuple(sorted(item for item in attributes.items() if item[0] in wanted)),
            self._projection_numbers,
            self._projections,
        )

    def segment_at(self, company_id: int, moment: datetime) -> Segment | None:
        """The stretch of the company's lineage that holds the moment."""
        return next((one for one in self.tree.lineages.get(company_id, ()) if moment in one), None)

    def is_visible(self, organisation_id: int, company_id: int, moment: datetime) -> bool:
        """Whether the company is the organisation itself or lies beneath it at that moment."""
        if company_id == organisation_id:
            return company_id in self.tree.companies
        segment = self.segment_at(company_id, moment)
        return segment is not None and organisation_id in segment.sellers

    def sight(self, organisation_id: int, subject: str, now: datetime) -> Sight | None:
        """The company that a subject in decimal digits names, as far as the organisation sees it now."""
        company = int(subject)
        if not self.is_visible(organisation_id, company, now):
            return None
        start, end = ALWAYS, NEVER
        segment = self.segment_at(company, now)
        if segment is not None and company != organisation_id:
            start, end = _bounds([segment.start, segment.end], now)
        sight = Sight(start, end, company)
        if subject == str(company):
            self.sights[organisation_id, subject] = sight
        return sight

    def homes(self, organisation_id: int, now: int) -> Homes:
        """What subjects mean for usage that this organisation sends at this instant."""
        homes = self._homes.get(organisation_id)
        if homes is None or not homes.since <= now < homes.until:
            homes = self._homes[organisation_id] = Homes()
        return homes

    def find_external(self, organisation_id: int, code: str, moment: datetime) -> list[int]:
        """Companies with that external id: a direct child if there is one, else whatever lies beneath."""
        visible = [found for found in self._external.get(code, ()) if self.is_visible(organisation_id, found, moment)]
        direct = [found for found in visible if self._parent_at(found, moment) == organisation_id]
        return direct or visible

    def route(self, company_id: int, moment: datetime) -> Route:
        """The route of the company's usage at that moment."""
        known = self.routes.find(company_id, microseconds(moment))
        if known is not None:
            return known
        route = self._work_out_route(company_id, moment)
        with self._lock:
            return self.routes.add(company_id, route)

    def span(self, way: int, meter_id: int, projection: int, moment: datetime) -> Span:
        """The plan by which usage of that way, meter and attributes is charged at that moment."""
        key = (way, meter_id, projection)
        known = self.spans.find(key, microseconds(moment))
        if known is not None:
            return known
        span = self._work_out_span(self._ways[way], meter_id, dict(self._projections[projection]), moment)
        with self._lock:
            return self.spans.add(key, span)

    def rate_at(
        self, seller_id: int, buyer_id: int, meter_id: int, attributes: dict[str, str], moment: datetime
    ) -> Rate | None:
        """The rate by which this pair settles this usage."""
        card = card_at(self.book.assignments.get((seller_id, buyer_id), ()), moment)
        if card is None:
            return None
        return winning_rate(self.book.rates.get((card, meter_id), ()), attributes, moment)

    def _work_out_route(self, company_id: int, moment: datetime) -> Route:
        company = self.tree.companies[company_id]
        segment = self.segment_at(company_id, moment)
        if segment is None:
            return _before_existence(company, moment)
        if company.closed_at is not None and moment >= company.closed_at:
            since = microseconds(company.closed_at)
            return Route(since, NEVER, 0, f"Company {company_id} is closed since {instant_text(company.closed_at)}.")
        changes = [segment.start, segment.end, company.closed_at]
        cards = []
        for buyer, seller in zip((company_id, *segment.sellers), segment.sellers, strict=False):
            assignments = self.book.assignments.get((seller, buyer), ())
            changes.extend(assignment.effective_from for assignment in assignments)
            cards.append(card_at(assignments, moment))
        way = self._numbered(Way(segment.sellers, tuple(cards)), self._way_numbers, self._ways)
        return Route(*_bounds(changes, moment), way)

    def _work_out_span(self, way: Way, meter_id: int, attributes: dict[str, str], moment: datetime) -> Span:
        edges = []
        changes: list[datetime | None] = []
        for seller, card in zip(way.sellers, way.cards, strict=True):
            rates = self.book.rates.get((card, meter_id), ()) if card is not None else ()
            changes.extend(rate.effective_from for rate in rates)
            edges.append(Edge(seller, winning_rate(rates, attributes, moment)))
        return Span(*_bounds(changes, moment), self._plan_number(tuple(edges)))

    def _plan_number(self, edges: tuple[Edge, ...]) -> int:
        with self._lock:
            number = self._plan_numbers.get(edges)
            if number is None:
                number = self._plan_numbers[edges] = len(self.plans)
                self.plans.append(Plan(number, edges))
            return number

    def _numbered(self, value: V, numbers: dict[V, int], values: list[V]) -> int:
        number = numbers.get(value)
        if number is None:
            with self._lock:
                if value not in numbers:
                    values.append(value)
                    numbers[value] = len(values) - 1
                number = numbers[value]
        return number

    def _parent_at(self, company_id: int, moment: datetime) -> int | None:
        segment = self.segment_at(company_id, moment)
        return segment.sellers[0] if segment and segment.sellers else None

    @staticmethod
    def _external_codes(tree: TreeSnapshot) -> dict[str, list[int]]:
        codes: dict[str, list[int]] = {}
        for company in tree.companies.values():
            if company.external_id:
                codes.setdefault(company.external_id, []).append(company.id)
        return codes


def _before_existence(company: Company, moment: datetime) -> Route:
    began = company.existed_from
    reason = f"The time is before company {company.id} existed ({instant_text(began) if began else 'never'})."
    end = NEVER if began is None else microseconds(began)
    return Route(ALWAYS, max(end, microseconds(moment) + 1), 0, reason)


def _bounds(changes: Iterable[datetime | None], moment: datetime) -> tuple[int, int]:
    """The nearest instants around the moment at which anything that decides the answer may change."""
    before = [change for change in changes if change is not None and change <= moment]
    after = [change for change in changes if change is not None and change > moment]
    return microseconds(max(before)) if before else ALWAYS, microseconds(min(after)) if after else NEVER
