"""The steps of a correction: counted as a preview, or done, part by part; over the writer connection.

Each step is one transaction that holds corrections, totals and how far the run has come. A step changes
only what is charged otherwise than the prices say, so a run that is done again changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from django.db import connections, transaction
from psycopg import Cursor

from twin.companies.catalogue import current_version
from twin.kernel import clock
from twin.metering.actions.pending import hold_corrections, price_everything_pending
from twin.metering.catalogue import Catalogue
from twin.metering.charged import Asked, Part, Place, Stretch, read_part, stretches_of
from twin.metering.current import held_catalogue, reload_catalogue
from twin.metering.errors import ReratingUnknown
from twin.metering.recharging import Changes, changes_of, record_changes
from twin.metering.rules.edge_prices import EdgePrices, with_assignment, with_rates
from twin.metering.rules.figures import ChangedCharges, Tally
from twin.metering.rules.kept_reratings import COLUMNS, read_json, rerating_of
from twin.metering.store import writer_connection
from twin.metering.types import PLANNED_RATE, Rerating
from twin.pricing.meters import METER_BY_CODE
from twin.pricing.types import Assignment, PriceBook, Rate, Terms

EVENTS_A_STEP: Final = 50_000
_PLANNED_ASSIGNMENT: Final = 2**40

Row = tuple[Any, ...]


def carry_out(rerating_id: int, *, at_most: int | None = None) -> bool:
    """Do the steps of a decided correction until `at_most` events were looked at; whether none is left.

    Safe to interrupt anywhere, to repeat and to run beside itself, usage, folding and pricing. Afterwards
    usage that lost its price and has another one is charged.
    """
    memo = _Prices()
    done = 0
    while at_most is None or done < at_most:
        looked_at = _step(rerating_id, memo)
        if not looked_at:
            return True
        done += looked_at
    return False


def count_preview(rerating_id: int, *, at_most: int | None = None) -> bool:
    """Count what the correction would change and keep it; False where more than `at_most` events are to be read.

    Reads beside everything else and changes no charge.
    """
    with writer_connection().cursor() as cursor:
        asked = _run(cursor, rerating_id)[0]
        if asked.state != "asked":
            return True
        memo = _Prices(planned=True)
        tally, counted_at = Tally(), clock.now()
        for part in _parts_one_by_one(cursor, _asked(asked)):
            if at_most is not None and tally.looked_at >= at_most:
                return False
            # After the part: what stands in it may be charged by prices recorded since the last one.
            catalogue = reload_catalogue(unless=current_version(connections["writer"]))
            _count(tally, part, changes_of(cursor, part, memo.at(catalogue, asked)))
        cursor.execute(
            "update metering_rerating set state = 'ready', preview = %s, counted_at = %s"
            " where rerating_id = %s and state = 'asked'",
            [json.dumps(tally.as_json()), counted_at, rerating_id],
        )
    return True


def continue_reratings() -> int:
    """Count every preview and do every correction that waits; what the schedule does. Returns how many."""
    with connections["writer"].cursor() as cursor:
        cursor.execute(
            "select rerating_id, state from metering_rerating where state in ('asked', 'running') order by 1"
        )
        waiting = cursor.fetchall()
    for rerating_id, state in waiting:
        if state == "asked":
            count_preview(rerating_id)
        else:
            carry_out(rerating_id)
    return len(waiting)


class _Prices:
    """The prices of a run's sellers, worked out anew when tree or prices change; `planned`: as once it is decided."""

    def __init__(self, *, planned: bool = False) -> None:
        self._planned = planned
        self._version: int | None = None
        self._known: dict[int, EdgePrices] = {}

    def at(self, catalogue: Catalogue, asked: Rerating) -> dict[int, EdgePrices]:
        if catalogue.version != self._version:
            book = _planned(catalogue.book, asked) if self._planned else catalogue.book
            self._known = _edge_prices(book, asked)
            self._version = catalogue.version
        return self._known


def _edge_prices(book: PriceBook, asked: Rerating) -> dict[int, EdgePrices]:
    sellers = [asked.seller_id] if asked.above_id is None else [asked.seller_id, asked.above_id]
    return {seller: EdgePrices(book, seller) for seller in sellers}


def _step(rerating_id: int, memo: _Prices) -> int:
    """One part under the locks that keep prices and corrections as they are: its events, 0 when nothing is left."""
    with transaction.atomic(using="writer"), writer_connection().cursor() as cursor:
        catalogue = held_catalogue()
        hold_corrections(cursor)
        asked, place = _run(cursor, rerating_id, lock="for update")
        if asked.state != "running":
            return 0
        part = next(_parts(cursor, _asked(asked), place), None)
        if part is not None:
            _correct(cursor, part, asked, memo.at(catalogue, asked))
            return len(part)
        cursor.execute(
            "update metering_rerating set state = 'done', finished_at = %s,"
            " figures = coalesce(figures, %s) where rerating_id = %s",
            [clock.now(), json.dumps(Tally().as_json()), rerating_id],
        )
    price_everything_pending([asked.seller_id, *([asked.above_id] if asked.above_id else [])])
    return 0


