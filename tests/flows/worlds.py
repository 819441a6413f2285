"""Random installations: a tree, prices, moves and usage that love the instants where rules change."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from tests.flows.driver import Twins
from tests.flows.oracle import METERS, Event, Rate
from twin.kernel import clock

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MICRO = timedelta(microseconds=1)
PRICES = ("0", "0.01", "0.0745", "0.00745", "0.05", "1.333333333", "0.000000001", "12.5")
FEES = ("0", "0", "0", "0.1", "0.000000001")
INCREMENTS = ((0, 1), (0, 1), (60, 1), (60, 60), (30, 6), (60, 7), (30, 12), (0, 100))
ATTRIBUTES = {"country": ("DE", "de", "FR"), "network": ("a", "b"), "category": ("", "otp"), "route": ("1", "2")}


class World:
    """One random world that grows step by step; the same numbers make the same world."""

    def __init__(self, twins: Twins, seed: int, companies: int, span_days: int = 40) -> None:
        self.twins = twins
        self.random = Random(seed)
        self.end = clock.now() - HOUR
        self.start = (self.end - span_days * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
        self.instants = [self.start]
        self.meters = self.random.sample(METERS, 5)
        self.resellers = [twins.platform]
        self.companies: list[int] = []
        self.cards: dict[int, list[int]] = {}
        self.sent: list[Event] = []
        self.depth = self.random.choice([3, 3, 3, 6])
        self.prices_come_late = self.random.random() < 0.3
        self._found(companies)

    def _found(self, companies: int) -> None:
        for _ in range(companies):
            self.create_company()
        for _ in range(self.random.randrange(3)):
            self.move_company()
        for seller in self.resellers:
            for number in range(self.random.choice([1, 1, 2])):
                self.create_card(seller, default=number == 0 and self.random.random() < 0.3)
        if not self.prices_come_late:
            self.price_everything()

    # Instants ---------------------------------------------------------------

    def any_instant(self) -> datetime:
        """Often exactly where something changes, a microsecond beside it, or on an hour or a day."""
        draw = self.random.random()
        if draw < 0.4:
            near = self.random.choice(self.instants)
            return near + self.random.choice([-MICRO, 0 * MICRO, 0 * MICRO, MICRO])
        moment = self.start + self.random.randrange((self.end - self.start) // MICRO) * MICRO
        if draw < 0.55:
            moment = moment.replace(minute=0, second=0, microsecond=0)
        if draw < 0.48:
            moment = moment.replace(hour=0)
        return moment - MICRO if self.random.random() < 0.1 else moment

    def new_instant(self) -> datetime:
        moment = max(self.any_instant(), self.start)
        self.instants.append(moment)
        return moment

    def any_period(self) -> tuple[datetime, datetime]:
        first, second = sorted((self.any_instant(), self.any_instant()))
        return first, second if first < second else first + self.random.choice([MICRO, HOUR, DAY])

    # The tree ---------------------------------------------------------------

    def create_company(self) -> None:
        oracle = self.twins.oracle
        parent = self.random.choice(self.resellers)
        depth = len(oracle.chain(parent, self.end))
        kind = "reseller" if depth < self.depth and self.random.random() < 0.45 else "company"
        start = self.start if self.random.random() < 0.7 else self.new_instant()
        earliest = oracle.parents[parent][0][0] if oracle.parents[parent] else start
        name = f"{kind} {len(self.companies)}"
        company = self.twins.create(name, kind, parent, max(start, earliest))
        self.companies.append(company)
        if kind == "reseller":
            self.resellers.append(company)
            self.cards[company] = []

    def move_company(self) -> None:
        oracle = self.twins.oracle
        company = self.random.choice(self.companies)
        start = self.new_instant()
        # Wherever it lands, the chain of what it takes along stays within so many sellers most of the time.
        present = oracle.parents[company][-1][1]
        parents = [one for one in self.resellers if one not in (company, present)]
        parents = [one for one in parents if len(oracle.chain(one, self.end)) < self.depth]
        parents = [one for one in parents if not oracle.parents[one] or oracle.parents[one][0][0] <= start]
        if parents:
            self.twins.move(company, self.random.choice(parents), start)

    # Prices -----------------------------------------------------------------

    def create_card(self, seller: int, *, default: bool = False) -> None:
        held = self.cards.setdefault(seller, [])
        held.append(self.twins.card(seller, f"card {len(held)}", default=default))

    def price_everything(self) -> None:
        for seller, cards in self.cards.items():
            for card in cards:
                self.twins.publish(card, [self.any_rate(early=True) for _ in range(self.random.randrange(3, 12))])
            for buyer, timeline in list(self.twins.oracle.parents.items()):
                for start, parent in list(timeline):
                    if parent == seller and cards and self.random.random() < 0.85:
                        self.twins.assign(seller, buyer, self.random.choice(cards), start)

    def any_rate(self, *, early: bool = False) -> Rate:
        at_start = early and self.random.random() < 0.6
        minimum, increment = self.random.choice(INCREMENTS)
        return Rate(
            meter=self.random.choice(self.meters),
            unit_price=self.random.choice(PRICES),
            effective_from=self.start if at_start else self.new_instant(),
            selector=self.some_attributes(self.random.choice([0, 0, 1, 1, 2, 4])),
            per=self.random.choice([1, 1, 60, 7, 1000]),
            minimum=minimum,
            increment=increment,
            setup_fee=self.random.choice(FEES),
        )

    def some_attributes(self, number: int) -> tuple[tuple[str, str], ...]:
        names = self.random.sample(sorted(ATTRIBUTES), number)
        return tuple(sorted((name, self.random.choice(ATTRIBUTES[name])) for name in names))

    def publish_something(self) -> None:
        sellers = [seller for seller, cards in self.cards.items() if cards]
        card = self.random.choice(self.cards[self.random.choice(sellers)])
        rates = [self.any_rate() for _ in range(self.random.randrange(1, 4))]
        if self.random.random() < 0.4:  # a wrong rate mended by another of the same instant
            wrong = self.random.choice(self.twins.oracle.cards[card] or rates)
            rates.append(Rate(wrong.meter, self.random.choice(PRICES), wrong.effective_from, selector=wrong.selector))
        self.twins.publish(card, rates)

    def assign_something(self) -> None:
        buyer = self.random.choice(self.companies)
        start = self.new_instant()
        seller = self.twins.oracle.parent_at(buyer, start)
        if seller is not None and self.cards.get(seller):
            self.twins.assign(seller, buyer, self.random.choice(self.cards[seller]), start)

    # Usage ------------------------------------------------------------------

    def new_event(self) -> Event:
        meter = self.random.choice(self.meters)
        return Event(
            company=self.random.choice(self.companies),
            source=self.random.choice(["smsc-1", "pbx"]),
            key=f"e{len(self.sent)}-{self.random.randrange(10**6)}",
            meter=meter,
            time=self.any_instant(),
            quantity=self.random.choice([0, 1, 1, 1, 2, 59, 60, 61, 3601, 10**6]),
            attributes=self.some_attributes(self.random.choice([0, 1, 1, 2, 4])),
        )

    def any_event(self, batch: list[Event]) -> Event:
        draw = self.random.random()
        known = self.sent + batch
        if known and draw < 0.10:
            return self.random.choice(known)
        if known and draw < 0.14:
            return self.contradiction(self.random.choice(known))
        event = self.new_event()
        if draw > 0.99:
            return Event(event.company, event.source, event.key, "sms.read", event.time)
        if draw > 0.98:
            return Event(2_000_000_000, event.source, event.key, event.meter, event.time)
        return event

    def contradiction(self, event: Event) -> Event:
        """The same key with something else that is billed."""
        other = self.new_event()
        field = self.random.choice(["meter", "quantity", "time", "attributes"])
        taken = {"meter": event.meter, "quantity": event.quantity, "time": event.time, "attributes": event.attributes}
        taken[field] = getattr(other, field)
        return Event(event.company, event.source, event.key, **taken)  # type: ignore[arg-type]  # one field of each type

    def send_batch(self, size: int) -> None:
        batch: list[Event] = []
        for _ in range(size):
            batch.append(self.any_event(batch))
        self.twins.take(batch, spelling=self.random)
        self.sent += batch

    # Steps ------------------------------------------------------------------

    def step(self, batch_size: int) -> None:
        """One random thing happens; every answer on the way is compared with the oracle's."""
        draw = self.random.random()
        if draw < 0.45:
            self.send_batch(self.random.randrange(1, batch_size + 1))
        elif draw < 0.60:
            self.publish_something()
        elif draw < 0.68:
            self.assign_something()
        elif draw < 0.76:
            self.move_company()
        elif draw < 0.80:
            self.create_company()
        elif draw < 0.90:
            self.twins.fold()
        else:
            self.twins.check_report(self.random.choice(self.resellers), *self.any_period())

    def settle(self) -> None:
        """Give late prices their turn, then compare every seller's report over several periods."""
        if self.prices_come_late:
            self.price_everything()
        whole = (self.start - DAY, self.end + DAY)
        self.twins.check_everything([whole, whole, self.any_period(), self.any_period()])
