"""What a credit note may take back of each line: to the last unit, never more than remains. No database."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.billing.errors import CreditTooLarge
from twin.billing.rules.crediting import credit_lines, creditable_lines, share_in
from twin.billing.types import CreditAsked, InvoiceLine
from twin.kernel.errors import Invalid


def of(net: int, number: int = 1) -> InvoiceLine:
    return InvoiceLine(number, 1, None, None, "sms.sent", None, {}, "", 1, 1, 1, net * 10**7, net)


class Invoice:
    """Lines of an invoice and everything that was credited of them."""

    def __init__(self, *nets: int) -> None:
        self.lines = [of(net, number) for number, net in enumerate(nets, start=1)]
        self.notes: list[InvoiceLine] = []

    def credit(self, *asked: CreditAsked) -> list[int]:
        made = credit_lines(creditable_lines(self.lines, self.notes), asked, currency="EUR")
        self.notes += made
        return [-line.net_minor for line in made]

    @property
    def remaining(self) -> list[int]:
        return [one.remaining_minor for one in creditable_lines(self.lines, self.notes)]


THIRD = CreditAsked(1, share=Fraction(1, 3))


def test_ten_by_thirds() -> None:
    invoice = Invoice(1000)
    assert [invoice.credit(THIRD), invoice.credit(THIRD), invoice.credit(THIRD)] == [[333], [333], [334]]
    assert invoice.remaining == [0]


def test_a_fourth_third_is_too_much() -> None:
    invoice = Invoice(1000)
    for _ in range(3):
        invoice.credit(THIRD)
    with pytest.raises(CreditTooLarge, match=r"there remain 0\.00 EUR"):
        invoice.credit(THIRD)


def test_amounts_and_parts_may_be_mixed_and_the_rest_taken() -> None:
    invoice = Invoice(1000)
    assert invoice.credit(CreditAsked(1, amount_minor=250)) == [250]
    assert invoice.credit(CreditAsked(1, share=Fraction(3, 4))) == [750]
    assert invoice.remaining == [0]
    other = Invoice(1000)
    other.credit(THIRD)
    assert other.credit(CreditAsked(1)) == [667]


def test_an_amount_beyond_what_remains_is_refused_to_the_unit() -> None:
    invoice = Invoice(1000)
    invoice.credit(CreditAsked(1, amount_minor=999))
    with pytest.raises(CreditTooLarge):
        invoice.credit(CreditAsked(1, amount_minor=2))
    assert invoice.credit(CreditAsked(1, amount_minor=1)) == [1]


def test_a_negative_line_is_taken_back_with_the_others_only_while_the_invoice_becomes_lower() -> None:
    invoice = Invoice(1000, -200)
    with pytest.raises(Invalid):
        invoice.credit(CreditAsked(2))
    assert invoice.credit(CreditAsked(1), CreditAsked(2)) == [1000, -200]
    assert invoice.remaining == [0, 0]


@pytest.mark.parametrize(
    "asked",
    [
        [],
        [CreditAsked(2)],
        [CreditAsked(1), CreditAsked(1)],
        [CreditAsked(1, amount_minor=0)],
        [CreditAsked(1, amount_minor=-5)],
        [CreditAsked(1, share=Fraction(0))],
        [CreditAsked(1, share=Fraction(4, 3))],
        [CreditAsked(1, share=Fraction(1, 10**6))],
    ],
)
def test_what_takes_nothing_back_or_names_no_line_is_refused(asked: list[CreditAsked]) -> None:
    invoice = Invoice(1000)
    with pytest.raises(Invalid):
        invoice.credit(*asked)
    assert invoice.remaining == [1000]


@pytest.mark.parametrize("text", ["1", "a/b", "1/0", "-1/3", "1/3 ", "", "1/33333333333333"])
def test_a_part_is_written_as_a_fraction(text: str) -> None:
    with pytest.raises(Invalid):
        share_in(text)


@given(st.integers(1, 10**9), st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_parts_that_make_a_whole_take_back_exactly_the_line(net: int, weights: list[int]) -> None:
    invoice = Invoice(net * 1000)
    whole = sum(weights)
    taken = [invoice.credit(CreditAsked(1, share=Fraction(weight, whole)))[0] for weight in weights]
    assert sum(taken) == net * 1000
