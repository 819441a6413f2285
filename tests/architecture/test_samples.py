"""Every check passes what is right and catches what is wrong; a check that cannot fail is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from textwrap import indent

import pytest

from tests.architecture import sins
from tests.architecture.sins import Relation
from tests.architecture.source import Source

Check = Callable[[Iterable[Source]], Iterator[str]]
LONG = "def f():\n" + "    x = 1\n" * 60
RIGHT: list[tuple[Check, str, str]] = [
    (sins.queries_without_scope, "twin/a/queries.py", "def rates(scope, card): ...\ndef _inner(card): ..."),
    (sins.queries_without_scope, "twin/a/queries/money.py", "def rates(scope): ..."),
    (sins.queries_without_scope, "twin/a/actions.py", "def write(card): ..."),
    (sins.scopes_built_elsewhere, "twin/companies/access.py", "Scope(1)"),
    (sins.scopes_built_elsewhere, "twin/a/queries.py", "def rates(scope: Scope): ..."),
    (sins.files_too_long, "twin/a/x.py", "\n" * 500),
    (sins.files_too_long, "tests/a/x.py", "\n" * 600),
    (sins.files_too_long, "twin/a/migrations/0001_initial.py", "\n" * 900),
    (sins.functions_too_long, "twin/a/x.py", "@cases(\n" + "1,\n" * 60 + ")\n" + LONG.removesuffix("    x = 1\n")),
    (sins.floats_near_money, "twin/a/rules/x.py", "x = 7 // 2\ny = Fraction(1, 2)"),
    (sins.other_clocks, "twin/a/x.py", "from twin.kernel import clock\nclock.now()\ntime.monotonic()"),
    (sins.signals, "twin/a/x.py", "from django.db import models"),
]
WRONG: list[tuple[Check, str, str]] = [
    (sins.queries_without_scope, "twin/a/queries.py", "def rates(card): ..."),
    (sins.queries_without_scope, "twin/a/queries.py", "def rates(*, scope): ..."),
    (sins.queries_without_scope, "twin/a/queries/money.py", "async def rates(): ..."),
    (sins.scopes_built_elsewhere, "twin/a/x.py", "Scope(1)"),
    (sins.scopes_built_elsewhere, "twin/a/x.py", "types.Scope(1)"),
    (sins.files_too_long, "twin/a/x.py", "\n" * 501),
    (sins.files_too_long, "tests/a/x.py", "\n" * 601),
    (sins.functions_too_long, "twin/a/x.py", LONG),
    (sins.functions_too_long, "twin/a/x.py", "class A:\n" + indent(LONG, "    ")),
    (sins.floats_near_money, "twin/a/rules/x.py", "x = 0.5"),
    (sins.floats_near_money, "twin/a/rules/x.py", "x = 7 / 2"),
    (sins.floats_near_money, "twin/a/rules/x.py", "x /= 2"),
    (sins.floats_near_money, "twin/a/rules/x.py", "x = float(y)"),
    (sins.floats_near_money, "twin/a/rules/x.py", "x = y.astype(np.float64)"),
    (sins.other_clocks, "twin/a/x.py", "datetime.now(UTC)"),
    (sins.other_clocks, "twin/a/x.py", "datetime.datetime.utcnow()"),
    (sins.other_clocks, "twin/a/x.py", "timezone.now()"),
    (sins.other_clocks, "twin/a/x.py", "time.time()"),
    (sins.signals, "twin/a/x.py", "from django.db.models.signals import post_save"),
]


@pytest.mark.parametrize(("check", "path", "text"), RIGHT)
def test_what_is_right_passes(check: Check, path: str, text: str) -> None:
    assert list(check([Source(path, text)])) == []


@pytest.mark.parametrize(("check", "path", "text"), WRONG)
def test_what_is_wrong_is_caught(check: Check, path: str, text: str) -> None:
    assert len(list(check([Source(path, text)]))) == 1


def test_a_foreign_key_to_a_lower_floor_without_reverse_name_passes() -> None:
    assert list(sins.relations_that_climb([Relation("pricing", "rate.seller", "companies", is_hidden=True)])) == []


def test_a_foreign_key_that_points_up_is_caught() -> None:
    climbing = Relation("companies", "company.card", "pricing", is_hidden=True)
    assert list(sins.relations_that_climb([climbing])) == ["company.card points up to pricing"]


def test_a_foreign_key_with_a_reverse_name_is_caught() -> None:
    assert len(list(sins.relations_that_climb([Relation("pricing", "rate.card", "pricing", is_hidden=False)]))) == 1


def test_a_module_named_after_its_content_passes() -> None:
    assert list(sins.banned_names(["twin/pricing/rules/charge.py", "twin/pricing/management/x.py"])) == []


@pytest.mark.parametrize("path", ["twin/a/utils.py", "twin/helpers/x.py", "tests/common.py", "twin/a/manager.py"])
def test_a_drawer_is_caught(path: str) -> None:
    assert list(sins.banned_names([path])) == [path]


def test_a_readme_with_its_four_headings_passes() -> None:
    assert sins.missing_headings("# A\n## Owns\nx\n## Does not own\n## Always true\n## Clocks and keys\n") == []


def test_a_missing_heading_is_named() -> None:
    assert sins.missing_headings("# A\n## Owns\n## Does not own\n## Always true\n") == ["## Clocks and keys"]


def test_headings_in_another_order_are_caught() -> None:
    assert sins.missing_headings("## Does not own\n## Owns\n## Always true\n## Clocks and keys\n")


def test_settings_are_found_in_code_and_page() -> None:
    code = [Source("twin/config/settings.py", 'env.int("TWIN_PORT", 8000)\nx = "TWIN_ and more"')]
    assert (
        sins.settings_read(code) == {"TWIN_PORT"} == sins.settings_documented("| `TWIN_PORT` | the port |\nTWIN_HOST")
    )


def test_a_new_sin_is_named() -> None:
    assert sins.compare_with_list(["a", "b"], ["a"]) == ["new: b"]


def test_a_sin_that_is_gone_must_leave_the_list() -> None:
    assert sins.compare_with_list([], ["a"]) == ["gone, take it off the list: a"]
