"""How a seller bills: said once, checked, and nobody else's business; and the console's commands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import connections

from tests.billing.months import close, statements_between, use
from tests.billing.pictures import a_png
from tests.world import World, build_world, key_of
from twin.billing.actions.settings import MOST_LOGO_BYTES, save_settings, set_logo
from twin.billing.errors import BillingInvalid
from twin.billing.queries.settings import logo_of, settings_of
from twin.billing.types import Settings
from twin.cli.billing import billing
from twin.companies.access import scope_for_key
from twin.companies.errors import PermissionMissing

pytestmark = pytest.mark.database

PNG = a_png()


@pytest.fixture
def world() -> World:
    return build_world()


def test_what_was_never_said_is_the_usual(world: World) -> None:
    assert settings_of(world.rhea.scope) == Settings()


def test_settings_are_each_sellers_own(world: World) -> None:
    wanted = Settings(
        series="R-26",
        grace=timedelta(hours=36),
        tax_kind="rate",
        tax_percent=Decimal("19.5"),
        late_threshold_minor=1000,
        language="ru",
        footer="Спасибо",
    )
    assert save_settings(world.rhea.scope, settings=wanted) == wanted
    assert settings_of(world.strand.scope) == Settings()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("series", ""),
        ("series", "ABCDEFGHIJKLM"),
        ("series", "инв"),
        ("series", "A B"),
        ("credit_series", "INV"),
        ("grace", timedelta(days=29)),
        ("grace", timedelta(seconds=-1)),
        ("payment_days", 366),
        ("tax_percent", Decimal("100.0001")),
        ("tax_percent", Decimal("1.00001")),
        ("tax_percent", Decimal("NaN")),
        ("late_threshold_minor", -1),
        ("footer", "x" * 1001),
        ("footer", "\x00"),
        ("language", "de"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_field(world: World, field: str, value: Any) -> None:
    with pytest.raises(BillingInvalid) as refused:
        save_settings(world.rhea.scope, settings=replace(Settings(), **{field: value}))
    assert field.removesuffix("_minor") in [error.loc[0] for error in refused.value.errors]
    assert settings_of(world.rhea.scope) == Settings()


def test_a_logo_is_kept_shown_and_taken_off(world: World) -> None:
    set_logo(world.rhea.scope, PNG)
    assert logo_of(world.rhea.scope) == ("image/png", PNG)
    save_settings(world.rhea.scope, settings=Settings(footer="x"))
    assert logo_of(world.rhea.scope) == ("image/png", PNG)
    assert logo_of(world.strand.scope) is None
    set_logo(world.rhea.scope, None)
    assert logo_of(world.rhea.scope) is None


@pytest.mark.parametrize(
    "body", [b"", b"<svg onload=alert(1)>", b"GIF89a", PNG[:-20], a_png(4_001), PNG + b"x" * MOST_LOGO_BYTES]
)
def test_what_is_no_small_picture_is_no_logo(world: World, body: bytes) -> None:
    with pytest.raises(BillingInvalid):
        set_logo(world.rhea.scope, body)


def test_who_only_reads_changes_nothing(world: World) -> None:
    reader = scope_for_key(key_of(world.rhea.id, ["billing:read"]))
    assert reader is not None
    for act in (lambda: save_settings(reader, settings=Settings()), lambda: set_logo(reader, PNG)):
        with pytest.raises(PermissionMissing):
            act()


def test_the_console_closes_and_verifies(world: World) -> None:
    use(world.acme.id, "2026-01-10T12:00")
    done = CliRunner().invoke(billing, ["close", "--seller", str(world.rhea.id), "--month", "2026-01"])
    assert (done.exit_code, done.output) == (0, f"seller={world.rhea.id} closed=3 unrated=0 late=0\n")
    fine = CliRunner().invoke(billing, ["verify"])
    assert (fine.exit_code, fine.output) == (0, "3 statements: each is what its rows give.\n")


def test_the_console_names_a_statement_that_differs(world: World) -> None:
    use(world.acme.id, "2026-01-10T12:00")
    close(world.rhea, "2026-02-02T00:00")
    found = statements_between(world.rhea, world.acme.id)[0].id
    with connections["owner"].cursor() as cursor:
        cursor.execute("alter table billing_statement disable trigger billing_statement_closed")
        cursor.execute("update billing_statement set digest = '\\x00' where id = %s", [found])
        cursor.execute("alter table billing_statement enable trigger billing_statement_closed")
    bad = CliRunner().invoke(billing, ["verify"])
    assert bad.exit_code == 1
    assert f"statement {found} is not what its rows give" in bad.output


@pytest.mark.parametrize(
    "given", [["close", "--month", "2026-13"], ["close", "--seller", "999"], ["verify", "--seller", "0"]]
)
def test_the_console_refuses_what_cannot_be(world: World, given: list[str]) -> None:
    assert CliRunner().invoke(billing, given).exit_code != 0
