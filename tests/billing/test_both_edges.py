"""What was wrong on both edges: mended once at the charges, credited on each edge by its own seller, exactly."""

from __future__ import annotations

import pytest

from tests.billing.factories import bill_with
from tests.billing.months import close, use
from tests.informing import inform
from tests.metering.test_rerating import corrected, differences, price, record_beneath_charges
from tests.world import Party, World, build_world
from twin.billing.actions.crediting import credit
from twin.billing.errors import InvoiceNotFound
from twin.billing.queries.invoices import InvoicesAsked, invoices
from twin.billing.types import CreditAsked
from twin.kernel.period import Period, parse_instant
from twin.metering import actions as metering

pytestmark = pytest.mark.database


@pytest.fixture
def world() -> World:
    """March is invoiced on both edges: Acme owes Rhea 2.00, Rhea owes Twin 1.00."""
    made = build_world()
    for party in (made.twin, made.rhea, made.acme):
        inform(party.id, invoice_name=party.company.name)
    for seller in (made.twin, made.rhea):
        bill_with(seller.scope, late_policy="credit_note")
    use(made.acme.id, "2026-03-10T12:00", quantity=60, key="right")
    use(made.acme.id, "2026-03-11T12:00", quantity=40, key="wrong")
    close_both(made, "2026-04-03T00:00")
    return made


def close_both(world: World, now: str) -> None:
    for seller in (world.twin, world.rhea):
        close(seller, now, tell=False)


def documents(seller: Party) -> list[tuple[str, int]]:
    found = invoices(seller.scope, InvoicesAsked(side="issued", sort="issued")).items
    return [(one.kind, one.gross_minor) for one in found if one.gross_minor]


def test_an_event_taken_back_is_credited_on_both_edges(world: World) -> None:
    assert (documents(world.rhea), documents(world.twin)) == ([("invoice", 200)], [("invoice", 100)])
    done = metering.withdraw_event(
        world.twin.scope, company_id=world.acme.id, source="smsc-1", event_id="wrong", reason="never sent"
    )
    assert done.edges == 2
    close_both(world, "2026-05-03T00:00")
    assert documents(world.rhea) == [("invoice", 200), ("credit_note", -80)]
    assert documents(world.twin) == [("invoice", 100), ("credit_note", -40)]
    assert differences() == []


def test_prices_wrong_on_both_edges_are_corrected_in_one_deed_and_credited_on_both(world: World) -> None:
    cheaper = {"since": "2026-03-01T00:00:00Z", "meter": "sms.sent"}
    record_beneath_charges(world.rhea, world.rhea_card.id, price("0.015", **cheaper))
    record_beneath_charges(world.twin, world.wholesale.id, price("0.005", **cheaper))
    march = Period(parse_instant("2026-03-01T00:00:00Z"), parse_instant("2026-04-01T00:00:00Z"))
    run = corrected(world.rhea.scope, period=march, above=world.twin.scope)
    assert run.figures is not None
    assert (run.figures.difference(0), run.figures.difference(1), run.figures.margin) == (-500_000_000, -500_000_000, 0)
    close_both(world, "2026-05-03T00:00")
    assert documents(world.rhea) == [("invoice", 200), ("credit_note", -50)]
    assert documents(world.twin) == [("invoice", 100), ("credit_note", -50)]


def test_a_concession_stays_on_the_edge_of_its_issuer(world: World) -> None:
    [invoice] = invoices(world.rhea.scope, InvoicesAsked(side="issued")).items
    with pytest.raises(InvoiceNotFound):
        credit(world.twin.scope, invoice.id, lines=[CreditAsked(1)], reason="for Rhea")
    credit(world.rhea.scope, invoice.id, lines=[CreditAsked(1, amount_minor=30)], reason="kindness", tell=False)
    assert documents(world.rhea) == [("invoice", 200), ("credit_note", -30)]
    assert documents(world.twin) == [("invoice", 100)]
