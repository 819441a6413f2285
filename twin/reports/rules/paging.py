"""Finding, ordering and paging the companies of a report."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

from twin.companies.rules.ordering import place_of
from twin.companies.types import Dependent
from twin.kernel.errors import FieldError
from twin.reports.errors import ReportQueryInvalid
from twin.reports.rules.asking import Sort, is_company_id
from twin.reports.rules.assembling import Sheet
from twin.reports.rules.exact import Figures
from twin.reports.rules.layout import PRICES
from twin.reports.types import ReportQuery

LONGEST_CURSOR = 4096


def folded(text: str) -> str:
    """The text as it is compared: without regard to case or to how accents are composed."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def found(dependents: Sequence[Dependent], search: str) -> Figures:
    """Positions of those whose name contains the text, or whose whole id it is; all for no text."""
    wanted = folded(search.strip())
    if not wanted:
        return np.arange(len(dependents))
    company_id = int(wanted) if is_company_id(wanted) else None
    hits = [
        position
        for position, dependent in enumerate(dependents)
        if dependent.company_id == company_id or wanted in folded(dependent.name)
    ]
    return np.array(hits, dtype=np.int64)


def sort_keys(sheet: Sheet, sort: Sort, side: str) -> Figures:
    """What each company is ordered by; a meter of another section leaves all of them equal."""
    if sort.key == "company_id":
        return np.array([dependent.company_id for dependent in sheet.dependents], dtype=np.int64)
    if sort.key == "company_name":
        return np.array(["\0".join(place_of(dependent.name)) for dependent in sheet.dependents], dtype=object)
    if sort.key in ("total_buy", "total_sell", "margin"):
        keys: Figures = getattr(sheet, sort.key)
        return keys
    if sort.key in PRICES:
        meters, measure = PRICES[sort.key], side
    else:
        meter, _, measure = sort.key.rpartition(".")
        meters = (meter,)
    none = np.zeros(len(sheet.dependents), dtype=np.int64)
    own = [meter for meter in meters if meter in sheet.meters]
    return sum((sheet.figures(meter, measure) for meter in own), start=none)


def ordered(keys: Figures, *, descending: bool) -> Figures:
    """Positions in order of the keys; equal keys stay in the order they have, also when descending."""
    if not descending:
        return np.argsort(keys, kind="stable")
    backwards = np.argsort(keys[::-1], kind="stable")[::-1]
    return len(keys) - 1 - backwards


def fingerprint(query: ReportQuery, reseller_id: int) -> str:
    """What a cursor is bound to: everything that decides which rows there are and in which order."""
    side = query.side if query.sort.removeprefix("-") in PRICES else ""
    period = (query.period.start.isoformat(), query.period.end.isoformat())
    parts = (
        reseller_id,
        *period,
        query.has_expenses,
        folded(query.search.strip()),
        query.sort,
        query.section,
        side,
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def write_cursor(bound_to: str, key: int | str, company_id: int) -> str:
    """A text that says after which row the next page begins."""
    return base64.urlsafe_b64encode(json.dumps([bound_to, key, company_id]).encode()).decode().rstrip("=")


def read_cursor(text: str, bound_to: str, like: type) -> tuple[Any, int]:
    """Key and id of the last row seen; raises `ReportQueryInvalid` when the cursor is of another question."""
    message = "This `cursor` belongs to another question; begin again without it."
    try:
        if len(text) > LONGEST_CURSOR:
            raise ValueError(text)
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        mark, key, company_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if mark != bound_to or type(key) is not like or type(company_id) is not int:
            raise ValueError(text)
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise ReportQueryInvalid(message, [FieldError(("cursor",), message)]) from None
    return key, company_id


def start_after(keys: Figures, ids: Figures, last: tuple[Any, int], *, descending: bool) -> int:
    """How many rows of the order come before or are the last row seen, wherever it stands by now."""
    key, company_id = last
    beyond = keys < key if descending else keys > key
    after = beyond | ((keys == key) & (ids > company_id))
    return int(len(keys) - np.count_nonzero(after))
