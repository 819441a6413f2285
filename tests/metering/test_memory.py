"""What a process keeps in memory is bounded, whatever is sent."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.metering.test_taking import event
from tests.world import World
from twin.metering import interning
from twin.metering.actions.importing import import_file
from twin.metering.rules import files


def line(event_id: str, **attributes: str) -> bytes:
    return json.dumps(event(7, event_id, attributes=attributes)).encode() + b"\n"


def test_long_lines_make_smaller_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LONGEST_CHUNK", 1_000)
    file = io.BytesIO(b"".join(line(f"e{number}", note="x" * 100) for number in range(20)))

    chunks = list(files.read_ndjson(file, None))

    assert max(sum(len(each.text) for each in chunk.lines) for chunk in chunks) < 1_500
    assert [one.id for chunk in chunks for one in chunk.decoded.events] == [f"e{number}" for number in range(20)]


@pytest.mark.parametrize("ending", [b"\n", b""])
def test_a_line_that_is_too_long_is_refused_and_the_next_one_is_read(ending: bytes) -> None:
    endless = b'{"note": "' + b"x" * 3 * files.LONGEST_LINE + b'"}'
    after = line("b") if ending else b""

    [chunk] = files.read_ndjson(io.BytesIO(line("a") + endless + ending + after), None)

    [refusal] = chunk.decoded.rejected
    assert (refusal.index, refusal.detail) == (1, f"The line is longer than {files.LONGEST_LINE} bytes.")
    assert [one.id for one in chunk.decoded.events] == (["a", "b"] if ending else ["a"])
    assert chunk.lines[-1].read_to == len(line("a") + endless + ending + after)


def test_a_row_that_is_too_long_is_refused_and_the_next_one_is_read() -> None:
    rows = ["id,company,time,meter,quantity,attributes.note", "a,7,2026-03-01T00:00:00Z,sms.sent,1,ok"]
    rows += ["b,7,2026-03-01T00:00:00Z,sms.sent,1," + "x" * files.LONGEST_LINE, rows[1].replace("a,", "c,", 1)]

    [chunk] = files.read_csv(io.BytesIO("\n".join(rows).encode()), "smsc-1")

    assert [refusal.index for refusal in chunk.decoded.rejected] == [1]
    assert [one.id for one in chunk.decoded.events] == ["a", "c"]
    assert [chunk.decoded.place(number) for number in range(2)] == [0, 2]


@pytest.mark.database
def test_attributes_that_never_repeat_are_forgotten_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    del world
    monkeypatch.setattr(interning, "_MOST_LETTERS", 10_000)
    sets = interning.AttributeSets()
    numbers = {}

    for number in range(200):
        raw = (("note", f"{number:04d}" + "x" * 120),)
        numbers[raw] = sets.learn([raw])[raw].id
        assert len(sets.known) < 100

    assert len(set(numbers.values())) == 200
    assert {raw: known.id for raw, known in sets.learn(numbers).items()} == numbers


@pytest.mark.database
def test_rows_that_were_refused_are_mended_and_imported_as_they_stand(world: World, tmp_path: Path) -> None:
    rows = tmp_path / "usage.csv"
    rows.write_text(f"id,company,time,meter,quantity\na,{world.acme.id},2026-03-01T00:00:00Z,sms.sent,-1\n")
    assert import_file(world.twin.scope, path=rows, source="smsc-1").rejected == 1

    refused = tmp_path / "usage.csv.rejected"
    refused.write_text(refused.read_text().replace("-1", "1"))

    assert import_file(world.twin.scope, path=refused, source="smsc-1").accepted == 1
