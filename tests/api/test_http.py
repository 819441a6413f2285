"""What the API promises of every address: keys, problems, bodies."""

from __future__ import annotations

import gc
import json

import psycopg
import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.db import OperationalError
from django.test import Client

from tests.api.client import BATCH, PROBLEM, Answer, Api
from tests.world import World, key_of
from twin.companies import actions as companies
from twin.companies.access import platform_scope

COMPANY = {"name": "New", "kind": "company", "time_zone": "Europe/Berlin"}


def assert_problem(answer: Answer, status: int) -> None:
    assert answer.status == status, answer.content[:500]
    assert answer.media_type == PROBLEM
    found = answer.json
    assert found["status"] == status
    assert set(found) - {"errors"} == {"type", "title", "status", "detail"}
    assert found["title"]
    assert found["detail"]
    assert answer.headers["cache-control"] == "no-store"


# Keys -------------------------------------------------------------------------
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer twin_00000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "Basic dXNlcjpwYXNz",
        "Bearer \u00ff",
    ],
)
def test_without_a_valid_key_nobody_gets_in(api: Api, shared_world: World, authorization: str | None) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    answer = api.get("/companies", **headers)
    assert_problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_the_scheme_is_read_in_any_case(api: Api, shared_world: World) -> None:
    assert api.get("/companies", authorization=f"bearer {shared_world.rhea.key}").status == 200


def test_a_key_in_the_address_is_no_key(api: Api, shared_world: World) -> None:
    assert_problem(api.get(f"/companies?key={shared_world.rhea.key}"), 401)


def test_a_key_with_a_changed_letter_is_no_key(api: Api, shared_world: World) -> None:
    key = shared_world.rhea.key
    assert_problem(api.get("/companies", key[:-1] + ("A" if key[-1] != "A" else "B")), 401)


def test_a_key_without_the_scope_is_known_and_refused(api: Api, shared_world: World) -> None:
    key = key_of(shared_world.rhea.id, ["prices:read"])
    answer = api.get("/companies", key)
    assert_problem(answer, 403)
    assert "companies:read" in answer.detail


def test_a_stranger_is_refused_before_the_body_is_read(api: Api, shared_world: World) -> None:
    answer = api.send("POST", "/companies", "nonsense", raw=b"{", content_type="text/plain")
    assert_problem(answer, 401)


def test_a_revoked_key_is_refused_at_once(api: Api, world: World) -> None:
    made, secret = companies.create_api_key(
        platform_scope(), company_id=world.rhea.id, scopes=("companies:read",), name="soon gone"
    )
    assert api.get("/companies", secret).status == 200
    companies.revoke_api_key(platform_scope(), company_id=world.rhea.id, key_id=made.id)
    assert_problem(api.get("/companies", secret), 401)


@pytest.mark.parametrize("state", ["blocked", "closed"])
def test_a_key_of_a_blocked_or_closed_company_is_refused_with_the_state(api: Api, world: World, state: str) -> None:
    api.patch(f"/companies/{world.rhea.id}", world.twin, {"state": state, "reason": "unpaid"})
    answer = api.get("/companies", world.rhea)
    assert_problem(answer, 403)
    assert state in answer.detail


def test_what_lies_beneath_a_blocked_reseller_goes_on(api: Api, world: World) -> None:
    api.patch(f"/companies/{world.rhea.id}", world.twin, {"state": "blocked", "reason": "unpaid"})
    assert api.get("/companies", world.acme).status == 200


def test_a_session_cookie_opens_nothing(client: Client, shared_world: World) -> None:
    client.cookies["sessionid"] = "anything"
    assert_problem(Api(client).get("/companies"), 401)


# Addresses --------------------------------------------------------------------
@pytest.mark.parametrize(
    "path", ["", "/", "/nothing", "/companies/", "/companies/abc", "/companies/-1", "/rate-cards/1"]
)
def test_an_unknown_address_is_a_problem_too(api: Api, shared_world: World, path: str) -> None:
    assert_problem(api.get(path, shared_world.twin), 404)


