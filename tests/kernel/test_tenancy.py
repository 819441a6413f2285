"""Whoever reads within a snapshot: as one organisation, another one for a part of it, or the same one again."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from twin.kernel.tenancy import tenant_transaction

pytestmark = pytest.mark.database


def organisation() -> str:
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('twin.organisation', true)")
        return str(cursor.fetchone()[0])


def test_the_same_organisation_asks_nothing_to_read_again() -> None:
    with tenant_transaction(3, snapshot=True):
        with CaptureQueriesContext(connection) as asked, tenant_transaction(3), tenant_transaction(3, snapshot=True):
            pass
        assert len(asked) == 0
        assert organisation() == "3"


def test_another_organisation_within_a_snapshot_is_itself_and_leaves_the_first_behind() -> None:
    with tenant_transaction(3, snapshot=True):
        with tenant_transaction(4):
            assert organisation() == "4"
            with tenant_transaction(4):
                assert organisation() == "4"
            with tenant_transaction(3):
                assert organisation() == "3"
            assert organisation() == "4"
        assert organisation() == "3"
        with tenant_transaction(3):
            assert organisation() == "3"


def test_another_organisation_within_a_snapshot_asks_nothing_to_read_again() -> None:
    with tenant_transaction(3, snapshot=True), tenant_transaction(4):
        with CaptureQueriesContext(connection) as asked, tenant_transaction(4), tenant_transaction(4, snapshot=True):
            pass
        assert len(asked) == 0
        assert organisation() == "4"
        with CaptureQueriesContext(connection) as asked, tenant_transaction(3):
            assert organisation() == "3"
        assert len(asked) > 1


def test_what_fails_as_another_organisation_ends_as_the_first() -> None:
    with tenant_transaction(3, snapshot=True):
        with pytest.raises(DatabaseError), tenant_transaction(4), connection.cursor() as cursor:
            cursor.execute("select 1 / 0")
        with tenant_transaction(3):
            assert organisation() == "3"


def test_nothing_is_left_of_a_snapshot_that_ended() -> None:
    with pytest.raises(DatabaseError), tenant_transaction(3, snapshot=True), connection.cursor() as cursor:
        cursor.execute("select 1 / 0")
    with CaptureQueriesContext(connection) as asked, tenant_transaction(3):
        assert organisation() == "3"
    assert len(asked) > 1


def test_a_transaction_that_may_write_keeps_its_savepoints() -> None:
    with tenant_transaction(3):
        with pytest.raises(DatabaseError), tenant_transaction(3), connection.cursor() as cursor:
            cursor.execute("select 1 / 0")
        assert organisation() == "3"
