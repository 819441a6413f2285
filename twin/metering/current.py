"""The catalogue this process rates with, and how it is kept in step with the database."""

from __future__ import annotations

from django.db import connections, transaction

from twin.companies.access import system_scope
from twin.companies.catalogue import share_catalogue
from twin.companies.queries import tree_snapshot
from twin.metering.catalogue import Catalogue
from twin.pricing.queries import price_book


class CatalogueMoved(Exception):
    """Tree or prices changed since the batch was rated; rate it again."""


class _Process:
    """One catalogue for all threads of the process."""

    catalogue: Catalogue | None = None


def current_catalogue() -> Catalogue:
    """The catalogue loaded last; who commits with it proves under the lock that it still holds."""
    catalogue = _Process.catalogue
    if catalogue is None:
        return reload_catalogue()
    if catalogue.is_full:
        catalogue = _Process.catalogue = Catalogue(catalogue.tree, catalogue.book)
    return catalogue


def reload_catalogue(unless: int | None = None) -> Catalogue:
    """Load tree and prices as of now, in one consistent look; skipped when version `unless` is loaded.

    Threads may load at the same time: a lock of this process around a wait for a lock of
    the database could close a circle that the database does not see.
    """
    known = _Process.catalogue
    if known is not None and known.version == unless:
        return known
    with transaction.atomic(using="writer"):
        share_catalogue(connections["writer"])
        scope = system_scope()
        loaded = Catalogue(tree_snapshot(scope), price_book(scope))
    known = _Process.catalogue
    if known is None or loaded.version >= known.version:
        _Process.catalogue = loaded
    return loaded


def forget_catalogue() -> None:
    """Load anew at next use; for tests that empty the tables."""
    _Process.catalogue = None


def held_catalogue() -> Catalogue:
    """The catalogue of now, kept from changing until the writer's transaction ends."""
    version = share_catalogue(connections["writer"])
    return reload_catalogue(unless=version)
