"""The rules of the house, checked on every file; the list of sins may only shrink."""

from __future__ import annotations

import tomllib

import pytest
from django.apps import apps
from django.db.models import ForeignKey, ManyToManyField

from tests.architecture import sins
from tests.architecture.sins import Relation
from tests.architecture.source import ROOT, app_folders, python_files

# What `queries` answer without a scope, each with the reason. This list may only shrink.
UNSCOPED_QUERIES = (
    # The shape of a row, from the row alone.
    "twin/companies/queries/tree.py:shown_key",
    # The demonstration says aloud whether it is there and how to sign in; it belongs to nobody.
    "twin/demo/queries.py:is_begun",
    "twin/demo/queries.py:is_loaded",
    "twin/demo/queries.py:sign_ins",
    # Shapes of rows and calculations, from their arguments alone.
    "twin/metering/queries/cells.py:cells_of",
    "twin/metering/queries/listings.py:event_id_text",
    "twin/metering/queries/tracing.py:calculation_text",
    # The operator's: compares every total of the installation and shows no tenant's figures to another.
    "twin/metering/queries/verifying.py:find_differences",
)
LONG_FILES: tuple[str, ...] = ()
LONG_FUNCTIONS: tuple[str, ...] = ()
# Lines that hold a float beside money without putting one into an amount: an estimate of size that
# chooses the exact path, and a test of what came in. This list may only shrink.
HARMLESS_FLOATS = (
    "twin/metering/rules/amounts.py: _SAFE = float(2**62)",
    (
        "twin/metering/rules/amounts.py: large = (unit.astype(np.float64) * billed.astype(np.float64)"
        " + fee.astype(np.float64)) >= _SAFE"
    ),
    "twin/metering/rules/decoding.py: if not isinstance(quantity, float) or not isinstance(data, dict):",
)
# Where amounts are computed or added up.
MONEY = ("twin/accounts", "twin/companies", "twin/pricing", "twin/metering", "twin/reports", "twin/kernel")


def relations() -> list[Relation]:
    """Every foreign key of Twin's own tables to another of Twin's tables."""
    own = [model for model in apps.get_models() if model.__module__.startswith("twin.")]
    return [
        Relation(
            app=model._meta.app_label,
            field=f"{model.__name__}.{field.name}",
            target_app=field.related_model._meta.app_label,
            is_hidden=field.remote_field.hidden,
        )
        for model in own
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey | ManyToManyField) and field.related_model in own
    ]


def test_foreign_keys_point_down_and_leave_no_reverse_name() -> None:
    assert list(sins.relations_that_climb(relations())) == []


def test_every_public_query_takes_scope_first() -> None:
    found = list(sins.queries_without_scope(python_files("twin")))
    assert sins.compare_with_list(found, UNSCOPED_QUERIES) == []


def test_only_companies_access_builds_a_scope() -> None:
    assert list(sins.scopes_built_elsewhere(python_files("twin"))) == []


def test_no_file_is_too_long() -> None:
    assert sins.compare_with_list(list(sins.files_too_long(python_files("twin", "tests"))), LONG_FILES) == []


def test_no_function_is_too_long() -> None:
    assert sins.compare_with_list(list(sins.functions_too_long(python_files("twin", "tests"))), LONG_FUNCTIONS) == []


def test_no_module_is_a_drawer() -> None:
    assert list(sins.banned_names(source.path for source in python_files("twin", "tests"))) == []


@pytest.mark.parametrize("app", [folder.name for folder in app_folders()])
def test_every_app_says_what_it_owns(app: str) -> None:
    readme = ROOT / "twin" / app / "README.md"
    assert readme.is_file(), f"twin/{app}/README.md is missing"
    assert sins.missing_headings(readme.read_text(encoding="utf-8")) == []


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert sins.settings_documented(page) == sins.settings_read(python_files("twin"))


def test_no_float_stands_near_money() -> None:
    rules = [source for source in python_files(*MONEY) if "rules" in source.parts or source.path.endswith("money.py")]
    assert sins.compare_with_list(list(sins.floats_near_money(rules)), HARMLESS_FLOATS) == []


def test_the_apps_have_one_clock() -> None:
    # The engine works before any app and watches processes of the machine: its clock is the machine's.
    sources = python_files("twin")
    apart = ("twin/kernel/clock.py", "twin/engine/")
    assert list(sins.other_clocks(source for source in sources if not source.path.startswith(apart))) == []


def test_nothing_listens_to_signals() -> None:
    assert list(sins.signals(python_files("twin"))) == []


@pytest.mark.parametrize("family", ["DTZ", "PLC"])
def test_naive_times_and_imports_inside_functions_are_refused_by_the_linter(family: str) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert family in settings["tool"]["ruff"]["lint"]["select"]
