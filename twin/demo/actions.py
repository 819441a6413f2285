"""Loading the demonstration world, through the same actions as everyone's data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address

from django.conf import settings
from django.db import transaction
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from twin.companies.access import platform_scope, report_scope
from twin.companies.errors import NotInitialised
from twin.companies.queries import list_companies
from twin.companies.types import Company, Scope
from twin.demo.building import build_catalogue, employ
from twin.demo.errors import NoDemonstration, WorldBroken, WorldRefused
from twin.demo.growing import found_crowd
from twin.demo.months import close_past_months
from twin.demo.paying import pay_invoices
from twin.demo.queries import is_begun, is_loaded
from twin.demo.rules.cast import PEOPLE, RHEA, SELLERS, customers
from twin.demo.rules.crowd import LARGE, MAGNA, crowd
from twin.demo.rules.traffic import usage
from twin.demo.rules.wire import batches
from twin.demo.types import Usage, WorldSize
from twin.kernel import clock
from twin.kernel.period import Period
from twin.metering.actions import fold, take_events
from twin.metering.queries import cells_in


def load_world(*, progress: bool = False, size: WorldSize | None = None) -> bool:
    """Load the demonstration into an empty database; True when there was something to do.

    Safe to repeat and to kill: tree, prices and people come in one transaction, the usage
    after it under keys of its own, so that a second run takes what is missing. A database
    that holds anything else is left alone. Raises `WorldRefused` when Twin is to be served
    beyond loopback.
    """
    _refuse_strangers()
    if is_loaded() or (_is_occupied() and not is_begun()):
        return False
    wanted = size or WorldSize()
    if not is_begun():
        present = clock.now().replace(microsecond=0)
        with transaction.atomic():
            build_catalogue(present, customers(wanted))
    scope = platform_scope()
    companies = _companies_by_code(scope)
    if RHEA not in companies:
        # Somebody gave an installation of their own the address of our platform administrator.
        return False
    _send_usage(scope, companies, wanted, progress)
    close_past_months(clock.now())
    pay_invoices(clock.now())
    with transaction.atomic():
        employ(scope, PEOPLE[-1], companies[PEOPLE[-1].employer].id)
    return True


def _refuse_strangers() -> None:
    host = str(settings.HOST)
    try:
        is_loopback = ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if not is_loopback:
        raise WorldRefused(
            f"The demonstration has well-known passwords and is not loaded where others can sign in (TWIN_HOST={host})."
        )


def _is_occupied() -> bool:
    try:
        platform_scope()
    except NotInitialised:
        return False
    return True


def _companies_by_code(scope: Scope) -> dict[str, Company]:
    found: dict[str, Company] = {}
    cursor: str | None = None
    while True:
        page = list_companies(scope, limit=10_000, cursor=cursor)
        found |= {company.external_id: company for company in page.items if company.external_id is not None}
        cursor = page.next_cursor
        if cursor is None:
            return found


def _present_of(companies: dict[str, Company]) -> datetime:
    """The world's present, which a run that was killed has fixed: keys and times hang on it."""
    [rhea] = [seller for seller in SELLERS if seller.code == RHEA]
    begun = companies[RHEA].existed_from
    if begun is None:
        raise WorldBroken("The first reseller of the demonstration has no beginning; start with an empty database.")
    return begun + timedelta(days=rhea.joined_days_ago)


def grow_world(size: WorldSize = LARGE, *, progress: bool = False) -> int:
    """Add the reseller with thousands of companies to the demonstration; how many it has now.

    Safe to repeat and to kill: tree, prices and the person come in one transaction, the usage under keys of
    its own. The demonstration is loaded first where the database is empty; raises `NoDemonstration` where
    it holds anything else.
    """
    load_world(progress=progress)
    if not is_loaded():
        raise NoDemonstration("This installation is not the demonstration: nothing was added to it.")
    scope = platform_scope()
    companies = _companies_by_code(scope)
    cast = crowd(size)
    present = _present_of(companies)
    if MAGNA.code not in companies:
        with transaction.atomic():
            found_crowd(present, cast)
        companies = _companies_by_code(scope)
    known = [customer for customer in cast if customer.code in companies]
    made = usage(known, present, size)
    if _events_of(scope, companies[MAGNA.code].id, present) != len(made):
        _send(scope, made, [companies[customer.code].id for customer in known], progress, prefix="large")
    return len(known)


def _events_of(scope: Scope, reseller_id: int, present: datetime) -> int:
    """How many events the reseller's totals hold."""
    period = Period(present - timedelta(days=400), present + timedelta(days=1))
    return int(cells_in(report_scope(scope, reseller_id), period).count.sum())


def _send_usage(scope: Scope, companies: dict[str, Company], size: WorldSize, progress: bool) -> None:
    cast = customers(size)
    made = usage(cast, _present_of(companies), size)
    _send(scope, made, [companies[customer.code].id for customer in cast], progress, prefix="demo")


def _send(scope: Scope, made: Usage, subjects: Sequence[int], progress: bool, *, prefix: str) -> None:
    columns = (TextColumn("Loading the demonstration"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not progress) as bar:
        task = bar.add_task("events", total=len(made))
        for number, body in batches(made, subjects, prefix):
            taken = take_events(scope, body, batch=True)
            if taken.rejected or taken.conflicts:
                first = (taken.rejected or taken.conflicts)[0]
                raise WorldBroken(f"Event {first.id} of the demonstration was not taken: {first.detail}")
            bar.advance(task, number)
    fold()
