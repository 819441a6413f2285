"""`twin init` and `twin api-key create`, as an operator meets them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.db import connections

from twin.__main__ import main
from twin.companies import access

pytestmark = pytest.mark.database

PASSWORD = "harbour-lantern-quiet-41"


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    return file


def run_init(file: Path, *more: str, email: str = "ada@example.org") -> int:
    return main(["init", "--admin-email", email, "--admin-password-file", str(file), *more])


def counts() -> tuple[int, int]:
    with connections["owner"].cursor() as cursor:
        cursor.execute("select (select count(*) from companies_company), (select count(*) from accounts_user)")
        row = cursor.fetchone()
    return (row[0], row[1])


def test_init_makes_the_platform_and_its_administrator(password_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_init(password_file, "--currency", "USD") == 0
    scope = access.platform_scope()
    assert capsys.readouterr().out == f"company={scope.organisation_id}\n"
    user = authenticate(None, email="ada@example.org", password=PASSWORD)
    assert user is not None
    person = access.scope_for_person(user)
    assert person is not None
    assert (person.organisation_id, person.kind) == (scope.organisation_id, "platform")


def test_a_second_init_is_refused_in_one_line(password_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_init(password_file)
    capsys.readouterr()
    assert run_init(password_file, email="eve@example.org") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "already" in said.err
    assert counts() == (1, 1)


@pytest.mark.parametrize(
    ("email", "password", "more"),
    [
        ("nonsense", PASSWORD, ()),
        ("ada@example.org", "short", ()),
        ("ada@example.org", "password12345", ()),
        ("ada@example.org", PASSWORD, ("--currency", "EURO")),
        ("ada@example.org", PASSWORD, ("--currency", "XXX")),
        ("ada@example.org", PASSWORD, ("--time-zone", "Nowhere")),
        ("ada@example.org", PASSWORD, ("--name", " ")),
        ("ada@example.org", PASSWORD, ("--admin-name", " ")),
    ],
)
def test_wrong_input_leaves_nothing_behind(
    tmp_path: Path, email: str, password: str, more: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "password"
    file.write_text(password)
    assert run_init(file, *more, email=email) != 0
    assert capsys.readouterr().err.count("\n") == 1
    assert counts() == (0, 0)


def test_a_missing_or_binary_password_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    assert run_init(tmp_path / "none") != 0
    assert run_init(binary) != 0
    assert capsys.readouterr().err.count("\n") == 2
    assert counts() == (0, 0)


def test_a_key_is_printed_alone_and_works(password_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_init(password_file)
    platform = access.platform_scope().organisation_id
    capsys.readouterr()
    wanted = ("--scope", "usage:write", "--scope", "reports:read")
    assert main(["api-key", "create", "--company", str(platform), *wanted]) == 0
    secret = capsys.readouterr().out.removesuffix("\n")
    scope = access.scope_for_key(secret)
    assert scope is not None
    assert (scope.organisation_id, scope.permissions) == (platform, frozenset({"usage:write", "reports:read"}))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--company", "999999", "--scope", "usage:write"),
        ("--company", "x", "--scope", "usage:write"),
        ("--company", "1"),
        ("--company", "1", "--scope", "usage:read"),
        ("--company", "99999999999999999999", "--scope", "usage:write"),
    ],
)
def test_a_key_for_nobody_or_for_nothing_is_refused(
    password_file: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    run_init(password_file)
    capsys.readouterr()
    assert main(["api-key", "create", *arguments]) != 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1


def test_before_init_a_key_names_the_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["api-key", "create", "--company", "1", "--scope", "usage:write"]) == 1
    assert "twin init" in capsys.readouterr().err


def test_init_counts_in_the_currency_it_was_given(password_file: Path) -> None:
    run_init(password_file, "--currency", "JPY")
    with connections["owner"].cursor() as cursor:
        cursor.execute("select currency from companies_company")
        assert cursor.fetchone() == ("JPY",)
