"""`/bank-files`: payments from a plain bank file, looked through line by line, each recorded once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import Field, WithJsonSchema

from twin.api.auth import reads_json, scope_of
from twin.api.fields import NO_NUL, Id, Input
from twin.api.schemas import Output
from twin.billing.actions.bank import import_bank_file
from twin.billing.queries.bank import BankProposal, bank_proposals
from twin.billing.rules.bank import MOST_LETTERS, MOST_LINES
from twin.billing.rules.rounding import minor_text
from twin.companies.queries import get_company
from twin.companies.types import BILLING_WRITE, Scope
from twin.kernel.errors import invalid_field

Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
Becomes = Literal["payment", "undecided", "known", "left_out"]
router = Router(tags=["Balance"])


class BankFile(Input):
    """A file whose first line names the columns: `date`, `amount`; if there, `currency`, `payer`, `reference`, `id`."""

    content: Annotated[
        str,
        Field(max_length=MOST_LETTERS, pattern=NO_NUL),
        WithJsonSchema(
            {
                "type": "string",
                "maxLength": MOST_LETTERS,
                "pattern": NO_NUL,
                "examples": ["date,amount,reference\n2026-03-05,12.50,INV-000001\n"],
            }
        ),
    ]


class PayerIn(Input):
    """From whom a line is; null: it is left out."""

    line: Annotated[int, Field(ge=1, le=10_000)]
    company_id: Id | None


class BankFileToRecord(BankFile):
    payers: Annotated[list[PayerIn], Field(max_length=MOST_LINES)] = []


class BankDocumentOut(Output):
    invoice_id: int
    number: str


class BankLineOut(Output):
    """A line of the file and what becomes of it unless somebody says otherwise.

    `undecided`: it is recorded only when its payer is named; `company_id` is then a guess by the amount, or null.
    """

    line: int
    day: Day | None
    amount: str
    payer: str
    reference: str
    becomes: Becomes
    problem: Literal["date", "amount", "currency", "columns"] | None
    found_by: Literal["document", "company", "amount"] | None
    company_id: int | None
    documents: list[BankDocumentOut]
    recorded_by_hand: bool


class BankPreviewOut(Output):
    lines: list[BankLineOut]
    payments: int
    amount: str
    currency: str


class BankRecordedOut(Output):
    """How many lines became payments now, and how many had become one before."""

    recorded: int
    known: int
    left_out: int


@router.post("/bank-files/preview", auth=reads_json(BILLING_WRITE), response=BankPreviewOut)
def preview_bank_file(request: HttpRequest, body: BankFile) -> BankPreviewOut:
    """What the file would record, line by line; nothing is recorded."""
    scope = scope_of(request)
    proposals = bank_proposals(scope, body.content)
    currency = _currency(scope)
    taken = [one for one in proposals if _becomes(one) == "payment"]
    return BankPreviewOut(
        lines=[_line(one, currency) for one in proposals],
        payments=len(taken),
        amount=minor_text(sum(one.line.amount_minor for one in taken), currency),
        currency=currency,
    )


@router.post("/bank-files", auth=reads_json(BILLING_WRITE), response=BankRecordedOut)
def record_bank_file(request: HttpRequest, body: BankFileToRecord) -> BankRecordedOut:
    """Record the payments of the file: of each line that says clearly who paid, and of those whose payer is named.

    Each line counts once, however often it comes: safe to repeat. All of it is recorded, or nothing.
    """
    scope = scope_of(request)
    by = f"API key {scope.key_id}" if scope.key_id is not None else ""
    done = import_bank_file(scope, body.content, buyers=_payers(body.payers), by=by)
    return BankRecordedOut(recorded=done.recorded, known=done.known, left_out=done.left_out)


def _payers(named: Iterable[PayerIn]) -> dict[int, int | None]:
    payers: dict[int, int | None] = {}
    for at, one in enumerate(named):
        if one.line in payers:
            raise invalid_field(f"Line {one.line} is named twice.", "payers", at, "line")
        payers[one.line] = one.company_id
    return payers


def _becomes(one: BankProposal) -> Becomes:
    if one.is_known:
        return "known"
    if one.line.problem or one.line.is_outgoing:
        return "left_out"
    return "payment" if one.is_certain else "undecided"


def _line(one: BankProposal, currency: str) -> BankLineOut:
    line, matched = one.line, one.matched
    return BankLineOut(
        line=line.number,
        day=line.on.isoformat() if line.on else None,
        amount=minor_text(line.amount_minor, currency),
        payer=line.payer,
        reference=line.reference,
        becomes=_becomes(one),
        problem=line.problem,
        found_by=matched.match or None,
        company_id=matched.buyer_id,
        documents=[BankDocumentOut(invoice_id=each.id, number=each.code) for each in matched.documents],
        recorded_by_hand=one.recorded_by_hand,
    )


def _currency(scope: Scope) -> str:
    return get_company(scope, scope.organisation_id).currency
