"""The whole answer from what was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from twin.companies.types import Company, Dependent
from twin.pricing.meters import SERVICES
from twin.reports.rules.after_statements import Charged, after_by_company, with_after
from twin.reports.rules.asking import parse_sort
from twin.reports.rules.assembling import Book, Sheet, narrowed, open_book, sheet_of, totals_of, with_expenses
from twin.reports.rules.exact import Figures
from twin.reports.rules.paging import fingerprint, found, ordered, read_cursor, sort_keys, start_after, write_cursor
from twin.reports.rules.rows import SheetRows
from twin.reports.types import Cells, ReportQuery, ResellerReport, Section


def answer(
    reseller: Company,
    dependents: Sequence[Dependent],
    cells: Cells,
    query: ReportQuery,
    after: Sequence[Charged] = (),
) -> ResellerReport:
    """The answer to a question that `asking.check` let through; reads nothing itself."""
    book = open_book(dependents, cells)
    chosen = found(book.dependents, query.search)
    codes = SERVICES if query.section is None else (query.section,)
    sections = {code: _section(book, code, chosen, query, reseller.id, after) for code in codes}
    return ResellerReport(
        reseller=reseller,
        period=query.period,
        time_zone=query.time_zone or reseller.time_zone,
        currency=reseller.currency,
        has_expenses=query.has_expenses,
        unrated=sum(section.totals.unrated for section in sections.values()),
        sections=sections,
        search=query.search.strip(),
        sort=query.sort,
        company_count=len(book.dependents),
        tells_after=query.after_statements,
    )


def _section(
    book: Book, code: str, chosen: Figures, query: ReportQuery, reseller_id: int, after: Sequence[Charged]
) -> Section:
    sheet = sheet_of(book, code, chosen)
    if query.has_expenses:
        sheet = narrowed(sheet, with_expenses(sheet))
    # A cursor is for one section, also when it was handed out with all five.
    positions, next_cursor = _page(sheet, replace(query, section=code), reseller_id)
    ids = {dependent.company_id for dependent in sheet.dependents} if after else set()
    later = after_by_company(after, sheet.meters, ids)
    return Section(
        code=code,
        rows=SheetRows(sheet, positions, later),
        totals=with_after(totals_of(sheet), later),
        row_count=len(sheet.dependents),
        next_cursor=next_cursor,
    )


def _page(sheet: Sheet, query: ReportQuery, reseller_id: int) -> tuple[Figures, str | None]:
    """The positions on the page asked for, in order, and where the next page begins."""
    sort = parse_sort(query.sort)
    keys = sort_keys(sheet, sort, query.side)
    ids = np.array([dependent.company_id for dependent in sheet.dependents], dtype=np.int64)
    bound_to = fingerprint(query, reseller_id)
    start = query.offset
    if query.cursor is not None:
        like = str if sort.key == "company_name" else int
        last = read_cursor(query.cursor, bound_to, like)
        start = start_after(keys, ids, last, descending=sort.descending)
    order = ordered(keys, descending=sort.descending)
    end = len(order) if query.limit is None else start + query.limit
    page = order[start:end]
    if end >= len(order):
        return page, None
    [key] = keys[page[-1:]].tolist()
    return page, write_cursor(bound_to, key, int(ids[page[-1]]))