@pytest.mark.parametrize("number", ["0", "2147483648", "99999999999999999999", "9" * 5000])
def test_an_id_that_nothing_can_have_is_not_found(api: Api, shared_world: World, number: str) -> None:
    assert_problem(api.get(f"/companies/{number}", shared_world.twin), 404)
    assert_problem(api.get(f"/rate-cards/{number}/rates", shared_world.twin), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/companies", "GET, POST"),
        ("PUT", "/companies/1", "GET, PATCH"),
        ("GET", "/usage/events", "POST"),
        ("OPTIONS", "/rate-cards", "GET, POST"),
        ("TRACE", "/companies/1/rate-card", "GET, PUT"),
    ],
)
def test_a_method_the_address_does_not_know_names_those_it_does(
    api: Api, shared_world: World, method: str, path: str, allowed: str
) -> None:
    answer = api.send(method, path, shared_world.twin)
    assert_problem(answer, 405)
    assert answer.headers["allow"] == allowed


def test_head_is_answered_wherever_get_is(api: Api, shared_world: World) -> None:
    assert api.send("HEAD", "/companies", shared_world.rhea).status == 200


def test_a_fault_tells_no_details(api: Api, shared_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret thing")

    monkeypatch.setattr("twin.companies.queries.get_company", fail)
    answer = api.get("/companies/1", shared_world.twin)
    assert_problem(answer, 500)
    assert b"secret" not in answer.content


def test_a_fault_is_logged_without_the_key(
    api: Api, shared_world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret thing")

    monkeypatch.setattr("twin.companies.queries.get_company", fail)
    api.get("/companies/1", shared_world.twin)
    assert "secret thing" in caplog.text
    assert shared_world.twin.key not in caplog.text


@pytest.mark.parametrize("error", [OperationalError("gone"), psycopg.OperationalError("gone")])
def test_a_database_that_does_not_answer_asks_to_try_again(
    api: Api, shared_world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("twin.companies.access._note_use", fail)
    answer = api.get("/companies", shared_world.twin)
    assert_problem(answer, 503)
    assert answer.headers["retry-after"] == "1"
    assert "gone" not in answer.detail


def test_problems_are_english_whatever_the_browser_speaks(api: Api, shared_world: World) -> None:
    german = api.get("/companies/999999", shared_world.twin, **{"accept-language": "ru"})
    assert german.json == api.get("/companies/999999", shared_world.twin).json


# Bodies -----------------------------------------------------------------------
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"  ",
        b"{",
        b"{'name': 1}",
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": "a", "name": "b"}',
        b'{"name": "\xff"}',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"name": ' + b"9" * 10_000 + b"}",
    ],
)
def test_an_unreadable_body_is_told_from_a_wrong_one(api: Api, shared_world: World, raw: bytes) -> None:
    assert_problem(api.send("POST", "/companies", shared_world.twin, raw=raw), 400)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=latin-1",
        "application/jsonx",
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/companies"),
        ("PATCH", "/companies/1"),
        ("POST", "/companies/1/move"),
        ("POST", "/rate-cards"),
        ("POST", "/rate-cards/1/rates"),
        ("PUT", "/companies/1/rate-card"),
        ("POST", "/usage/events"),
    ],
)
def test_a_wrong_content_type_is_refused(
    api: Api, shared_world: World, method: str, path: str, content_type: str
) -> None:
    answer = api.send(method, path, shared_world.twin, raw=b"{}", content_type=content_type)
    assert_problem(answer, 415)


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", 'application/json;charset="UTF-8"']
)
def test_a_content_type_may_name_its_charset(api: Api, shared_world: World, content_type: str) -> None:
    body = json.dumps({}).encode()
    assert_problem(api.send("POST", "/companies", shared_world.twin, raw=body, content_type=content_type), 422)


