"""Headers, limits and reports that stand before every page."""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.core.exceptions import RateLimited
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from tests.portal.people import People
from tests.world import World
from twin.companies.access import platform_scope
from twin.companies.actions import create_api_key
from twin.config import settings as configured
from twin.config.secrets import given_key
from twin.kernel.budget import Budget
from twin.kernel.links import absolute
from twin.portal.guards import TooManyTries, safe_headers
from twin.portal.views import browser_reports

pytestmark = pytest.mark.usefixtures("people")

STRONG = "kT3vQ9xLr0ZsW1pYb7nDfG5hJ2mCa8eU"


@pytest.fixture
def over_tls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The settings as they are where TWIN_URL is https."""
    monkeypatch.setenv("TWIN_URL", "https://twin.example.com")
    monkeypatch.setenv("TWIN_TRUSTED_PROXIES", "1")
    yield importlib.reload(configured)
    monkeypatch.undo()
    importlib.reload(configured)


def test_over_tls_cookies_belong_to_this_host_alone(over_tls: Any) -> None:
    assert over_tls.SESSION_COOKIE_NAME.startswith("__Host-")
    assert over_tls.CSRF_COOKIE_NAME.startswith("__Host-")
    assert over_tls.SESSION_COOKIE_SECURE
    assert over_tls.CSRF_COOKIE_SECURE
    assert over_tls.SESSION_COOKIE_HTTPONLY
    assert over_tls.CSRF_COOKIE_HTTPONLY
    assert over_tls.SESSION_COOKIE_SAMESITE == "Lax"
    assert not hasattr(over_tls, "SESSION_COOKIE_DOMAIN")
    assert over_tls.ALLOWED_HOSTS == ["127.0.0.1", "[::1]", "localhost", "twin.example.com"]


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(signed_in: Callable[[str], Client]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/login")
    cookies = {name: morsel for name, morsel in client.cookies.items() if "csrf" in name or "session" in name}
    assert cookies
    for name, morsel in cookies.items():
        assert (morsel["httponly"], morsel["samesite"], morsel["path"], morsel["domain"]) == (True, "Lax", "/", ""), (
            name
        )


def test_hsts_holds_for_a_year_with_subdomains(settings: Any) -> None:
    settings.SECURE = True
    answer = safe_headers(lambda _request: HttpResponse())(RequestFactory().get("/"))
    assert answer["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_every_page_carries_the_headers_browsers_obey() -> None:
    for path in ("/", "/login", "/nowhere", "/api/v1/companies"):
        headers = Client().get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "same-origin", path
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", path
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin", path
        assert headers["X-Frame-Options"] == "DENY", path
        assert "Strict-Transport-Security" not in headers, path


def test_the_policy_allows_nothing_inline_and_reports() -> None:
    policy = Client().get("/login")["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "*" not in policy
    for part in (
        "default-src 'none'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "script-src 'self'",
        "form-action 'self'",
        "report-uri /csp-report",
    ):
        assert part in policy


@pytest.mark.parametrize("path", ["/", "/login", "/api/v1/companies", "/healthz"])
def test_no_other_site_may_read_answers(path: str) -> None:
    for method in ("get", "options"):
        answer = getattr(Client(), method)(
            path, headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        )
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_pages_of_people_are_not_kept_by_caches(signed_in: Callable[[str], Client]) -> None:
    rhea = signed_in("rhea")
    for path in ("/", "/personal-account", "/nowhere"):
        assert "no-store" in rhea.get(path)["Cache-Control"], path


def limited(_request: HttpRequest) -> HttpResponse:
    raise RateLimited


def test_a_limit_nobody_foresaw_answers_429_as_page_and_as_json(rf: RequestFactory) -> None:
    guard = TooManyTries(limited)
    page = guard.process_exception(rf.get("/registration"), RateLimited())
    assert page is not None
    assert (page.status_code, page["Content-Type"]) == (429, "text/html; charset=utf-8")
    assert int(page["Retry-After"]) > 0
    for request in (rf.get("/api/v1/x"), rf.get("/login", headers={"Accept": "application/json"})):
        answer = guard.process_exception(request, RateLimited())
        assert answer is not None
        assert (answer.status_code, json.loads(answer.content)["status"]) == (429, 429)
        assert answer["Content-Type"] == "application/problem+json"


def test_other_failures_stay_failures(rf: RequestFactory) -> None:
    assert TooManyTries(limited).process_exception(rf.get("/"), ValueError()) is None


def report(body: object, kind: str = "application/csp-report") -> HttpResponse:
    return browser_reports.csp_report(RequestFactory().post("/csp-report", json.dumps(body), content_type=kind))


@pytest.fixture
def fresh_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_reports, "budget", Budget(browser_reports.MOST_A_MINUTE))


@pytest.mark.usefixtures("fresh_budget")
def test_a_broken_policy_is_one_line_without_queries(caplog: pytest.LogCaptureFixture) -> None:
    old = {
        "document-uri": "https://twin.example.com/x?token=1",
        "violated-directive": "img-src",
        "blocked-uri": "inline",
    }
    new = {"documentURL": "https://twin.example.com/y?code=123456", "effectiveDirective": "img-src"}
    with caplog.at_level(logging.WARNING, "twin.security"):
        assert report({"csp-report": old}).status_code == 204
        assert report([{"type": "csp-violation", "body": new}], "application/reports+json").status_code == 204
    assert len(caplog.records) == 2
    assert "token" not in caplog.text
    assert "123456" not in caplog.text


@pytest.mark.usefixtures("fresh_budget")
@pytest.mark.parametrize("body", [[], "x", 7, {"csp-report": 7}, [7], None])
def test_a_report_that_is_none_is_refused(body: object) -> None:
    assert report(body).status_code in (204, 400)


@pytest.mark.usefixtures("fresh_budget")
def test_reports_cannot_flood_the_log(caplog: pytest.LogCaptureFixture) -> None:
    body = json.dumps({"csp-report": {}})
    with caplog.at_level(logging.INFO, "twin"):
        for _ in range(browser_reports.MOST_A_MINUTE + 5):
            Client().post("/csp-report", body, content_type="application/csp-report")
    assert len([record for record in caplog.records if record.name == "twin.security"]) == browser_reports.MOST_A_MINUTE


@pytest.mark.usefixtures("fresh_budget")
def test_reports_are_few_short_and_of_a_known_kind() -> None:
    codes = [report({"csp-report": {}}).status_code for _ in range(browser_reports.MOST_A_MINUTE + 5)]
    assert codes == [204] * browser_reports.MOST_A_MINUTE + [429] * 5
    assert report({"csp-report": {"x": "y" * 20_000}}).status_code == 413
    assert report({}, "text/plain").status_code == 415


@pytest.mark.parametrize("key", ["short", "a" * 64, "django-insecure-" + STRONG, "changeme" * 6, "0123456789" * 5])
def test_a_key_that_can_be_guessed_is_refused(key: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        given_key(key)
    assert key not in str(refused.value)


def test_a_good_key_is_taken() -> None:
    assert given_key(STRONG) == STRONG
    assert given_key("") == ""


def test_links_are_made_of_the_settings_alone(settings: Any) -> None:
    settings.URL = "https://twin.example.com"
    assert absolute("/recovery/x") == "https://twin.example.com/recovery/x"
    for wrong in ("//evil.example/x", "https://evil.example", "x"):
        with pytest.raises(ValueError, match="no path"):
            absolute(wrong)


def refusals() -> list[tuple[Any, ...]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select user_id, company_id, host(address), fields->>'path', fields->>'method'"
            " from kernel_securityevent where event = 'access_refused' order by id"
        )
        return list(cursor.fetchall())


def test_a_refused_person_is_recorded_with_company_and_address(people: People, small_world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.of("rhea"), backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post("/preferences/theme", {"theme": "dark"}, REMOTE_ADDR="203.0.113.9").status_code == 403
    assert refusals()[-1] == (
        people.of("rhea").pk,
        small_world.rhea.id,
        "203.0.113.9",
        "/preferences/theme",
        "POST",
    )


def test_a_refused_key_is_recorded_with_its_company(small_world: World) -> None:
    _, key = create_api_key(platform_scope(), small_world.rhea.id, ("reports:read",), name="reader")
    answer = Client().get("/api/v1/rate-cards", headers={"Authorization": f"Bearer {key}"}, REMOTE_ADDR="203.0.113.10")
    assert answer.status_code == 403
    assert refusals()[-1] == (None, small_world.rhea.id, "203.0.113.10", "/api/v1/rate-cards", "GET")


def test_a_refused_stranger_is_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    before = refusals()
    with caplog.at_level(logging.INFO, "twin.security"):
        Client().get("/api/v1/rate-cards", headers={"Authorization": "Bearer canary-of-a-key"})
    assert refusals() == before
    assert "access_refused" in caplog.text
    assert "canary" not in caplog.text
