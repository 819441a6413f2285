"""Requests of programs that may come twice: what was done for a key is not done again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.db import connection

from twin.billing.errors import RequestKeyTaken
from twin.companies.types import Scope
from twin.kernel import clock
from twin.kernel.tenancy import scoped


@scoped
def done_once(scope: Scope, *, key: str | None, asked: bytes, act: Callable[[], int]) -> int:
    """Do it, or return what the same request under the same key has made before; without a key simply do it.

    In one transaction with what it does: what fails leaves the key free, and two at once wait for each other.
    Keys belong to the organisation and hold for ever. Raises `RequestKeyTaken` where one stood for another request.
    """
    if key is None:
        return act()
    digest, fingerprint = hashlib.sha256(key.encode()).digest(), hashlib.sha256(asked).digest()
    _wait(scope, digest)
    known = _known(scope, digest)
    if known is None:
        made = act()
        _keep(scope, digest, fingerprint, made)
        return made
    before, made = known
    if before != fingerprint:
        raise RequestKeyTaken("This idempotency key stood for another request. Use a new key for each new request.")
    return made


def _wait(scope: Scope, digest: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, %s))", [digest.hex(), scope.organisation_id])


def _known(scope: Scope, digest: bytes) -> tuple[bytes, int] | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select fingerprint, made_id from billing_request where company_id = %s and key_digest = %s",
            [scope.organisation_id, digest],
        )
        row = cursor.fetchone()
    return None if row is None else (bytes(row[0]), int(row[1]))


def _keep(scope: Scope, digest: bytes, fingerprint: bytes, made: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into billing_request (company_id, key_digest, fingerprint, made_id, recorded_at)"
            " values (%s, %s, %s, %s, %s)",
            [scope.organisation_id, digest, fingerprint, made, clock.now()],
        )
