"""Whether the process lives and whether it can serve; for load balancers, without a key."""

from __future__ import annotations

from functools import cache

from django.db import Error, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return _answer(200, "ok")


@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """The database answers and its schema is the one this code was written for."""
    try:
        applied = set(MigrationRecorder(connections["default"]).applied_migrations())
    except Error:
        return _answer(503, "unavailable", "The database does not answer.")
    behind = known_migrations() - applied
    if behind:
        return _answer(503, "behind", f"{len(behind)} migrations are not applied; run `twin migrate`.")
    return _answer(200, "ok")


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """Every migration of the installed apps, by app and name."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def _answer(status: int, state: str, detail: str = "") -> HttpResponse:
    response = JsonResponse({"status": state, "detail": detail}, status=status)
    response["Cache-Control"] = "no-store"
    return response