@pytest.mark.parametrize(("path", "content_type"), [("/companies", "application/json"), ("/usage/events", BATCH)])
def test_a_body_of_17_mib_is_too_long(api: Api, shared_world: World, path: str, content_type: str) -> None:
    body = b'["' + b"a" * (17 * 1024 * 1024) + b'"]'
    assert_problem(api.send("POST", path, shared_world.twin, raw=body, content_type=content_type), 413)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"name": None}, ["body", "name"]),
        ({"name": 5}, ["body", "name"]),
        ({"name": ""}, ["body", "name"]),
        ({"name": " \u2003"}, ["body", "name"]),
        ({"name": "a\x00b"}, ["body", "name"]),
        ({"name": "a\nb"}, ["body", "name"]),
        ({"name": "a" * 201}, ["body", "name"]),
        ({"kind": "platform"}, ["body", "kind"]),
        ({"kind": 1}, ["body", "kind"]),
        ({"time_zone": "Mars/Olympus"}, ["body", "time_zone"]),
        ({"time_zone": None}, ["body", "time_zone"]),
        ({"parent_id": "1"}, ["body", "parent_id"]),
        ({"parent_id": True}, ["body", "parent_id"]),
        ({"parent_id": 1.5}, ["body", "parent_id"]),
        ({"parent_id": 1e30}, ["body", "parent_id"]),
        ({"parent_id": 2**31}, ["body", "parent_id"]),
        ({"external_id": 7}, ["body", "external_id"]),
        ({"external_id": "x" * 65}, ["body", "external_id"]),
        ({"currency": "USD"}, ["body", "currency"]),
        ({"effective_from": "2026-01-01T00:00:00"}, ["body", "effective_from"]),
        ({"effective_from": "2026-01-01"}, ["body", "effective_from"]),
        ({"effective_from": "2026-02-30T00:00:00Z"}, ["body", "effective_from"]),
        ({"effective_from": 1767225600}, ["body", "effective_from"]),
        ({"unknown": 1}, ["body", "unknown"]),
        ({"state": "closed"}, ["body", "state"]),
        ({"id": 1}, ["body", "id"]),
    ],
)
def test_bad_input_names_the_field(
    api: Api, shared_world: World, change: dict[str, object], place: list[str | int]
) -> None:
    answer = api.post("/companies", shared_world.twin, COMPANY | change)
    assert_problem(answer, 422)
    assert answer.places == [place]
    assert all(item["msg"] for item in answer.json["errors"])


def test_half_a_character_in_a_name_is_bad_input(api: Api, shared_world: World) -> None:
    raw = json.dumps(COMPANY).replace("New", "N\\ud800").encode()
    assert_problem(api.send("POST", "/companies", shared_world.twin, raw=raw), 422)


def test_an_unknown_field_with_half_a_character_can_still_be_named(api: Api, shared_world: World) -> None:
    raw = b'{"\\ud800": 1, "name": "New", "kind": "company", "time_zone": "Europe/Berlin"}'
    assert_problem(api.send("POST", "/companies", shared_world.twin, raw=raw), 422)


@pytest.mark.parametrize("number", ["1.0", "1e0", "10e-1"])
def test_a_whole_number_is_one_however_it_is_written(api: Api, shared_world: World, number: str) -> None:
    raw = json.dumps(COMPANY | {"parent_id": 0}).replace('"parent_id": 0', f'"parent_id": {number}').encode()
    assert api.send("POST", "/companies", shared_world.rhea, raw=raw).status == 404  # company 1 is out of its sight


@pytest.mark.parametrize("number", ["1e999999999", "1e-999999999", "-1e999", "0.1"])
def test_a_number_beyond_all_bounds_is_bad_input(api: Api, shared_world: World, number: str) -> None:
    raw = json.dumps(COMPANY | {"parent_id": 0}).replace('"parent_id": 0', f'"parent_id": {number}').encode()
    assert_problem(api.send("POST", "/companies", shared_world.rhea, raw=raw), 422)


@pytest.mark.parametrize("body", [[], "text", 5, None, True])
def test_a_body_that_is_no_object_is_bad_input(api: Api, shared_world: World, body: object) -> None:
    raw = json.dumps(body).encode()
    assert_problem(api.send("POST", "/companies", shared_world.twin, raw=raw), 422)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=10001",
        "limit=x",
        "limit=1.0",
        "limit=",
        "cursor=%00",
        "search=%00",
        "serch=x",
        "cursor=nonsense",
    ],
)
def test_a_bad_query_is_bad_input(api: Api, shared_world: World, query: str) -> None:
    answer = api.get(f"/companies?{query}", shared_world.twin)
    assert_problem(answer, 422)
    assert answer.places == [["query", query.partition("=")[0]]]


def test_far_too_many_parameters_are_unreadable(api: Api, shared_world: World) -> None:
    assert_problem(api.get("/companies?" + "&".join(f"a{number}=1" for number in range(1500)), shared_world.twin), 400)


