"""The report Reseller and companies as a file: what belongs into it, made at once or by a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

from twin.companies.types import Scope
from twin.kernel.period import Period, instant_text, parse_instant
from twin.portal.asking import DEFAULT_SORT, Asked, Form
from twin.portal.printed_report import Printing, pdf_of
from twin.reports.exports import Tick, csv_archive, csv_chunks, unheard, xlsx_file
from twin.reports.queries import reseller_companies
from twin.reports.types import ReportQuery, ResellerReport

REPORT: Final = "reseller_companies"
# The open section with the columns the person sees; all sections with the same filters; every company, no filter.
Extent = Literal["section", "sections", "all"]
EXTENTS: Final = get_args(Extent)
TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "zip": "application/zip",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
# Up to so many rows a file is made while one waits, beyond by a job.
AT_ONCE: Final[dict[Form, int]] = {"csv": 50_000, "xlsx": 50_000, "pdf": 1_000}
# Typesetting takes about 150 kB of memory for a row, and nobody turns 400 pages.
LARGEST_PDF: Final = 5_000


@dataclass(frozen=True)
class FileAsked:
    """Which file; `query` holds every row, `hidden` the codes of columns left out."""

    form: Form
    extent: Extent
    query: ReportQuery
    hidden: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The ending of its name; several tables travel in an archive."""
        return "zip" if self.form == "csv" and self.query.section is None else self.form

    def as_json(self) -> dict[str, Any]:
        query = self.query
        return {
            "form": self.form,
            "extent": self.extent,
            "reseller": query.reseller_id,
            "from": instant_text(query.period.start),
            "to": instant_text(query.period.end),
            "time_zone": query.time_zone,
            "has_expenses": query.has_expenses,
            "section": query.section,
            "search": query.search,
            "sort": query.sort,
            "side": query.side,
            "hidden": list(self.hidden),
        }


def file_asked(asked: Asked, form: Form, extent: Extent, reseller_id: int, hidden: tuple[str, ...]) -> FileAsked:
    """The file that the page's question means."""
    if asked.period is None:
        raise ValueError("There is no file without a period.")
    query = ReportQuery(
        period=asked.period,
        reseller_id=reseller_id,
        has_expenses=asked.has_expenses,
        time_zone=asked.zone.key,
        section=asked.section if extent == "section" else None,
        search=asked.search,
        sort=asked.sort,
        limit=None,
        side=asked.side,
        after_statements=True,
    )
    if extent == "all":
        query = replace(query, has_expenses=False, search="", sort=DEFAULT_SORT)
    return FileAsked(form, extent, query, hidden if extent == "section" else ())


def from_json(kept: Mapping[str, Any]) -> FileAsked:
    """What `as_json` wrote."""
    query = ReportQuery(
        period=Period(parse_instant(kept["from"]), parse_instant(kept["to"])),
        reseller_id=kept["reseller"],
        has_expenses=kept["has_expenses"],
        time_zone=kept["time_zone"],
        section=kept["section"],
        search=kept["search"],
        sort=kept["sort"],
        limit=None,
        side=kept["side"],
        after_statements=True,
    )
    return FileAsked(kept["form"], kept["extent"], query, tuple(kept["hidden"]))


def name_of(file: FileAsked, asked: Asked) -> str:
    """What people save it as."""
    start = file.query.period.start.astimezone(asked.zone)
    part = {"section": f"-{file.query.section}", "sections": "", "all": "-all"}[file.extent]
    return f"reseller-{file.query.reseller_id}-{start:%Y-%m-%d}{part}.{file.kind}"


def rows_in(scope: Scope, file: FileAsked) -> int:
    """How many rows the file would have; `scope` is the reseller's."""
    report = reseller_companies(scope, replace(file.query, limit=1, after_statements=False))
    return sum(section.row_count for section in report.sections.values())


def write_file(scope: Scope, file: FileAsked, target: Path, tick: Tick = unheard) -> int:
    """Write the file; how many rows it has. `tick` hears of every some hundred rows and may raise to give up."""
    report = reseller_companies(scope, file.query)
    rows = sum(section.row_count for section in report.sections.values())
    if file.form == "xlsx":
        xlsx_file(report, file.query.side, target, hidden=file.hidden, tick=tick)
    elif file.form == "pdf":
        has_seller = report.reseller.kind != "platform"
        target.write_bytes(pdf_of(Printing(report, file.query.side, has_seller, file.hidden)))
    elif file.query.section is None:
        csv_archive(report, file.query.side, target, tick)
    else:
        _write_csv(report, file, target, tick)
    return rows


def _write_csv(report: ResellerReport, file: FileAsked, target: Path, tick: Tick) -> None:
    [section] = report.sections
    with target.open("w", encoding="utf-8", newline="") as text:
        for number, chunk in enumerate(csv_chunks(report, section, file.query.side, file.hidden), start=1):
            text.write(chunk)
            tick(number * 500)
