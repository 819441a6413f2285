"""A bank file: read, matched, looked through, recorded once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.billing.ledgers import balance_of, issue, owner, state_of
from tests.billing.test_payments import at_once
from tests.companies.factories import a_key
from tests.world import World, build_world
from twin.billing.actions.bank import Imported, import_bank_file
from twin.billing.actions.payments import record_payment, reverse
from twin.billing.errors import AccountNotFound, BillingInvalid
from twin.billing.queries.bank import bank_proposals
from twin.billing.rules.bank import MOST_LETTERS, MOST_LINES, OpenDocument, documents_in, plain, read_bank_file
from twin.companies.access import scope_for_key
from twin.companies.errors import PermissionMissing

HEAD = "date,amount,currency,payer,reference,id\n"


def read(text: str, currency: str = "EUR") -> list[tuple[int, int, str | None]]:
    return [(one.number, one.amount_minor, one.problem) for one in read_bank_file(text, currency=currency)]


def test_lines_are_read_or_say_which_column_cannot_be() -> None:
    text = HEAD + (
        "2026-03-05,12.50,EUR,Acme,INV-000001,a\n"
        "2026-03-05,-3,,Fees,,b\n"
        "05.03.2026,1,EUR,,,\n"
        "2026-02-30,1,EUR,,,\n"
        "2026-03-05,1.005,EUR,,,\n"
        "2026-03-05,1e5,EUR,,,\n"
        "2026-03-05,99999999999999.00,EUR,,,\n"
        "2026-03-05,1,USD,,,\n"
        "2026-03-05,1\n"
        "\n"
    )
    assert read(text) == [
        (1, 1_250, None),
        (2, -300, None),
        (3, 0, "date"),
        (4, 0, "date"),
        (5, 0, "amount"),
        (6, 0, "amount"),
        (7, 0, "amount"),
        (8, 0, "currency"),
        (9, 0, "columns"),
    ]


def test_semicolons_bring_a_decimal_comma_and_a_byte_order_mark_is_no_letter() -> None:
    assert read("\ufeffamount;date\n1 234,56;2026-03-05\n") == [(1, 123_456, None)]
    assert read("sep=;\r\namount;date\r\n1,5;2026-03-05\r\n") == [(1, 150, None)]
    # A thousand or one: nobody can tell.
    assert read("amount;date\n1.230;2026-03-05\n1,230;2026-03-05\n") == [(1, 0, "amount"), (2, 0, "amount")]
    assert read("date,amount\n2026-03-05,100\n", "JPY") == [(1, 100, None)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "amount\n1\n",
        "date,date,amount\n",
        "date,amount\n\0",
        'date,amount\n"2026-03-05,1\n',
        "date,amount\n" + "2026-03-05,1\n" * (MOST_LINES + 1),
        "x" * (MOST_LETTERS + 1),
    ],
)
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(BillingInvalid):
        read_bank_file(text, currency="EUR")


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_bank_file(HEAD + text, currency="EUR")
    except BillingInvalid:
        return


def test_equal_lines_are_several_payments_unless_the_bank_numbers_them() -> None:
    line = "2026-03-05,5,EUR,Acme,,{}\n"
    keys = [one.key for one in read_bank_file(HEAD + line.format("") * 3, currency="EUR")]
    assert len(set(keys)) == 3
    assert [one.key for one in read_bank_file(HEAD + line.format("") * 2, currency="EUR")] == keys[:2]
    assert len({one.key for one in read_bank_file(HEAD + line.format("x") * 3, currency="EUR")}) == 1


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("INV-000012", [12]),
        ("payment for inv 000012, thanks", [12]),
        ("INV000012/INV-000013", [12, 13]),
        ("Invoice:INV-000012.", [12]),
        ("RE.26-000014", [14]),
        ("XINV-000012", []),
        ("INV-0000123", []),
        ("INV-12", []),
        ("", []),
    ],
)
def test_numbers_are_found_however_banks_write_them(reference: str, found: list[int]) -> None:
    documents = [
        OpenDocument(number, 1, code, 100, is_top_up=False)
        for number, code in ((12, "INV-000012"), (13, "INV-000013"), (14, "RE.26-000014"))
    ]
    by_code = {plain(one.code): one for one in documents}
    assert [one.id for one in documents_in(reference, by_code)] == found


@pytest.fixture
def world(db_clean: object) -> World:
    return build_world()


def proposed(world: World, text: str) -> list[tuple[str, str, bool]]:
    return [(one.matched.match, one.buyer, one.is_certain) for one in bank_proposals(world.rhea.scope, HEAD + text)]


@pytest.mark.database
def test_a_number_a_name_an_amount_say_who_paid(world: World) -> None:
    of_acme = issue(world.rhea, world.acme.id, 500)
    of_birch = issue(world.rhea, world.birch.id, 700)
    issue(world.strand, world.dune.id, 900)
    text = (
        f"2026-03-05,5.00,EUR,Somebody,{of_acme.code},1\n"
        "2026-03-05,1.00,EUR, birch ,,2\n"
        "2026-03-05,7.00,EUR,Unknown,,3\n"
        f"2026-03-05,5.00,EUR,Acme,{of_acme.code} {of_birch.code},4\n"
        "2026-03-05,9.00,EUR,Dune,,5\n"
        "2026-03-05,-9.00,EUR,Acme,,6\n"
        "2099-03-05,9.00,EUR,Acme,,7\n"
    )
    assert proposed(world, text) == [
        ("document", "Acme", True),
        ("company", "Birch", True),
        ("amount", "Birch", False),
        ("", "", False),
        ("", "", False),
        ("", "", False),
        ("", "", False),
    ]


@pytest.mark.database
def test_the_same_file_twice_records_its_lines_once(world: World) -> None:
    invoice = issue(world.rhea, world.acme.id, 500)
    text = HEAD + f"2026-03-05,5.00,EUR,Acme,{invoice.code},\n2026-03-05,3.00,EUR,Acme,,\n2026-03-05,3.00,EUR,Acme,,\n"
    assert import_bank_file(world.rhea.scope, text) == Imported(3, 0, 0)
    assert import_bank_file(world.rhea.scope, text) == Imported(0, 3, 0)
    longer = text + "2026-03-05,3.00,EUR,Acme,,\n"
    assert import_bank_file(world.rhea.scope, longer) == Imported(1, 3, 0)
    assert balance_of(world.rhea, world.acme) == 900
    assert state_of(invoice) == (500, 0, 500)


@pytest.mark.database
def test_two_people_import_one_file_at_the_same_time(world: World) -> None:
    lines = "".join(f"2026-03-05,{n}.00,EUR,{('Acme', 'Birch', 'Sola')[n % 3]},,{n}\n" for n in range(1, 10))
    told = at_once(*[lambda: import_bank_file(world.rhea.scope, HEAD + lines) for _ in range(4)])
    assert sorted(one.recorded for one in told if isinstance(one, Imported)) == [0, 0, 0, 9]
    assert owner("select count(*) from billing_transaction") == [(9,)]


@pytest.mark.database
def test_somebody_says_from_whom_a_line_is_or_leaves_it_out(world: World) -> None:
    text = HEAD + "2026-03-05,5.00,EUR,Acme,,1\n2026-03-05,6.00,EUR,Nobody,,2\n"
    done = import_bank_file(world.rhea.scope, text, buyers={1: None, 2: world.birch.id})
    assert done == Imported(1, 0, 1)
    assert (balance_of(world.rhea, world.acme), balance_of(world.rhea, world.birch)) == (0, 600)


@pytest.mark.database
def test_a_company_of_somebody_else_takes_nothing_and_nothing_is_recorded(world: World) -> None:
    text = HEAD + "2026-03-05,5.00,EUR,Acme,,1\n2026-03-05,6.00,EUR,Nobody,,2\n"
    for stranger in (world.dune, world.cedar, world.rhea):
        with pytest.raises(AccountNotFound):
            import_bank_file(world.rhea.scope, text, buyers={2: stranger.id})
    assert owner("select count(*) from billing_transaction") == [(0,)]


@pytest.mark.database
def test_what_was_recorded_by_hand_is_not_taken_unasked(world: World) -> None:
    at = datetime(2026, 3, 4, tzinfo=UTC)
    number = record_payment(world.rhea.scope, buyer_id=world.acme.id, amount_minor=500, at=at)
    text = "2026-03-05,5.00,EUR,Acme,,1\n"
    assert proposed(world, text) == [("company", "Acme", False)]
    assert import_bank_file(world.rhea.scope, HEAD + text) == Imported(0, 0, 1)
    reverse(world.rhea.scope, number, reason="the bank's file has it")
    assert import_bank_file(world.rhea.scope, HEAD + text) == Imported(1, 0, 0)


@pytest.mark.database
def test_a_reversed_line_does_not_come_back_by_itself(world: World) -> None:
    text = HEAD + "2026-03-05,5.00,EUR,Acme,,1\n"
    import_bank_file(world.rhea.scope, text)
    [(number,)] = owner("select id from billing_transaction")
    reverse(world.rhea.scope, number, reason="bounced")
    assert import_bank_file(world.rhea.scope, text) == Imported(0, 1, 0)


@pytest.mark.database
def test_a_request_for_a_top_up_is_found_by_its_number(world: World) -> None:
    request = issue(world.rhea, world.acme.id, 5_000, kind="top_up")
    import_bank_file(world.rhea.scope, HEAD + f"2026-03-05,50.00,EUR,Bank,{request.code},1\n")
    assert owner("select invoice_id from billing_transaction") == [(request.id,)]
    assert balance_of(world.rhea, world.acme) == 5_000
    assert proposed(world, f"2026-03-06,50.00,EUR,Bank,{request.code},2\n") == [("", "", False)]


@pytest.mark.database
def test_who_only_reads_imports_nothing(world: World) -> None:
    reader = scope_for_key(a_key(world.rhea.id, "billing:read"))
    assert reader is not None
    with pytest.raises(PermissionMissing):
        import_bank_file(reader, HEAD)
