"""The report as JSON: the promised shape, exact, to the byte the same however it is cut into pieces."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports.factories import MARCH, Used, cells, company, report, rhea, usages
from twin.kernel.money import amount_text
from twin.reports.documents import json_chunks
from twin.reports.rules.answering import answer
from twin.reports.rules.rows import ROWS_AT_ONCE
from twin.reports.types import MeterFigures, ReportQuery, ResellerReport, Row, Totals

ACME, SUB = company(7, "Acme"), company(9, 'Ö "quoted" \\ \u2028 😀', "Sub Rhea", "Low")
USED = cells(
    (7, "sms.delivered", 120, 131, 1_310_000_000, 2_100_000_001, 0),
    (9, "sms.delivered", 1, 1, 123_456_789_012_345_678, 50_000_000, 1),
)


@dataclass(frozen=True)
class Later:
    """What came after a closed statement, as metering tells it."""

    company_id: int
    meter: str
    came: int
    changed: int
    amount: int


def written(made: ResellerReport) -> bytes:
    return b"".join(json_chunks(made))


def test_the_document_has_the_promised_shape() -> None:
    made = json.loads(written(report([ACME, SUB], USED, section="messaging", search="sub")))
    assert made["sections"]["messaging"]["rows"] == []
    made = json.loads(written(report([ACME, SUB], USED, section="messaging", search="9")))
    row = made["sections"]["messaging"]["rows"][0]
    assert list(made) == ["reseller", "period", "currency", "has_expenses", "unrated", "sections"]
    assert made["reseller"] == {"id": 2, "name": "Rhea"}
    assert made["period"] == {
        "from": "2026-03-01T00:00:00Z",
        "to": "2026-04-01T00:00:00Z",
        "time_zone": "Europe/Berlin",
    }
    assert (made["currency"], made["has_expenses"], made["unrated"]) == ("EUR", False, 1)
    assert (row["company_id"], row["company_name"], row["unrated"]) == (9, SUB.name, 1)
    assert row["path"] == ["Sub Rhea", "Low"]
    assert row["meters"]["sms.delivered"] == {"count": 1, "quantity": 1, "buy": "123456789.012345678", "sell": "0.05"}
    assert made["sections"]["messaging"]["next_cursor"] is None


def test_a_row_and_the_totals_to_the_byte() -> None:
    text = written(report([ACME], cells((7, "bot.message", 2, 3, 5, -7_500_000_000, 1)), section="bot"))
    figures = b'"meters":{"bot.message":{"count":2,"quantity":3,"buy":"0.000000005","sell":"-7.5"}},'
    amounts = b'"total_buy":"0.000000005","total_sell":"-7.5","margin":"-7.500000005"'
    assert text == (
        b'{"reseller":{"id":2,"name":"Rhea"},"period":{"from":"2026-03-01T00:00:00Z","to":"2026-04-01T00:00:00Z",'
        b'"time_zone":"Europe/Berlin"},"currency":"EUR","has_expenses":false,"unrated":1,"sections":{"bot":{"rows":['
        b'{"company_id":7,"company_name":"Acme","path":[],"unrated":1,' + figures + amounts + b"}],"
        b'"totals":{' + figures + amounts + b',"unrated":1},"row_count":1,"next_cursor":null}}}'
    )


def test_what_came_after_a_statement_is_told_only_where_it_was_asked() -> None:
    assert b"after_statement" not in written(report([ACME], USED_BY_ACME))
    query = ReportQuery(period=MARCH, section="bot", after_statements=True)
    later = [Later(7, "bot.message", 2, 1, 1_500_000_000)]
    section = json.loads(written(answer(rhea(), [ACME, SUB], USED_BY_ACME, query, later)))["sections"]["bot"]
    told = {"came": 2, "changed": 1, "sell": "1.5"}
    assert [row["after_statement"] for row in section["rows"]] == [told, None]
    assert section["totals"]["after_statement"] == told


USED_BY_ACME = cells((7, "bot.message", 1, 1, 1, 1, 0))


@pytest.mark.parametrize("number", [0, 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 2 * ROWS_AT_ONCE + 3])
def test_rows_are_the_same_across_the_pieces(number: int) -> None:
    some = [company(one, f"Company {one}") for one in range(1, number + 1)]
    made = report(some, cells(*[(one, "bot.message", one, one, one, 2 * one, 0) for one in range(1, number + 1)]))
    assert json.loads(written(made)) == document(made)
    assert [row.company_id for row in made.sections["bot"].rows] == list(range(1, number + 1))
    if number:
        assert (
            made.sections["bot"].rows[number - 1].total_sell == made.sections["bot"].rows[-1].total_sell == 2 * number
        )
    with pytest.raises(IndexError):
        made.sections["bot"].rows[number]


@given(used=usages, sort=st.sampled_from(["company_id", "-margin", "company_name"]), expenses=st.booleans())
def test_every_figure_is_written_exactly(used: list[Used], sort: str, expenses: bool) -> None:
    made = report([ACME, SUB], cells(*used), sort=sort, has_expenses=expenses)
    assert json.loads(written(made)) == document(made)


def document(made: ResellerReport) -> dict[str, Any]:
    """The same answer put together row by row."""
    return {
        "reseller": {"id": made.reseller.id, "name": made.reseller.name},
        "period": {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z", "time_zone": made.time_zone},
        "currency": made.currency,
        "has_expenses": made.has_expenses,
        "unrated": made.unrated,
        "sections": {
            code: {
                "rows": [
                    {
                        "company_id": row.company_id,
                        "company_name": row.company_name,
                        "path": list(row.path),
                        "unrated": row.unrated,
                        **figures(row),
                    }
                    for row in section.rows
                ],
                "totals": {**figures(section.totals), "unrated": section.totals.unrated},
                "row_count": section.row_count,
                "next_cursor": section.next_cursor,
            }
            for code, section in made.sections.items()
        },
    }


def figures(of: Row | Totals) -> dict[str, Any]:
    return {
        "meters": {code: meter(cell) for code, cell in of.meters.items()},
        "total_buy": amount_text(of.total_buy),
        "total_sell": amount_text(of.total_sell),
        "margin": amount_text(of.margin),
    }


def meter(cell: MeterFigures) -> dict[str, Any]:
    return {
        "count": cell.count,
        "quantity": cell.quantity,
        "buy": amount_text(cell.buy),
        "sell": amount_text(cell.sell),
    }
