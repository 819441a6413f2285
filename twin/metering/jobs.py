"""What metering does by the clock; each may run twice or be killed without harm."""

from __future__ import annotations

from procrastinate.contrib.django import app

from twin.metering.actions import fold_what_is_worth_it, price_everything_pending


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
