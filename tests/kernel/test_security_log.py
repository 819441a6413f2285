"""The record of security: written by all, changed by nobody, without a secret in it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.db import DatabaseError, connections

from twin.kernel import security_log
from twin.kernel.tenancy import tenant_transaction

pytestmark = pytest.mark.database


def rows(alias: str = "owner") -> list[tuple[Any, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "select event, user_id, company_id, host(address), fields::text, at from kernel_securityevent order by id"
        )
        return list(cursor.fetchall())


def test_an_event_says_who_where_from_and_when() -> None:
    security_log.record("sign_in_failed", user_id=7, company_id=3, address="203.0.113.9", method="password")
    (event, user, company, address, fields, at) = rows()[0]
    assert (event, user, company, address, json.loads(fields)) == (
        "sign_in_failed",
        7,
        3,
        "203.0.113.9",
        {"method": "password"},
    )
    assert at.utcoffset().total_seconds() == 0


@pytest.mark.parametrize("path", ["/legal/\x00", "/legal/\ud800"])
def test_an_address_that_no_text_can_hold_is_recorded_all_the_same(path: str) -> None:
    security_log.record("access_refused", user_id=7, path=path)
    assert json.loads(rows()[0][4]) == {"path": "/legal/\N{REPLACEMENT CHARACTER}"}


def test_it_is_also_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "twin.security"):
        security_log.record("sign_in_failed", user_id=7)
    assert [record.name for record in caplog.records] == ["twin.security"]


def test_secrets_are_left_out_and_people_masked() -> None:
    security_log.record(
        "phone_changed",
        email="ann.acre@example.com",
        phone="+491701234567",
        code="918273",
        password="quiet harbour",
        reset_token="abc",
        note="code 918273 to ann.acre@example.com\r\nforged",
        tries=3,
        done=True,
        more={"code": "918273", "phone": "+491701234567"},
    )
    kept = rows()[0][4]
    assert json.loads(kept) == {
        "email": "a…@example.com",
        "phone": "+49…67",
        "note": "code … to a…@example.com forged",
        "tries": 3,
        "done": True,
        "more": {"phone": "+49…67"},
    }


def test_an_organisation_reads_its_own_events_only() -> None:
    for company in (3, 4, None):
        security_log.record("signed_in", company_id=company)
    assert rows("default") == []
    with tenant_transaction(3):
        assert [row[2] for row in rows("default")] == [3]


@pytest.mark.parametrize(
    "statement",
    [
        "update kernel_securityevent set event = 'nothing'",
        "delete from kernel_securityevent",
        "truncate kernel_securityevent",
        "drop table kernel_securityevent",
        "alter table kernel_securityevent disable row level security",
    ],
)
@pytest.mark.parametrize("role", ["default", "writer"])
def test_neither_role_of_the_application_rewrites_the_record(role: str, statement: str) -> None:
    security_log.record("signed_in", user_id=7)
    with pytest.raises(DatabaseError), connections[role].cursor() as cursor:
        cursor.execute(statement)
    assert len(rows()) == 1
