"""One throw-away PostgreSQL for the whole run; the settings see it through the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator

import django
import pytest
from django.utils import translation
from hypothesis import HealthCheck, settings

from tests.database import Cleaner, migrate
from tests.peers import PEERS
from twin.engine.binaries import system_programs
from twin.engine.testing import ThrowawayServer, address_of
from twin.engine.types import DatabaseRoles


def _new_server() -> ThrowawayServer:
    if os.environ.get("TWIN_TEST_POSTGRES") != "system":
        return ThrowawayServer()
    programs = system_programs()
    if programs is None:
        pytest.exit("TWIN_TEST_POSTGRES=system, but no PostgreSQL >= 15 is under /usr/lib/postgresql.", 2)
    return ThrowawayServer(programs)


SERVER = _new_server()

# Before anything imports the settings: it is a promise of where the server will be, not its start.
os.environ.update(
    DJANGO_SETTINGS_MODULE="twin.config.settings",
    TWIN_DATA_DIR=str(SERVER.folder / "files"),
    TWIN_OWNER_DATABASE_URL=address_of(SERVER.roles.owner),
    TWIN_APP_DATABASE_URL=address_of(SERVER.roles.app),
    TWIN_WRITER_DATABASE_URL=address_of(SERVER.roles.writer),
)
for name in ("DATABASE_URL", "TWIN_NO_DATABASE", "TWIN_PORT", "TWIN_HOST", "TWIN_URL", "TWIN_SMTP_URL", "TWIN_SMS_URL"):
    os.environ.pop(name, None)
# A slow machine is no fault of a property. In CI the same examples each time: a new one is found at home, not there.
settings.register_profile(
    "twin", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("twin")
# pytest-django looked for settings before this file was read.
django.setup()


@pytest.fixture(scope="session")
def database_server() -> Iterator[ThrowawayServer]:
    """The running server, with the superuser's door beside the three roles."""
    SERVER.start()
    yield SERVER
    SERVER.stop()


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """pytest-django makes no database of its own: ours is made by `migrated_database`."""


@pytest.fixture(scope="session")
def migrated_database(database_server: ThrowawayServer, django_db_blocker: pytest.FixtureRequest) -> Iterator[Cleaner]:
    """The schema is there, and what the migrations put in is remembered."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]  # pytest-django names no public type for it
        migrate()
    cleaner = Cleaner(database_server.superuser())
    yield cleaner
    cleaner.close()


@pytest.fixture
def db_clean(migrated_database: Cleaner, django_db_blocker: pytest.FixtureRequest) -> Iterator[DatabaseRoles]:
    """The database as the migrations left it, for tests that really commit; emptied again afterwards."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]  # pytest-django names no public type for it
        yield SERVER.roles
        migrated_database.clean()


@pytest.fixture(autouse=True)
def _language_ends_with_its_test() -> Iterator[None]:
    """A page leaves its reader's language behind in the thread; the next test begins in English."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def _database_by_mark(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("database") is not None:
        request.getfixturevalue("db_clean")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Each process that runs tests has a server of its own: it must not take its settings from this one's."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def pytest_unconfigure() -> None:
    """Also when no test asked for the server: its folder goes."""
    SERVER.stop()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that needs a program which is not here is skipped, never where CI is set."""
    for peer in PEERS:
        if item.get_closest_marker(peer.marker) is None or peer.is_here:
            continue
        if os.environ.get("CI"):
            pytest.fail(f"No {peer.name}, and in CI no such test may be skipped: see {peer.script}.", pytrace=False)
        pytest.skip(f"no {peer.name} on this machine")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Said aloud, once for each: what was not tried for want of a program."""
    skipped = [str(each.longrepr) for each in terminalreporter.stats.get("skipped", [])]
    for peer in PEERS:
        count = sum(f"no {peer.name} on" in each for each in skipped)
        if count:
            terminalreporter.write_line(
                f"{count} {peer.marker} tests were skipped: no {peer.name} here ({peer.advice})."
            )
