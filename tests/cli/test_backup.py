"""A backup is one whole file, and comes back only into an empty installation, row by row the same."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import time_machine
from django.conf import settings

from tests.database import Cleaner, leave
from tests.world import BEGINNING, World, build_world
from twin.__main__ import main
from twin.cli.backup import last_backup
from twin.engine import contents
from twin.engine.archive import reading, writing
from twin.engine.errors import BackupUnreadable, BackupUnwritable
from twin.engine.passwords import read_passwords
from twin.engine.roles import let_through
from twin.engine.testing import ThrowawayServer
from twin.engine.types import DatabaseRoles
from twin.kernel import clock, security_log
from twin.kernel.audit_chain import seal_days
from twin.kernel.delivery import send_mail
from twin.metering import actions as metering
from twin.metering import store
from twin.reports import storage

pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """What the tests put beside the database goes with them."""
    yield
    (Path(settings.DATA_DIR) / "last-backup.json").unlink(missing_ok=True)
    (Path(settings.DATA_DIR) / "secrets.json").unlink(missing_ok=True)


def run(*arguments: str) -> int:
    """A command beside which nothing of this process works in the database."""
    leave()
    return main(list(arguments))


def an_event(company: int, number: int) -> dict[str, object]:
    data = {"meter": "sms.sent", "quantity": number + 1, "attributes": {"text": "tab\tback\\slash\nline é 'q'"}}
    return {
        "specversion": "1.0", "type": "twin.usage", "source": "smsc-1", "id": f"é{number}", "subject": str(company),
        "time": BEGINNING.isoformat(), "data": data,
    }  # fmt: skip


def a_used_world() -> World:
    """Usage folded and not folded, a mail on its way with its job, sealed days of the record."""
    world = build_world()
    for number in range(3):
        events = [an_event(party.id, number) for party in (world.acme, world.cedar, world.dune)]
        metering.take_events(world.twin.scope, json.dumps(events).encode(), batch=True)
        if number == 0:
            metering.fold()
    send_mail(to="ann@example.org", subject="Words", text="Sealed words", purpose="notice")
    with time_machine.travel(clock.now() - timedelta(days=2)):
        security_log.record("signed_in", company_id=world.acme.id, address="2001:db8::1", name="tab\tback\\slash é 'q'")
    assert len(seal_days()) > 0
    return world


def everything(roles: DatabaseRoles) -> dict[str, list[Any]]:
    """Every row of every table as text, and every sequence."""
    found: dict[str, list[Any]] = {}
    with psycopg.connect(**roles.owner, autocommit=True) as owner:
        for table in contents.tables_of(owner):
            rows = owner.execute(f'select t::text from public."{table.name}" t').fetchall()
            found[table.name] = sorted(row[0] for row in rows)
        found["sequences"] = sorted(contents.sequences_of(owner).items())
    return found


def security(roles: DatabaseRoles) -> list[Any]:
    """Row-level security and triggers, as the catalogue has them."""
    with psycopg.connect(**roles.owner) as owner:
        return owner.execute(
            "select relname::text, relrowsecurity, relforcerowsecurity,"
            " array(select tgname::text || tgenabled::text from pg_trigger t where t.tgrelid = c.oid order by tgname)"
            " from pg_class c where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1"
        ).fetchall()


def test_everything_comes_back_and_the_totals_prove_it(
    tmp_path: Path, db_clean: DatabaseRoles, migrated_database: Cleaner, capsys: pytest.CaptureFixture[str]
) -> None:
    a_used_world()
    export = storage.folder() / f"{'a' * 32}.csv"
    export.write_bytes(b"id\r\n1\r\n")
    before, walls = everything(db_clean), security(db_clean)
    assert run("backup", str(tmp_path / "b")) == 0
    export.unlink()
    migrated_database.clean()
    capsys.readouterr()

    assert run("restore", str(tmp_path / "b")) == 0
    assert "9 events, " in capsys.readouterr().out
    assert everything(db_clean) == before
    assert security(db_clean) == walls
    assert run("audit", "verify") == 0
    assert export.read_bytes() == b"id\r\n1\r\n"
    assert read_passwords(Path(settings.DATA_DIR) / "secrets.json")["secret-key"] == settings.SECRET_KEY
    export.unlink()


def test_a_server_without_bypassrls_takes_part_in_both(
    tmp_path: Path, db_clean: DatabaseRoles, migrated_database: Cleaner, database_server: ThrowawayServer
) -> None:
    a_used_world()
    before = everything(db_clean)
    names = (db_clean.owner["user"], db_clean.writer["user"])
    leave()
    with psycopg.connect(**database_server.superuser(), autocommit=True) as admin:
        for name in names:
            admin.execute(f"alter role {name} nobypassrls")
        try:
            store.may_copy.cache_clear()
            assert run("backup", str(tmp_path / "early")) == 1
            with psycopg.connect(**db_clean.owner) as owner:
                let_through(owner, names[1])
            assert run("backup", str(tmp_path / "b")) == 0
            migrated_database.clean()
            assert run("restore", str(tmp_path / "b")) == 0
            assert everything(db_clean) == before
            assert run("audit", "verify") == 0
        finally:
            for name in names:
                admin.execute(f"alter role {name} bypassrls")
            store.may_copy.cache_clear()
            leave()
            for policy, table in admin.execute(
                "select policyname, tablename from pg_policies where policyname in ('owner_passes', 'writer_passes')"
            ).fetchall():
                admin.execute(f"drop policy {policy} on {table}")
    assert not (tmp_path / "early").exists()


def test_what_was_being_done_is_to_be_done_again(tmp_path: Path, db_clean: DatabaseRoles) -> None:
    with psycopg.connect(**db_clean.owner) as owner:
        owner.execute(
            "with worker as (insert into procrastinate_workers default values returning id)"
            " insert into procrastinate_jobs (queue_name, task_name, status, worker_id, queueing_lock, lock)"
            " select 'default', 't', 'doing', id, 'q', 'l' from worker"
        )
    assert run("backup", str(tmp_path / "b")) == 0
    with reading(tmp_path / "b") as backup:
        (table,) = [each for each in backup.manifest.tables if each.name == "procrastinate_jobs"]
        (row,) = [line.split("\t") for line in b"".join(backup.table("procrastinate_jobs")).decode().splitlines()]
    values = dict(zip(table.columns, row, strict=True))
    assert (values["status"], values["worker_id"], values["queueing_lock"], values["lock"]) == (
        "todo",
        r"\N",
        r"\N",
        "l",
    )


def test_a_backup_is_its_owners_alone_and_is_never_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "b"
    assert last_backup() is None
    assert run("backup", str(file)) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert last_backup() is not None
    written = file.read_bytes()
    assert run("backup", str(file)) == 1
    assert "exists already: name a new file" in capsys.readouterr().err
    assert file.read_bytes() == written
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_nothing_is_written_over_people(
    tmp_path: Path, db_clean: DatabaseRoles, capsys: pytest.CaptureFixture[str]
) -> None:
    build_world()
    run("backup", str(tmp_path / "b"))
    before = everything(db_clean)
    assert run("restore", str(tmp_path / "b")) == 1
    assert "not empty, and nothing is written over" in capsys.readouterr().err
    assert everything(db_clean) == before


def test_nothing_is_restored_beneath_a_server_at_work(
    tmp_path: Path, db_clean: DatabaseRoles, capsys: pytest.CaptureFixture[str]
) -> None:
    run("backup", str(tmp_path / "b"))
    with psycopg.connect(**db_clean.app):
        assert run("restore", str(tmp_path / "b")) == 1
    assert "Twin is at work in this database" in capsys.readouterr().err


def test_another_key_in_the_environment_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("backup", str(tmp_path / "b"))
    monkeypatch.setenv("TWIN_SECRET_KEY", "another-one-that-nobody-guesses-4711")
    assert run("restore", str(tmp_path / "b")) == 1
    assert "TWIN_SECRET_KEY is not the key of this backup" in capsys.readouterr().err


def rewritten(source: Path, target: Path, **changes: Any) -> None:
    """The same backup whose manifest says something else."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "manifest.json":
                content = json.dumps(json.loads(content) | changes).encode()
            new.writestr(name, content)


