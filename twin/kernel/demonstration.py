"""Whether this installation is the demonstration, where mails and SMS are read on a page."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.module_loading import import_string


def is_open() -> bool:
    """Only with the demonstration world loaded, and only where nobody but this machine is served.

    The world stands on a floor above; the settings name who knows of it.
    """
    public = urlsplit(settings.URL).hostname or ""
    return _is_loopback(settings.HOST) and _is_loopback(public) and _is_loaded()


def is_exposed() -> bool:
    """Whether the world with its known passwords would be served to other machines."""
    return not _is_loopback(settings.HOST) and _is_loaded()


def _is_loaded() -> bool:
    source: str = getattr(settings, "DEMONSTRATION_LOADED", "")
    return bool(source) and bool(import_string(source)())


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
