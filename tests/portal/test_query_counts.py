"""No page asks the database more often when there is more to show: one table over all pages that are read.

Rhea reads every page of hers in a world with a little of everything, then again with several times as much; so does
Acme with what she does not see.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse

from tests.billing.ledgers import issue
from tests.billing.months import close, statements_between, use
from tests.companies.employing import an_invitation
from tests.portal.people import People, employ
from tests.portal.test_matrix import EXPECTED, VISITORS
from tests.world import BEGINNING, Party, World
from twin.billing.actions.payments import record_payment
from twin.companies.access import platform_scope
from twin.companies.actions import create_api_key
from twin.companies.types import PERMISSIONS
from twin.kernel.period import Period
from twin.metering.actions import ask_rerating, publish_rates, take_events
from twin.pricing.actions import create_company, create_rate_card
from twin.pricing.types import NewRate

# A first visit fills what is kept in memory, and there may be something to ask only when there is more: a question or
# two come or go. One for each row would come so many times as there are more.
FEW, MORE = 1, 4
A_FEW: Final = 2
# How many questions each page may ask: as many as it does, up to the next five.
MOST_QUESTIONS: Final[Mapping[int, str]] = {
    5: "account_logout home recovery",
    10: (
        "api_keys audit audit_file bank_file companies_attach companies_create invoices_file "
        "second_factor security_password security_profile users_invite"
    ),
    15: (
        "account_reauthenticate api_reference balances_file buyer_file files invoice prices rates_file "
        "rates_import security users"
    ),
    20: (
        "balance_file billing_settings card_assign company_card correction corrections invoice_credit "
        "invoices payment payments_file prices_paid"
    ),
    25: "balances companies companies_file company payments statement statements",
    30: "books card_trial one_company rate_card usage",
    35: "balance buyer statement_line",
    40: "open_statement",
    50: "drill_down reseller_companies",
}
# Where a transaction begins and for whom it asks.
_FRAME: Final = ("SAVEPOINT", "RELEASE", "select set_config", "select coalesce(current_setting")
READERS: Final = ("rhea", "acme")
# What says for which time, where the page would otherwise lead on to an address that does.
OCTOBER: Final = "?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z&time_zone=UTC&has_expenses=false"
ASKED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("reseller_companies", "drill_down", "usage"), OCTOBER),
    **dict.fromkeys(("invoices_file", "balance_file", "balances_file", "buyer_file", "payments_file"), "?format=csv"),
    "invoices": "?side=issued",
    "card_trial": "?from=2026-01-01T00:00:00&to=2026-02-01T00:00:00&percent=10",
}


def _add(world: World, number: int) -> None:
    """One more of everything that a list shows."""
    rhea, name = world.rhea, f"Grown {number}"
    company = create_company(
        rhea.scope, name=name, kind="company", time_zone="UTC", external_id=name, effective_from=BEGINNING
    )
    for buyer in (company.id, world.acme.id):
        use(buyer, "2026-01-10T12:00", key=f"grown-{number}", attributes={"country": f"C{number}"})
        _send_again(buyer, f"grown-{number}")
        issue(rhea, buyer, 1000 + number)
    close(rhea, "2026-02-02T00:00", tell=False)
    issue(world.twin, rhea.id, 1000 + number)
    for seller, buyer in ((rhea, company.id), (rhea, world.acme.id), (world.twin, rhea.id)):
        record_payment(seller.scope, buyer_id=buyer, amount_minor=500 + number, at=BEGINNING)
    for employer in (rhea, world.acme):
        _add_people(employer, number)
    _add_prices(rhea, name, number)


def _send_again(company_id: int, key: str) -> None:
    """The same key with another content: a conflict."""
    event = {
        "specversion": "1.0", "type": "twin.usage", "source": "smsc-1", "id": key, "subject": str(company_id),
        "time": "2026-01-10T12:00:00Z", "data": {"meter": "sms.sent", "quantity": 7},
    }  # fmt: skip
    assert take_events(platform_scope(), json.dumps([event]).encode(), batch=True).conflicts


def _add_people(employer: Party, number: int) -> None:
    employ(employer.id, f"{number}@{employer.id}.example", f"Person {number}", "finance")
    an_invitation(platform_scope(), email=f"i{number}@{employer.id}.example", company_id=employer.id, role="finance")
    create_api_key(platform_scope(), employer.id, PERMISSIONS[:1], name=f"Key {number}")


def _add_prices(rhea: Party, name: str, number: int) -> None:
    card = create_rate_card(rhea.scope, name=name)
    price = NewRate("sms.sent", {"operator": str(number)}, 10**7, 1, 0, 1, 0, BEGINNING)
    publish_rates(rhea.scope, card_id=card.id, rates=[price])
    ask_rerating(rhea.scope, period=Period(BEGINNING, BEGINNING + timedelta(days=1 + number)))


def _reader_of(name: str) -> str:
    """Who reads the page, empty where nobody does; what is typeset is no list."""
    route = EXPECTED[name].get
    seen = [reader for reader in READERS if (route * len(VISITORS))[VISITORS.index(reader)] == "O" or name in ASKED]
    return "" if name == "invoice_pdf" or not seen else seen[0]


def _addresses(reader: str, ids: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, route in EXPECTED.items():
        if _reader_of(name) == reader and all(str(each) in ids or each == "1" for each in route.args):
            full = name if name.startswith(("account_", "mfa_")) else f"portal:{name}"
            args = [ids.get(each, each) for each in route.args]
            yield name, reverse(full, args=args) + ASKED.get(name, "")


def _counts(clients: Mapping[str, Client], ids: Mapping[str, Any]) -> dict[str, int]:
    """How many questions each page asks that is answered with 200."""
    found = {}
    for reader, client in clients.items():
        for name, address in _addresses(reader, ids):
            with CaptureQueriesContext(connection) as asked:
                answer = client.get(address, follow=name in ASKED)
                if answer.streaming:
                    answer.getvalue()
            if answer.status_code == 200:
                # What is somebody's own stays out of every cache, pages and files alike.
                assert "no-store" in answer["Cache-Control"], name
                found[name] = sum(not one["sql"].startswith(_FRAME) for one in asked.captured_queries)
    return found


@pytest.fixture(scope="module")
def counted(small_world: World, people: People, django_db_blocker: Any) -> Iterator[Any]:
    """The questions of each page before and after there was more."""
    quick = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
    with django_db_blocker.unblock(), quick:
        for number in range(FEW):
            _add(small_world, number)
        clients = {}
        for reader in READERS:
            clients[reader] = Client()
            clients[reader].force_login(
                people.of(reader), backend="allauth.account.auth_backends.AuthenticationBackend"
            )
        acme = small_world.acme.id
        ids = {"acme": acme, "rhea": small_world.rhea.id, "card": small_world.rhea_card.id}
        ids["statement"] = statements_between(small_world.rhea, acme)[0].id or 0
        ids["invoice"] = issue(small_world.rhea, acme, 4321).id
        ids["payment"] = record_payment(small_world.rhea.scope, buyer_id=acme, amount_minor=99, at=BEGINNING)
        ids["correction"] = ask_rerating(
            small_world.rhea.scope, period=Period(BEGINNING, BEGINNING + timedelta(days=1))
        ).id
        before = _counts(clients, ids)
        for number in range(FEW, FEW + MORE):
            _add(small_world, number)
        yield before, _counts(clients, ids)


def test_no_page_asks_more_often_when_there_is_more(counted: Any) -> None:
    before, after = counted
    assert len(before) > 50
    grown = {page: (before[page], number) for page, number in after.items() if number - before[page] >= MORE - 1}
    assert grown == {}


def test_no_page_asks_more_often_than_it_did(counted: Any) -> None:
    _, after = counted
    most = {page: limit for limit, pages in MOST_QUESTIONS.items() for page in pages.split()}
    assert sorted(set(after) ^ set(most)) == []
    assert {page: number for page, number in after.items() if number > most[page] + A_FEW} == {}
