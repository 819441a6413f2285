"""What metering does by the clock; each may run twice or be killed without harm."""

from __future__ import annotations

import logging

from procrastinate.contrib.django import app

from twin.metering.actions import continue_reratings, fold_what_is_worth_it, price_everything_pending
from twin.metering.queries import find_differences

log = logging.getLogger(__name__)


# The seconds are the last field of six: the others say "in every minute".
@app.periodic(cron="* * * * * */10")
@app.task(queueing_lock="metering-fold", lock="metering-fold", pass_context=False)
def fold_journals(timestamp: int) -> None:
    """Move the totals of recent batches into the books."""
    fold_what_is_worth_it()


@app.periodic(cron="* * * * * */30")
@app.task(queueing_lock="metering-pending", lock="metering-pending", pass_context=False)
def price_pending_usage(timestamp: int) -> None:
    """Price what waited for a price and was too much for the call that brought it."""
    price_everything_pending()


@app.periodic(cron="* * * * * */10")
@app.task(queueing_lock="metering-rerating", lock="metering-rerating", pass_context=False)
def correct_charges(timestamp: int) -> None:
    """Count the previews of corrections and go on with those that are decided."""
    continue_reratings()


@app.periodic(cron="17 3 * * *")
@app.task(queueing_lock="metering-verify", lock="metering-verify", pass_context=False)
def verify_totals(timestamp: int) -> None:
    """Every night: count all totals again from the rows; each difference is an error in the log."""
    report = find_differences()
    for note in report.notes:
        log.warning("metering.verify %s", note)
    for difference in report.differences:
        log.error("metering.verify %s", difference)
    log.info("metering.verify events=%d cells=%d differences=%d", report.events, report.cells, len(report.differences))
