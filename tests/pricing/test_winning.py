"""Which rate and which card count, by the rule of the contract and against a slow reading of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from twin.pricing.rules.winning import card_at, winning_rate
from twin.pricing.types import Assignment, Rate, Terms

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def day(number: int) -> datetime:
    return JANUARY + timedelta(days=number)


def rate(number: int, from_day: int = 0, **selector: str) -> Rate:
    return Rate(number, 1, 2, tuple(sorted(selector.items())), Terms(number), day(from_day))


def winner(rates: list[Rate], at: datetime, **attributes: str) -> int | None:
    found = winning_rate(rates, attributes, at)
    return found.id if found else None


def test_a_card_without_a_fitting_rate_leaves_the_usage_unrated() -> None:
    assert winner([rate(1, country="DE")], day(1), country="FR") is None


def test_an_attribute_the_event_lacks_never_fits() -> None:
    assert winner([rate(1, country="")], day(1)) is None


def test_attributes_are_compared_as_exact_strings() -> None:
    assert winner([rate(1, country="DE")], day(1), country="de") is None


def test_attributes_no_selector_names_do_not_matter() -> None:
    assert winner([rate(1)], day(1), country="DE", network="26201") == 1


def test_a_rate_counts_from_its_very_instant() -> None:
    assert winner([rate(1, from_day=1)], day(1)) == 1


def test_a_rate_does_not_count_a_microsecond_earlier() -> None:
    assert winner([rate(1, from_day=1)], day(1) - TICK) is None


def test_an_old_specific_rate_beats_a_new_general_one() -> None:
    assert winner([rate(1, 0, country="DE"), rate(2, 5)], day(6), country="DE") == 1


def test_of_equally_specific_rates_the_later_instant_wins() -> None:
    assert winner([rate(2, 1, country="DE"), rate(1, 5, network="1")], day(6), country="DE", network="1") == 1


def test_of_the_same_instant_the_one_recorded_last_wins() -> None:
    assert winner([rate(7, 1), rate(3, 1)], day(6)) == 7


keys = st.sampled_from(["country", "network", "kind"])
words = st.sampled_from(["a", "b", ""])
attribute_sets = st.dictionaries(keys, words, max_size=3)
rate_lists = st.lists(st.tuples(st.integers(min_value=0, max_value=4), attribute_sets), max_size=8)


@given(rate_lists, attribute_sets, st.integers(min_value=0, max_value=4), st.randoms())
def test_the_winner_is_the_one_the_rule_names_in_any_order(
    wanted: list[tuple[int, dict[str, str]]], attributes: dict[str, str], at: int, random: object
) -> None:
    rates = [rate(number, begins, **selector) for number, (begins, selector) in enumerate(wanted, start=1)]
    left = [r for r in rates if r.effective_from <= day(at)]
    left = [r for r in left if set(r.selector) <= set(attributes.items())]
    for measure in (lambda r: len(r.selector), lambda r: r.effective_from, lambda r: r.id):
        best = max(map(measure, left), default=None)
        left = [r for r in left if measure(r) == best]
    random.shuffle(rates)  # type: ignore[attr-defined]  # Hypothesis types its Random as object here
    assert winner(rates, day(at), **attributes) == (left[0].id if left else None)


def agreed(number: int, card: int, from_day: int) -> Assignment:
    return Assignment(number, 1, 2, card, day(from_day))


def test_nobody_pays_before_the_first_assignment() -> None:
    assert card_at([agreed(1, 10, 1)], day(1) - TICK) is None


def test_the_latest_assignment_that_has_begun_counts() -> None:
    assert card_at([agreed(1, 10, 1), agreed(2, 20, 3), agreed(3, 30, 9)], day(3)) == 20


def test_of_two_assignments_of_one_instant_the_one_recorded_last_counts() -> None:
    assert card_at([agreed(2, 20, 1), agreed(1, 10, 1)], day(1)) == 20
