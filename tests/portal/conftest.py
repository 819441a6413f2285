"""The small world with people in it, and browsers without a screen that are signed in as them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from tests.database import Cleaner
from tests.portal.people import People, employ_people
from tests.world import World, build_world


@pytest.fixture(autouse=True)
def _static_files_as_they_lie(settings: Any) -> None:
    """No collectstatic before the tests: addresses of static files are plain names."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(scope="module")
def small_world(migrated_database: Cleaner, django_db_blocker: Any) -> Iterator[World]:
    """One small world for a whole module; nobody changes it."""
    with django_db_blocker.unblock():
        yield build_world()
        migrated_database.clean()


@pytest.fixture(scope="module")
def people(small_world: World) -> People:
    """An administrator for each company that signs in."""
    return employ_people(small_world)


@pytest.fixture
def signed_in(people: People) -> Callable[[str], Client]:
    """A client with the session of the administrator of the named company."""

    def sign_in(name: str) -> Client:
        client = Client()
        client.force_login(people.of(name), backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return sign_in


@pytest.fixture
def quick_passwords(settings: Any) -> None:
    """Passwords hashed fast: for tests of what comes after them."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
