"""From cells and companies to the full table of one section, figures still in arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twin.companies.types import Dependent
from twin.pricing.meters import METERS
from twin.reports.errors import FiguresWithoutCompany
from twin.reports.rules.exact import Figures, grid, integers
from twin.reports.rules.layout import MEASURES, METER_IDS, SECTION_METERS
from twin.reports.types import Cells, MeterFigures, Totals


@dataclass(frozen=True)
class Book:
    """Every dependent, ordered by id, and a table company × meter number of each measure."""

    dependents: tuple[Dependent, ...]
    tables: Mapping[str, Figures]


@dataclass(frozen=True)
class Sheet:
    """One section of a set of companies, ordered by company id; one array entry or table line per company."""

    code: str
    dependents: tuple[Dependent, ...]
    tables: Mapping[str, Figures]
    total_buy: Figures
    total_sell: Figures
    margin: Figures
    unrated: Figures

    @property
    def meters(self) -> tuple[str, ...]:
        return SECTION_METERS[self.code]

    def figures(self, meter: str, measure: str) -> Figures:
        """One measure of one meter of this section, for every company."""
        column: Figures = self.tables[measure][:, self.meters.index(meter)]
        return column


def open_book(dependents: Sequence[Dependent], cells: Cells) -> Book:
    """Every figure at its place; raises `FiguresWithoutCompany` rather than leave one out."""
    ordered = tuple(sorted(dependents, key=lambda dependent: dependent.company_id))
    ids = np.array([dependent.company_id for dependent in ordered], dtype=np.int64)
    wanted = cells.company.astype(np.int64)
    row = np.searchsorted(ids, wanted)
    strangers = ~np.isin(wanted, ids)
    if strangers.any():
        raise FiguresWithoutCompany(f"Usage of company {int(wanted[strangers][0])} has no row in this report.")
    shape = (len(ordered), 1 + max(meter.id for meter in METERS))
    column = cells.meter.astype(np.int64)
    measures = (*MEASURES, "unrated")
    return Book(
        ordered,
        {name: grid(getattr(cells, name), row, column, shape) for name in measures},
    )


def sheet_of(book: Book, code: str, chosen: Figures) -> Sheet:
    """The section `code` for the companies at the positions `chosen` (ascending)."""
    columns = np.array([METER_IDS[meter] for meter in SECTION_METERS[code]], dtype=np.int64)
    is_every = len(chosen) == len(book.dependents)
    # A view where every company is shown: a copy of each section would be the whole report once more.
    lines = slice(None) if is_every else chosen[:, None]
    places = slice(int(columns[0]), int(columns[-1]) + 1) if is_every and _are_neighbours(columns) else columns
    tables = {name: table[lines, places] for name, table in book.tables.items()}
    total_buy, total_sell = tables["buy"].sum(axis=1), tables["sell"].sum(axis=1)
    return Sheet(
        code=code,
        dependents=book.dependents if is_every else tuple(book.dependents[place] for place in chosen.tolist()),
        tables=tables,
        total_buy=total_buy,
        total_sell=total_sell,
        margin=total_sell - total_buy,
        unrated=tables["unrated"].sum(axis=1),
    )


def _are_neighbours(columns: Figures) -> bool:
    return bool((np.diff(columns) == 1).all())


def with_expenses(sheet: Sheet) -> Figures:
    """Which companies have a price other than zero in this section, or usage still without one."""
    mask: Figures = (sheet.total_buy != 0) | (sheet.total_sell != 0) | (sheet.unrated > 0)
    return np.flatnonzero(mask)


def narrowed(sheet: Sheet, chosen: Figures) -> Sheet:
    """The same section for some of its companies."""
    return Sheet(
        code=sheet.code,
        dependents=tuple(sheet.dependents[position] for position in chosen.tolist()),
        tables={name: table[chosen] for name, table in sheet.tables.items()},
        total_buy=sheet.total_buy[chosen],
        total_sell=sheet.total_sell[chosen],
        margin=sheet.margin[chosen],
        unrated=sheet.unrated[chosen],
    )


def totals_of(sheet: Sheet) -> Totals:
    """The sums of every row of the sheet."""
    sums = [integers(sheet.tables[measure].sum(axis=0)) for measure in (*MEASURES, "unrated")]
    return Totals(
        meters=dict(zip(sheet.meters, map(MeterFigures, *sums), strict=True)),
        total_buy=int(sheet.total_buy.sum()),
        total_sell=int(sheet.total_sell.sum()),
        margin=int(sheet.margin.sum()),
        unrated=int(sheet.unrated.sum()),
    )
