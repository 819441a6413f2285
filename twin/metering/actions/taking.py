"""Taking usage in: one transaction per batch holds events, charges, totals, to-dos and conflicts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import psycopg
from django.db import connections
from psycopg import Cursor

from twin.companies.types import Scope
from twin.kernel import clock
from twin.metering.current import CatalogueMoved, current_catalogue, reload_catalogue
from twin.metering.errors import StoreUnavailable
from twin.metering.grouping import Gate, Outcome
from twin.metering.preparing import (
    Billing,
    Prepared,
    Repeat,
    journals_of,
    lacking_a_price,
    prepare,
    refusal_of,
    without_known,
    without_repeats,
)
from twin.metering.rules.cells import Cells
from twin.metering.rules.decoding import Decoded, decode_batch, decode_single
from twin.metering.rules.identity import fingerprint
from twin.metering.spending import spent_of
from twin.metering.store import (
    copy_events,
    copy_journal,
    copying,
    end_with_journal,
    find_keys,
    next_batch,
)
from twin.metering.types import TakenBatch
from twin.metering.writing import WriterLost, batch_transaction, one_writer

_CAREFUL_BATCHES = 64
# Up to so many events a batch costs its ways to the database; above, the rows cost more.
_SMALL = 64
_MOST_TRIES = 12

_UNRATED_COLUMNS = (
    "event_time", "quantity", "key", "seller_id", "buyer_id", "company_id", "source_id", "chain_id", "attributes_id",
    "meter_id", "pos",
)  # fmt: skip

Row = tuple[Any, ...]


class _Mood:
    """Batches of new keys are stored without asking; after a repeat the next ones are asked for first."""

    careful = 0


def take_events(scope: Scope, body: bytes, *, batch: bool) -> TakenBatch:
    """Take the events of a request body; good items are taken, bad ones are named.

    When it returns, the accepted events are on disk, charged and in the totals. Safe to
    repeat: what was taken counts as duplicate. Raises UnreadableBody, NotABatch or BatchTooLong
    with nothing taken, Forbidden without the right to send usage.
    """
    scope.require("usage:write")
    return take_decoded(scope, decode_batch(body) if batch else decode_single(body))


def take_decoded(scope: Scope, decoded: Decoded) -> TakenBatch:
    """Take decoded events; see `take_events`. What several threads bring together shares one transaction."""
    scope.require("usage:write")
    return _gate.pass_through(scope, decoded)


def _take(scope: Scope, decoded: Decoded) -> Outcome:
    """Rate and store one batch, again when the tree or prices moved or a key turned out to be stored."""
    now = clock.now()
    catalogue = current_catalogue()
    is_careful = _Mood.careful > 0
    for _ in range(_MOST_TRIES):
        try:
            return _store(scope, prepare(catalogue, scope, decoded, now), now, is_careful=is_careful)
        except CatalogueMoved:
            catalogue = reload_catalogue()
        except WriterLost:
            connections["writer"].close()
        except (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected):
            is_careful = True
            _Mood.careful = _CAREFUL_BATCHES
        except psycopg.OperationalError as error:
            connections["writer"].close()
            raise StoreUnavailable("The database is not answering; send the same batch again.") from error
    raise StoreUnavailable("Tree, prices or stored keys change too fast to take this batch; send it again.")


def _take_in_turn(scope: Scope, decoded: Decoded) -> Outcome:
    with one_writer():
        return _take(scope, decoded)


_gate = Gate(_take_in_turn)


def _store(scope: Scope, prepared: Prepared, now: datetime, *, is_careful: bool) -> Outcome:
    """Write the batch; a careful one asks first which keys exist."""
    if not prepared.decoded.events and scope.key_id is None:
        return _outcome(prepared)
    journals: dict[int, Cells] = {}
    if not is_careful:
        prepared = without_repeats(prepared)
        journals = journals_of(prepared)
    # Also with nothing to store: a refusal by an outdated catalogue would be a wrong answer.
    with batch_transaction(scope, now, 0 if is_careful else len(prepared.rows)) as opened:
        cursor, batch = opened.cursor, opened.batch
        if opened.version != prepared.catalogue.version:
            raise CatalogueMoved
        if is_careful:
            _Mood.careful = max(0, _Mood.careful - 1)
            prepared = without_repeats(_without_stored(cursor, prepared))
            journals = journals_of(prepared)
        _record_conflicts(cursor, prepared.conflicts, now)
        if len(prepared.rows):
            batch = batch or next_batch(cursor, now, len(prepared.rows))
            _write(cursor, prepared, journals, batch)
    return _outcome(prepared)


def _without_stored(cursor: Cursor[Row], prepared: Prepared) -> Prepared:
    """The batch without keys that are stored already."""
    rows = prepared.rows
    stored = find_keys(cursor, rows) if len(rows) else {}
    if not stored:
        return prepared
    known: dict[int, Billing] = {}
    keys = rows.key.tobytes()
    for place in range(len(rows)):
        key = (int(rows.company[place]), int(rows.source[place]), keys[place * 16 : place * 16 + 16])
        if key in stored:
            known[place] = stored[key]
    return without_known(prepared, known)


def _write(cursor: Cursor[Row], prepared: Prepared, journals: dict[int, Cells], batch: int) -> None:
    copy_events(cursor, prepared.rows, batch)
    _copy_unrated(cursor, prepared)
    if len(prepared.rows) <= _SMALL:
        end_with_journal(cursor, journals, spent_of(prepared), batch)
    else:
        copy_journal(cursor, journals, spent_of(prepared), batch)


def _outcome(prepared: Prepared) -> Outcome:
    places = prepared.decoded.places_of(prepared.places.tolist())
    unrated = np.flatnonzero(lacking_a_price(prepared)).tolist()
    return Outcome(
        accepted=places,
        duplicates=prepared.duplicates,
        unrated=[places[at] for at in unrated],
        conflicts=[refusal_of(repeat) for repeat in prepared.conflicts],
        rejected=prepared.rejected,
    )


def _copy_unrated(cursor: Cursor[Row], prepared: Prepared) -> None:
    """One to-do row for every edge that lacks a price."""
    plans, rows = prepared.catalogue.plans, prepared.rows
    places = np.flatnonzero(lacking_a_price(prepared))
    if not len(places):
        return
    with copying(cursor, "metering_unrated", _UNRATED_COLUMNS) as copy:
        for place in places:
            event = prepared.decoded.events[int(prepared.places[place])]
            company = int(rows.company[place])
            edges = plans[int(prepared.plan[place])].edges
            buyers = (company, *(edge.seller_id for edge in edges))
            for pos, edge in enumerate(edges):
                if edge.rate is None:
                    copy.write_row((
                        event.time, event.data.quantity, rows.key[place].tobytes().hex(), edge.seller_id, buyers[pos],
                        company, int(rows.source[place]), int(rows.chain[place]), int(rows.attributes[place]),
                        int(rows.meter[place]), pos,
                    ))  # fmt: skip


def _record_conflicts(cursor: Cursor[Row], conflicts: list[Repeat], now: datetime) -> None:
    """Each conflicting payload once, however often it is sent."""
    if not conflicts:
        return
    rows: list[Row] = [
        (
            repeat.company, repeat.source, repeat.key.hex(), _fingerprint(repeat), repeat.event.id, repeat.event.time,
            repeat.event.data.quantity, repeat.attributes, repeat.event.data.meter, now,
        )
        for repeat in conflicts
    ]  # fmt: skip
    ordered = sorted(rows, key=lambda row: row[:4])
    cursor.executemany(
        """
        insert into metering_conflict (company_id, source_id, key, fingerprint, event_id, event_time, quantity,
            attributes_id, meter_id, recorded_at)
        select %s, %s, %s::uuid, %s, %s, %s, %s, %s, (select id from pricing_meter where code = %s), %s
        on conflict do nothing
        """,
        ordered,
    )


def _fingerprint(repeat: Repeat) -> bytes:
    data = repeat.event.data
    return fingerprint(data.meter, data.quantity, repeat.event.time, data.attributes)
