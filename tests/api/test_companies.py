"""Companies over HTTP, sentence by sentence of the contract."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.api.client import Answer, Api, event
from tests.world import BEGINNING, World
from twin.kernel.clock import now
from twin.kernel.period import instant_text

NEW = {"name": "New", "kind": "company", "time_zone": "Europe/Paris"}
MARCH = "from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z"


def rows_of(answer: Answer) -> dict[str, dict[str, object]]:
    assert answer.status == 200, answer.content
    return {row["company_name"]: row for row in answer.json["sections"]["messaging"]["rows"]}


def test_a_company_is_created_beneath_the_company_of_the_key(api: Api, world: World) -> None:
    answer = api.post("/companies", world.rhea, NEW | {"external_id": "crm-1"})
    assert answer.status == 201
    made = answer.json
    assert {name: made[name] for name in NEW} == NEW
    assert (made["parent_id"], made["external_id"], made["state"], made["currency"]) == (
        world.rhea.id,
        "crm-1",
        "active",
        "EUR",
    )
    assert api.get(f"/companies/{made['id']}", world.rhea).json == made


def test_a_company_may_be_created_beneath_a_reseller_further_down(api: Api, world: World) -> None:
    answer = api.post("/companies", world.twin, NEW | {"parent_id": world.sola.id})
    assert (answer.status, answer.json["parent_id"]) == (201, world.sola.id)


def test_a_parent_out_of_sight_is_not_found_and_nothing_is_created(api: Api, world: World) -> None:
    before = api.get("/companies", world.twin).json
    assert api.post("/companies", world.rhea, NEW | {"parent_id": world.strand.id}).status == 404
    assert api.post("/companies", world.rhea, NEW | {"parent_id": world.twin.id}).status == 404
    assert api.get("/companies", world.twin).json == before


def test_a_company_is_no_parent(api: Api, world: World) -> None:
    assert api.post("/companies", world.rhea, NEW | {"parent_id": world.acme.id}).status == 422
    assert api.post("/companies", world.acme, NEW).status == 422


def test_an_external_id_is_unique_under_its_parent_only(api: Api, world: World) -> None:
    assert api.post("/companies", world.rhea, NEW | {"external_id": "acme"}).status == 422
    assert api.post("/companies", world.strand, NEW | {"external_id": "acme"}).status == 201


def test_the_membership_cannot_begin_before_the_parents_own(api: Api, world: World) -> None:
    early = instant_text(BEGINNING - timedelta(microseconds=1))
    refused = api.post("/companies", world.rhea, NEW | {"effective_from": early})
    assert (refused.status, refused.places) == (422, [["body", "effective_from"]])
    assert api.post("/companies", world.rhea, NEW | {"effective_from": instant_text(BEGINNING)}).status == 201


def test_the_platform_has_no_beginning(api: Api, world: World) -> None:
    assert api.post("/companies", world.twin, NEW | {"effective_from": "1990-01-01T00:00:00Z"}).status == 201


def test_a_new_child_starts_with_the_default_card_of_its_seller(api: Api, world: World) -> None:
    made = api.post(
        "/companies", world.twin, NEW | {"parent_id": world.rhea.id, "effective_from": "2026-02-01T00:00:00Z"}
    )
    card = api.get(f"/companies/{made.json['id']}/rate-card?at=2026-02-01T00:00:00Z", world.rhea)
    assert card.json == {
        "company_id": made.json["id"],
        "rate_card_id": world.rhea_card.id,
        "effective_from": "2026-02-01T00:00:00Z",
    }


def test_a_key_sees_its_company_and_what_lies_beneath(api: Api, shared_world: World) -> None:
    def names(asker: str, query: str = "") -> list[str]:
        return [item["name"] for item in api.get(f"/companies{query}", shared_world.parties[asker]).json["items"]]

    assert names("rhea") == ["Rhea", "Sola", "Acme", "Birch", "Cedar"]
    assert names("acme") == ["Acme"]
    assert names("rhea", "?search=CED") == ["Cedar"]
    assert names("rhea", "?search=dune") == []
    assert names("rhea", f"?search={shared_world.acme.id}") == ["Acme"]


def test_the_list_is_paged_without_gap_or_repeat(api: Api, shared_world: World) -> None:
    seen: list[str] = []
    cursor = ""
    for _ in range(9):
        page = api.get(f"/companies?limit=2{cursor}", shared_world.rhea).json
        assert len(page["items"]) <= 2
        seen += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == ["Rhea", "Sola", "Acme", "Birch", "Cedar"]


def test_only_what_is_named_is_changed(api: Api, world: World) -> None:
    before = api.get(f"/companies/{world.acme.id}", world.rhea).json
    changed = api.patch(f"/companies/{world.acme.id}", world.rhea, {"name": "Acme Ltd", "external_id": None})
    assert changed.status == 200
    assert changed.json == before | {"name": "Acme Ltd", "external_id": None}
    assert api.patch(f"/companies/{world.acme.id}", world.rhea, {}).json == changed.json


@pytest.mark.parametrize(
    "change",
    [
        {"state": "blocked"},
        {"state": "closed", "reason": " "},
        {"state": "frozen", "reason": "x"},
        {"reason": "x"},
        {"kind": "company"},
        {"kind": "platform"},
        {"name": None},
        {"time_zone": "Berlin"},
        {"parent_id": 1},
        {"currency": "USD"},
    ],
)
def test_a_change_that_makes_no_sense_changes_nothing(api: Api, shared_world: World, change: dict[str, object]) -> None:
    path = f"/companies/{shared_world.sola.id}"
    before = api.get(path, shared_world.rhea).json
    assert api.patch(path, shared_world.rhea, change).status == 422
    assert api.get(path, shared_world.rhea).json == before


def test_a_company_becomes_a_reseller_and_may_then_be_a_parent(api: Api, world: World) -> None:
    assert api.patch(f"/companies/{world.acme.id}", world.rhea, {"kind": "reseller"}).json["kind"] == "reseller"
    assert api.post("/companies", world.acme, NEW).status == 201


def test_blocking_never_stops_the_record(api: Api, world: World) -> None:
    api.patch(f"/companies/{world.acme.id}", world.rhea, {"state": "blocked", "reason": "unpaid"})
    assert api.get("/companies", world.acme).status == 403
    assert api.usage(world.twin, event(world.acme.id, "1")).json["accepted"] == 1
    assert rows_of(api.get(f"/reports/reseller-companies?{MARCH}", world.rhea))["Acme"]["total_sell"] == "0.02"
    api.patch(f"/companies/{world.acme.id}", world.rhea, {"state": "active"})
    assert api.get("/companies", world.acme).status == 200


def test_a_closed_company_takes_no_later_usage_and_keeps_its_history(api: Api, world: World) -> None:
    closed = api.patch(f"/companies/{world.acme.id}", world.rhea, {"state": "closed", "reason": "gone"})
    assert closed.json["closed_at"] is not None
    late = event(world.acme.id, "late", time=instant_text(now()))
    taken = api.usage(world.twin, event(world.acme.id, "early"), late).json
    assert (taken["accepted"], [item["id"] for item in taken["rejected"]]) == (1, ["late"])


def test_a_company_moves_by_a_key_that_holds_both_parents(api: Api, world: World) -> None:
    move = {"parent_id": world.strand.id, "effective_from": "2026-03-15T00:00:00Z"}
    assert api.post(f"/companies/{world.acme.id}/move", world.rhea, move).status == 404
    moved = api.post(f"/companies/{world.acme.id}/move", world.twin, move)
    assert (moved.status, moved.json["parent_id"]) == (200, world.strand.id)
    assert api.get(f"/companies/{world.acme.id}", world.rhea).status == 404
    assert api.get(f"/companies/{world.acme.id}", world.strand).status == 200


def test_the_former_seller_keeps_its_span_and_sees_nothing_after(api: Api, world: World) -> None:
    api.post(
        f"/companies/{world.acme.id}/move",
        world.twin,
        {"parent_id": world.strand.id, "effective_from": "2026-03-15T00:00:00Z"},
    )
    before = event(world.acme.id, "before", time="2026-03-14T23:59:59.999999Z")
    at = event(world.acme.id, "at", time="2026-03-15T00:00:00Z")
    assert api.usage(world.twin, before, at).json["accepted"] == 2
    old = rows_of(api.get(f"/reports/reseller-companies?{MARCH}", world.rhea))["Acme"]
    new = rows_of(api.get(f"/reports/reseller-companies?{MARCH}", world.strand))["Acme"]
    assert (old["meters"]["sms.sent"]["count"], new["meters"]["sms.sent"]["count"]) == (1, 1)  # type: ignore[index]  # JSON
    assert api.get(f"/companies/{world.acme.id}/rate-card?at=2026-03-10T00:00:00Z", world.rhea).status == 200
    assert api.get(f"/companies/{world.acme.id}/rate-card?at=2026-03-20T00:00:00Z", world.rhea).status == 404


def test_a_move_before_charged_usage_names_the_earliest_free_instant(api: Api, world: World) -> None:
    api.usage(world.twin, event(world.acme.id, "1", time="2026-03-20T10:00:00Z"))
    move = {"parent_id": world.strand.id, "effective_from": "2026-03-20T10:00:00Z"}
    refused = api.post(f"/companies/{world.acme.id}/move", world.twin, move)
    assert refused.status == 409
    assert "2026-03-20T10:00:00.000001Z" in refused.detail
    move["effective_from"] = "2026-03-20T10:00:00.000001Z"
    assert api.post(f"/companies/{world.acme.id}/move", world.twin, move).status == 200


def test_a_move_needs_to_be_later_than_the_last(api: Api, world: World) -> None:
    move = {"parent_id": world.strand.id, "effective_from": instant_text(BEGINNING)}
    assert api.post(f"/companies/{world.acme.id}/move", world.twin, move).status == 409


def test_a_loop_is_a_clash(api: Api, world: World) -> None:
    move = {"parent_id": world.sola.id, "effective_from": "2026-06-01T00:00:00Z"}
    assert api.post(f"/companies/{world.rhea.id}/move", world.twin, move).status == 409
    assert api.get(f"/companies/{world.rhea.id}", world.twin).json["parent_id"] == world.twin.id
