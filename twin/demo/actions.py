"""Loading the demonstration world, through the same actions as everyone's data."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address

from django.conf import settings
from django.db import transaction
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from twin.companies.access import platform_scope
from twin.companies.errors import NotInitialised
from twin.companies.queries import list_companies
from twin.companies.types import Company, Scope
from twin.demo.building import build_catalogue, employ
from twin.demo.errors import WorldBroken, WorldRefused
from twin.demo.queries import is_begun, is_loaded
from twin.demo.rules.cast import PEOPLE, RHEA, SELLERS, customers
from twin.demo.rules.traffic import usage
from twin.demo.rules.wire import batches
from twin.demo.types import WorldSize
from twin.kernel import clock
from twin.metering.actions import fold, take_events


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


def _send_usage(scope: Scope, companies: dict[str, Company], size: WorldSize, progress: bool) -> None:
    cast = customers(size)
    made = usage(cast, _present_of(companies), size)
    subjects = [companies[customer.code].id for customer in cast]
    columns = (TextColumn("Loading the demonstration"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not progress) as bar:
        task = bar.add_task("events", total=len(made))
        for number, body in batches(made, subjects):
            taken = take_events(scope, body, batch=True)
            if taken.rejected or taken.conflicts:
                first = (taken.rejected or taken.conflicts)[0]
                raise WorldBroken(f"Event {first.id} of the demonstration was not taken: {first.detail}")
            bar.advance(task, number)
    fold()
