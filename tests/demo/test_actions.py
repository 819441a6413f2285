"""Loading the demonstration into a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.test import override_settings

from tests.database import once
from twin.billing.queries.invoices import InvoicesAsked, invoices
from twin.billing.queries.transactions import TransactionsAsked, transactions
from twin.companies import actions as companies
from twin.companies.access import billing_scope, employment_of, platform_scope, report_scope
from twin.companies.queries import list_companies
from twin.companies.types import Company
from twin.demo import actions
from twin.demo.errors import WorldBroken, WorldRefused
from twin.demo.months import PAYMENT_DAYS
from twin.demo.queries import is_begun, is_loaded, sign_ins
from twin.demo.types import WorldSize
from twin.kernel import clock
from twin.kernel.period import Period
from twin.metering.actions import take_events
from twin.metering.queries import find_differences
from twin.metering.types import TakenBatch
from twin.reports.queries import reseller_companies
from twin.reports.types import ReportQuery, ResellerReport

pytestmark = pytest.mark.database
SMALL = WorldSize(events=4_000)
SEVERAL_BATCHES = WorldSize(events=12_000)


@pytest.fixture(autouse=True)
def _quick_passwords() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


def companies_by_name() -> dict[str, Company]:
    return {company.name: company for company in list_companies(platform_scope(), limit=1000).items}


def report_of(name: str) -> ResellerReport:
    now = clock.now()
    scope = report_scope(platform_scope(), companies_by_name()[name].id)
    return reseller_companies(scope, ReportQuery(period=Period(now - timedelta(days=91), now)))


def events_stored() -> int:
    report = report_of("Twin")
    return sum(figures.count for section in report.sections.values() for figures in section.totals.meters.values())


def a_small_demonstration() -> None:
    """Loaded the first time, copied back for the tests that only look at it."""

    def load() -> None:
        assert sign_ins() == []
        assert actions.load_world(size=SMALL)

    once("the small demonstration", load)


def test_the_world_shows_what_a_world_has_to_show(db_clean: object) -> None:
    a_small_demonstration()
    everyone = companies_by_name()
    assert len(everyone) == 65
    assert everyone["Rhea Österreich"].parent_id == everyone["Rhea Telecom"].id
    assert everyone["Такси «Полюс»"].state == "blocked"
    rhea, baltic, north = map(report_of, ("Rhea Telecom", "Baltic Connect", "Северная связь"))
    assert (rhea.unrated, baltic.unrated, north.unrated) == (0, 0, 37)
    viber = baltic.sections["messaging"].totals.meters["viber.delivered"]
    assert 0 < viber.sell < viber.buy
    moved = [
        row for report in (rhea, baltic) for row in report.sections["messaging"].rows if "Hansa" in row.company_name
    ]
    assert len(moved) == 2
    assert all(row.total_sell > 0 for row in moved)
    assert [row.path for row in rhea.sections["bot"].rows if row.company_name == "Wiener Paketdienst"] == [
        ("Rhea Österreich",)
    ]
    assert find_differences().differences == []
    _has_documents_of_their_time(everyone["Rhea Telecom"].id)


def _has_documents_of_their_time(seller_id: int) -> None:
    page = invoices(billing_scope(seller_id), InvoicesAsked(side="issued", limit=1_000))
    assert page.counts["paid"]
    assert page.counts["open"]
    months = {(one.month, one.issued_on.replace(day=1)) for one in page.items}
    assert len(months) >= 2
    for one in page.items:
        assert one.month is not None
        assert 0 <= (one.issued_on - one.month).days <= 33
        assert one.due_on == one.issued_on + timedelta(days=PAYMENT_DAYS)
    told = transactions(billing_scope(seller_id), TransactionsAsked(side="sold", kind="payment", limit=1_000)).items
    assert len({one.at.date() for one in told}) > 3
    assert max(one.at for one in told) < clock.now()


def test_everyone_shown_can_sign_in(db_clean: object) -> None:
    a_small_demonstration()
    shown = sign_ins()
    assert [each.company for each in shown] == [
        "Twin",
        "Rhea Telecom",
        "Baltic Connect",
        "Северная связь",
        "Rhea Österreich",
        "Nordlicht Apotheken",
    ]
    for each in shown:
        person = authenticate(None, email=each.email, password=each.password)
        assert person is not None
        # What is printed is all it takes, also where a role demands a second factor.
        assert person.second_factor_exempt
        employment = employment_of(person)
        assert employment is not None
        assert employment.is_informed


def test_loading_again_does_nothing(db_clean: object) -> None:
    a_small_demonstration()
    before = events_stored()
    assert actions.load_world(size=SMALL) is False
    assert events_stored() == before


def _killed_after(batches: int, take: Callable[..., TakenBatch]) -> Callable[..., TakenBatch]:
    left = [batches]

    def killed(*args: Any, **kwargs: Any) -> TakenBatch:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return take(*args, **kwargs)

    return killed


def test_a_load_that_was_killed_is_completed_by_the_next(db_clean: object, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(actions, "take_events", _killed_after(1, take_events))
        with pytest.raises(KeyboardInterrupt):
            actions.load_world(size=SEVERAL_BATCHES)
    assert (is_begun(), is_loaded(), sign_ins()) == (True, False, [])
    assert events_stored() == 5_000
    assert actions.load_world(size=SEVERAL_BATCHES)
    assert is_loaded()
    assert events_stored() > 11_000
    assert find_differences().differences == []


def test_a_kill_while_the_tree_is_built_leaves_nothing(db_clean: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("twin.demo.building._let_it_live", fail)
        with pytest.raises(KeyboardInterrupt):
            actions.load_world(size=SMALL)
    assert not is_begun()
    assert actions.load_world(size=SMALL)


def test_an_installation_that_exists_is_left_alone(db_clean: object) -> None:
    companies.create_platform(name="Mine", time_zone="UTC", currency="USD")
    assert actions.load_world(size=SMALL) is False
    assert list(companies_by_name()) == ["Mine"]
    assert sign_ins() == []


def test_a_stranger_with_our_address_does_not_make_it_our_world(db_clean: object) -> None:
    companies.create_platform(name="Mine", time_zone="UTC", currency="USD")
    get_user_model().objects.create_user("platform@twin.example", "whatever they chose", name="Someone")
    assert actions.load_world(size=SMALL) is False
    assert list(companies_by_name()) == ["Mine"]


@pytest.mark.parametrize("host", ["192.0.2.7", "::", "twin.example"])
def test_nothing_is_loaded_where_strangers_can_sign_in(db_clean: object, host: str) -> None:
    with override_settings(HOST=host), pytest.raises(WorldRefused):
        actions.load_world(size=SMALL)
    assert not is_begun()


def test_an_event_that_is_refused_is_not_passed_over(db_clean: object, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(actions, "_present_of", lambda _: clock.now() + timedelta(days=1))
        with pytest.raises(WorldBroken, match="was not taken"):
            actions.load_world(size=SMALL)
    assert not is_loaded()
