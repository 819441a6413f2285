"""A real browser against a real server in this process, on the small world."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Page, sync_playwright

from tests.chromium import find_chromium
from tests.database import Cleaner
from tests.portal.people import employ_people
from tests.portal.usage import record_october
from tests.world import World, build_world

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module. It must end with it: its event loop stands in this thread meanwhile."""
    executable = find_chromium()
    if executable is None and os.environ.get("CI"):
        pytest.fail("no Chromium, and here no browser test may be skipped: run `make setup`")
    if executable is None:
        pytest.skip("no Chromium on this machine: browser tests are skipped")
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Playwright's loop makes Django believe that this thread is asynchronous.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        running = playwright.chromium.launch(executable_path=executable, headless=True, args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture(autouse=True)
def _static_files_as_they_lie(settings: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(scope="module")
def world(migrated_database: Cleaner, django_db_blocker: Any, browser: Browser) -> Iterator[World]:
    """The small world with people and some usage, once for a module; tests change only who they sign in as."""
    with django_db_blocker.unblock():
        built = build_world()
        employ_people(built)
        record_october(built)
        yield built
        migrated_database.clean()


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """Where the pages are served, over the database of the test."""
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler, port=0)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """An empty profile at the home page's address; a script error or a refused resource fails the test."""
    context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900}, locale="en-GB")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if "Security Policy" in message.text else None)
    yield opened
    context.close()
    assert complaints == []
