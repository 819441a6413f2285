"""From memberships to lineages: who sold to whom, at every instant.

A lineage is composed through all levels: while a company stays under its parent, its chain
changes whenever the parent's does. Over time two companies may lie beneath each other in
turn, so the parent's lineage is only ever asked for the span in question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from twin.companies.types import Membership, Segment

Timeline = Mapping[int, Sequence[Membership]]
Span = tuple[datetime | None, datetime | None]


def timelines(memberships: Iterable[Membership]) -> dict[int, list[Membership]]:
    """Memberships by company, each company's in order of time."""
    found: dict[int, list[Membership]] = {}
    for membership in sorted(memberships, key=lambda one: (one.company_id, one.start)):
        found.setdefault(membership.company_id, []).append(membership)
    return found


def lineages(platform_id: int, memberships: Iterable[Membership]) -> dict[int, tuple[Segment, ...]]:
    """The lineage of every company, in order of time and without gaps from its first membership on.

    The platform's is one segment without sellers or bounds. Neighbouring segments differ.
    """
    timeline = timelines(memberships)
    known: dict[tuple[int, Span], tuple[Segment, ...]] = {}

    def within(company_id: int, span: Span) -> tuple[Segment, ...]:
        if company_id == platform_id:
            return (Segment(span[0], span[1], ()),)
        if (company_id, span) not in known:
            known[company_id, span] = _composed(timeline.get(company_id, ()), span)
        return known[company_id, span]

    def _composed(held: Sequence[Membership], span: Span) -> tuple[Segment, ...]:
        segments: list[Segment] = []
        for position, membership in enumerate(held):
            end = held[position + 1].start if position + 1 < len(held) else None
            shared = overlap((membership.start, end), span)
            if shared is None:
                continue
            segments.extend(
                Segment(above.start, above.end, (membership.parent_id, *above.sellers))
                for above in within(membership.parent_id, shared)
            )
        return joined(segments)

    everything: Span = (None, None)
    return {company_id: within(company_id, everything) for company_id in (platform_id, *timeline)}


def overlap(one: Span, other: Span) -> Span | None:
    """What two half-open spans share; None when nothing."""
    start = one[0] if other[0] is None else other[0] if one[0] is None else max(one[0], other[0])
    end = one[1] if other[1] is None else other[1] if one[1] is None else min(one[1], other[1])
    if start is not None and end is not None and start >= end:
        return None
    return (start, end)


def joined(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """The same segments with equal neighbours made one."""
    result: list[Segment] = []
    for segment in segments:
        if result and result[-1].sellers == segment.sellers and result[-1].end == segment.start:
            result[-1] = Segment(result[-1].start, segment.end, segment.sellers)
        else:
            result.append(segment)
    return tuple(result)


def sellers_at(lineage: Sequence[Segment], moment: datetime) -> tuple[int, ...] | None:
    """The chain of sellers at an instant; None before the company existed."""
    return next((segment.sellers for segment in lineage if moment in segment), None)
