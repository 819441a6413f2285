"""Twin and the oracle side by side: whatever is told to one is told to the other, and every answer compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

import pytest

from tests.flows.oracle import Cell, Event, Oracle, Rate, SectionView, Taken, row_total
from tests.flows.wire import batch_body
from twin.companies import access
from twin.companies import actions as companies
from twin.companies.types import Scope
from twin.kernel import clock
from twin.kernel.errors import Clash
from twin.kernel.money import to_nano
from twin.kernel.period import Period
from twin.metering import actions as metering
from twin.metering import queries as usage
from twin.pricing import actions as pricing
from twin.pricing.types import NewRate
from twin.reports import queries as reports
from twin.reports.types import ReportQuery, Row, Section

ALL_PERMISSIONS = ("usage:write", "reports:read", "companies:read", "companies:write", "prices:read", "prices:write")
LIMIT_AHEAD = timedelta(minutes=5)


class Twins:
    """A new installation and its oracle. Needs a clean database."""

    def __init__(self, currency: str = "EUR") -> None:
        platform = companies.create_platform(name="Twin", time_zone="UTC", currency=currency)
        self.platform = platform.id
        self.oracle = Oracle(platform.id)
        self._scopes: dict[int, Scope] = {}

    def scope(self, company: int) -> Scope:
        """The scope of a key of that company with every permission."""
        if company not in self._scopes:
            issuer = access.platform_scope()
            _, secret = companies.create_api_key(issuer, company_id=company, scopes=ALL_PERMISSIONS, name="test")
            scope = access.scope_for_key(secret)
            assert scope is not None
            self._scopes[company] = scope
        return self._scopes[company]

    # The tree ---------------------------------------------------------------

    def create(self, name: str, kind: str, parent: int, start: datetime) -> int:
        company = pricing.create_company(
            self.scope(self.platform), name=name, kind=kind, parent_id=parent, time_zone="UTC", effective_from=start
        )
        self.oracle.add_company(company.id, name, kind, parent, start)
        return company.id

    def move(self, company: int, parent: int, start: datetime) -> bool:
        """Ask for a move; whether it was made, as the oracle said it would be."""
        oracle = self.oracle
        refused = oracle.makes_loop(company, parent, start) or oracle.blocks_move(company, start)

        def act() -> None:
            metering.move_company(self.scope(self.platform), company_id=company, parent_id=parent, effective_from=start)

        if taken := _taken_unless(refused, act):
            oracle.move(company, parent, start)
        return taken

    # Prices -----------------------------------------------------------------

    def card(self, seller: int, name: str, *, default: bool = False) -> int:
        card = pricing.create_rate_card(self.scope(seller), name=name, default=default)
        self.oracle.add_card(card.id, seller, default=default)
        return card.id

    def publish(self, card: int, rates: Sequence[Rate]) -> bool:
        """Publish rates; whether they were taken, as the oracle said they must or may be."""
        effect = self.oracle.effect_on_charges(card, rates)
        refused = {"amount": True, "none": False}.get(effect)
        new = new_rates(rates)

        def act() -> None:
            metering.publish_rates(self.scope(self.oracle.card_seller[card]), card_id=card, rates=new)

        if taken := _taken_unless(refused, act):
            self.oracle.add_rates(card, rates)
        return taken

    def assign(self, seller: int, buyer: int, card: int, start: datetime) -> bool:
        refused = self.oracle.assignment_clashes(seller, buyer, start)

        def act() -> None:
            metering.assign_rate_card(self.scope(seller), buyer_id=buyer, card_id=card, effective_from=start)

        if taken := _taken_unless(refused, act):
            self.oracle.assign(seller, buyer, card, start)
        return taken

    # Usage ------------------------------------------------------------------

    def take(self, batch: Sequence[Event], *, by: int | None = None, spelling: Random | None = None) -> Taken:
        """Send one batch; its answer, which is the oracle's."""
        expected = self.oracle.take(batch, latest=clock.now() + LIMIT_AHEAD)
        answer = metering.take_events(self.scope(by or self.platform), batch_body(batch, spelling), batch=True)
        assert expected == Taken(
            accepted=answer.accepted,
            duplicates=answer.duplicates,
            unrated=answer.unrated,
            conflicts=[refusal.index for refusal in answer.conflicts],
            rejected=[refusal.index for refusal in answer.rejected],
        ), f"{answer.rejected[:3]} {answer.conflicts[:3]}"
        assert all(refusal.id == batch[refusal.index].key for refusal in (*answer.conflicts, *answer.rejected))
        return expected

    def fold(self) -> None:
        metering.fold(None)

    # Reports ----------------------------------------------------------------

    def check_report(self, seller: int, start: datetime, end: datetime, *, has_expenses: bool = False) -> None:
        """Compare every cell, row, path and total of a seller's report with the oracle's."""
        query = ReportQuery(
            reseller_id=seller, period=Period(start, end), has_expenses=has_expenses, time_zone=None, limit=10_000
        )
        report = reports.reseller_companies(self.scope(seller), query)
        expected = self.oracle.report(seller, start, end, has_expenses=has_expenses)
        paths = self.oracle.dependents(seller, start, end)
        assert list(report.sections) == list(expected)
        for code, section in report.sections.items():
            assert_section(section, expected[code], paths, f"{code} of {seller} in [{start}, {end})")
        shown = [row_total(row).unrated for view in expected.values() for row in view.rows.values()]
        assert report.unrated == sum(shown)

    def check_everything(self, periods: Sequence[tuple[datetime, datetime]]) -> None:
        for seller in [one for one, kind in self.oracle.kinds.items() if kind != "company"]:
            for number, (start, end) in enumerate(periods):
                self.check_report(seller, start, end, has_expenses=number % 2 == 1)
        assert usage.find_differences().differences == []


