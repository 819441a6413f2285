"""What Twin must answer, computed the slow and obvious way.

Written from the contract alone: plain dictionaries, `Fraction` for money, one walk up the
tree per event and edge. It shares no code with Twin, so an error would have to be made twice.
Companies, sellers and cards are whatever ids the caller uses. All amounts are in nano-units.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from math import ceil

NANO = 10**9
LARGEST_AMOUNT = 2**63 - 1
SECTIONS: dict[str, tuple[str, ...]] = {
    "messaging": (
        *("sms.sent", "sms.delivered", "viber.sent", "viber.delivered", "whatsapp.sent", "whatsapp.delivered"),
        *("email.sent", "email.delivered", "push.sent", "push.delivered"),
    ),
    "chat": (
        *("chat.operator_message", "chat.bot_message", "chat.user_message"),
        *("chat.alice_operator_message", "chat.alice_bot_message", "chat.alice_user_message"),
    ),
    "telephony_legacy": ("call.outgoing",),
    "telephony_new": ("call.incoming",),
    "bot": ("bot.message",),
}
METERS: tuple[str, ...] = tuple(meter for meters in SECTIONS.values() for meter in meters)


@dataclass(frozen=True)
class Event:
    """One usage event as its sender means it, whatever its spelling on the wire."""

    company: int
    source: str
    key: str
    meter: str
    time: datetime
    quantity: int = 1
    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def identity(self) -> tuple[int, str, str]:
        return (self.company, self.source, self.key)

    @property
    def fingerprint(self) -> tuple[object, ...]:
        return (self.meter, self.quantity, self.time, tuple(sorted(self.attributes)))


@dataclass(frozen=True)
class Rate:
    """One line of a rate card; prices are the texts that were published."""

    meter: str
    unit_price: str
    effective_from: datetime
    selector: tuple[tuple[str, str], ...] = ()
    per: int = 1
    minimum: int = 0
    increment: int = 1
    setup_fee: str = "0"

    def fits(self, event: Event) -> bool:
        has = dict(event.attributes)
        return (
            self.meter == event.meter
            and self.effective_from <= event.time
            and all(has.get(name) == value for name, value in self.selector)
        )

    def billed(self, quantity: int) -> int:
        if quantity == 0:
            return 0
        beyond = max(quantity - self.minimum, 0)
        return self.minimum + ceil(Fraction(beyond, self.increment)) * self.increment

    def charge(self, quantity: int) -> int:
        """The charge in nano-units: exact, then rounded once, halves to even."""
        billed = self.billed(quantity)
        if billed == 0:
            return 0
        exact = Fraction(self.unit_price) * billed / self.per + Fraction(self.setup_fee)
        return round(exact * NANO)


@dataclass(frozen=True)
class Edge:
    """One contract an event was used under; `amount` is None while it has no price."""

    seller: int
    buyer: int
    amount: int | None


@dataclass
class Cell:
    """The figures of one company and meter."""

    count: int = 0
    quantity: int = 0
    buy: int = 0
    sell: int = 0
    unrated: int = 0

    def add(self, other: Cell) -> None:
        self.count += other.count
        self.quantity += other.quantity
        self.buy += other.buy
        self.sell += other.sell
        self.unrated += other.unrated


@dataclass
class SectionView:
    """A section of a report: for each shown company its cells, and the totals of the shown rows."""

    rows: dict[int, dict[str, Cell]]
    totals: dict[str, Cell]


@dataclass
class Taken:
    """What a batch must be answered with; conflicts and refusals by their place in the batch."""

    accepted: int = 0
    duplicates: int = 0
    unrated: int = 0
    conflicts: list[int] = field(default_factory=list)
    rejected: list[int] = field(default_factory=list)


class Oracle:
    """The tree, the prices and the usage as they were told, and the answers that follow."""

    def __init__(self, platform: int) -> None:
        self.platform = platform
        self.names: dict[int, str] = {platform: ""}
        self.kinds: dict[int, str] = {platform: "platform"}
        self.parents: dict[int, list[tuple[datetime, int]]] = {platform: []}
        self.closed: dict[int, datetime] = {}
        self.cards: dict[int, list[Rate]] = {}
        self.card_seller: dict[int, int] = {}
        self.default_card: dict[int, int] = {}
        self.assignments: dict[tuple[int, int], list[tuple[datetime, int]]] = {}
        self.events: dict[tuple[int, str, str], Event] = {}
        self._edges: dict[tuple[int, str, str], list[Edge]] = {}

    # The tree ---------------------------------------------------------------

    def add_company(self, company: int, name: str, kind: str, parent: int, start: datetime) -> None:
        self.names[company] = name
        self.kinds[company] = kind
        self.parents[company] = []
        self._join(company, parent, start)

    def move(self, company: int, parent: int, start: datetime) -> None:
        self._join(company, parent, start)
        self._edges.clear()

    def _join(self, company: int, parent: int, start: datetime) -> None:
        self.parents[company].append((start, parent))
        if parent in self.default_card and (parent, company) not in self.assignments:
            self.assign(parent, company, self.default_card[parent], start)

    def parent_at(self, company: int, moment: datetime) -> int | None:
        held = [parent for start, parent in self.parents[company] if start <= moment]
        return held[-1] if held else None

    def chain(self, company: int, moment: datetime) -> list[int]:
        """The sellers above the company at that instant, the direct one first."""
        sellers: list[int] = []
        above = self.parent_at(company, moment)
        while above is not None:
            sellers.append(above)
            above = self.parent_at(above, moment)
        return sellers

    def turning_points(self) -> list[datetime]:
        return sorted({start for timeline in self.parents.values() for start, _ in timeline})

    def makes_loop(self, company: int, parent: int, start: datetime) -> bool:
        moments = [start, *(point for point in self.turning_points() if point > start)]
        return company == parent or any(company in self.chain(parent, moment) for moment in moments)

    def blocks_move(self, company: int, start: datetime) -> bool | None:
        """Whether the company's timeline or usage forbids a move at that instant.

        Charged usage at or after it does. None: only usage without any price lies there, and
        it may be refused as well, or go along with the company.
        """
        if self.parents[company][-1][0] >= start:
            return True
        later = [
            event
            for event in self.events.values()
            if event.time >= start and company in (event.company, *self.chain(event.company, event.time))
        ]
        if any(edge.amount is not None for event in later for edge in self.edges(event)):
            return True
        return None if later else False

    # Prices -----------------------------------------------------------------

    def add_card(self, card: int, seller: int, *, default: bool = False) -> None:
        self.cards[card] = []
        self.card_seller[card] = seller
        if default:
            self.default_card[seller] = card

    def add_rates(self, card: int, rates: Iterable[Rate]) -> None:
        self.cards[card].extend(rates)
        self._edges.clear()

    def assign(self, seller: int, buyer: int, card: int, start: datetime) -> None:
        self.assignments.setdefault((seller, buyer), []).append((start, card))
        self._edges.clear()

    def card_at(self, seller: int, buyer: int, moment: datetime) -> int | None:
        best: tuple[datetime, int] | None = None
        for start, card in self.assignments.get((seller, buyer), []):
            if start <= moment and (best is None or start >= best[0]):
                best = (start, card)
        return best[1] if best else None

    def winner(self, seller: int, buyer: int, event: Event) -> Rate | None:
        card = self.card_at(seller, buyer, event.time)
        best: Rate | None = None
        for rate in self.cards.get(card or 0, []):
            if rate.fits(event) and (best is None or _rank(rate) >= _rank(best)):
                best = rate
        return best

    def amount(self, seller: int, buyer: int, event: Event) -> int | None:
        best = self.winner(seller, buyer, event)
        return best.charge(event.quantity) if best else None

    def edges(self, event: Event) -> list[Edge]:
        known = self._edges.get(event.identity)
        if known is None or self.events.get(event.identity) != event:
            known = list(self._compute_edges(event))
            self._edges[event.identity] = known
        return known

    def _compute_edges(self, event: Event) -> Iterator[Edge]:
        buyer = event.company
        for seller in self.chain(event.company, event.time):
            yield Edge(seller, buyer, self.amount(seller, buyer, event))
            buyer = seller

    def effect_on_charges(self, card: int, rates: Sequence[Rate]) -> str:
        """What publishing would do to usage already charged.

        "none": nothing, it must be taken. "amount": it must be refused. "winner": another rate
        would win at the same amount; the contract leaves open which of the two happens.
        """
        charged = [
            (event, edge, self.winner(edge.seller, edge.buyer, event))
            for event in self.events.values()
            for edge in self.edges(event)
            if edge.amount is not None and self.card_at(edge.seller, edge.buyer, event.time) == card
        ]
        kept = list(self.cards[card])
        self.cards[card] = [*kept, *rates]
        after = [(self.winner(edge.seller, edge.buyer, event), event, edge, was) for event, edge, was in charged]
        self.cards[card] = kept
        if any(now and now.charge(event.quantity) != edge.amount for now, event, edge, _ in after):
            return "amount"
        return "winner" if any(now is not was for now, _, _, was in after) else "none"

    def assignment_clashes(self, seller: int, buyer: int, start: datetime) -> bool:
        return any(
            event.time >= start and (edge.seller, edge.buyer) == (seller, buyer) and edge.amount is not None
            for event in self.events.values()
            for edge in self.edges(event)
        )

    # Usage ------------------------------------------------------------------

    def take(self, batch: Sequence[Event], *, latest: datetime) -> Taken:
        """Take a batch in; `latest` is the last instant that is not too far ahead."""
        answer = Taken()
        for index, event in enumerate(batch):
            if self._is_refused(event, latest):
                answer.rejected.append(index)
                continue
            known = self.events.get(event.identity)
            if known is None:
                self.events[event.identity] = event
                answer.accepted += 1
                answer.unrated += any(edge.amount is None for edge in self.edges(event))
            elif known.fingerprint == event.fingerprint:
                answer.duplicates += 1
            else:
                answer.conflicts.append(index)
        return answer

    def _is_refused(self, event: Event, latest: datetime) -> bool:
        closed = self.closed.get(event.company)
        return (
            event.company not in self.parents
            or event.meter not in METERS
            or event.time > latest
            or not self.chain(event.company, event.time)
            or (closed is not None and event.time >= closed)
            or any((edge.amount or 0) > LARGEST_AMOUNT for edge in self._compute_edges(event))
        )

    # Reports ----------------------------------------------------------------

    def dependents(self, seller: int, start: datetime, end: datetime) -> dict[int, tuple[str, ...]]:
        """Every company beneath the seller at some instant of `[start, end)`, with its latest path."""
        moments = [start, *(point for point in self.turning_points() if start < point < end)]
        found: dict[int, tuple[str, ...]] = {}
        for moment in moments:
            for company in self.parents:
                chain = self.chain(company, moment)
                if seller in chain:
                    between = chain[: chain.index(seller)]
                    found[company] = tuple(self.names[one] for one in reversed(between))
        return found

    def cells(self, seller: int, start: datetime, end: datetime) -> dict[int, dict[str, Cell]]:
        """The seller's whole report: each dependent company's figures for every meter."""
        rows = {company: {meter: Cell() for meter in METERS} for company in self.dependents(seller, start, end)}
        for event in self.events.values():
            if start <= event.time < end:
                cell = self._seen_by(seller, event)
                if cell is not None:
                    rows[event.company][event.meter].add(cell)
        return rows

    def _seen_by(self, seller: int, event: Event) -> Cell | None:
        sides = [edge for edge in self.edges(event) if seller in (edge.seller, edge.buyer)]
        sell = [edge.amount for edge in sides if edge.seller == seller]
        if not sell:
            return None
        buy = [edge.amount for edge in sides if edge.buyer == seller]
        return Cell(1, event.quantity, sum(buy_ or 0 for buy_ in buy), sell[0] or 0, int(None in sell or None in buy))

    def report(
        self, seller: int, start: datetime, end: datetime, *, has_expenses: bool = False
    ) -> dict[str, SectionView]:
        cells = self.cells(seller, start, end)
        return {
            section: _section({company: {m: row[m] for m in meters} for company, row in cells.items()}, has_expenses)
            for section, meters in SECTIONS.items()
        }


def _rank(rate: Rate) -> tuple[int, datetime]:
    return (len(rate.selector), rate.effective_from)


def _section(rows: dict[int, dict[str, Cell]], has_expenses: bool) -> SectionView:
    if has_expenses:
        rows = {company: row for company, row in rows.items() if _is_expense(row)}
    totals: dict[str, Cell] = {}
    for row in rows.values():
        for meter, cell in row.items():
            totals.setdefault(meter, Cell()).add(cell)
    return SectionView(rows, totals)


def _is_expense(row: Mapping[str, Cell]) -> bool:
    whole = row_total(row)
    return bool(whole.buy or whole.sell or whole.unrated)


def row_total(row: Mapping[str, Cell]) -> Cell:
    whole = Cell()
    for cell in row.values():
        whole.add(cell)
    return whole
