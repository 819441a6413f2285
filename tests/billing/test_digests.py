"""The bytes that prove a statement: every field of every line, the same for ever."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date

from tests.billing.factories import line, shaped
from twin.billing.rules.statements import canonical, digest_of
from twin.pricing.types import Terms

TERMS = Terms(unit_price_nano=74_500_000, per=60, minimum=30, increment=6, setup_fee_nano=1)
STATEMENT = shaped(
    [line("12.5", terms=TERMS, selector={"country": "DE"}), line("-0.3", kind="late", month=date(2025, 12, 1))]
)


def test_the_bytes_of_a_statement_never_change() -> None:
    assert digest_of(STATEMENT).hex() == "4bb9860ce90d87f1b212cc96e9d2131133f19ac598a376fd02d648daf697d974"


def test_every_field_of_a_line_is_in_the_bytes() -> None:
    written = json.loads(canonical(STATEMENT))["lines"]
    expected = [asdict(one) | {"month": one.month.isoformat()} for one in STATEMENT.lines]
    assert written == json.loads(json.dumps(expected))


def test_any_other_figure_gives_another_digest() -> None:
    first, *rest = STATEMENT.lines
    others = [replace(first, billed=2), replace(first, terms=replace(TERMS, minimum=31)), replace(first, selector={})]
    digests = {digest_of(replace(STATEMENT, lines=(other, *rest))) for other in others}
    assert len({*digests, digest_of(STATEMENT)}) == 4
