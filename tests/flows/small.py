"""Two resellers, one company and a helper for each thing said in one line of a story."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.flows.driver import Twins
from tests.flows.oracle import Event, Rate, Taken
from twin.kernel.period import Period
from twin.reports import queries as reports
from twin.reports.types import ReportQuery, Row

CENT = 10_000_000


class Small:
    """Platform, resellers Rhea and Birch, company Acme under Rhea."""

    def __init__(self, twins: Twins, start: datetime, end: datetime) -> None:
        self.twins, self.start, self.end = twins, start, end
        self.rhea = twins.create("Rhea", "reseller", twins.platform, start)
        self.birch = twins.create("Birch", "reseller", twins.platform, start)
        self.acme = twins.create("Acme", "company", self.rhea, start)
        self._cards: dict[tuple[int, int], int] = {}
        self._sent = 0

    def price(
        self, seller: int, buyer: int, meter: str, unit_price: str, start: datetime | None = None, **terms: Any
    ) -> None:
        """One more rate on the card between the two; the card is made and assigned with the first."""
        is_new = (seller, buyer) not in self._cards
        if is_new:
            self._cards[seller, buyer] = self.twins.card(seller, f"for {buyer}")
        assert self.twins.publish(self._cards[seller, buyer], [Rate(meter, unit_price, start or self.start, **terms)])
        if is_new and (seller, buyer) != (self.birch, self.acme):
            assert self.twins.assign(seller, buyer, self._cards[seller, buyer], self.start)

    def sell(self, meter: str, unit_price: str, start: datetime | None = None, **terms: Any) -> None:
        """What Acme pays to Rhea."""
        self.price(self.rhea, self.acme, meter, unit_price, start, **terms)

    def buy(self, meter: str, unit_price: str, start: datetime | None = None, **terms: Any) -> None:
        """What Rhea pays to the platform."""
        self.price(self.twins.platform, self.rhea, meter, unit_price, start, **terms)

    def sell_to_acme_by_birch(self, meter: str, unit_price: str, start: datetime) -> None:
        """A card of Birch for Acme; `assign_birch` puts it to use."""
        self.price(self.birch, self.acme, meter, unit_price, start)

    def assign_birch(self, start: datetime) -> None:
        assert self.twins.assign(self.birch, self.acme, self._cards[self.birch, self.acme], start)

    def add_sub_reseller(self) -> tuple[int, int]:
        """A sub-reseller under Rhea and a company under it."""
        sub = self.twins.create("Sub", "reseller", self.rhea, self.start)
        return sub, self.twins.create("Deep", "company", sub, self.start)

    def use(
        self,
        meter: str,
        time: datetime,
        *,
        quantity: int = 1,
        company: int | None = None,
        attributes: tuple[tuple[str, str], ...] = (),
    ) -> Taken:
        self._sent += 1
        event = Event(company or self.acme, "gateway", f"e{self._sent}", meter, time, quantity, attributes)
        return self.twins.take([event])

    def row(
        self,
        company: int,
        section: str,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        by: int | None = None,
    ) -> Row:
        period = Period(start or self.start, end or self.end)
        seller = by or self.rhea
        query = ReportQuery(reseller_id=seller, period=period)
        report = reports.reseller_companies(self.twins.scope(seller), query)
        return next(row for row in report.sections[section].rows if row.company_id == company)

    def sold(
        self,
        company: int,
        meter: str,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        by: int | None = None,
    ) -> int:
        """What the seller earned from this company with this meter, in nano-units."""
        section = {"sms": "messaging", "bot": "bot", "call": "telephony_legacy"}[meter.split(".", maxsplit=1)[0]]
        return self.row(company, section, start, end, by=by).meters[meter].sell

    def companies_in(self, seller: int, start: datetime, end: datetime) -> list[int]:
        query = ReportQuery(reseller_id=seller, period=Period(start, end))
        report = reports.reseller_companies(self.twins.scope(seller), query)
        return [row.company_id for row in report.sections["bot"].rows]
