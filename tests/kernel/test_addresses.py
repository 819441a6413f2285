"""Exactly so many proxies are believed as there are."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from twin.kernel.addresses import UNKNOWN, address_of


def address(peer: str, forwarded: str | None) -> str:
    headers: dict[str, Any] = {"REMOTE_ADDR": peer}
    if forwarded is not None:
        headers["HTTP_X_FORWARDED_FOR"] = forwarded
    return address_of(RequestFactory().get("/", **headers))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, None, "198.51.100.7"),
        (0, "203.0.113.9", "198.51.100.7"),
        (1, None, "198.51.100.7"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6,7.7.7.7,8.8.8.8,203.0.113.9", "203.0.113.9"),
        (2, "203.0.113.9", "198.51.100.7"),
        (2, "203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (1, "6.6.6.6, rubbish", "198.51.100.7"),
        (1, "", "198.51.100.7"),
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
    ],
)
def test_what_a_client_writes_itself_is_not_believed(
    settings: Any, proxies: int, forwarded: str | None, expected: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert address("198.51.100.7", forwarded) == expected


def test_a_peer_without_an_address_has_none(settings: Any) -> None:
    settings.TRUSTED_PROXIES = 0
    assert address("", None) == UNKNOWN


def test_the_sign_in_library_counts_the_same_proxies(settings: Any) -> None:
    assert settings.ALLAUTH_TRUSTED_PROXY_COUNT == settings.TRUSTED_PROXIES
