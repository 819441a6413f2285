"""`twin metering rerate` and `withdraw` as the operator uses them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.metering.test_taking import cells, event, take
from tests.world import World, build_world
from twin.cli.metering import metering
from twin.metering import queries

pytestmark = pytest.mark.database

SPAN = ("--from", "2026-03-01T00:00:00Z", "--to", "2026-03-02T00:00:00Z")


@pytest.fixture
def world(db_clean: object) -> World:
    return build_world()


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(metering, list(arguments))
    return done.exit_code, done.output


def test_new_rates_of_a_file_are_recorded_and_what_they_change_is_charged_again(world: World, tmp_path: Path) -> None:
    take(world, event(world.acme.id, "a", quantity=2))
    file = tmp_path / "rates.csv"
    file.write_text("meter,unit_price,effective_from\nsms.delivered,0.05,2026-03-01T00:00:00Z\n")
    asked = ("rerate", "--seller", str(world.rhea.id), "--card", str(world.rhea_card.id), "--rates", str(file))

    code, said = run(*asked, "--dry-run")
    assert (code, "would change" in said, "sell_difference=0.06" in said) == (0, True, True)
    assert cells(world, "rhea")[0][5] == 40_000_000

    code, said = run(*asked, "--reason", "agreed otherwise")
    assert code == 0
    assert "1 charges, 0.04 → 0.1" in said
    assert cells(world, "rhea")[0][5] == 100_000_000
    assert [one.state for one in queries.reratings(world.rhea.scope)] == ["done", "discarded"]

    code, said = run("rerate", "--seller", str(world.rhea.id), *SPAN, "--both-sides", "--reason", "again")
    assert (code, "changed: looked_at=1 sell=0 buy=0" in said) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--reason", "r"), "--from and --to are needed"),
        (SPAN, "--reason is needed"),
        ((*SPAN, "--reason", "r", "--card", "1"), "belong together"),
        ((*SPAN, "--dry-run", "--meter", "smoke"), "Unknown meter"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_line(world: World, arguments: tuple[str, ...], words: str) -> None:
    code, said = run("rerate", "--seller", str(world.rhea.id), *arguments)
    assert code != 0
    assert words in said


def test_a_company_has_no_charges_to_correct(world: World) -> None:
    code, said = run("rerate", "--seller", str(world.acme.id), *SPAN, "--dry-run")
    assert (code, "There is no reseller" in said) == (1, True)


def test_an_event_is_withdrawn_once(world: World) -> None:
    take(world, event(world.acme.id, "a"))
    asked = ("withdraw", "--company", str(world.acme.id), "--source", "smsc-1", "--id", "a", "--reason", "test call")

    assert run(*asked) == (0, "edges=2 withdrawn\n")
    assert run(*asked) == (0, "edges=2 had been withdrawn before\n")
    assert cells(world, "rhea") == []
    code, said = run(*asked[:-4], "--id", "b", "--reason", "r")
    assert (code, "No event 'b'" in said) == (1, True)
