"""Whether a question can be answered, said field by field."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from twin.kernel.errors import FieldError, Invalid
from twin.kernel.period import parse_zone
from twin.kernel.text import clean_text
from twin.reports.errors import ReportQueryInvalid
from twin.reports.rules.layout import MEASURES, METER_IDS, PRICES, SECTION_METERS
from twin.reports.types import LARGEST_PAGE, SIDES, ReportQuery

ROW_KEYS: Final = ("company_id", "company_name", "total_buy", "total_sell", "margin")
_METER_KEYS: Final = frozenset(f"{meter}.{measure}" for meter in METER_IDS for measure in MEASURES)


@dataclass(frozen=True)
class Sort:
    """By what the rows are ordered; equal rows always by company id, ascending."""

    key: str
    descending: bool


def parse_sort(text: str) -> Sort:
    """`total_sell`, `-sms.delivered.count`, or a price column such as `price_sms` (on the side asked for)."""
    key = text.removeprefix("-")
    if key in ROW_KEYS or key in _METER_KEYS or key in PRICES:
        return Sort(key, descending=text.startswith("-"))
    message = (
        f"{text[:64]!r} is not a sort key; use {', '.join(ROW_KEYS)} or a meter with .{', .'.join(MEASURES)}, "
        "such as sms.delivered.sell, with - before it for descending."
    )
    raise ReportQueryInvalid(message, [FieldError(("sort",), message)])


def check(query: ReportQuery) -> None:
    """Raises `ReportQueryInvalid` naming every field that cannot be used."""
    errors = [*_section_errors(query), *_paging_errors(query), *_text_errors(query)]
    if query.side not in SIDES:
        errors.append(FieldError(("side",), "`side` is sell or buy."))
    if errors:
        raise ReportQueryInvalid(errors[0].msg, errors)


def _section_errors(query: ReportQuery) -> list[FieldError]:
    if query.section is not None and query.section not in SECTION_METERS:
        return [FieldError(("section",), f"`section` is one of {', '.join(SECTION_METERS)}.")]
    if query.section is None and query.cursor is not None:
        return [
            FieldError(
                ("section",),
                "`section` is required with `cursor`: each section has pages of its own.",
            )
        ]
    return []


def _paging_errors(query: ReportQuery) -> list[FieldError]:
    errors = []
    if query.limit is not None and not 1 <= query.limit <= LARGEST_PAGE:
        errors.append(FieldError(("limit",), f"`limit` is 1 to {LARGEST_PAGE}."))
    if query.offset < 0 or (query.offset and query.cursor is not None):
        errors.append(
            FieldError(
                ("offset",),
                "`offset` is 0 or more, and not used together with `cursor`.",
            )
        )
    return errors


def _text_errors(query: ReportQuery) -> list[FieldError]:
    errors: list[FieldError] = []
    try:
        parse_sort(query.sort)
    except Invalid as error:
        errors.extend(error.errors)
    try:
        clean_text(query.search, field="`search`", longest=200, shortest=0)
    except Invalid as error:
        errors.append(FieldError(("search",), str(error)))
    if query.time_zone is not None:
        try:
            parse_zone(query.time_zone)
        except Invalid as error:
            errors.append(FieldError(("time_zone",), str(error)))
    return errors


def is_company_id(search: str) -> bool:
    """Whether the search text may be a whole id."""
    return re.fullmatch(r"[0-9]{1,10}", search, re.ASCII) is not None
