"""The rows of a section, made from its columns when they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from twin.reports.rules.assembling import Sheet
from twin.reports.rules.exact import Figures
from twin.reports.rules.layout import MEASURES
from twin.reports.types import NOTHING_USED, AfterStatement, Block, MeterFigures, Row

ROWS_AT_ONCE: Final = 500
_COUNTED: Final = (*MEASURES, "unrated")


@dataclass(frozen=True, eq=False)
class SheetRows:
    """Rows for the companies at those positions of the sheet, in that order; read as often as one likes.

    `after` has what closed statements have not seen, by company.
    """

    sheet: Sheet
    positions: Figures
    after: Mapping[int, AfterStatement]

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, place: int) -> Row:
        at = range(len(self))[place]
        [row] = _rows(self.sheet.meters, self._block(self.positions[at : at + 1]))
        return row

    def __iter__(self) -> Iterator[Row]:
        for block in self.blocks():
            yield from _rows(self.sheet.meters, block)

    def blocks(self) -> Iterator[Block]:
        for start in range(0, len(self), ROWS_AT_ONCE):
            yield self._block(self.positions[start : start + ROWS_AT_ONCE])

    def _block(self, positions: Figures) -> Block:
        sheet = self.sheet
        companies = [sheet.dependents[position] for position in positions.tolist()]
        return Block(
            companies=companies,
            unrated=sheet.unrated[positions].tolist(),
            figures={measure: sheet.tables[measure][positions].T.tolist() for measure in _COUNTED},
            total_buy=sheet.total_buy[positions].tolist(),
            total_sell=sheet.total_sell[positions].tolist(),
            margin=sheet.margin[positions].tolist(),
            after=[self.after.get(company.company_id) for company in companies],
        )


def _rows(meters: Sequence[str], block: Block) -> Iterator[Row]:
    columns = (_meter(*lists) for lists in zip(*block.figures.values(), strict=True))
    for company, unrated, cells, buy, sell, margin, after in zip(
        block.companies,
        block.unrated,
        zip(*columns, strict=True),
        block.total_buy,
        block.total_sell,
        block.margin,
        block.after,
        strict=True,
    ):
        by_meter = dict(zip(meters, cells, strict=True))
        yield Row(company.company_id, company.name, company.path, unrated, by_meter, buy, sell, margin, after)


def _meter(*measures: Sequence[int]) -> Iterator[MeterFigures]:
    # Most companies use few meters: the figures of all the others are one and the same object.
    return (MeterFigures(*cell) if any(cell) else NOTHING_USED for cell in zip(*measures, strict=True))
