"""What metering can tell: totals, to-dos, conflicts, the way of one event, its own health."""

from twin.metering.queries.cells import cells_in
from twin.metering.queries.listings import conflicts, unrated_groups
from twin.metering.queries.tracing import trace
from twin.metering.queries.verifying import find_differences

__all__ = ["cells_in", "conflicts", "find_differences", "trace", "unrated_groups"]
