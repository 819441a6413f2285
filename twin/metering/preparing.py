"""A decoded batch → rated columns ready to be stored. Pure but for numbering what is interned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from twin.companies.types import Scope
from twin.kernel.period import instant_text
from twin.metering.catalogue import Catalogue, Plan
from twin.metering.interning import attribute_sets, chains, ratings, sources
from twin.metering.rules.amounts import TERM_FIELDS, amounts_of, terms_row
from twin.metering.rules.buckets import EPOCH, HOUR_MICROSECONDS, MICROSECOND, microseconds
from twin.metering.rules.cells import Cells, joined, summed_by_group
from twin.metering.rules.decoding import Decoded, UsageEvent
from twin.metering.rules.identity import keys_of
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
    numbers: list[int] = field(default_factory=list)
    company: list[int] = field(default_factory=list)
    time: list[int] = field(default_factory=list)
    meter: list[int] = field(default_factory=list)
    attributes: list[int] = field(default_factory=list)
    plan: list[int] = field(default_factory=list)


def prepare(catalogue: Catalogue, scope: Scope, decoded: Decoded, now: datetime) -> Prepared:
    """Check and rate a batch; what cannot be taken is in `rejected` with its reason."""
    rejected = list(decoded.rejected)
    columns = _resolve(catalogue, scope, decoded, now, rejected)
    rows, plan, too_large = _rate(catalogue, decoded.events, columns)
    numbers = np.array(columns.numbers, dtype=np.int64)
    for number in numbers[too_large]:
        event = decoded.events[number]
        rejected.append(Refusal(decoded.place(int(number)), event.id, "The amount is beyond what can be stored."))
    prepared = Prepared(catalogue, rows, plan, numbers, [], [], rejected, decoded)
    return _kept(prepared, np.flatnonzero(~too_large))


def _resolve(catalogue: Catalogue, scope: Scope, decoded: Decoded, now: datetime, rejected: list[Refusal]) -> _Columns:
    """Company, meter, attributes and plan of every usable event. The hot loop of ingestion."""
    events = decoded.events
    raws = [tuple(event.data.attributes.items()) for event in events]
    known = {
        raw: (stored.id, catalogue.projection(stored.attributes)) for raw, stored in attribute_sets.learn(raws).items()
    }
    subjects = _Subjects(catalogue, scope, now)
    latest_allowed = microseconds(now + AHEAD)
    routes, spans = catalogue.routes.latest, catalogue.spans.latest
    columns = _Columns()
    for number, event in enumerate(events):
        company = subjects[event.subject]
        meter = _METERS.get(event.data.meter)
        at = (event.time - EPOCH) // MICROSECOND
        if isinstance(company, str) or meter is None or not _EARLIEST <= at <= latest_allowed:
            reason = company if isinstance(company, str) else _unusable(event, at)
            rejected.append(Refusal(decoded.place(number), event.id, reason))
            continue
        route = routes.get(company)
        if route is None or not route.start <= at < route.end:
            route = catalogue.route(company, event.time)
        if route.reason:
            rejected.append(Refusal(decoded.place(number), event.id, route.reason))
            continue
        attributes, projection = known[raws[number]]
        span = spans.get((route.way, meter, projection))
        if span is None or not span.start <= at < span.end:
            span = catalogue.span(route.way, meter, projection, event.time)
        columns.numbers.append(number)
        columns.company.append(company)
        columns.time.append(at)
        columns.meter.append(meter)
        columns.attributes.append(attributes)
        columns.plan.append(span.plan)
    return columns


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
    chosen = [events[number] for number in columns.numbers]
    source_numbers = sources.numbers(event.source for event in chosen)
    keys, texts = keys_of([event.id for event in chosen])
    used, local = np.unique(np.array(columns.plan, dtype=np.int64), return_inverse=True)
    plans = [catalogue.plans[number] for number in used]
    chain_ids = chains.numbers(plan.sellers for plan in plans)
    rating_ids = ratings.numbers(plan.rates for plan in plans)
    quantity = np.array([event.data.quantity for event in chosen], dtype=np.int64)
    amounts, too_large = _amounts(plans, local, quantity)
    rows = EventRows(
        time=np.array(columns.time, dtype=np.int64),
        quantity=quantity,
        company=np.array(columns.company, dtype=np.int64),
        source=np.array([source_numbers[event.source] for event in chosen], dtype=np.int64),
        chain=np.array([chain_ids[plan.sellers] for plan in plans], dtype=np.int64)[local],
        rating=np.array([rating_ids[plan.rates] for plan in plans], dtype=np.int64)[local],
        attributes=np.array(columns.attributes, dtype=np.int64),
        meter=np.array(columns.meter, dtype=np.int64),
        key=np.frombuffer(keys, dtype="V16"),
        texts=texts,
        edges=np.array([len(plan.edges) for plan in plans], dtype=np.int64)[local],
        amounts=amounts,
    )
    return rows, np.array(columns.plan, dtype=np.int64), too_large


def _amounts(plans: Sequence[Plan], local: Ints, quantity: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    depth = max([LEAST_AMOUNTS, *(len(plan.edges) for plan in plans)])
    amounts = np.zeros((depth, len(quantity)), dtype=np.int64)
    too_large = np.zeros(len(quantity), dtype=bool)
    for pos in range(depth):
        terms = np.array(
            [terms_row(plan.edges[pos].terms if pos < len(plan.edges) else None) for plan in plans], dtype=np.int64
        ).reshape(-1, TERM_FIELDS)
        amounts[pos], beyond = amounts_of(terms[local], quantity)
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
    rows = prepared.rows
    hour = rows.time // HOUR_MICROSECONDS
    sellers: list[Ints] = []
    parts: list[Cells] = []
    used, local = np.unique(prepared.plan, return_inverse=True)
    plans = [prepared.catalogue.plans[number] for number in used]
    for pos in range(max((len(plan.edges) for plan in plans), default=0)):
        seller = np.array([_seller_at(plan, pos) for plan in plans], dtype=np.int64)[local]
        unrated = np.array([_is_unrated_at(plan, pos) for plan in plans], dtype=np.int64)[local]
        there = np.flatnonzero(seller)
        above = rows.amounts[pos + 1] if pos + 1 < len(rows.amounts) else np.zeros(len(rows), dtype=np.int64)
        one = np.ones(len(there), dtype=np.int64)
        sellers.append(seller[there])
        parts.append(
            Cells(
                hour[there], rows.company[there], rows.meter[there],
                one, rows.quantity[there], above[there], rows.amounts[pos][there], unrated[there],
            )
        )  # fmt: skip
    return summed_by_group(np.concatenate(sellers), joined(parts)) if sellers else {}


def _seller_at(plan: Plan, pos: int) -> int:
    return plan.edges[pos].seller_id if pos < len(plan.edges) else 0


def _is_unrated_at(plan: Plan, pos: int) -> int:
    """1 when the seller at this height lacks the price of what it sells or of what it buys."""
    return int(any(edge.rate is None for edge in plan.edges[pos : pos + 2]))
