"""Whether the record of security is still what it was: each day is sealed by a digest that continues the day before.

Who may change rows and seals alike, the owner of the database, can seal anew: so the digests also go to the
log, and one that was kept elsewhere is compared with `check_seals`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import structlog
from django.db import connections

_log = structlog.stdlib.get_logger("twin.security")
_DAY: Final = timedelta(days=1)
_DAYS_A_LOOK: Final = 100
_SEALS: Final = """
    select s.day, s.events, s.digest, found.events, found.digest
    from (select *, lag(digest, 1, ''::bytea) over (order by day) as before from kernel_auditseal) s
    cross join lateral kernel_day_digest(s.day, s.before) found
    order by s.day
"""


@dataclass(frozen=True)
class Seal:
    """One day's seal: how many events it had, and the digest over them and all days before."""

    day: date
    events: int
    digest: str


@dataclass(frozen=True)
class Difference:
    """A day whose events, or whose seal, are not what was sealed."""

    day: date
    text: str


@dataclass(frozen=True)
class ChainReport:
    """What checking the chain found; differences by day, the first one first."""

    days: int
    events: int
    last: Seal | None
    differences: tuple[Difference, ...]


def seal_days() -> list[Seal]:
    """Seal every day that has ended and has no seal yet, from the record's first day on; safe to repeat."""
    with connections["default"].cursor() as cursor:
        cursor.execute("select day, events, digest from kernel_seal_days()")
        made = [Seal(day, events, bytes(digest).hex()) for day, events, digest in cursor.fetchall()]
    for seal in made:
        _log.info("audit_sealed", day=seal.day.isoformat(), events=seal.events, digest=seal.digest)
    return made


def check_seals(expected: Mapping[date, str] | None = None) -> ChainReport:
    """Recompute every day's digest; `expected` are digests that were kept elsewhere."""
    days, events, last = 0, 0, None
    differences: list[Difference] = []
    for sealed, found in _days():
        if last is None:
            differences += _before_the_first(sealed)
        elif sealed.day != last.day + _DAY:
            differences.append(Difference(last.day + _DAY, "has no seal"))
        differences += _compared(sealed, found)
        days, events, last = days + 1, events + found.events, sealed
        wanted = (expected or {}).get(sealed.day, sealed.digest)
        if wanted != sealed.digest:
            differences.append(Difference(sealed.day, f"is sealed with {sealed.digest}, not with {wanted}"))
    missing = [] if last is None else [day for day in expected or {} if day > last.day]
    differences += [Difference(day, "has no seal") for day in sorted(missing)]
    return ChainReport(days, events, last, tuple(differences))


def last_sealed() -> tuple[date | None, datetime | None]:
    """The last sealed day and when it was sealed."""
    with connections["default"].cursor() as cursor:
        cursor.execute("select day, sealed_at from kernel_auditseal order by day desc limit 1")
        row = cursor.fetchone()
    return (row[0], row[1]) if row else (None, None)


def _days() -> Iterator[tuple[Seal, Seal]]:
    """Each sealed day as it was sealed and as it is found, without holding them all."""
    with connections["default"].chunked_cursor() as cursor:
        cursor.execute(_SEALS)
        while rows := cursor.fetchmany(_DAYS_A_LOOK):
            for day, events, digest, events_now, digest_now in rows:
                yield Seal(day, events, bytes(digest).hex()), Seal(day, events_now, bytes(digest_now).hex())


def _before_the_first(sealed: Seal) -> list[Difference]:
    with connections["default"].cursor() as cursor:
        cursor.execute("select kernel_events_before(%s)", [sealed.day])
        strays = cursor.fetchone()[0]
    return [Difference(sealed.day, f"was the first, and {strays} events are older now")] if strays else []


def _compared(sealed: Seal, found: Seal) -> list[Difference]:
    if sealed.digest == found.digest:
        return []
    if sealed.events != found.events:
        return [Difference(sealed.day, f"had {sealed.events} events when it was sealed and has {found.events}")]
    return [Difference(sealed.day, f"has its {found.events} events, but not as they were, or the seal before changed")]
