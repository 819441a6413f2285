"""Single events with their calculations as tables; times in the zone of the report, amounts exact."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import xlsxwriter

from twin.kernel.money import amount_text
from twin.metering.types import EdgeCharge, EventLine
from twin.reports.exports import Tick, unheard
from twin.reports.rules.cells import fits_a_number, harmless

_EVENT: Final = ("Time", "Id", "Source", "Meter", "Attributes", "Quantity", "Received")
_SIDE: Final = ("rate", "selector", "unit price", "per", "minimum", "increment", "set-up fee", "billed", "amount")
# A workbook holds no more lines, its header included.
MOST_WORKBOOK_ROWS: Final = 1_048_575
_TICK_EVERY: Final = 500


class Cell(NamedTuple):
    """Text from outside must never run as a formula; a figure may become a number."""

    kind: Literal["text", "figure"]
    text: str


def event_titles(*, has_seller: bool) -> list[str]:
    """The header; without a seller above there is one side only."""
    sell = [f"To reseller: {name}" for name in _SIDE]
    buy = [f"To Twin: {name}" for name in _SIDE] if has_seller else []
    return [*_EVENT, *sell, *buy, *(["Margin"] if has_seller else [])]


def event_cells(event: EventLine, zone: ZoneInfo, *, has_seller: bool) -> list[Cell]:
    """One line; a side without a price is empty."""
    own = [
        Cell("text", event.event_time.astimezone(zone).isoformat(sep=" ")),
        Cell("text", event.id),
        Cell("text", event.source),
        Cell("text", event.meter),
        Cell("text", _pairs(event.attributes.items())),
        Cell("figure", str(event.quantity)),
        Cell("text", event.received_at.astimezone(zone).isoformat(sep=" ")),
    ]
    if not has_seller:
        return own + _side(event.sell)
    buy = event.buy if event.buy is not None else EdgeCharge(None, 0, 0, is_late=False)
    is_whole = event.sell.rate is not None and buy.rate is not None
    margin = amount_text(event.sell.amount - buy.amount) if is_whole else ""
    return [*own, *_side(event.sell), *_side(buy), Cell("figure", margin)]


def _side(charge: EdgeCharge) -> list[Cell]:
    if charge.rate is None:
        return [Cell("text", "not rated"), *(Cell("text", "") for _ in _SIDE[1:])]
    terms = charge.rate.terms
    return [
        Cell("figure", str(charge.rate.rate_id)),
        Cell("text", _pairs(charge.rate.selector.items())),
        Cell("figure", amount_text(terms.unit_price_nano)),
        Cell("figure", str(terms.per)),
        Cell("figure", str(terms.minimum)),
        Cell("figure", str(terms.increment)),
        Cell("figure", amount_text(terms.setup_fee_nano)),
        Cell("figure", str(charge.billed)),
        Cell("figure", amount_text(charge.amount)),
    ]


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return "; ".join(f"{name}={value}" for name, value in sorted(pairs))


def events_csv(
    events: Iterable[EventLine], zone: ZoneInfo, target: Path, *, has_seller: bool, tick: Tick = unheard
) -> int:
    """Write the table; how many events it holds."""
    number = 0
    with target.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(event_titles(has_seller=has_seller))
        for number, line in _counted(events, tick):  # noqa: B007 - it is what is told in the end
            cells = event_cells(line, zone, has_seller=has_seller)
            writer.writerow([harmless(cell.text) if cell.kind == "text" else cell.text for cell in cells])
    return number


def events_xlsx(
    events: Iterable[EventLine], zone: ZoneInfo, target: Path, *, has_seller: bool, tick: Tick = unheard
) -> int:
    """Write the workbook of one sheet; how many events it holds."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    number = 0
    with xlsxwriter.Workbook(str(target), {**options, "strings_to_numbers": False}) as book:
        sheet, bold = book.add_worksheet("Events"), book.add_format({"bold": True})
        sheet.freeze_panes(1, 2)
        for position, title in enumerate(event_titles(has_seller=has_seller)):
            sheet.set_column(position, position, max(12, min(len(title) + 2, 28)))
            sheet.write_string(0, position, title, bold)
        for number, line in _counted(events, tick):
            for position, cell in enumerate(event_cells(line, zone, has_seller=has_seller)):
                if cell.kind == "figure" and cell.text and fits_a_number(cell.text):
                    sheet.write_number(number, position, float(cell.text))
                elif cell.text:
                    sheet.write_string(number, position, cell.text)
    return number


def _counted(events: Iterable[EventLine], tick: Tick) -> Iterator[tuple[int, EventLine]]:
    for number, line in enumerate(events, start=1):
        if number % _TICK_EVERY == 0:
            tick(number)
        yield number, line
