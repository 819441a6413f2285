"""Small immutable things stored once and referred to by number: sources, attribute sets, chains, ratings.

Rows are written in transactions of their own, before the batch that needs them: a batch
that fails leaves at most an unused row. Numbers never change, so each process remembers them.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import connections

from twin.metering.rules.identity import canonical_attributes

K = TypeVar("K", bound=Hashable)
_MOST_REMEMBERED = 100_000
# Letters of remembered attribute sets: a number in every attribute must not fill the memory.
_MOST_LETTERS = 4_000_000

RawAttributes = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class AttributeSet:
    """A stored attribute set and its number."""

    id: int
    attributes: dict[str, str]


class Interned(Generic[K]):
    """A table of (number, unique value) with the numbers seen so far in memory."""

    def __init__(self, find: str, add: str) -> None:
        self._find = find
        self._add = add
        self._known: dict[K, int] = {}
        self._lock = threading.Lock()

    def numbers(self, values: Iterable[K]) -> dict[K, int]:
        """The number of each value, storing those that are new."""
        known = self._known
        wanted = set(values)
        numbers = {value: known[value] for value in wanted if value in known}
        if len(numbers) == len(wanted):
            return numbers
        missing = sorted(wanted - numbers.keys(), key=repr)
        found = self._look_up(missing)
        new = [value for value in missing if value not in found]
        if new:
            self._store(new)
            found |= self._look_up(new)
        self._remember(found)
        return numbers | found

    def _remember(self, found: dict[K, int]) -> None:
        with self._lock:
            if len(self._known) > _MOST_REMEMBERED:
                self._known = {}
            self._known.update(found)

    def forget(self) -> None:
        """Start with an empty memory; the tests empty the tables beneath."""
        self._known = {}

    def _look_up(self, values: list[K]) -> dict[K, int]:
        with connections["writer"].cursor() as cursor:
            cursor.execute(self._find, [self._adapted(values)])
            return {self._value(row[0]): row[1] for row in cursor.fetchall()}

    def _store(self, values: list[K]) -> None:
        with connections["writer"].cursor() as cursor:
            cursor.execute(self._add, [self._adapted(values)])

    @staticmethod
    def _adapted(values: list[K]) -> list[Any]:
        return [list(value) if isinstance(value, tuple) else value for value in values]

    @staticmethod
    def _value(stored: Any) -> Any:
        return tuple(stored) if isinstance(stored, list) else stored


class InternedArrays(Interned[tuple[int, ...]]):
    """Arrays of different lengths do not fit into one array parameter: text form carries them."""

    def numbers(self, values: Iterable[tuple[int, ...]]) -> dict[tuple[int, ...], int]:
        return {**super().numbers(value for value in values if value), (): 0}

    @staticmethod
    def _adapted(values: list[tuple[int, ...]]) -> list[Any]:
        return ["{" + ",".join(map(str, value)) + "}" for value in values]


sources: Interned[str] = Interned(
    "select name, source_id from metering_source where name = any(%s::text[])",
    "insert into metering_source (name) select unnest(%s::text[]) on conflict do nothing",
)
chains = InternedArrays(
    "select sellers, chain_id from metering_chain where sellers in (select v::int[] from unnest(%s::text[]) v)",
    """
    with added as (
        insert into metering_chain (sellers) select v::int[] from unnest(%s::text[]) v
        on conflict do nothing returning chain_id, sellers
    )
    insert into metering_chain_link (chain_id, pos, seller_id, buyer_id)
    select chain_id, place - 1, seller, sellers[place - 1]
    from added, unnest(sellers) with ordinality as link(seller, place)
    """,
)
ratings = InternedArrays(
    "select rates, rating_id from metering_rating where rates in (select v::int[] from unnest(%s::text[]) v)",
    "insert into metering_rating (rates) select v::int[] from unnest(%s::text[]) v on conflict do nothing",
)


class AttributeSets:
    """Attribute sets by any order of their items."""

    def __init__(self) -> None:
        self.known: dict[RawAttributes, AttributeSet] = {(): AttributeSet(0, {})}
        self._letters = 0

    def learn(self, raws: Iterable[RawAttributes]) -> dict[RawAttributes, AttributeSet]:
        """The sets of a batch by their items as sent; new ones are stored first."""
        wanted = set(raws)
        known = self.known
        sets = {raw: known[raw] for raw in wanted if raw in known}
        if len(sets) < len(wanted):
            sets |= self._stored(list(wanted - sets.keys()))
        return sets

    def forget(self) -> None:
        self.known = {(): AttributeSet(0, {})}
        self._letters = 0

    def _stored(self, raws: list[RawAttributes]) -> dict[RawAttributes, AttributeSet]:
        bodies = {raw: canonical_attributes(dict(raw)) for raw in raws}
        digests = {body: digest_of(body) for body in bodies.values()}
        numbers = _attribute_numbers(digests)
        sets = {raw: AttributeSet(numbers[digests[body]], dict(raw)) for raw, body in bodies.items()}
        if len(self.known) > _MOST_REMEMBERED or self._letters > _MOST_LETTERS:
            self.forget()
        self._letters += sum(map(len, bodies.values()))
        self.known.update(sets)
        return sets


def digest_of(body: str) -> bytes:
    """The identity of a canonical attribute set: BLAKE2b of 128 bits."""
    return hashlib.blake2b(body.encode(), digest_size=16).digest()


def _attribute_numbers(digests: Mapping[str, bytes]) -> dict[bytes, int]:
    find = "select digest, attributes_id from metering_attributes where digest = any(%s)"
    with connections["writer"].cursor() as cursor:
        cursor.execute(find, [list(digests.values())])
        found = {bytes(row[0]): row[1] for row in cursor.fetchall()}
        new = sorted((digest, body) for body, digest in digests.items() if digest not in found)
        if new:
            cursor.execute(
                "insert into metering_attributes (digest, body)"
                " select * from unnest(%s::bytea[], %s::text[]) on conflict do nothing",
                [[digest for digest, _ in new], [body for _, body in new]],
            )
            cursor.execute(find, [[digest for digest, _ in new]])
            found |= {bytes(row[0]): row[1] for row in cursor.fetchall()}
    return found


attribute_sets = AttributeSets()


def forget_all() -> None:
    """Empty every memory; for tests that empty the tables."""
    for table in (sources, chains, ratings):
        table.forget()
    attribute_sets.forget()
