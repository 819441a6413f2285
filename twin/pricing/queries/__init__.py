"""What pricing tells: cards, rates and assignments, whole for those who rate, in pages for those who look."""

from twin.pricing.queries.checking import more_precise_prices, shortfalls
from twin.pricing.queries.listings import (
    CARD_ORDERS,
    LISTED_A_PAGE,
    RATE_STATES,
    SPAN_STATES,
    assignment_history,
    buyers_of_card,
    card_directory,
    companies_without_card,
    rates_listed,
    rates_paid,
)
from twin.pricing.queries.prices import (
    HIGHEST_ID,
    assignment_at,
    assignments_of,
    cards_of_buyers,
    default_card,
    get_card,
    list_cards,
    price_book,
    prices_in_force,
    rates_of,
)

__all__ = [
    "CARD_ORDERS",
    "HIGHEST_ID",
    "LISTED_A_PAGE",
    "RATE_STATES",
    "SPAN_STATES",
    "assignment_at",
    "assignment_history",
    "assignments_of",
    "buyers_of_card",
    "card_directory",
    "cards_of_buyers",
    "companies_without_card",
    "default_card",
    "get_card",
    "list_cards",
    "more_precise_prices",
    "price_book",
    "prices_in_force",
    "rates_listed",
    "rates_of",
    "rates_paid",
    "shortfalls",
]
