"""The reseller with thousands of companies, in small."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from django.test import override_settings

from twin.companies import actions as companies
from twin.companies.access import platform_scope, report_scope
from twin.companies.queries import list_companies
from twin.demo import actions
from twin.demo.errors import NoDemonstration
from twin.demo.queries import sign_ins
from twin.demo.rules.crowd import LARGE, MAGNA, MAGNA_PERSON, crowd
from twin.demo.types import WorldSize
from twin.kernel import clock
from twin.kernel.period import Period
from twin.metering.queries import find_differences
from twin.reports.queries import reseller_companies
from twin.reports.types import ReportQuery

FEW = WorldSize(companies=60, events=4_000)
MANY = replace(LARGE, companies=120, events=3_000)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    load = actions.load_world
    monkeypatch.setattr(actions, "load_world", lambda *, progress=False: load(progress=progress, size=FEW))
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


def test_names_are_all_different_and_sizes_fall() -> None:
    everyone = crowd(LARGE)
    assert len({customer.name for customer in everyone}) == len({customer.code for customer in everyone}) == 10_000
    assert all(one.weight > other.weight for one, other in pairwise(everyone))
    assert {customer.country for customer in everyone} == {"DE", "AT", "PL"}


@pytest.mark.database
def test_it_is_added_to_the_demonstration_once_and_whole() -> None:
    assert actions.grow_world(MANY) == 120
    assert actions.grow_world(MANY) == 120
    everyone = {company.name: company for company in list_companies(platform_scope(), limit=10_000).items}
    assert len(everyone) == 65 + 1 + 120
    scope = report_scope(platform_scope(), everyone[MAGNA.name].id)
    now = clock.now()
    report = reseller_companies(scope, ReportQuery(period=Period(now - timedelta(days=70), now)))
    assert report.company_count == 120
    assert report.unrated == 0
    totals = [section.totals for section in report.sections.values()]
    used = sum(figures.count for total in totals for figures in total.meters.values())
    assert 2_500 < used < 3_200
    assert sum(total.margin for total in totals) > 0
    assert [person.email for person in sign_ins()][-1] == MAGNA_PERSON.email
    assert find_differences().differences == []


@pytest.mark.database
def test_nothing_is_added_to_anybodys_installation() -> None:
    companies.create_platform(name="Own", time_zone="Europe/Berlin", currency="EUR")
    with pytest.raises(NoDemonstration):
        actions.grow_world(MANY)
    assert len(list_companies(platform_scope()).items) == 1
