"""What ingestion rates with: tree and prices of one version, and plans worked out from them.

A plan says, for one company, meter and attribute set over one span of time, under which
chain of sellers the usage falls and by which rate version each edge is charged.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from twin.companies.types import Company, Segment, TreeSnapshot
from twin.metering.rules.buckets import EPOCH, microseconds
from twin.pricing.rules.winning import card_at, winning_rate
from twin.pricing.types import PriceBook, Rate, Terms

ALWAYS = -(2**62)
NEVER = 2**62
_MOST_PLANS = 200_000  # about 100 MB

Projection = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Edge:
    """One contract of a chain; `rate` is None where there is no price."""

    seller_id: int
    buyer_id: int
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
class Span:
    """`[start, end)` in microseconds since 1970 with one plan, or the reason why nothing is taken."""

    start: int
    end: int
    plan: int
    reason: str = ""


class Catalogue:
    """Tree and prices of one version; safe to share between threads, never changed but for its caches."""

    def __init__(self, tree: TreeSnapshot, book: PriceBook) -> None:
        self.version = tree.version
        self.tree = tree
        self.book = book
        self.plans: list[Plan] = []
        self.latest: dict[tuple[int, int, Projection], Span] = {}
        self._spans: dict[tuple[int, int, Projection], list[Span]] = {}
        self._numbers: dict[tuple[Edge, ...], int] = {}
        self._lock = threading.Lock()
        self._selector_keys = {key for rates in book.rates.values() for rate in rates for key, _ in rate.selector}
        self._children = self._external_codes(tree)

    @property
    def is_full(self) -> bool:
        """Time to begin anew: caches must not grow with the variety of usage."""
        return len(self._spans) > _MOST_PLANS

    def project(self, attributes: dict[str, str]) -> Projection:
        """The attributes that some selector could ask for; the others cannot change a price."""
        wanted = self._selector_keys
        return tuple(sorted(item for item in attributes.items() if item[0] in wanted))

    def segment_at(self, company_id: int, moment: datetime) -> Segment | None:
        """The stretch of the company's lineage that holds the moment."""
        for segment in self.tree.lineages.get(company_id, ()):
            if (segment.start is None or segment.start <= moment) and (segment.end is None or moment < segment.end):
                return segment
        return None

    def is_visible(self, organisation_id: int, company_id: int, moment: datetime) -> bool:
        """Whether the company is the organisation itself or lies beneath it at that moment."""
        if company_id not in self.tree.companies:
            return False
        if company_id == organisation_id:
            return True
        segment = self.segment_at(company_id, moment)
        return segment is not None and organisation_id in segment.sellers

    def find_external(self, organisation_id: int, code: str, moment: datetime) -> list[int]:
        """Companies with that external id: a direct child if there is one, else whatever lies beneath."""
        visible = [found for found in self._children.get(code, ()) if self.is_visible(organisation_id, found, moment)]
        direct = [found for found in visible if self._parent_at(found, moment) == organisation_id]
        return direct or visible

    def span(self, company_id: int, meter_id: int, projection: Projection, moment: datetime) -> Span:
        """The span of the key that holds the moment, remembered for the next event."""
        key = (company_id, meter_id, projection)
        at = microseconds(moment)
        for known in self._spans.get(key, ()):
            if known.start <= at < known.end:
                self.latest[key] = known
                return known
        span = self._work_out(company_id, meter_id, projection, moment)
        with self._lock:
            self._spans.setdefault(key, []).append(span)
        self.latest[key] = span
        return span

    def edges_at(
        self, company_id: int, meter_id: int, attributes: dict[str, str], moment: datetime
    ) -> tuple[Edge, ...]:
        """Every edge valid at that moment with the rate that wins there."""
        segment = self.segment_at(company_id, moment)
        if segment is None:
            return ()
        buyers = (company_id, *segment.sellers)
        return tuple(
            Edge(seller, buyer, self.rate_at(seller, buyer, meter_id, attributes, moment))
            for buyer, seller in zip(buyers, segment.sellers, strict=False)
        )

    def rate_at(
        self, seller_id: int, buyer_id: int, meter_id: int, attributes: dict[str, str], moment: datetime
    ) -> Rate | None:
        """The rate by which this pair settles this usage."""
        card = card_at(self.book.assignments.get((seller_id, buyer_id), ()), moment)
        if card is None:
            return None
        return winning_rate(self.book.rates.get((card, meter_id), ()), attributes, moment)

    def _work_out(self, company_id: int, meter_id: int, projection: Projection, moment: datetime) -> Span:
        company = self.tree.companies[company_id]
        segment = self.segment_at(company_id, moment)
        if segment is None:
            return self._before_existence(company, moment)
        if company.closed_at is not None and moment >= company.closed_at:
            return Span(
                microseconds(company.closed_at), NEVER, 0, f"Company {company_id} is closed since {company.closed_at}."
            )
        edges = self.edges_at(company_id, meter_id, dict(projection), moment)
        start, end = self._bounds(company, segment, meter_id, moment)
        return Span(start, end, self._number(edges))

    @staticmethod
    def _before_existence(company: Company, moment: datetime) -> Span:
        began = company.existed_from
        reason = f"The time is before company {company.id} existed ({began})."
        end = NEVER if began is None else microseconds(began)
        return Span(ALWAYS, max(end, microseconds(moment) + 1), 0, reason)

    def _bounds(self, company: Company, segment: Segment, meter_id: int, moment: datetime) -> tuple[int, int]:
        """The nearest instants around the moment at which anything that decides the plan may change."""
        edges = [segment.start, segment.end, company.closed_at]
        for buyer, seller in zip((company.id, *segment.sellers), segment.sellers, strict=False):
            assignments = self.book.assignments.get((seller, buyer), ())
            edges.extend(assignment.effective_from for assignment in assignments)
            for card in {assignment.card_id for assignment in assignments}:
                edges.extend(rate.effective_from for rate in self.book.rates.get((card, meter_id), ()))
        before = [edge for edge in edges if edge is not None and edge <= moment]
        after = [edge for edge in edges if edge is not None and edge > moment]
        return (
            microseconds(max(before)) if before else ALWAYS,
            microseconds(min(after)) if after else NEVER,
        )

    def _number(self, edges: tuple[Edge, ...]) -> int:
        # Buyer ids are part of the edges, yet the store needs only sellers and rates:
        # plans of different companies with equal sellers and rates share one number.
        key = tuple(Edge(edge.seller_id, 0, edge.rate) for edge in edges)
        with self._lock:
            number = self._numbers.get(key)
            if number is None:
                number = self._numbers[key] = len(self.plans)
                self.plans.append(Plan(number, key))
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


def moment_of(at: int) -> datetime:
    """The instant of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=at)
