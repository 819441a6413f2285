"""What the style forbids and an import graph cannot see; each check names every place that breaks it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from tests.architecture.source import Source

LONGEST_FILE = 500
LONGEST_TEST_FILE = 600
LONGEST_FUNCTION = 60
BANNED_NAMES = frozenset(("utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"))
README_HEADINGS = ("## Owns", "## Does not own", "## Always true", "## Clocks and keys")
FLOORS = (
    *("kernel", "accounts", "companies", "pricing", "metering", "billing", "messaging", "chats", "telephony", "bots"),
    *("reports", "portal", "api", "cli", "demo"),
)
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Relation:
    """A foreign key: from which app and field to which app, and whether it leaves a reverse name."""

    app: str
    field: str
    target_app: str
    is_hidden: bool


def relations_that_climb(relations: Iterable[Relation]) -> Iterator[str]:
    """Foreign keys point to the own floor or a lower one and leave no reverse name."""
    for relation in relations:
        if FLOORS.index(relation.target_app) > FLOORS.index(relation.app):
            yield f"{relation.field} points up to {relation.target_app}"
        if not relation.is_hidden:
            yield f'{relation.field} leaves a reverse name; give it related_name="+"'


def queries_without_scope(sources: Iterable[Source]) -> Iterator[str]:
    """Public functions of `queries` take `scope` first."""
    for source in sources:
        if "queries.py" not in source.parts and "queries" not in source.parts[:-1]:
            continue
        for node in source.tree.body:
            if isinstance(node, Function) and not node.name.startswith("_") and _first_argument(node) != "scope":
                yield f"{source.path}:{node.name}"


def _first_argument(function: Function) -> str:
    positional = [*function.args.posonlyargs, *function.args.args]
    return positional[0].arg if positional else ""


def scopes_built_elsewhere(sources: Iterable[Source]) -> Iterator[str]:
    """Only `companies.access` builds a `Scope`."""
    for source in sources:
        if source.path == "twin/companies/access.py":
            continue
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and _last_name(node.func) == "Scope":
                yield f"{source.path}:{node.lineno}"


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def files_too_long(sources: Iterable[Source]) -> Iterator[str]:
    """No file over 500 lines, tests 600; migrations are as long as the tables."""
    for source in sources:
        longest = LONGEST_TEST_FILE if source.parts[0] == "tests" else LONGEST_FILE
        if "migrations" not in source.parts and len(source.text.splitlines()) > longest:
            yield source.path


def functions_too_long(sources: Iterable[Source]) -> Iterator[str]:
    """No function over 60 lines with its docstring; a table of cases above a test is data."""
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, Function) and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION:
                yield f"{source.path}:{node.name}"


def banned_names(paths: Iterable[str]) -> Iterator[str]:
    """No drawers: a module is named after what it holds."""
    for path in paths:
        if any(PurePosixPath(part).stem.lower() in BANNED_NAMES for part in path.split("/")):
            yield path


def missing_headings(readme: str) -> list[str]:
    """The headings a room's README lacks, or holds in another order."""
    lines = [line.strip() for line in readme.splitlines()]
    missing = [heading for heading in README_HEADINGS if heading not in lines]
    present = [line for line in lines if line in README_HEADINGS]
    if not missing and present != list(README_HEADINGS):
        return [f"the order {', '.join(README_HEADINGS)}"]
    return missing


SETTING = re.compile(r"TWIN_[A-Z][A-Z_]*[A-Z]|DATABASE_URL")


def settings_read(sources: Iterable[Source]) -> set[str]:
    """The names of environment variables that stand as whole strings in the code."""
    return {
        node.value
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SETTING.fullmatch(node.value)
    }


def settings_documented(page: str) -> set[str]:
    """The names in the first column of the tables of a page."""
    return {match[1] for match in re.finditer(rf"^\| `({SETTING.pattern})`", page, re.MULTILINE)}


def floats_near_money(sources: Iterable[Source]) -> Iterator[str]:
    """No float literal, no `float` of any width and no true division where amounts are computed."""
    for source in sources:
        lines = source.text.splitlines()
        found = {getattr(node, "lineno", 1) for node in ast.walk(source.tree) if _is_float(node)}
        for number in sorted(found):
            yield f"{source.path}: {lines[number - 1].strip()}"


def _is_float(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float)
    if isinstance(node, ast.Name | ast.Attribute):
        return re.fullmatch(r"float(16|32|64|128)?|double|longdouble", _last_name(node)) is not None
    return isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)


CLOCKS = frozenset(("now", "utcnow", "today"))


def other_clocks(sources: Iterable[Source]) -> Iterator[str]:
    """`kernel.clock.now` is the only clock of the apps: no `datetime.now`, `date.today`, `time.time`."""
    for source in sources:
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner, name = _last_name(node.func.value), node.func.attr
            asks = (owner in ("datetime", "date", "timezone") and name in CLOCKS) or (owner, name) == ("time", "time")
            if asks:
                yield f"{source.path}:{node.lineno}"


def signals(sources: Iterable[Source]) -> Iterator[str]:
    """No signals: what is to happen is called."""
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "") in (
                "django.dispatch",
                "django.db.models.signals",
            ):
                yield f"{source.path}:{node.lineno}"


def compare_with_list(found: Sequence[str], allowed: Sequence[str]) -> list[str]:
    """New sins, and listed ones that are gone: the list of sins may only shrink."""
    new = [f"new: {sin}" for sin in found if sin not in allowed]
    gone = [f"gone, take it off the list: {sin}" for sin in allowed if sin not in found]
    return new + gone
