"""Documents as PDF: what they say, in which language, on how many pages, and always the same bytes."""

from __future__ import annotations

import hashlib
import struct
import zlib
from decimal import Decimal
from typing import Any

import pypdfium2
import pytest
from django.db import connections

from tests.billing.factories import bill_with, closed, line
from tests.informing import inform
from tests.world import World, build_world
from twin.billing.actions.crediting import credit
from twin.billing.actions.issuing import issue_for_statement
from twin.billing.actions.top_ups import request_top_up
from twin.billing.errors import InvoiceNotFound
from twin.billing.queries.invoices import logo_on
from twin.billing.queries.papers import document_pdf
from twin.billing.types import CreditAsked, Invoice, StatementLine
from twin.kernel.tenancy import tenant_transaction
from twin.pricing.types import Terms

pytestmark = pytest.mark.database

LONG_NAME = "Международное объединение производителей и поставщиков телекоммуникационного оборудования «Северо-Запад»"
CALLS = Terms(unit_price_nano=50_000_000, per=60, minimum=60, increment=1, setup_fee_nano=10_000_000)


@pytest.fixture
def world() -> World:
    built = build_world()
    for party in (built.twin, built.rhea, built.acme):
        inform(party.id, invoice_name=party.company.name)
    return built


def issued(world: World, *lines: StatementLine) -> Invoice:
    made = issue_for_statement(world.rhea.scope, closed(world.rhea.scope, world.acme.id, lines or [line("10")]))
    assert made is not None
    return made


