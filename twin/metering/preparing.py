"""A decoded batch → rated columns ready to be stored. Pure but for numbering what is interned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from twin.companies.types import Scope
from twin.kernel.period import instant_text
from twin.metering.catalogue import Catalogue, Home
from twin.metering.interning import RawAttributes, attribute_sets, sources
from twin.metering.rules.amounts import amounts_of
from twin.metering.rules.buckets import EPOCH, HOUR_MICROSECONDS, MICROSECOND, microseconds
from twin.metering.rules.cells import Cells, joined, summed_by_group
from twin.metering.rules.decoding import Decoded, UsageEvent
from twin.metering.rules.identity import keys_of
from twin.metering.sheet import Sheet, sheet_of
from twin.metering.store import LEAST_AMOUNTS, EventRows
from twin.metering.types import Refusal
from twin.pricing.meters import METER_BY_CODE, METER_BY_ID

AHEAD = timedelta(minutes=5)
# An offset can push an instant out of the first year, where nobody could read it again.
_EARLIEST = microseconds(datetime(1, 1, 1, tzinfo=UTC))

Ints = NDArray[np.int64]
Billing = tuple[int, int, int, int]  # time, quantity, meter, attributes

_METERS = {code: meter.id for code, meter in METER_BY_CODE.items()}


@dataclass(frozen=True)
class Repeat:
    """An event whose key was taken before with other billing fields."""

    place: int
    event: UsageEvent
    company: int
    source: int
    key: bytes
    attributes: int
    before: Billing


@dataclass
class Prepared:
    """A rated batch; `keep` drops what turns out to be stored already."""

    catalogue: Catalogue
    rows: EventRows
    plan: Ints
    places: Ints  # number of the event within `decoded`
    duplicates: list[int]  # indexes within the batch as sent
    conflicts: list[Repeat]
    rejected: list[Refusal]
    decoded: Decoded = field(repr=False)


@dataclass
class _Columns:
    """Of every usable event: its number, its instant, where it belongs and how it is rated."""

    numbers: list[int] = field(default_factory=list)
    time: list[int] = field(default_factory=list)
    company: list[int] = field(default_factory=list)
    meter: list[int] = field(default_factory=list)
    attributes: list[int] = field(default_factory=list)
    plan: list[int] = field(default_factory=list)


def prepare(catalogue: Catalogue, scope: Scope, decoded: Decoded, now: datetime) -> Prepared:
    """Check and rate a batch; what cannot be taken is in `rejected` with its reason."""
    rejected = list(decoded.rejected)
    columns = _resolve(catalogue, scope, decoded, now, rejected)
    rows, plan, too_large = _rate(catalogue, decoded.events, columns)
    places = np.array(columns.numbers, dtype=np.int64)
    prepared = Prepared(catalogue, rows, plan, places, [], [], rejected, decoded)
    if not too_large.any():
        return prepared
    for number in places[too_large].tolist():
        event = decoded.events[number]
        rejected.append(Refusal(decoded.place(number), event.id, "The amount is beyond what can be stored."))
    return _kept(prepared, np.flatnonzero(~too_large))


def _resolve(catalogue: Catalogue, scope: Scope, decoded: Decoded, now: datetime, rejected: list[Refusal]) -> _Columns:
    """Company, meter, attributes and plan of every usable event. The hot loop of ingestion."""
    strange = _Strange(catalogue, scope, decoded, now)
    homes = catalogue.homes(scope.organisation_id, microseconds(now)).known
    known, spans = catalogue.variety.known, catalogue.spans.latest
    latest_allowed = microseconds(now + AHEAD)
    columns = _Columns()
    numbers, times, companies = columns.numbers.append, columns.time.append, columns.company.append
    meters, attribute_ids, plans = columns.meter.append, columns.attributes.append, columns.plan.append
    for number, event in enumerate(decoded.events):
        data = event.data
        at = (event.time - EPOCH) // MICROSECOND
        home = homes.get(event.subject)
        meter = _METERS.get(data.meter)
        if home is None or meter is None or not home.start <= at < home.end or at > latest_allowed:
            found = strange.home(event, meter, at)
            if isinstance(found, str):
                rejected.append(Refusal(decoded.place(number), event.id, found))
                continue
            home = found
            assert meter is not None
        raw = tuple(data.attributes.items())
        attributes, projection = known.get(raw) or strange.attributes(raw)
        span = spans.get((home.way, meter, projection))
        if span is None or not span.start <= at < span.end:
            span = catalogue.span(home.way, meter, projection, event.time)
        numbers(number)
        times(at)
        companies(home.company)
        meters(meter)
        attribute_ids(attributes)
        plans(span.plan)
    return columns


class _Strange:
    """What no earlier batch has taught: looked up in tree and tables, and remembered where it will hold."""

    def __init__(self, catalogue: Catalogue, scope: Scope, decoded: Decoded, now: datetime) -> None:
        self._catalogue = catalogue
        self._decoded = decoded
        self._organisation = scope.organisation_id
        self._subjects = _Subjects(catalogue, scope, now)
        self._now = microseconds(now)
        self._latest_allowed = microseconds(now + AHEAD)
        self._learnt: dict[RawAttributes, tuple[int, int]] = {}

    def home(self, event: UsageEvent, meter: int | None, at: int) -> Home | str:
        """Where the event belongs, or why it is not taken."""
        company = self._subjects[event.subject]
        if isinstance(company, str):
            return company
        if meter is None or not _EARLIEST <= at <= self._latest_allowed:
            return _unusable(event, at)
        catalogue = self._catalogue
        route = catalogue.route(company, event.time)
        if route.reason:
            return route.reason
        home = Home(max(route.start, _EARLIEST), route.end, company, route.way)
        sight = catalogue.sights.get((self._organisation, event.subject))
        if sight is not None:
            catalogue.homes(self._organisation, self._now).learn(event.subject, home, sight)
        return home

    def attributes(self, raw: RawAttributes) -> tuple[int, int]:
        """Number and projection of a set; at the first strange one those of the whole batch are learnt together."""
        if not self._learnt:
            raws = {tuple(event.data.attributes.items()) for event in self._decoded.events}
            self._learnt = {
                raw: (stored.id, self._catalogue.projection(stored.attributes))
                for raw, stored in attribute_sets.learn(raws).items()
            }
            self._catalogue.variety.learn(self._learnt)
        return self._learnt[raw]


def _unusable(event: UsageEvent, at: int) -> str:
    if event.data.meter not in _METERS:
        return f"Unknown meter {event.data.meter!r}."
    return "The time is before year 1." if at < _EARLIEST else "The time is more than 5 minutes ahead."


class _Subjects(dict[str, int | str]):
    """The company each subject of a batch names, or why there is none; out of sight is unknown."""

    def __init__(self, catalogue: Catalogue, scope: Scope, now: datetime) -> None:
        super().__init__()
        self._catalogue = catalogue
        self._organisation = scope.organisation_id
        self._now = now
        self._at = microseconds(now)

    def __missing__(self, subject: str) -> int | str:
        found = self[subject] = self._find(subject)
        return found

    def _find(self, subject: str) -> int | str:
        sight = self._catalogue.sights.get((self._organisation, subject))
        if sight is not None and sight.start <= self._at < sight.end:
            return sight.company
        if subject.startswith("external:"):
            return self._find_external(subject)
        if subject.isascii() and subject.isdigit() and len(subject) <= 10:
            sight = self._catalogue.sight(self._organisation, subject, self._now)
            if sight is not None:
                return sight.company
        return f"Unknown company {subject!r}."

    def _find_external(self, subject: str) -> int | str:
        code = subject.removeprefix("external:")
        found = self._catalogue.find_external(self._organisation, code, self._now)
        if len(found) > 1:
            return f"Several companies have the external id {subject!r}; send the company id."
        return found[0] if found else f"Unknown company {subject!r}."


def _rate(
    catalogue: Catalogue, events: Sequence[UsageEvent], columns: _Columns
) -> tuple[EventRows, Ints, NDArray[np.bool_]]:
    chosen = events if len(columns.numbers) == len(events) else [events[number] for number in columns.numbers]
    named = [event.source for event in chosen]
    source_numbers = sources.numbers(named)
    keys, texts = keys_of([event.id for event in chosen])
    plan = np.array(columns.plan, dtype=np.int64)
    sheet = sheet_of(catalogue)
    quantity = np.array([event.data.quantity for event in chosen], dtype=np.int64)
    edges = sheet.edges[plan]
    amounts, too_large = _amounts(sheet, plan, edges, quantity)
    rows = EventRows(
        time=np.array(columns.time, dtype=np.int64),
        quantity=quantity,
        company=np.array(columns.company, dtype=np.int64),
        source=np.array(list(map(source_numbers.__getitem__, named)), dtype=np.int64),
        chain=sheet.chain[plan],
        rating=sheet.rating[plan],
        attributes=np.array(columns.attributes, dtype=np.int64),
        meter=np.array(columns.meter, dtype=np.int64),
        key=np.frombuffer(keys, dtype="V16"),
        texts=texts,
        edges=edges,
        amounts=amounts,
    )
    return rows, plan, too_large


def _amounts(sheet: Sheet, plan: Ints, edges: Ints, quantity: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    depth = max(LEAST_AMOUNTS, int(edges.max(initial=0)))
    amounts = np.zeros((depth, len(quantity)), dtype=np.int64)
    too_large = np.zeros(len(quantity), dtype=bool)
    for pos in range(depth):
        amounts[pos], beyond = amounts_of(sheet.terms[pos][plan], quantity)
        too_large |= beyond
    return amounts, too_large


def _kept(prepared: Prepared, which: NDArray[np.int64]) -> Prepared:
    """The batch with only these events, in this order."""
    rows = prepared.rows
    texts = [rows.texts[place] for place in which] if rows.texts is not None else None
    kept = EventRows(
        **{
            name: getattr(rows, name)[which]
            for name in (
                "time", "quantity", "company", "source", "chain", "rating", "attributes", "meter", "key", "edges"
            )
        },
        texts=texts,
        amounts=rows.amounts[:, which],
    )  # fmt: skip
    return replace(prepared, rows=kept, plan=prepared.plan[which], places=prepared.places[which])


def without_repeats(prepared: Prepared) -> Prepared:
    """Ordered by identity; of equal keys within the batch the first counts.

    To be asked after stored keys have been taken out: a batch that holds a conflict and then
    a replay of what is stored must not call the replay a conflict of the conflict.
    """
    rows = prepared.rows
    halves = rows.key.view(">u8").reshape(-1, 2) if len(rows) else np.empty((0, 2), dtype=">u8")
    order = np.lexsort((halves[:, 1].astype(np.uint64), halves[:, 0].astype(np.uint64), rows.source, rows.company))
    same = np.zeros(len(order), dtype=bool)
    for column in (rows.company, rows.source, halves[:, 0], halves[:, 1]):
        ordered = column[order]
        same[1:] = (ordered[1:] == ordered[:-1]) if column is rows.company else same[1:] & (ordered[1:] == ordered[:-1])
    ordered_batch = _kept(prepared, order)
    if not same.any():
        return ordered_batch
    firsts = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
    known = {int(place): billing_of(ordered_batch.rows, int(firsts[place])) for place in np.flatnonzero(same)}
    return without_known(ordered_batch, known)


def without_known(prepared: Prepared, known: dict[int, Billing]) -> Prepared:
    """The batch without the events at these places: equal billing fields are duplicates, others conflicts."""
    duplicates = list(prepared.duplicates)
    conflicts = list(prepared.conflicts)
    for place, before in known.items():
        if billing_of(prepared.rows, place) == before:
            duplicates.append(prepared.decoded.place(int(prepared.places[place])))
        else:
            conflicts.append(_repeat(prepared, place, before))
    left = np.array([place for place in range(len(prepared.rows)) if place not in known], dtype=np.int64)
    kept = _kept(prepared, left)
    return replace(kept, duplicates=duplicates, conflicts=conflicts)


def billing_of(rows: EventRows, place: int) -> Billing:
    """The fields that tell a replay from a conflict."""
    return (
        int(rows.time[place]), int(rows.quantity[place]), int(rows.meter[place]), int(rows.attributes[place])
    )  # fmt: skip


def _repeat(prepared: Prepared, place: int, before: Billing) -> Repeat:
    rows, number = prepared.rows, int(prepared.places[place])
    return Repeat(
        place=prepared.decoded.place(number),
        event=prepared.decoded.events[number],
        company=int(rows.company[place]),
        source=int(rows.source[place]),
        key=rows.key[place].tobytes(),
        attributes=int(rows.attributes[place]),
        before=before,
    )


def refusal_of(repeat: Repeat) -> Refusal:
    """The conflict in words: which fields differ from what was taken first."""
    time, quantity, meter, attributes = repeat.before
    event = repeat.event
    differing = []
    if _METERS[event.data.meter] != meter:
        differing.append(f"meter was {METER_BY_ID[meter].code}")
    if event.data.quantity != quantity:
        differing.append(f"quantity was {quantity}")
    if microseconds(event.time) != time:
        differing.append(f"time was {instant_text(EPOCH + timedelta(microseconds=time))}")
    if repeat.attributes != attributes:
        differing.append("attributes were different")
    return Refusal(repeat.place, event.id, f"This id was taken before with other content: {', '.join(differing)}.")


def journals_of(prepared: Prepared) -> dict[int, Cells]:
    """What the batch adds to the totals of every seller above the using companies."""
    rows, plan, sheet = prepared.rows, prepared.plan, sheet_of(prepared.catalogue)
    hour = rows.time // HOUR_MICROSECONDS
    one = np.ones(len(rows), dtype=np.int64)
    sellers: list[Ints] = []
    parts: list[Cells] = []
    for pos in range(int(rows.edges.max(initial=0))):
        seller, unrated = sheet.seller[pos][plan], sheet.unrated[pos][plan]
        above = rows.amounts[pos + 1] if pos + 1 < len(rows.amounts) else np.zeros(len(rows), dtype=np.int64)
        cells = Cells(hour, rows.company, rows.meter, one, rows.quantity, above, rows.amounts[pos], unrated)
        there = np.flatnonzero(seller)
        sellers.append(seller[there])
        parts.append(cells if len(there) == len(rows) else cells.taken(there))
    return summed_by_group(np.concatenate(sellers), joined(parts)) if sellers else {}


def lacking_a_price(prepared: Prepared) -> NDArray[np.bool_]:
    """Which events of the batch lack a price on at least one edge."""
    return sheet_of(prepared.catalogue).lacking[prepared.plan]
