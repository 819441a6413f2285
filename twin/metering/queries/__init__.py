"""What metering can tell: totals, what they are made of, to-dos, conflicts, the way of one event, its own health."""

from twin.metering.queries.billable import (
    billable_groups,
    billable_rates,
    buyers_in_correction,
    current_cutoff,
    unrated_counts,
)
from twin.metering.queries.cells import cells_in
from twin.metering.queries.charges import charges_by_rate, events_of
from twin.metering.queries.clashes import rate_clashes
from twin.metering.queries.listings import conflicts_page, unrated_groups, unrated_page
from twin.metering.queries.open_books import LISTED_A_PAGE as OPEN_A_PAGE
from twin.metering.queries.open_books import contradictions, open_edges
from twin.metering.queries.reratings import rates_named, rerating, reratings
from twin.metering.queries.series import cells_by, usage_cells
from twin.metering.queries.tracing import trace
from twin.metering.queries.trials import trial_of
from twin.metering.queries.verifying import find_differences

__all__ = [
    "OPEN_A_PAGE",
    "billable_groups",
    "billable_rates",
    "buyers_in_correction",
    "cells_by",
    "cells_in",
    "charges_by_rate",
    "conflicts_page",
    "contradictions",
    "current_cutoff",
    "events_of",
    "find_differences",
    "open_edges",
    "rate_clashes",
    "rates_named",
    "rerating",
    "reratings",
    "trace",
    "trial_of",
    "unrated_counts",
    "unrated_groups",
    "unrated_page",
    "usage_cells",
]
