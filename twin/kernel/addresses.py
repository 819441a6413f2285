"""From which address a request really comes."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "0.0.0.0"  # noqa: S104 - said of a peer without an address, bound by nobody


def address_of(request: HttpRequest) -> str:
    """The client's address as the outermost of exactly TWIN_TRUSTED_PROXIES proxies saw it.

    Each trusted proxy appends the address it was called from to
    `X-Forwarded-For`; what stands left of those was written by the client
    and is not believed. Without proxies the header is not read at all.
    """
    peer = _peer(str(request.META.get("REMOTE_ADDR", "")))
    count: int = settings.TRUSTED_PROXIES
    if not count:
        return peer
    seen = [_plain(each) for each in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    if len(seen) < count:
        # Called past the proxies: the peer is the only one to be believed.
        return peer
    return seen[-count] if seen[-count] != UNKNOWN else peer


@lru_cache(maxsize=1_000)
def _peer(text: str) -> str:
    """The same few call again and again; written by the server, not by them."""
    return _plain(text)


def _plain(text: str) -> str:
    """The address in its one spelling, IPv4 within IPv6 as IPv4, without a port."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ip_address(bare.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(found)
