"""What `twin doctor` looks at: each check says what it found and, unless it is well, what to do."""

from __future__ import annotations

import http.client
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import Error, connections

from twin.cli.backup import last_backup
from twin.cli.database import pending_migrations
from twin.cli.exposure import is_local, url_trouble
from twin.engine.errors import EngineError
from twin.engine.roles import check_app_role, check_server, shut_tables
from twin.kernel import clock, demonstration, gateways
from twin.kernel.audit_chain import last_sealed
from twin.kernel.backlog import jobs_state, messages_state
from twin.metering.backlog import metering_state

GIGABYTE = 1024**3


class State(Enum):
    """How well a thing is."""

    GOOD, POOR, BAD = "good", "poor", "bad"


GOOD, POOR, BAD = State.GOOD, State.POOR, State.BAD


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's."""

    state: State
    text: str


Check = Callable[[], Iterable[Finding]]


def disk() -> Iterator[Finding]:
    """Disk and data directory."""
    folder = Path(settings.DATA_DIR)
    free = shutil.disk_usage(folder).free / GIGABYTE
    if free < 1:
        yield Finding(BAD, f"{free:.1f} GB are free in {folder}: make room, the database stops when the disk is full.")
    elif free < 10:
        yield Finding(POOR, f"{free:.1f} GB are free in {folder}: a million events need about 0.2 GB, plan ahead.")
    else:
        yield Finding(GOOD, f"{free:.0f} GB are free in {folder}.")
    if stat.S_IMODE(folder.stat().st_mode) & 0o006:
        yield Finding(BAD, f"Everybody on this machine may read {folder}, which holds secrets: chmod o-rw {folder}.")


def address() -> Iterator[Finding]:
    """The address."""
    trouble = url_trouble(settings.URL, settings.HOST)
    if trouble:
        yield Finding(BAD if is_local(settings.HOST) is False else POOR, trouble)
    elif settings.SECURE and is_local(settings.HOST) and not settings.TRUSTED_PROXIES:
        yield Finding(
            POOR,
            f"TWIN_URL is {settings.URL}, so a proxy stands before Twin, but TWIN_TRUSTED_PROXIES is 0: everybody seems"
            " to come from the proxy, and limits by address hit all at once. Set it to the number of your proxies.",
        )
    else:
        yield Finding(GOOD, f"People reach Twin at {settings.URL}.")


def senders() -> Iterator[Finding]:
    """Mail and SMS."""
    try:
        gateways.check_settings()
    except Exception as unusable:  # noqa: BLE001 - whatever is wrong with the address is the finding
        yield Finding(BAD, str(unusable))
        return
    missing = gateways.missing()
    for setting in missing:
        yield Finding(POOR, f"{setting} is not set: what it would carry waits here unsent (docs/settings.md).")
    if not missing:
        yield Finding(GOOD, "Mails and SMS have a way out.")


def breached_passwords() -> Iterator[Finding]:
    """The list of breached passwords."""
    file = settings.BREACHED_PASSWORDS
    if file:
        try:
            with Path(file).open("rb"):
                yield Finding(GOOD, f"Breached passwords are refused by {file}.")
        except OSError as refused:
            yield Finding(BAD, f"TWIN_BREACHED_PASSWORDS: {file} cannot be read ({refused.strerror}).")


def backups() -> Iterator[Finding]:
    """Backups."""
    made_at = last_backup()
    if made_at is None:
        yield Finding(POOR, "No backup of this data directory is known: run `twin backup FILE` every day.")
        return
    age = clock.now() - made_at
    if age > timedelta(hours=26):
        yield Finding(POOR, f"The last backup is {_span(age)} old: look why the daily one did not run.")
    else:
        yield Finding(GOOD, f"The last backup is {_span(age)} old.")


def database_answers() -> list[Finding]:
    """The database."""
    findings = []
    for alias, role in (("owner", "owner"), ("default", "app"), ("writer", "writer")):
        try:
            connections[alias].ensure_connection()
            check_server(connections[alias].connection)
        except EngineError as refused:
            findings.append(Finding(BAD, str(refused)))
        except Error as refused:
            first = (str(refused).strip().splitlines() or ["no reason given"])[0]
            findings.append(Finding(BAD, f"The {role} role does not get into the database: {first}"))
    if not findings:
        number = connections["owner"].connection.info.server_version
        where = (
            "the embedded one" if settings.ROLES.embedded else f"at {settings.ROLES.app.get('host', 'this machine')}"
        )
        findings.append(
            Finding(GOOD, f"PostgreSQL {number // 10_000}.{number % 10_000} answers all three roles ({where}).")
        )
    return findings


def roles() -> Iterator[Finding]:
    """The database roles."""
    try:
        check_app_role(connections["default"].connection)
    except EngineError as refused:
        yield Finding(BAD, str(refused))
        return
    owner = connections["owner"].connection
    writer = connections["writer"].settings_dict["USER"]
    shut = shut_tables(owner, owner.info.user, "owner_passes") + shut_tables(owner, writer, "writer_passes")
    if shut:
        yield Finding(BAD, f"Row-level security hides {shut[0]} from owner or writer: run `twin migrate`.")
    else:
        yield Finding(GOOD, "The app role is bound by row-level security, owner and writer pass.")


