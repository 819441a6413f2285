"""The drill-down's address: one company, one service, then a day, a rate, the events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from twin.portal.asking import Asked
from twin.portal.rules.channels import channel_of
from twin.reports.rules.layout import PRICES, SECTION_METERS
from twin.reports.types import DayRow, EventFilter

OWN_NAMES: Final = ("day", "meter", "sell_rate", "buy_rate", "attributes", "cursor")
_MOST_ATTRIBUTES: Final = 16
_LONGEST_TEXT: Final = 4_096
_LONGEST_ID: Final = 18


@dataclass(frozen=True)
class Drill:
    """What a page of the drill-down is asked: `day` is the local date a row begins on."""

    asked: Asked
    day: date | None = None
    meter: str = ""
    sell_rate: int | None = None
    buy_rate: int | None = None
    attributes: Mapping[str, str] | None = None
    cursor: str = ""

    @property
    def meters(self) -> tuple[str, ...]:
        """The meters that are looked at: one, those of a channel, or all of the section."""
        if self.meter:
            return (self.meter,)
        every = SECTION_METERS[self.asked.section]
        if not self.asked.channel:
            return every
        return tuple(meter for meter in every if meter in PRICES[f"price_{self.asked.channel}"])

    @property
    def which(self) -> EventFilter:
        return EventFilter(
            meters=self.meters, sell_rate=self.sell_rate, buy_rate=self.buy_rate, attributes=self.attributes
        )

    @property
    def has_rate(self) -> bool:
        return self.sell_rate is not None or self.buy_rate is not None or self.attributes is not None

    def pairs(self) -> list[tuple[str, str]]:
        """The canonical parameters in their order."""
        names = ("reseller", "from", "to", "time_zone", "section", "channel")
        own = [
            ("day", self.day.isoformat() if self.day else ""),
            ("meter", self.meter),
            ("sell_rate", "" if self.sell_rate is None else str(self.sell_rate)),
            ("buy_rate", "" if self.buy_rate is None else str(self.buy_rate)),
            ("attributes", "" if self.attributes is None else _attributes_text(self.attributes)),
            ("cursor", self.cursor),
        ]
        kept = [pair for pair in self.asked.pairs() if pair[0] in names]
        return kept + [(name, value) for name, value in own if value]

    def address(self, path: str, **changes: Any) -> str:
        """The canonical address with some things changed; any change begins at the newest event."""
        return f"{path}?{urlencode(replace(self, **{'cursor': '', **changes}).pairs())}"

    def without_rate(self) -> Drill:
        return replace(self, meter="", sell_rate=None, buy_rate=None, attributes=None, cursor="")

    def row_of(self, rows: tuple[DayRow, ...]) -> DayRow | None:
        """The row of the chosen day; None for the whole period."""
        zone = self.asked.zone
        return next((row for row in rows if row.period.start.astimezone(zone).date() == self.day), None)


def read_drill(given: Mapping[str, str], asked: Asked) -> Drill:
    """Read what is asked beyond the period; what cannot be used is left out, so that the page still opens."""
    meter = given.get("meter", "").strip()
    meter = meter if meter in SECTION_METERS[asked.section] else ""
    channel = asked.channel or channel_of(f"{meter}.count") if meter else asked.channel
    return Drill(
        asked=replace(asked, channel=channel),
        day=_day(given.get("day", "")),
        meter=meter,
        sell_rate=_number(given.get("sell_rate", "")),
        buy_rate=_number(given.get("buy_rate", "")),
        attributes=_attributes(given.get("attributes", "")),
        cursor=given.get("cursor", "").strip()[:_LONGEST_TEXT],
    )


def left_out(given: Mapping[str, str], drill: Drill) -> list[str]:
    """Names of the filters that were given and could not be used."""
    used = {name for name, _ in drill.pairs()}
    return [name for name in OWN_NAMES if name != "cursor" and given.get(name, "").strip() and name not in used]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID else None


def _attributes(text: str) -> dict[str, str] | None:
    try:
        read = json.loads(text[:_LONGEST_TEXT]) if text.strip() else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(read, dict) or len(read) > _MOST_ATTRIBUTES:
        return None
    return {name: value for name, value in read.items() if isinstance(value, str) and _is_storable(name + value)}


def _is_storable(text: str) -> bool:
    """No event holds NUL or half a character, and an address can carry neither."""
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _attributes_text(attributes: Mapping[str, str]) -> str:
    return json.dumps(dict(attributes), separators=(",", ":"), ensure_ascii=False, sort_keys=True)
