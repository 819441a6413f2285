from __future__ import annotations

import pytest

from twin.kernel.money import to_nano
from twin.portal.rules.figures import count_text, money_text, share_text

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("amount", "english", "russian"),
    [
        ("0", "0", "0"),
        ("13198.69", "13,198.69", f"13{NBSP}198,69"),
        ("-43.12", "−43.12", "−43,12"),
        ("0.005", "0.01", "0,01"),
        ("-0.005", "−0.01", "−0,01"),
        ("0.004999999", "0.00", "0,00"),
        ("-0.004", "0.00", "0,00"),
        ("1234567.995", "1,234,568.00", f"1{NBSP}234{NBSP}568,00"),
    ],
)
def test_money_is_grouped_rounded_half_away_and_has_a_true_minus(amount: str, english: str, russian: str) -> None:
    assert money_text(to_nano(amount), "en") == english
    assert money_text(to_nano(amount), "ru") == russian


def test_money_beyond_63_bits_is_shown_whole() -> None:
    assert money_text(10**28 + 10**7, "en") == "10,000,000,000,000,000,000.01"


def test_counts_are_grouped() -> None:
    assert count_text(182440, "en") == "182,440"
    assert count_text(182440, "ru") == f"182{NBSP}440"


def test_share_of_nothing_is_not_said() -> None:
    assert share_text(5, 0, "en") is None
    assert share_text(178, 1000, "en") == f"17.8{NBSP}%"
    assert share_text(-1, 3, "ru") == f"−33,3{NBSP}%"
