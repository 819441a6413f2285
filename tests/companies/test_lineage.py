"""Lineages against a naive oracle that walks the tree at one instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from twin.companies.rules.lineage import joined, lineages, overlap, sellers_at
from twin.companies.types import Membership, Segment

PLATFORM = 1
DAY = timedelta(days=1)
ZERO = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    return ZERO + number * DAY


def chain_at(memberships: list[Membership], company: int, at: datetime) -> tuple[int, ...] | None:
    """The sellers above a company, walked step by step; None before it existed; raises on a loop."""
    chain: list[int] = []
    while company != PLATFORM:
        held = [one for one in memberships if one.company_id == company and one.start <= at]
        if not held:
            return None
        company = max(held, key=lambda one: one.start).parent_id
        if company in chain:
            raise RecursionError
        chain.append(company)
    return tuple(chain)


@st.composite
def histories(draw: st.DrawFn) -> list[Membership]:
    """Memberships as the actions would allow them: parents that exist, later moves, never a loop."""
    size = draw(st.integers(1, 7))
    memberships: list[Membership] = []
    for company in range(2, 2 + size):
        parent = draw(st.integers(1, company - 1))
        first = min((one.start for one in memberships if one.company_id == parent), default=day(0))
        memberships.append(Membership(company, parent, first + draw(st.integers(0, 5)) * DAY))
    for _ in range(draw(st.integers(0, 12))):
        company, parent = draw(st.integers(2, 1 + size)), draw(st.integers(1, 1 + size))
        last = max(one.start for one in memberships if one.company_id == company)
        planned = Membership(company, parent, last + draw(st.integers(1, 4)) * DAY)
        if is_possible([*memberships, planned], planned):
            memberships.append(planned)
    return memberships


def is_possible(memberships: list[Membership], planned: Membership) -> bool:
    try:
        for number in range(80):
            if day(number) >= planned.start and chain_at(memberships, planned.company_id, day(number)) is None:
                return False
    except RecursionError:
        return False
    return planned.company_id != planned.parent_id


@settings(max_examples=150, deadline=None)
@given(histories())
def test_every_lineage_equals_the_walk_at_every_instant(memberships: list[Membership]) -> None:
    found = lineages(PLATFORM, memberships)
    assert found.keys() == {PLATFORM, *(one.company_id for one in memberships)}
    for company, lineage in found.items():
        for number in range(-1, 80):
            for moment in (day(number), day(number) - timedelta(microseconds=1)):
                assert sellers_at(lineage, moment) == chain_at(memberships, company, moment)


@settings(max_examples=100, deadline=None)
@given(histories())
def test_a_lineage_has_no_gaps_no_overlaps_and_no_equal_neighbours(memberships: list[Membership]) -> None:
    for company, lineage in lineages(PLATFORM, memberships).items():
        assert lineage[-1].end is None
        starts = [one.start for one in memberships if one.company_id == company]
        assert lineage[0].start == min(starts, default=None)
        for one, following in pairwise(lineage):
            assert one.end == following.start
            assert one.sellers != following.sellers


@settings(max_examples=50, deadline=None)
@given(histories(), st.randoms())
def test_the_order_in_which_memberships_are_read_does_not_matter(memberships: list[Membership], chance: object) -> None:
    shuffled = list(memberships)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis hands out a Random
    assert lineages(PLATFORM, shuffled) == lineages(PLATFORM, memberships)


def test_the_platform_is_one_segment_without_sellers_or_bounds() -> None:
    assert lineages(PLATFORM, []) == {PLATFORM: (Segment(None, None, ()),)}


def test_a_move_of_a_reseller_splits_the_lineages_beneath_it() -> None:
    memberships = [
        Membership(2, 1, day(0)),
        Membership(3, 1, day(0)),
        Membership(4, 2, day(1)),
        Membership(5, 4, day(2)),
        Membership(4, 3, day(5)),
    ]
    found = lineages(PLATFORM, memberships)
    assert found[4] == (Segment(day(1), day(5), (2, 1)), Segment(day(5), None, (3, 1)))
    assert found[5] == (Segment(day(2), day(5), (4, 2, 1)), Segment(day(5), None, (4, 3, 1)))


def test_two_companies_may_lie_beneath_each_other_in_turn() -> None:
    memberships = [
        Membership(2, 1, day(0)),
        Membership(3, 2, day(0)),
        Membership(3, 1, day(4)),
        Membership(2, 3, day(4)),
    ]
    found = lineages(PLATFORM, memberships)
    assert found[2] == (Segment(day(0), day(4), (1,)), Segment(day(4), None, (3, 1)))
    assert found[3] == (Segment(day(0), day(4), (2, 1)), Segment(day(4), None, (1,)))


def test_the_first_instant_belongs_to_a_segment_and_the_last_does_not() -> None:
    lineage = (Segment(day(0), day(1), (2, 1)), Segment(day(1), None, (3, 1)))
    assert sellers_at(lineage, day(0) - timedelta(microseconds=1)) is None
    assert sellers_at(lineage, day(0)) == (2, 1)
    assert sellers_at(lineage, day(1) - timedelta(microseconds=1)) == (2, 1)
    assert sellers_at(lineage, day(1)) == (3, 1)


def test_spans_that_only_touch_share_nothing() -> None:
    assert overlap((day(0), day(1)), (day(1), None)) is None
    assert overlap((None, day(1)), (day(0), None)) == (day(0), day(1))
    assert overlap((None, None), (None, None)) == (None, None)


def test_equal_neighbours_become_one() -> None:
    assert joined([Segment(day(0), day(1), (1,)), Segment(day(1), day(2), (1,))]) == (Segment(day(0), day(2), (1,)),)


def test_equal_segments_with_a_gap_between_stay_two() -> None:
    apart = [Segment(day(0), day(1), (1,)), Segment(day(2), day(3), (1,))]
    assert joined(apart) == tuple(apart)
