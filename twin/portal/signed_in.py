"""The person of a request that only signed-in people reach."""

from __future__ import annotations

from django.http import HttpRequest


def person_id(request: HttpRequest) -> int:
    """Their id; a view that asks must stand behind a sign-in."""
    if request.user.pk is None:
        raise PermissionError("Nobody is signed in here.")
    return request.user.pk
