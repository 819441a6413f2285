"""The schema of the database as the operator's commands meet it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from twin.engine.roles import check_app_role, check_server, let_through

# Any number will do that nothing else in this database takes.
MIGRATION_LOCK = 7_046_029


def migrate_database() -> int:
    """Bring the schema up to date; the number of migrations applied. Two at a time wait for each other."""
    with holding_migrations():
        pending = pending_migrations()
        let_roles_through()
        if pending:
            call_command("migrate", database="owner", interactive=False, verbosity=0)
            let_roles_through()
        call_command("createcachetable", database="owner", verbosity=0)
    return len(pending)


@contextmanager
def holding_migrations() -> Iterator[None]:
    """Inside, nobody else changes the schema, and the server is one that Twin can work with."""
    owner = connections["owner"]
    with owner.cursor() as cursor:
        check_server(owner.connection)
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
    try:
        yield
    finally:
        # The advisory lock goes with the session.
        owner.close()


def let_roles_through() -> None:
    """Where the server gives no BYPASSRLS: policies by which owner and writer pass."""
    owner = connections["owner"]
    owner.ensure_connection()
    let_through(owner.connection, connections["writer"].settings_dict["USER"])


def pending_migrations() -> list[str]:
    """Names of the migrations that this version of Twin brings and the database lacks."""
    executor = MigrationExecutor(connections["owner"])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def refuse_when_behind() -> None:
    pending = pending_migrations()
    connections["owner"].close()
    if pending:
        raise click.ClickException(
            f"The database lacks {len(pending)} migration(s), first {pending[0]}: run `twin migrate`, then serve."
        )


def refuse_strong_app_role() -> None:
    """Nothing is served with a role that row-level security does not bind."""
    app = connections["default"]
    app.ensure_connection()
    check_server(app.connection)
    check_app_role(app.connection)
    app.close()
