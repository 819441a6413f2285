"""What metering does: take usage, change prices and places safely, fold totals."""

from twin.metering.actions.folding import fold, fold_what_is_worth_it
from twin.metering.actions.moving import accept_attachment, move_company
from twin.metering.actions.pending import price_everything_pending, price_pending
from twin.metering.actions.pricing import assign_rate_card, publish_rates
from twin.metering.actions.recharging import carry_out, continue_reratings, count_preview
from twin.metering.actions.rerating import ask_rerating, decide_rerating, discard_rerating, recount_rerating
from twin.metering.actions.taking import take_decoded, take_events
from twin.metering.actions.withdrawing import withdraw_event

__all__ = [
    "accept_attachment",
    "ask_rerating",
    "assign_rate_card",
    "carry_out",
    "continue_reratings",
    "count_preview",
    "decide_rerating",
    "discard_rerating",
    "fold",
    "fold_what_is_worth_it",
    "move_company",
    "price_everything_pending",
    "price_pending",
    "publish_rates",
    "recount_rerating",
    "take_decoded",
    "take_events",
    "withdraw_event",
]