def _correct(cursor: Cursor[Row], part: Part, asked: Rerating, prices: dict[int, EdgePrices]) -> None:
    changes = changes_of(cursor, part, prices)
    record_changes(cursor, changes, rerating_id=asked.id, now=clock.now())
    cursor.execute("select figures from metering_rerating where rerating_id = %s", [asked.id])
    row = cursor.fetchone()
    tally = Tally.of_json(read_json(row[0]) if row else None)
    _count(tally, part, changes)
    place = _behind(part)
    cursor.execute(
        "update metering_rerating set place = %s, figures = %s where rerating_id = %s",
        [json.dumps(asdict(place)), json.dumps(tally.as_json()), asked.id],
    )


def _run(cursor: Cursor[Row], rerating_id: int, lock: str = "") -> tuple[Rerating, Place | None]:
    cursor.execute(
        f"select {COLUMNS}, place from metering_rerating where rerating_id = %s {lock}",  # noqa: S608 - constants only
        [rerating_id],
    )
    row = cursor.fetchone()
    if row is None:
        raise ReratingUnknown(f"There is no correction {rerating_id}.")
    place = read_json(row[-1])
    return rerating_of(row[:-1]), Place(**place) if place else None


def _asked(run: Rerating) -> Asked:
    meters = None if run.meters is None else tuple(METER_BY_CODE[code].id for code in run.meters)
    return Asked(run.seller_id, run.period, run.above_id, run.buyer_id, run.company_id, meters)


def _parts(cursor: Cursor[Row], asked: Asked, place: Place | None) -> Iterator[Part]:
    """What is left to read, from that place on."""
    _read_by_index(cursor)
    for stretch in stretches_of(cursor, asked):
        if place is not None and stretch.chain_id < place.chain_id:
            continue
        after = place if place is not None and place.chain_id == stretch.chain_id else None
        yield from _parts_of(cursor, asked, stretch, after)


def _parts_one_by_one(cursor: Cursor[Row], asked: Asked) -> Iterator[Part]:
    """All of it; each part is read in a transaction of its own, which is how long `_read_by_index` holds."""
    place = None
    while True:
        with transaction.atomic(using="writer"):
            part = next(_parts(cursor, asked, place), None)
        if part is None:
            return
        yield part
        place = _behind(part)


def _behind(part: Part) -> Place:
    return part.following or Place(part.stretch.chain_id + 1)


def _parts_of(cursor: Cursor[Row], asked: Asked, stretch: Stretch, after: Place | None) -> Iterator[Part]:
    while True:
        part = read_part(cursor, asked, stretch, after, at_most=EVENTS_A_STEP)
        if len(part):
            yield part
        if part.following is None:
            return
        after = part.following


def _read_by_index(cursor: Cursor[Row]) -> None:
    """A part is some thousand rows of an index; sorting the whole chain for each would take hours."""
    for name in ("enable_seqscan", "enable_bitmapscan", "enable_sort", "enable_hashjoin", "enable_mergejoin"):
        cursor.execute(f"select set_config('{name}', 'off', true)")


def _count(tally: Tally, part: Part, changes: Sequence[Changes]) -> None:
    tally.looked_at += len(part)
    for edge, one in enumerate(changes):
        if len(one):
            tally.add(edge, _changed(one))


def _changed(one: Changes) -> ChangedCharges:
    return ChangedCharges(
        one.part.company, one.part.meter, one.part.quantity, one.side.rate, one.rate, one.side.amount, one.amount
    )


def _planned(book: PriceBook, asked: Rerating) -> PriceBook:
    """The book as it will be once the correction is decided."""
    if asked.prices is not None:
        card_id = asked.prices.card_id
        planned = [
            Rate(
                PLANNED_RATE + number,
                card_id,
                METER_BY_CODE[new.meter].id,
                tuple(sorted(new.selector.items())),
                Terms(new.unit_price_nano, new.per, new.minimum, new.increment, new.setup_fee_nano),
                new.effective_from,
            )
            for number, new in enumerate(asked.prices.rates)
        ]
        book = with_rates(book, planned)
    if asked.assignment is not None:
        given = asked.assignment
        assigned = Assignment(_PLANNED_ASSIGNMENT, asked.seller_id, given.buyer_id, given.card_id, given.effective_from)
        book = with_assignment(book, assigned)
    return book
