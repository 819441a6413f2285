"""The pure parts: amounts, keys, packing, buckets, decoding."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twin.kernel.money import MAX_NANO
from twin.kernel.period import Period
from twin.metering.errors import BatchTooLong, NotABatch, UnreadableBody
from twin.metering.rules.amounts import amounts_of, terms_row
from twin.metering.rules.buckets import EPOCH, HOUR, Plan, nearest_plan, plan_period
from twin.metering.rules.cells import Cells, Grid, joined, summed, total_of
from twin.metering.rules.decoding import decode_batch, decode_single
from twin.metering.rules.identity import id_of, key_of, keys_of, text_of
from twin.metering.rules.packing import pack, pack_all, unpack
from twin.pricing.types import Terms

VALUES = st.one_of(st.integers(-3, 3), st.integers(-(2**62), 2**62), st.integers(-(2**80), 2**80))
CELL = st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(1, 3), *(VALUES,) * 5)


def cells_from(rows: Sequence[tuple[int, ...]]) -> Cells:
    def column(place: int) -> np.ndarray:
        values = [row[place] for row in rows]
        fits = all(abs(value) < 2**63 for value in values)
        return np.array(values, dtype=np.int64 if fits else object)

    return Cells(*(column(place) for place in range(8)))


def mapping_of(cells: Cells) -> dict[tuple[int, ...], tuple[int, ...]]:
    return {row[:3]: row[3:] for row in zip(*(column.tolist() for column in cells.columns()), strict=True)}


def exact_amount(terms: Terms, quantity: int) -> int:
    above = max(0, quantity - terms.minimum)
    billed = 0 if quantity == 0 else terms.minimum + -(-above // terms.increment) * terms.increment
    if billed == 0:
        return 0
    # Python's round() is half-even on exact fractions.
    return round(Fraction(terms.unit_price_nano * billed, terms.per) + terms.setup_fee_nano)


@given(
    st.lists(
        st.tuples(
            st.builds(
                Terms,
                unit_price_nano=st.one_of(st.integers(0, 10**6), st.integers(0, MAX_NANO)),
                per=st.integers(1, 10**6),
                minimum=st.integers(0, 120),
                increment=st.integers(1, 120),
                setup_fee_nano=st.one_of(st.integers(0, 9), st.integers(0, MAX_NANO)),
            ),
            st.one_of(st.integers(0, 300), st.integers(0, 10**12)),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_amounts_of_a_batch_equal_exact_fractions(items: list[tuple[Terms, int]]) -> None:
    rows = np.array([terms_row(terms) for terms, _ in items], dtype=np.int64)
    quantities = np.array([quantity for _, quantity in items], dtype=np.int64)

    amounts, beyond = amounts_of(rows, quantities)

    for place, (terms, quantity) in enumerate(items):
        expected = exact_amount(terms, quantity)
        assert bool(beyond[place]) == (expected > MAX_NANO)
        if not beyond[place]:
            assert int(amounts[place]) == expected


@given(st.lists(CELL, max_size=30))
def test_sums_of_cells_are_exact_whatever_their_size(rows: list[tuple[int, ...]]) -> None:
    expected: dict[tuple[int, ...], list[int]] = {}
    for row in rows:
        sums = expected.setdefault(row[:3], [0] * 5)
        for place, value in enumerate(row[3:]):
            sums[place] += value

    found = mapping_of(summed(joined([cells_from([row]) for row in rows])))

    assert found == {key: tuple(sums) for key, sums in expected.items() if any(sums)}


@pytest.mark.parametrize("far", [1, 2**31 - 2])
def test_cells_are_added_up_in_order_however_far_their_keys_lie_apart(far: int) -> None:
    rows = [(bucket * far, company * far, meter, 1, 2, 3, 4, 0) for bucket in (1, -1, 1) for company in (1, 0, 1)
            for meter in (9, 2)]  # fmt: skip

    found = mapping_of(summed(cells_from(rows)))

    assert list(found) == sorted({row[:3] for row in rows})
    assert found[far, far, 2] == (4, 8, 12, 16, 0)
    assert found[-far, 0, 9] == (1, 2, 3, 4, 0)


@given(
    st.lists(st.lists(CELL, max_size=8), max_size=6),
    st.sampled_from([1, 2**14, 2**31 - 5]),
    st.sampled_from([0, 5, 99]),
)
def test_a_grid_adds_up_to_what_sorting_does(rows: list[list[tuple[int, ...]]], far: int, worth_it: int) -> None:
    """Companies and meters within the grid and beyond it, sums within 63 bits and beyond, many cells and few."""
    moved = [[(0, company * far, meter * 12, *sums) for _, company, meter, *sums in part] for part in rows]
    parts = [summed(cells_from(part)) for part in moved if part]
    grid = Grid(worth_it)
    for part in parts:
        grid.add(part)

    found, expected = grid.total(), total_of(parts)

    assert [column.tolist() for column in found.columns()] == [column.tolist() for column in expected.columns()]


@given(st.lists(CELL, max_size=30))
def test_packing_gives_back_what_was_packed(rows: list[tuple[int, ...]]) -> None:
    cells = cells_from(rows) if rows else Cells.empty()

    again = unpack(pack(cells))

    assert [column.tolist() for column in again.columns()] == [column.tolist() for column in cells.columns()]


@given(st.lists(st.lists(CELL, max_size=8), max_size=6))
def test_packing_many_at_once_gives_the_same_bytes(parts: list[list[tuple[int, ...]]]) -> None:
    made = [cells_from(rows) if rows else Cells.empty() for rows in parts]
    assert pack_all(made) == [pack(each) for each in made]


@given(st.integers(0, 10**10), st.integers(1, 400 * 10**9))
def test_every_instant_of_a_period_stands_in_exactly_one_part(start: int, length: int) -> None:
    begin = EPOCH + timedelta(microseconds=start)
    period = Period(begin, begin + timedelta(microseconds=length))

    plan = plan_period(period)

    spans = [*plan.spans]
    spans.extend(Period(EPOCH + part.start * HOUR, EPOCH + part.stop * HOUR) for part in plan.hours)
    if plan.days:
        spans.append(Period(EPOCH + plan.days.start * 24 * HOUR, EPOCH + plan.days.stop * 24 * HOUR))
    spans.sort()
    assert spans[0].start == period.start
    assert spans[-1].end == period.end
    assert all(one.end == other.start for one, other in pairwise(spans))


def parts_of(plan: Plan) -> list[tuple[Period, int]]:
    """What is added (1) and taken away (-1)."""
    found = [(span, 1) for span in plan.spans] + [(span, -1) for span in plan.less_spans]
    for ranges, unit, sign in (
        (plan.hours, HOUR, 1), (plan.less_hours, HOUR, -1), ((plan.days,) if plan.days else (), 24 * HOUR, 1)
    ):  # fmt: skip
        found += [(Period(EPOCH + part.start * unit, EPOCH + part.stop * unit), sign) for part in ranges]
    return found


def length_of(spans: Sequence[Period]) -> timedelta:
    return sum((span.end - span.start for span in spans), timedelta())


@given(st.integers(0, 10**10), st.integers(1, 400 * 10**9))
@example(0, 24 * 3_600_000_000)
@example(10 * 60_000_000, 40 * 60_000_000)
def test_read_from_the_nearer_side_every_instant_counts_once_and_none_outside(start: int, length: int) -> None:
    period = Period(EPOCH + timedelta(microseconds=start), EPOCH + timedelta(microseconds=start + length))

    plan = nearest_plan(period)

    parts = parts_of(plan)
    bounds = sorted({period.start, period.end, *(bound for part, _ in parts for bound in (part.start, part.end))})
    for begin, end in pairwise(bounds):
        counted = sum(sign for part, sign in parts if part.start <= begin and end <= part.end)
        assert counted == (1 if period.start <= begin < period.end else 0)
    rows = [*plan.spans, *plan.less_spans]
    before = plan_period(period)
    assert length_of(rows) <= min(HOUR, length_of(before.spans))
    books = sum(map(len, (*plan.hours, plan.days, *plan.less_hours)))
    assert books <= 24 + len(plan.days)
    assert books <= sum(map(len, (*before.hours, before.days))) + 2
    # What is not in the books yet is taken by the hours that are read whole, however they are.
    whole = [((part.end - part.start) // HOUR) * sign for part, sign in parts if part not in rows]
    assert sum(whole) == len(plan.covered)


def test_the_last_hour_of_all_is_read_from_its_begin() -> None:
    """There is no instant behind it at which it could end."""
    end = datetime.max.replace(tzinfo=UTC)
    plan = nearest_plan(Period(end - 30 * HOUR, end))
    assert plan.spans[-1].end == end
    assert plan.less_spans == ()


@given(st.lists(CELL, max_size=12))
def test_what_is_taken_away_again_leaves_nothing(rows: list[tuple[int, ...]]) -> None:
    cells = summed(cells_from(rows)) if rows else Cells.empty()
    assert len(summed(joined([cells, cells.negative()]))) == 0


@given(st.lists(st.one_of(st.uuids().map(str), st.text(min_size=1, max_size=40)), min_size=1, max_size=20))
def test_keys_of_a_batch_are_those_of_its_events_and_tell_the_id_again(ids: list[str]) -> None:
    ids = [event_id for event_id in ids if event_id.encode(errors="ignore").decode() == event_id] or ["x"]

    keys, texts = keys_of(ids)

    for place, event_id in enumerate(ids):
        key = keys[place * 16 : place * 16 + 16]
        assert key == key_of(event_id)
        assert id_of(key, texts[place] if texts else None) == event_id


def test_only_the_canonical_spelling_of_a_uuid_is_its_own_key() -> None:
    spelled = "0f8fad5b-d9cb-469f-a165-70867728950e"

    assert key_of(spelled) == uuid.UUID(spelled).bytes
    assert text_of(spelled) is None
    for other in (spelled.upper(), spelled.replace("-", ""), "{" + spelled + "}", spelled[:-1] + "\u0660"):
        assert key_of(other) != uuid.UUID(spelled).bytes
        assert text_of(other) == other


def an_event(**changes: object) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "type": "twin.usage",
        "source": "smsc-1",
        "id": "a",
        "subject": "7",
        "time": "2026-03-01T00:00:00Z",
        "data": {"meter": "sms.sent"},
    } | changes


def test_digits_beyond_the_microsecond_are_cut_off_on_both_ways() -> None:
    for text in ("2026-03-01T23:59:59.9999999Z", "2026-03-02T01:59:59.999999999+02:00"):
        decoded = decode_batch(json.dumps([an_event(time=text)]).encode())
        assert decoded.events[0].time.astimezone(UTC) == datetime(2026, 3, 1, 23, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"time": "2026-03-01T00:00:60Z"}, "second 60"),
        ({"time": "2026-03-01T00:00:00"}, "no offset"),
        ({"time": "2026-03-01T00:00:00+0200"}, "no colon"),
        ({"time": "2026-03-01T00:00:00-0200"}, "no colon"),
        ({"time": "2026-03-01T00:00:00.25-0200"}, "no colon"),
        ({"time": "2026-03-01T00:00:00.1234567-0200"}, "no colon"),
        ({"time": 5}, "time"),
        ({"id": ""}, "id"),
        ({"id": "x" * 257}, "id"),
        ({"source": "x" * 129}, "source"),
        ({"id": "a\x00b"}, "NUL"),
        ({"id": "a\ud800b"}, "surrogate"),
        ({"data": {"meter": "sms.sent", "quantity": -1}}, "quantity"),
        ({"data": {"meter": "sms.sent", "quantity": 1.5}}, "whole number"),
        ({"data": {"meter": "sms.sent", "quantity": "1"}}, "quantity"),
        ({"data": {"meter": "sms.sent", "quantity": True}}, "quantity"),
        ({"data": {"meter": "sms.sent", "quantity": 10**12 + 1}}, "quantity"),
        ({"data": {"meter": "sms.sent", "attributes": {"a": 1}}}, "attributes"),
        ({"data": {"meter": "sms.sent", "attributes": {str(n): "x" for n in range(17)}}}, "attributes"),
        ({"data": {"meter": "sms.sent", "attributes": {"a": "x" * 129}}}, "attributes"),
        ({"specversion": "0.3"}, "specversion"),
        ({"type": "other"}, "type"),
    ],
)
def test_a_bad_item_is_named_with_its_reason_and_the_good_one_is_kept(changes: dict[str, object], reason: str) -> None:
    decoded = decode_batch(json.dumps([an_event(**changes), an_event(id="good")]).encode())

    assert [event.id for event in decoded.events] == ["good"]
    assert decoded.place(0) == 1
    assert [refusal.index for refusal in decoded.rejected] == [0]
    assert reason in decoded.rejected[0].detail


def test_a_whole_number_may_be_written_with_a_point() -> None:
    decoded = decode_batch(json.dumps([an_event(data={"meter": "sms.sent", "quantity": 2.0})]).encode())

    assert decoded.events[0].data.quantity == 2


def test_other_fields_of_the_envelope_are_ignored() -> None:
    decoded = decode_single(json.dumps(an_event(traceparent="x", dataschema=5)).encode())

    assert decoded.rejected == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[NaN]", b"[" * 100_000, b'[{"a":1e999}, Infinity]'])
def test_what_is_not_json_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        decode_batch(body)


def test_a_batch_is_a_list_of_at_most_ten_thousand() -> None:
    with pytest.raises(NotABatch):
        decode_batch(b"{}")
    with pytest.raises(BatchTooLong):
        decode_batch(b"[" + b",".join([b"0"] * 10_001) + b"]")
    with pytest.raises(BatchTooLong):
        decode_batch(json.dumps([an_event(id=str(n)) for n in range(10_001)]).encode())
