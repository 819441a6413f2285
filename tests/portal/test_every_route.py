"""Every address there is: forms need their token, reading changes nothing, strangers choose no destination."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.outbox import last_mail
from tests.portal.people import PASSWORD, People
from tests.world import World

pytestmark = pytest.mark.usefixtures("people")

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ROOT = Path(__file__).resolve().parent.parent.parent
# Doors without a form's token, each with the reason.
TOKENLESS = {
    "csp-report": "browsers report without cookies; it writes one line of the log",
    "sms/receipt/<str:token>": "read only by GET; the signed address is the gateway's proof",
}
# What reading may change: sessions and their list, counters of limits, and the record itself.
MOVING = ("django_session", "usersessions_usersession", "twin_cache", "kernel_securityevent")
# Which values stand for the parts of an address.
PARTS = {"int": "1", "str": "x", "uuid": "00000000-0000-0000-0000-000000000000", "slug": "x", "path": "x"}


def routes(patterns: list[Any] | None = None, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every address as its pattern, with its view."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern.callback


def page_routes() -> list[str]:
    return [route for route, _ in routes() if not route.startswith(("api/", "^api", "healthz", "readyz"))]


def an_address(route: str) -> str:
    return "/" + re.sub(r"<(?:(\w+):)?\w+>", lambda found: PARTS[found[1] or "str"], route.strip("^$"))


def a_client(people: People, name: str = "rhea", *, csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=csrf)
    client.force_login(people.of(name), backend=BACKEND)
    return client


def test_there_are_routes_to_try() -> None:
    assert {"login", "outbox", "registration", "recovery", "users", "company"} <= set(page_routes())


def test_no_form_is_taken_without_its_token(people: People) -> None:
    signed_in, stranger = a_client(people, csrf=True), Client(enforce_csrf_checks=True)
    for route in page_routes():
        if route in TOKENLESS:
            continue
        for client, method in ((signed_in, "post"), (stranger, "post"), (signed_in, "delete")):
            status = getattr(client, method)(an_address(route)).status_code
            # A gate may send somebody elsewhere before the form is looked at; nothing is changed by that.
            assert status in (302, 403, 404, 405), (route, method, status)


def test_only_the_listed_doors_and_those_for_keys_take_no_token() -> None:
    exempt = {
        route
        for route, view in routes()
        if getattr(view, "csrf_exempt", False) and not route.startswith(("api/", "^api"))
    }
    assert exempt <= set(TOKENLESS), exempt


def everything() -> dict[str, str]:
    """A digest of every table that reading must not change."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
            " and not relname = any(%s) and relname not like 'procrastinate%%'",
            [list(MOVING)],
        )
        digests = {}
        for (table,) in cursor.fetchall():
            cursor.execute(f"select coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from \"{table}\" t")
            digests[table] = cursor.fetchone()[0]
    return digests


def test_reading_changes_nothing(people: People) -> None:
    clients = [a_client(people, name) for name in ("rhea", "acme")] + [Client()]
    for client in clients:
        # The grace of a second factor begins with the first page.
        client.get("/personal-account")
        client.get("/security/confirm")
    before = everything()
    for route in page_routes():
        for client in clients:
            answer = client.get(an_address(route))
            assert answer.status_code < 500, (route, answer.status_code)
    assert everything() == before


FOREIGN = (
    "https://evil.example/",
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "http:evil.example",
    "https:///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    " https://evil.example",
    "\thttps://evil.example",
    "/%09/evil.example",
    "http://testserver@evil.example/",
    "http://testserver.evil.example/",
    "/login\r\nLocation: https://evil.example",
)


@pytest.mark.parametrize("wanted", FOREIGN)
def test_nobody_is_sent_to_another_site(people: People, wanted: str) -> None:
    email = people.of("rhea").email
    answers = [
        Client().post("/login", {"login": email, "password": PASSWORD, "next": wanted}),
        Client().post(f"/login?next={wanted}", {"login": email, "password": PASSWORD}),
        a_client(people).get("/login", {"next": wanted}),
        a_client(people).post("/preferences/theme", {"theme": "dark", "next": wanted}),
        a_client(people).post("/preferences/language", {"language": "en", "next": wanted}),
        a_client(people).post("/logout", {"next": wanted}),
    ]
    for answer in answers:
        place = answer.headers.get("Location", "/")
        assert re.match(r"/(?![/\\])", place), place


def test_links_in_mails_ignore_the_host_of_the_request(people: People, small_world: World, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    Client().post("/recovery", {"email": people.of("rhea").email}, headers={"Host": "evil.example"})
    assert "evil" not in last_mail(people.of("rhea").email).text
    assert f"{settings.URL}/" in last_mail(people.of("rhea").email).text


def test_a_foreign_host_is_refused_altogether() -> None:
    for path in ("/", "/login", "/api/v1/companies"):
        assert Client().get(path, headers={"Host": "evil.example"}).status_code == 400
        assert "evil" not in Client().get(path, headers={"X-Forwarded-Host": "evil.example"}).text


def test_scripts_keep_nothing_in_the_browser() -> None:
    scripts = list((ROOT / "twin").rglob("static/**/*.js"))
    assert len(scripts) >= 5
    for script in scripts:
        text = script.read_text(encoding="utf-8")
        assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie", text), script.name
