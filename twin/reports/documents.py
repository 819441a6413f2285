"""The report as the API answers it: JSON, some hundred rows at a time. Amounts are exact decimal texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from twin.kernel.money import amount_text
from twin.kernel.period import instant_text
from twin.reports.rules.layout import MEASURES, SECTION_METERS
from twin.reports.types import AfterStatement, Block, MeterFigures, ResellerReport, Section

_encode: Final = msgspec.json.Encoder().encode
# The encoder refuses integers beyond 64 bits; figures have no such end.
_LARGEST: Final = 2**63 - 1


class _After(Struct):
    came: int
    changed: int
    sell: str


class _Figures(Struct):
    count: int | Raw
    quantity: int | Raw
    buy: str
    sell: str


class _Row(Struct):
    company_id: int
    company_name: str
    path: Sequence[str]
    unrated: int
    meters: dict[str, _Figures]
    total_buy: str
    total_sell: str
    margin: str
    after_statement: _After | UnsetType | None = UNSET


class _Totals(Struct):
    meters: dict[str, _Figures]
    total_buy: str
    total_sell: str
    margin: str
    unrated: int
    after_statement: _After | UnsetType | None = UNSET


class _AmountTexts(dict[int, str]):
    """Amounts as texts, each distinct one written once."""

    def __missing__(self, nano: int) -> str:
        text = self[nano] = amount_text(nano)
        return text


def json_chunks(report: ResellerReport) -> Iterator[bytes]:
    """The document in pieces; together they are one JSON object. Reads nothing more and cannot fail half-way."""
    yield _opened(_encode(_head(report)), "sections")
    for number, (code, section) in enumerate(report.sections.items()):
        yield (b"," if number else b"") + _encode(code) + b':{"rows":['
        for place, block in enumerate(section.rows.blocks()):
            rows = _encode(_rows(SECTION_METERS[code], block, tells_after=report.tells_after))
            yield (b"," if place else b"") + rows[1:-1]
        yield b"]," + _encode(_tail(section, tells_after=report.tells_after))[1:]
    yield b"}}"


def _opened(encoded: bytes, name: str) -> bytes:
    """The object with one more member that is still to come."""
    return encoded[:-1] + b"," + _encode(name) + b":{"


def _head(report: ResellerReport) -> dict[str, Any]:
    return {
        "reseller": {"id": report.reseller.id, "name": report.reseller.name},
        "period": {
            "from": instant_text(report.period.start),
            "to": instant_text(report.period.end),
            "time_zone": report.time_zone,
        },
        "currency": report.currency,
        "has_expenses": report.has_expenses,
        "unrated": report.unrated,
    }


def _rows(meters: Sequence[str], block: Block, *, tells_after: bool) -> list[_Row]:
    text = _AmountTexts().__getitem__
    count, quantity, buy, sell = (block.figures[measure] for measure in MEASURES)
    columns = (
        map(_Figures, _whole(counts), _whole(quantities), map(text, buys), map(text, sells))
        for counts, quantities, buys, sells in zip(count, quantity, buy, sell, strict=True)
    )
    return [
        _Row(company.company_id, company.name, company.path, unrated, dict(zip(meters, cells, strict=True)), *amounts)
        for company, unrated, cells, amounts in zip(
            block.companies,
            block.unrated,
            zip(*columns, strict=True),
            zip(
                map(text, block.total_buy),
                map(text, block.total_sell),
                map(text, block.margin),
                (_after(after) if tells_after else UNSET for after in block.after),
                strict=True,
            ),
            strict=True,
        )
    ]


def _tail(section: Section, *, tells_after: bool) -> dict[str, Any]:
    totals = section.totals
    buy, sell, margin = (amount_text(nano) for nano in (totals.total_buy, totals.total_sell, totals.margin))
    after = _after(totals.after) if tells_after else UNSET
    meters = {meter: _meter(cell) for meter, cell in totals.meters.items()}
    return {
        "totals": _Totals(meters, buy, sell, margin, totals.unrated, after),
        "row_count": section.row_count,
        "next_cursor": section.next_cursor,
    }


def _meter(cell: MeterFigures) -> _Figures:
    count, quantity = _whole((cell.count, cell.quantity))
    return _Figures(count, quantity, amount_text(cell.buy), amount_text(cell.sell))


def _after(after: AfterStatement | None) -> _After | None:
    return None if after is None else _After(after.came, after.changed, amount_text(after.sell))


def _whole(numbers: Sequence[int]) -> Sequence[int | Raw]:
    if max(numbers) <= _LARGEST and min(numbers) >= -_LARGEST:
        return numbers
    return [Raw(str(number).encode()) for number in numbers]