def pages(content: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(content)
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()


def png(color: bytes = b"\x0a\x68\x6b") -> bytes:
    """A small picture of one colour."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 8, 4, 8, 2, 0, 0, 0)
    rows = (b"\0" + color * 8) * 4
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def with_logo(world: World, body: bytes, media_type: str = "image/png") -> bytes:
    digest = hashlib.sha256(body).digest()
    with tenant_transaction(world.rhea.id), connections["default"].cursor() as cursor:
        cursor.execute("insert into billing_logo values (%s, %s, %s, %s)", [world.rhea.id, digest, media_type, body])
    bill_with(world.rhea.scope, logo_digest=digest)
    return digest


def greens_of(content: bytes) -> int:
    """How many points of the first page have the colour of the logo."""
    document = pypdfium2.PdfDocument(content)
    try:
        drawn = document[0].render(scale=1).to_numpy()
        return int(((abs(drawn[:, :, 1].astype(int) - 0x68) < 9) & (abs(drawn[:, :, 0].astype(int) - 0x6B) < 9)).sum())
    finally:
        document.close()


def test_it_says_who_owes_whom_what_for_what_and_where_to_pay(world: World) -> None:
    bill_with(world.rhea.scope, tax_kind="rate", tax_percent=Decimal(19), footer="Thanks for your trust.")
    made = issued(
        world,
        line("1234.565", count=16571, terms=Terms(74_500_000), selector={"country": "DE"}),
        line("61.05", meter="call.outgoing", count=930, terms=CALLS),
    )
    name, content = document_pdf(world.acme.scope, made.id)
    text = " ".join(" ".join(pages(content)).split())
    assert name == "INV-000001.pdf"
    for told in (
        *("Invoice", "INV-000001", "January 2026", "Rhea", "Acme", "DE136695976", "Uferstraße 14", "01067 Dresden"),
        *("Text messaging service", "Delivered SMS", "country DE", "16,571 parts", "0.0745", "1,234.57"),
        *("Telephony service (legacy)", "0.05 / 60 s + 0.01", "used 930 s, billed by 60/1", "61.05"),
        *("Net 1,295.62 EUR", "VAT 19 % 246.17 EUR", "To be paid 1,541.79 EUR"),
        *("DE89 3704 0044 0532 0130 00", "Reference INV-000001", "Thanks for your trust.", "Page 1 / 1"),
    ):
        assert told in text.replace("\u00a0", " "), told


def test_the_seller_chooses_its_language_and_long_names_stay_whole(world: World) -> None:
    bill_with(world.rhea.scope, language="ru", tax_kind="reverse_charge")
    inform(world.acme.id, invoice_name=LONG_NAME)
    text = " ".join(pages(document_pdf(world.acme.scope, issued(world, line("-7.5"), line("10.25")).id)[1]))
    told = " ".join(text.split())
    assert LONG_NAME in told
    for words in ("Счёт", "Продавец", "Покупатель", "−7,50", "10,25", "К оплате 2,75 EUR", "Обратное начисление"):
        assert words in told, words


def test_it_is_the_same_bytes_every_time_for_both_parties(world: World) -> None:
    made = issued(world)
    first = document_pdf(world.acme.scope, made.id)[1]
    inform(world.acme.id, legal_street="Elsewhere 1")
    with tenant_transaction(world.rhea.id), connections["default"].cursor() as cursor:
        cursor.execute(
            "insert into billing_settings (seller_id, footer, language) values (%s, 'New', 'ru')", [world.rhea.id]
        )
    assert document_pdf(world.rhea.scope, made.id)[1] == first == document_pdf(world.acme.scope, made.id)[1]


def test_two_hundred_lines_run_over_several_numbered_pages_with_their_heads(world: World) -> None:
    meters = ("sms.sent", "viber.sent", "chat.bot_message", "call.incoming", "bot.message")
    lines = [line(f"{n}.005", meter=meters[n % 5], count=n, selector={"network": str(n)}) for n in range(1, 201)]
    made = issued(world, *lines)
    found = pages(document_pdf(world.rhea.scope, made.id)[1])
    assert 5 <= len(found) <= 12
    assert all(f"Page {at} / {len(found)}" in page for at, page in enumerate(found, start=1))
    assert all("Unit price" in page for page in found[:-1])
    assert "To be paid" in found[-1]
    assert made.gross_minor == sum(100 * n + 1 for n in range(1, 201))


def test_a_credit_note_names_its_invoice_and_a_request_says_that_it_is_no_invoice(world: World) -> None:
    made = issued(world)
    note = credit(world.rhea.scope, made.id, lines=[CreditAsked(1, amount_minor=333)], reason="A third too much")
    told = " ".join(" ".join(pages(document_pdf(world.acme.scope, note.id)[1])).split())
    for words in ("Credit note", "CN-000001", "INV-000001 of", "A third too much", "−3.33", "line 1 of the invoice"):
        assert words in told, words
    assert "IBAN" not in told
    request = request_top_up(world.acme.scope, amount_minor=50_000)
    told = " ".join(" ".join(pages(document_pdf(world.acme.scope, request.id)[1])).split())
    for words in ("Request for a top-up", "TOP-000001", "500.00 EUR", "This is no tax invoice"):
        assert words in told, words


def test_the_logo_stands_on_it_and_the_buyer_may_read_it_from_its_invoice_alone(world: World) -> None:
    digest = with_logo(world, png())
    before = logo_on(world.acme.scope, world.rhea.id, digest)
    made = issued(world)
    assert before is None
    assert logo_on(world.acme.scope, world.rhea.id, digest) == ("image/png", png())
    assert logo_on(world.birch.scope, world.rhea.id, digest) is None
    bare = document_pdf(world.twin.scope, _bought(world).id)[1]
    assert greens_of(document_pdf(world.acme.scope, made.id)[1]) > greens_of(bare) + 1000


def _bought(world: World) -> Invoice:
    made = issue_for_statement(world.twin.scope, closed(world.twin.scope, world.rhea.id, [line("10")]))
    assert made is not None
    return made


def test_a_logo_that_cannot_be_drawn_keeps_nobody_from_the_document(world: World) -> None:
    with_logo(world, b"\x89PNG broken")
    made = issued(world)
    assert "INV-000001" in pages(document_pdf(world.acme.scope, made.id)[1])[0]


def test_texts_are_never_markup(world: World) -> None:
    hostile = "#set page(fill: red) $x$ *bold* <script>"
    bill_with(world.rhea.scope, footer=hostile)
    text = " ".join(pages(document_pdf(world.acme.scope, issued(world).id)[1]))
    assert hostile in " ".join(text.split())


@pytest.mark.parametrize("name", ["twin", "birch", "strand", "dune"])
def test_nobody_else_gets_it(world: World, name: str) -> None:
    made = issued(world)
    with pytest.raises(InvoiceNotFound):
        document_pdf(getattr(world, name).scope, made.id)


def test_it_is_tagged_for_screen_readers(world: World) -> None:
    content: Any = document_pdf(world.acme.scope, issued(world).id)[1]
    assert b"/StructTreeRoot" in content or b"pdfuaid" in content