def assert_section(section: Section, view: SectionView, paths: dict[int, tuple[str, ...]], where: str) -> None:
    assert [row.company_id for row in section.rows] == sorted(view.rows), where
    for row in section.rows:
        assert tuple(row.path) == paths[row.company_id], where
        assert_row(row, view.rows[row.company_id], f"{where}, company {row.company_id}")
    totals = row_total(view.totals)
    found = section.totals
    assert (found.total_buy, found.total_sell, found.margin) == (totals.buy, totals.sell, totals.sell - totals.buy), (
        where
    )
    for meter, cell in view.totals.items():
        assert cell_of(found.meters[meter]) == (cell.count, cell.quantity, cell.buy, cell.sell), f"{where}, {meter}"


def assert_row(row: Row, expected: dict[str, Cell], where: str) -> None:
    assert {meter: cell_of(figures) for meter, figures in row.meters.items()} == {
        meter: (cell.count, cell.quantity, cell.buy, cell.sell) for meter, cell in expected.items()
    }, where
    whole = row_total(expected)
    found = (row.total_buy, row.total_sell, row.margin, row.unrated)
    assert found == (whole.buy, whole.sell, whole.sell - whole.buy, whole.unrated), where


def cell_of(figures: object) -> tuple[int, ...]:
    return tuple(int(getattr(figures, name)) for name in ("count", "quantity", "buy", "sell"))


def new_rates(rates: Sequence[Rate]) -> list[NewRate]:
    return [_new_rate(rate) for rate in rates]


def _new_rate(rate: Rate) -> NewRate:
    return NewRate(
        meter=rate.meter,
        selector=dict(rate.selector),
        unit_price_nano=to_nano(rate.unit_price),
        per=rate.per,
        minimum=rate.minimum,
        increment=rate.increment,
        setup_fee_nano=to_nano(rate.setup_fee),
        effective_from=rate.effective_from,
    )


def _taken_unless(refused: bool | None, act: Callable[[], None]) -> bool:
    """Do it; a clash is demanded, forbidden or (None) either way."""
    if refused:
        with pytest.raises(Clash):
            act()
        return False
    try:
        act()
    except Clash:
        if refused is False:
            raise
        return False
    return True


__all__ = ["ALL_PERMISSIONS", "Twins"]