def schema() -> Iterator[Finding]:
    """The schema."""
    pending = pending_migrations()
    if pending:
        yield Finding(BAD, f"The database lacks {len(pending)} migration(s), first {pending[0]}: run `twin migrate`.")
    else:
        yield Finding(GOOD, "The schema is up to date.")


def clocks() -> Iterator[Finding]:
    """The clocks."""
    with connections["default"].cursor() as cursor:
        before = clock.now()
        cursor.execute("select clock_timestamp()")
        told = cursor.fetchone()[0]
    apart = abs(told - (before + (clock.now() - before) / 2)).total_seconds()
    if apart > 2:
        yield Finding(
            BAD if apart > 60 else POOR,
            f"The clocks of this machine and of the database are {apart:.0f} s apart: let both follow NTP.",
        )
    else:
        yield Finding(GOOD, "The clocks of this machine and of the database agree.")


def inhabitants() -> Iterator[Finding]:
    """The installation."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("select count(*) from companies_company where kind = 'platform'")
        if not cursor.fetchone()[0]:
            yield Finding(BAD, "There is no platform company: run `twin init`, or `twin restore` a backup.")
    if demonstration.is_exposed():
        yield Finding(BAD, "The demonstration, whose passwords everybody knows, would be served to other machines.")
    elif demonstration.is_open():
        yield Finding(POOR, "This is the demonstration: its passwords are known, mails and SMS stay on /outbox.")


def jobs() -> Iterator[Finding]:
    """Jobs."""
    state = jobs_state()
    seen = state.worker_seen_at
    if seen is None or clock.now() - seen > timedelta(minutes=2):
        since = "none was seen" if seen is None else f"last seen {_span(clock.now() - seen)} ago"
        yield Finding(BAD, f"No process of jobs runs ({since}): start `twin serve`; mails and totals wait for it.")
    elif _is_old(state.oldest_since, timedelta(minutes=5)):
        yield Finding(BAD, f"{state.waiting} jobs wait, the oldest since {_at(state.oldest_since)}: look at the log.")
    else:
        yield Finding(GOOD, f"Jobs are done; {state.waiting} wait.")
    if state.failed_lately:
        yield Finding(POOR, f"{state.failed_lately} jobs failed within a day: the log says why.")


def messages() -> Iterator[Finding]:
    """Mails and SMS under way."""
    for channel, name, setting in (("mail", "mails", settings.SMTP_URL), ("sms", "SMS", settings.SMS_URL)):
        state = messages_state(channel)
        if state.failed_lately:
            yield Finding(POOR, f"{state.failed_lately} {name} were given up within a day: `twin outbox` says why.")
        if setting and _is_old(state.oldest_since, timedelta(minutes=15)):
            yield Finding(
                BAD, f"{state.waiting} {name} wait, the oldest since {_at(state.oldest_since)}: `twin outbox`."
            )


def totals() -> Iterator[Finding]:
    """The totals."""
    state = metering_state()
    if _is_old(state.unfolded_since, timedelta(minutes=15)):
        yield Finding(
            BAD,
            f"{state.unfolded} journal rows wait for the books, the oldest since {_at(state.unfolded_since)}: figures"
            " are right but reports get slow. Jobs must run; `twin metering fold` does it by hand.",
        )
    else:
        yield Finding(GOOD, f"{state.unfolded} journal rows wait for the books.")
    if state.unrated:
        yield Finding(POOR, f"{state.unrated} times usage lacks a price: its sellers see where in their reports.")
    if state.conflicts:
        yield Finding(
            POOR, f"{state.conflicts} conflicting repeats of usage were refused: GET /api/v1/usage/conflicts."
        )


def audit() -> Iterator[Finding]:
    """The seals of the audit."""
    day, _ = last_sealed()
    if day is None:
        yield Finding(GOOD, "No day of the audit is sealed yet: that happens in the night after it.")
    elif clock.now().date() - day > timedelta(days=2):
        yield Finding(POOR, f"The audit is sealed up to {day} only: jobs must run; `twin audit seal` does it by hand.")
    else:
        yield Finding(GOOD, f"The audit is sealed up to {day}.")


def web() -> Iterator[Finding]:
    """The web server."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)  # noqa: S104 - compared, not bound
    asked = http.client.HTTPConnection(host, settings.PORT, timeout=5)
    try:
        asked.request("GET", "/readyz", headers={"Host": urlsplit(settings.URL).hostname or "localhost"})
        status = asked.getresponse().status
    except (OSError, http.client.HTTPException):
        yield Finding(BAD, f"Nobody answers at {host}:{settings.PORT}: start `twin serve`, or look at its log.")
        return
    finally:
        asked.close()
    if status == 200:
        yield Finding(GOOD, f"The web server answers at {host}:{settings.PORT}.")
    else:
        yield Finding(BAD, f"/readyz at {host}:{settings.PORT} answers {status}: it is not ready, or not Twin.")


BEFORE_DATABASE: tuple[Check, ...] = (disk, address, breached_passwords, backups)
WITH_DATABASE: tuple[Check, ...] = (schema, roles, clocks, inhabitants, senders, web, jobs, messages, totals, audit)


def _is_old(since: datetime | None, patience: timedelta) -> bool:
    return since is not None and clock.now() - since > patience


def _at(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC") if moment else "never"


def _span(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"