def test_a_backup_of_a_later_twin_is_refused_by_its_migration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("backup", str(tmp_path / "b"))
    rewritten(tmp_path / "b", tmp_path / "later", migrations=[["metering", "9999_later"]], twin_version="9.9")
    assert run("restore", str(tmp_path / "later")) == 1
    assert "another Twin (9.9), whose migration metering.9999_later" in capsys.readouterr().err


def test_a_damaged_table_brings_nothing_in(
    tmp_path: Path, db_clean: DatabaseRoles, migrated_database: Cleaner, capsys: pytest.CaptureFixture[str]
) -> None:
    a_used_world()
    run("backup", str(tmp_path / "b"))
    migrated_database.clean()
    empty = everything(db_clean)
    content = bytearray((tmp_path / "b").read_bytes())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        part = archive.getinfo("tables/pricing_rate.copy")
    content[part.header_offset + 30 + len(part.filename) + 40] ^= 0xFF
    (tmp_path / "b").write_bytes(content)
    assert run("restore", str(tmp_path / "b")) == 1
    assert "tables/pricing_rate.copy" in capsys.readouterr().err
    assert everything(db_clean) == empty


@pytest.mark.parametrize("content", [b"", b"no backup", b"PK\x03\x04"])
def test_what_is_no_backup_is_refused_in_one_line(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b").write_bytes(content)
    assert run("restore", str(tmp_path / "b")) == 1
    assert capsys.readouterr().err.startswith(f"twin: {tmp_path}/b is no whole backup of Twin")


def test_a_backup_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"1"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), writing(tmp_path / "b") as archive:
        archive.add_table("t", pieces())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    gone = "cannot be written: No such file or directory"
    with pytest.raises(BackupUnwritable, match=gone), writing(tmp_path / "none" / "b"):
        pass
    with pytest.raises(BackupUnreadable, match="cannot be read: No such file or directory"), reading(tmp_path / "b"):
        pass
