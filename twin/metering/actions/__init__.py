"""What metering does: take usage, change prices and places safely, fold totals."""

from twin.metering.actions.folding import fold, fold_what_is_worth_it
from twin.metering.actions.moving import move_company
from twin.metering.actions.pending import price_everything_pending, price_pending
from twin.metering.actions.pricing import assign_rate_card, publish_rates
from twin.metering.actions.taking import take_decoded, take_events

__all__ = [
    "assign_rate_card",
    "fold",
    "fold_what_is_worth_it",
    "move_company",
    "price_everything_pending",
    "price_pending",
    "publish_rates",
    "take_decoded",
    "take_events",
]