# Beside the API ----------------------------------------------------------------
def test_health_needs_no_key(client: Client, shared_world: World) -> None:
    assert client.get("/healthz").json() == {"status": "ok", "detail": ""}
    assert client.get("/readyz").json() == {"status": "ok", "detail": ""}


def test_a_dead_database_is_not_ready_but_the_process_lives(
    client: Client, shared_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("django.db.migrations.recorder.MigrationRecorder.applied_migrations", fail)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert client.get("/healthz").status_code == 200


def test_readiness_says_when_migrations_are_missing(
    client: Client, shared_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.api.health.known_migrations", lambda: frozenset({("companies", "9999_later")}))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "behind")


def test_the_document_describes_every_address(api: Api, shared_world: World) -> None:
    document = api.get("/openapi.json").json
    assert document["openapi"] == "3.1.0"
    found = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert found == {
        "POST /api/v1/companies",
        "GET /api/v1/companies",
        "GET /api/v1/companies/{company_id}",
        "PATCH /api/v1/companies/{company_id}",
        "POST /api/v1/companies/{company_id}/move",
        "POST /api/v1/rate-cards",
        "GET /api/v1/rate-cards",
        "GET /api/v1/rate-cards/{card_id}/rates",
        "POST /api/v1/rate-cards/{card_id}/rates",
        "PUT /api/v1/companies/{company_id}/rate-card",
        "GET /api/v1/companies/{company_id}/rate-card",
        "POST /api/v1/usage/events",
        "GET /api/v1/usage/conflicts",
        "GET /api/v1/usage/unrated",
        "GET /api/v1/reports/reseller-companies",
        "GET /api/v1/reports/usage",
        "GET /api/v1/companies/{company_id}/balance",
        "POST /api/v1/companies/{company_id}/may-spend",
        "PUT /api/v1/companies/{company_id}/account",
        "GET /api/v1/transactions",
        "POST /api/v1/transactions/{transaction_id}/reverse",
        "GET /api/v1/transactions/{transaction_id}",
        "GET /api/v1/balances",
        "POST /api/v1/bank-files/preview",
        "POST /api/v1/bank-files",
        "GET /api/v1/billing-settings/logo",
        "PUT /api/v1/billing-settings/logo",
        "DELETE /api/v1/billing-settings/logo",
        "POST /api/v1/invoices/{invoice_id}/credit-notes/preview",
        "POST /api/v1/corrections",
        "GET /api/v1/corrections",
        "GET /api/v1/corrections/{correction_id}",
        "POST /api/v1/corrections/{correction_id}/decide",
        "POST /api/v1/corrections/{correction_id}/recount",
        "POST /api/v1/corrections/{correction_id}/discard",
        "POST /api/v1/usage/withdrawals",
        "POST /api/v1/payments",
        "POST /api/v1/refunds",
        "GET /api/v1/statements",
        "GET /api/v1/statements/{statement_id}",
        "GET /api/v1/statements/{statement_id}/lines/{number}/charges",
        "POST /api/v1/statements/{statement_id}/sign-off",
        "POST /api/v1/statements/{statement_id}/late",
        "GET /api/v1/open-statements",
        "GET /api/v1/billing-settings",
        "PUT /api/v1/billing-settings",
        "GET /api/v1/invoices",
        "GET /api/v1/invoices/waiting",
        "GET /api/v1/invoices/{invoice_id}",
        "GET /api/v1/invoices/{invoice_id}/pdf",
        "POST /api/v1/invoices/{invoice_id}/credit-notes",
        "POST /api/v1/top-ups",
    }


def test_a_body_is_let_go_once_it_is_answered(api: Api, shared_world: World) -> None:
    gc.collect()
    gc.disable()
    try:
        assert api.send("POST", "/companies", shared_world.twin, raw=b" " * 100_000 + b"{}").status == 422
        held = [request for request in gc.get_objects() if type(request) is WSGIRequest]
        assert held, "a request no longer outlives its answer: this test and forget_body may go"
        assert [len(request.body) + len(request.environ["wsgi.input"].read()) for request in held] == [0] * len(held)
    finally:
        gc.enable()
