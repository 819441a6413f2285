"""What billing does by the clock; each may run twice or be killed without harm."""

from __future__ import annotations

import logging

from procrastinate.contrib.django import app

from twin.billing.actions import resuming
from twin.billing.actions.asking import tell_what_waits
from twin.billing.actions.closing import close_everywhere
from twin.billing.actions.resuming import AFTER_DETAILS, issue_waiting
from twin.billing.actions.warning import warn_buyers
from twin.billing.queries.sellers import billing_sellers
from twin.billing.queries.verifying import differing_statements
from twin.companies.access import billing_scope, platform_scope
from twin.kernel import clock

log = logging.getLogger(__name__)


@app.periodic(cron="11 * * * *")
@app.task(queueing_lock="billing-close", lock="billing-close", pass_context=False)
def close_months(timestamp: int) -> None:
    """Every hour: months of all sellers that are over, and their grace too, become statements and documents."""
    for seller, done in close_everywhere(platform_scope(), now=clock.now()):
        log.info(
            "billing.closed seller=%d closed=%d unrated=%d late=%d correcting=%d",
            seller,
            done.closed,
            done.unrated,
            done.late,
            done.correcting,
        )


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="billing-waiting", lock="billing-waiting", pass_context=False)
def issue_waiting_documents(timestamp: int) -> None:
    """Documents that waited for somebody's details are issued soon after these were given."""
    for seller in billing_sellers(platform_scope()):
        issue_waiting(billing_scope(seller))


@app.periodic(cron="26 * * * *")
@app.task(queueing_lock="billing-asking", lock="billing-asking", pass_context=False)
def tell_sellers_what_waits(timestamp: int) -> None:
    """After the closing of the hour: mails about statements and documents that wait for somebody at the seller."""
    for seller in billing_sellers(platform_scope()):
        tell_what_waits(billing_scope(seller))


@app.task(name=AFTER_DETAILS, pass_context=False)
def issue_after_details(company_id: int) -> None:
    """Somebody completed the details of a company: what waited for them is issued."""
    resuming.issue_after_details(company_id)


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="billing-warn", lock="billing-warn", pass_context=False)
def warn_about_balances(timestamp: int) -> None:
    """Every few minutes: mails to those whose balance has come to one of its thresholds."""
    for seller in billing_sellers(platform_scope()):
        warn_buyers(billing_scope(seller))


@app.periodic(cron="47 3 * * *")
@app.task(queueing_lock="billing-verify", lock="billing-verify", pass_context=False)
def verify_statements(timestamp: int) -> None:
    """Every night: make all closed statements again from the rows; each difference is an error in the log."""
    for seller in billing_sellers(platform_scope()):
        number, wrong = differing_statements(billing_scope(seller))
        for statement_id in wrong:
            log.error("billing.verify statement %d is not what its rows give", statement_id)
        log.info("billing.verify seller=%d statements=%d differences=%d", seller, number, len(wrong))
