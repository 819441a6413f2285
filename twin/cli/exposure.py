"""Whether passwords could be read on their way: what nothing is served with."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

import click
from django.conf import settings


def refuse_open_address() -> None:
    """People who sign in from elsewhere do it over TLS; who knows better says so with TWIN_ALLOW_HTTP."""
    trouble = url_trouble(settings.URL, settings.HOST)
    public = urlsplit(settings.URL).hostname or ""
    if not trouble or settings.ALLOW_HTTP:
        return
    if is_local(public) and settings.URL.startswith("http://"):
        # Mails would lead nowhere, but nobody was promised anything: said aloud, served all the same.
        click.echo(f"twin: {trouble}", err=True)
        return
    raise click.ClickException(trouble)


def url_trouble(url: str, host: str) -> str:
    """What is wrong with the public address; empty when nothing is."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return f"TWIN_URL is {url!r}: write https://NAME, as people type it."
    if parts.scheme == "http" and not is_local(parts.hostname):
        return (
            f"TWIN_URL is {url}, so passwords would travel unencrypted: put a proxy with TLS before Twin and write"
            " https:// (docs/operations.md), or set TWIN_ALLOW_HTTP=1 where the network is your own."
        )
    if is_local(parts.hostname) and not is_local(host):
        return (
            f"TWIN_HOST is {host}, but TWIN_URL is {url}: links in mails lead nobody here. Set TWIN_URL to the address"
            " people use."
        )
    return ""


def is_local(host: str) -> bool:
    """Whether only this very machine is meant."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
