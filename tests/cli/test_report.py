"""`twin report reseller-companies`."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from tests.world import World, build_world
from twin.cli.report import report
from twin.kernel.errors import Invalid, NotFound
from twin.metering import actions as metering

pytestmark = pytest.mark.database

PERIOD = ("--from", "2026-03-01T00:00:00Z", "--to", "2026-04-01T00:00:00+02:00")


@pytest.fixture
def world(db_clean: object) -> World:
    built = build_world()
    event = {
        "specversion": "1.0",
        "type": "twin.usage",
        "source": "test",
        "id": "1",
        "subject": str(built.acme.id),
        "time": "2026-03-05T12:00:00Z",
        "data": {"meter": "bot.message", "quantity": 3},
    }
    metering.take_events(built.twin.scope, json.dumps(event).encode(), batch=False)
    return built


def run(*arguments: str) -> Result:
    return CliRunner().invoke(report, ["reseller-companies", *PERIOD, *arguments])


def test_json_is_the_document_of_the_api(world: World) -> None:
    made = json.loads(run("--reseller", str(world.rhea.id), "--time-zone", "Asia/Tokyo").stdout)
    assert made["period"] == {"from": "2026-03-01T00:00:00Z", "to": "2026-03-31T22:00:00Z", "time_zone": "Asia/Tokyo"}
    assert list(made["sections"]) == ["messaging", "chat", "telephony_legacy", "telephony_new", "bot"]
    assert made["sections"]["bot"]["totals"]["total_sell"] == "0.06"


def test_csv_has_the_rows_of_one_section(world: World) -> None:
    made = run("--reseller", str(world.rhea.id), "--format", "csv", "--section", "bot", "--has-expenses")
    table = list(csv.reader(StringIO(made.stdout)))
    assert table[1:] == [[str(world.acme.id), "Acme", "1", "0.03", "0.06", "0.03"]]


def test_the_platform_may_name_itself(world: World) -> None:
    made = run("--reseller", str(world.twin.id), "--format", "csv", "--section", "bot", "--search", "acme")
    assert made.stdout.splitlines()[1] == f"{world.acme.id},Acme,1,0,0.03,0.03"


def test_a_workbook_goes_to_the_file(world: World, tmp_path: Path) -> None:
    target = tmp_path / "report.xlsx"
    made = run("--reseller", str(world.rhea.id), "--format", "xlsx", "--output", str(target))
    assert (made.exit_code, made.stdout) == (0, "")
    assert len(openpyxl.load_workbook(target).sheetnames) == 6
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.xlsx"]


def test_a_device_is_written_to_and_never_replaced(world: World) -> None:
    assert run("--reseller", str(world.rhea.id), "--output", "/dev/null").exit_code == 0
    assert Path("/dev/null").is_char_device()


def test_a_table_needs_a_section(world: World) -> None:
    made = run("--reseller", str(world.rhea.id), "--format", "csv")
    assert (made.exit_code, made.stdout) == (2, "")


def test_a_missing_folder_is_named(world: World, tmp_path: Path) -> None:
    made = run("--reseller", str(world.rhea.id), "--output", str(tmp_path / "none" / "r.json"))
    assert made.exit_code == 1
    assert "there is no folder" in made.stderr


def test_a_company_that_is_no_reseller_has_no_report(world: World) -> None:
    assert isinstance(run("--reseller", str(world.acme.id)).exception, NotFound)


def test_a_time_without_offset_is_refused(world: World) -> None:
    made = run("--reseller", str(world.rhea.id), "--from", "2026-03-01T00:00:00")
    assert isinstance(made.exception, Invalid)
