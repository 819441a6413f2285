"""Double entry between a seller and its buyer: what each kind of transaction moves, adding up to zero.

`receivable` is what the buyer owes: the balance of the buyer is minus its sum.
"""

from __future__ import annotations

from typing import Final

RECEIVABLE: Final = "receivable"
REVENUE: Final = "revenue"
TAX: Final = "tax"
CASH: Final = "cash"

Postings = tuple[tuple[str, int], ...]


def of_document(*, net: int, tax: int) -> Postings:
    """An invoice; of a credit note, whose amounts are negative, the same the other way round."""
    return _filled((RECEIVABLE, net + tax), (REVENUE, -net), (TAX, -tax))


def of_payment(amount: int) -> Postings:
    return _filled((CASH, amount), (RECEIVABLE, -amount))


def of_refund(amount: int) -> Postings:
    """Money goes back to the buyer."""
    return _filled((RECEIVABLE, amount), (CASH, -amount))


def mirrored(postings: Postings) -> Postings:
    """What undoes them."""
    return tuple((account, -amount) for account, amount in postings)


def effect(postings: Postings) -> int:
    """What they do to the buyer's balance."""
    return -sum(amount for account, amount in postings if account == RECEIVABLE)


def _filled(*postings: tuple[str, int]) -> Postings:
    return tuple(posting for posting in postings if posting[1])
