"""Which of several prices counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from twin.pricing.types import Assignment, Rate, Selector


def selector_fits(selector: Selector, attributes: Mapping[str, str]) -> bool:
    """Every attribute the selector names is there with exactly that text."""
    return all(attributes.get(key) == value for key, value in selector)


def winning_rate(rates: Sequence[Rate], attributes: Mapping[str, str], at: datetime) -> Rate | None:
    """The rate of one card and meter that prices an event of that instant; None leaves it unrated.

    Most selector attributes win, then the latest `effective_from`, then the one recorded last:
    an old specific rate beats a new general one. Any order of `rates` gives the same answer.
    """
    fitting = (rate for rate in rates if rate.effective_from <= at and selector_fits(rate.selector, attributes))
    return max(fitting, key=_rank, default=None)


def _rank(rate: Rate) -> tuple[int, datetime, int]:
    return len(rate.selector), rate.effective_from, rate.id


def current_rates(rates: Iterable[Rate], at: datetime) -> list[Rate]:
    """Of each meter and attribute set the rate that counts at that instant, by meter and attributes."""
    latest: dict[tuple[int, Selector], Rate] = {}
    for rate in sorted(rates, key=lambda one: (one.effective_from, one.id)):
        if rate.effective_from <= at:
            latest[rate.meter_id, rate.selector] = rate
    return [latest[key] for key in sorted(latest)]


def assignment_at(assignments: Sequence[Assignment], at: datetime) -> Assignment | None:
    """The assignment of one pair that holds at that instant: the latest, of equals the one recorded last."""
    begun = (assignment for assignment in assignments if assignment.effective_from <= at)
    return max(begun, key=lambda assignment: (assignment.effective_from, assignment.id), default=None)


def card_at(assignments: Sequence[Assignment], at: datetime) -> int | None:
    """The card by which one pair settles at that instant; None when no card was given yet."""
    assignment = assignment_at(assignments, at)
    return assignment.card_id if assignment else None
