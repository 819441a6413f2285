"""The anchor of the report: DuckDB scanning the raw events of the same data, in one process of its own."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg

from bench.crowd import METERS
from twin.pricing.meters import METER_BY_ID

NANO = 10**9
# By company and meter: count, quantity, buy, sell in nano-units.
Answer = dict[tuple[int, str], tuple[int, int, int, int]]

_EXPORT = """
    copy (select company_id, meter_id, event_time at time zone 'UTC', quantity, amount_1, amount_0
          from metering_event) to stdout (format csv)
"""
_TABLE = """
    create or replace table events as
    select company_id, meter_id, event_time, quantity, buy, sell, reseller_id
    from read_csv(?, header = false, columns = {
        'company_id': 'INTEGER', 'meter_id': 'SMALLINT', 'event_time': 'TIMESTAMP', 'quantity': 'BIGINT',
        'buy': 'BIGINT', 'sell': 'BIGINT'}) join companies using (company_id)
"""
_REPORT = """
    select company_id, meter_id, count(*), sum(quantity), sum(buy), sum(sell) from events
    where reseller_id = ? and event_time >= ? and event_time < ? group by company_id, meter_id
"""


class RawEvents:
    """Every event as a row of DuckDB with both amounts and its reseller; companies directly beneath one."""

    def __init__(self, folder: Path) -> None:
        duckdb: Any = import_module("duckdb")  # only the large bench installs it
        self.version: str = duckdb.__version__
        self._file = folder / "raw.csv"
        self._connection: Any = duckdb.connect(str(folder / "raw.duckdb"))

    def load(self, parameters: dict[str, Any], resellers: dict[int, int]) -> int:
        """Take everything from the event table; the number of rows."""
        source = psycopg.connect(**parameters)
        with source, source.cursor().copy(_EXPORT) as copy, self._file.open("wb") as target:
            target.writelines(copy)
        run = self._connection.execute
        run("create or replace table companies (company_id integer, reseller_id integer)")
        self._connection.executemany("insert into companies values (?, ?)", list(resellers.items()))
        run(_TABLE, [str(self._file)])
        self._file.unlink()
        return int(run("select count(*) from events").fetchone()[0])

    def number_of(self, reseller: int) -> int:
        """The events of all its companies."""
        row = self._connection.execute("select count(*) from events where reseller_id = ?", [reseller]).fetchone()
        return int(row[0])

    def report(self, reseller: int, start: datetime, end: datetime) -> Answer:
        rows = self._connection.execute(_REPORT, [reseller, _plain(start), _plain(end)]).fetchall()
        return {
            (company, METER_BY_ID[meter].code): (count, int(quantity), int(buy), int(sell))
            for company, meter, count, quantity, buy, sell in rows
        }

    def milliseconds(self, reseller: int, periods: Sequence[tuple[datetime, datetime]], times: int) -> list[float]:
        """How long the figures of each period take, fetched as columns."""
        taken = []
        for _ in range(times):
            for start, end in periods:
                begun = time.perf_counter()
                self._connection.execute(_REPORT, [reseller, _plain(start), _plain(end)]).fetchnumpy()
                taken.append((time.perf_counter() - begun) * 1000)
        return taken


def answer_of(report: dict[str, Any]) -> Answer:
    """The figures of Twin's report in the shape of the anchor's; what is 0 throughout is left out."""
    found: Answer = {}
    for section in report["sections"].values():
        for row in section["rows"]:
            for meter, cell in row["meters"].items():
                if cell["count"] and meter in METERS:
                    amounts = (int(Decimal(cell[side]) * NANO) for side in ("buy", "sell"))
                    found[row["company_id"], meter] = (cell["count"], cell["quantity"], *amounts)
    return found


def spread(taken: Sequence[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {"min_ms": ordered[0], "median_ms": statistics.median(ordered), "max_ms": ordered[-1]}


def _plain(moment: datetime) -> datetime:
    """DuckDB's plain timestamps hold UTC here."""
    return moment.replace(tzinfo=None)
