"""What accounts does by the clock; each may run twice or be killed without harm."""

from __future__ import annotations

from procrastinate.contrib.django import app

from twin.accounts.actions import forget_codes, forget_registrations


@app.periodic(cron="17 * * * *")
@app.task(queueing_lock="accounts-forget", lock="accounts-forget", pass_context=False)
def forget_what_is_over(timestamp: int) -> None:
    """Registrations nobody finished, old codes, the counts of messages, sessions past their time."""
    forget_registrations()
    forget_codes()
