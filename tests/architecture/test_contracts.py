"""The import contracts of pyproject.toml hold, and each of them catches a planted fault."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

LINTER = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
FOLDERS = (
    "config",
    "demo",
    "cli",
    "portal",
    "api",
    "reports",
    "billing",
    "metering",
    "pricing",
    "companies",
    "accounts",
)
APPS = ("accounts", "companies", "pricing", "metering", "billing", "reports")
ROOMS = ("errors", "types", "models", "queries", "actions", "jobs")
FAULTS = [
    ("Each floor stands only", "pricing/actions.py", "from twin.metering import queries"),
    ("Each floor stands only", "api/prices.py", "from twin.portal import pages"),
    ("Each floor stands only", "companies/queries.py", "def f():\n    from twin.pricing import types"),
    ("Each floor stands only", "kernel/tenancy.py", "from twin.companies import types"),
    ("Each floor stands only", "gadgets/__init__.py", ""),
    ("In every app writes stand", "pricing/queries.py", "from twin.pricing import actions"),
    ("In every app writes stand", "pricing/types.py", "from twin.pricing import models"),
    ("Only pricing reads", "metering/actions.py", "from twin.pricing.models import RateRow"),
    ("Only companies reads", "reports/queries.py", "from twin.companies import models"),
    ("Only billing reads", "reports/queries.py", "from twin.billing import models"),
    ("Only reports reads", "portal/pages.py", "from twin.reports import models"),
    ("Rules, money and periods", "pricing/rules/charge.py", "from django.db import models"),
    ("Rules, money and periods", "kernel/money.py", "import django"),
    ("No folder stands in a ring", "api/a/__init__.py", "from twin.api import b"),
]


def check_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINTER, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """The empty house with the contracts of the real one."""
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    twin = tmp_path / "twin"
    for folder in (*FOLDERS, "engine", "kernel", *(f"{app}/rules" for app in APPS)):
        (twin / folder).mkdir(parents=True)
    modules = [f"{app}/{room}.py" for app in APPS for room in ROOMS]
    modules += ["kernel/money.py", "kernel/period.py", "kernel/tenancy.py", "pricing/rules/charge.py"]
    modules += ["portal/pages.py", "api/prices.py", "api/b.py"]
    for module in modules:
        (twin / module).write_text("", encoding="utf-8")
    (twin / "api" / "b.py").write_text("from twin.api import a\n", encoding="utf-8")
    (twin / "api" / "a").mkdir()
    for package in (twin, *(path for path in twin.rglob("*") if path.is_dir())):
        (package / "__init__.py").touch()
    return tmp_path


def test_the_imports_of_twin_keep_the_contracts() -> None:
    found = check_imports(ROOT)
    assert found.returncode == 0, found.stdout


def test_the_empty_house_keeps_the_contracts(skeleton: Path) -> None:
    assert check_imports(skeleton).returncode == 0


@pytest.mark.parametrize(("contract", "module", "fault"), FAULTS)
def test_a_planted_fault_breaks_its_contract(skeleton: Path, contract: str, module: str, fault: str) -> None:
    planted = skeleton / "twin" / module
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(fault + "\n", encoding="utf-8")
    found = check_imports(skeleton)
    assert found.returncode == 1
    broken = [line for line in found.stdout.splitlines() if line.startswith(contract) and "BROKEN" in line]
    assert broken or f"{contract}" in found.stdout.split("Broken contracts")[-1]
