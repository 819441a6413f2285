"""What `/metrics` answers: what the web workers counted, and the state of the installation at this moment."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime

from django.conf import settings
from django.db import Error, connections
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from twin.cli.backup import last_backup
from twin.kernel import clock
from twin.kernel.backlog import jobs_state, messages_state
from twin.metering.backlog import metering_state

CHANNELS = ("mail", "sms")


class InstallationCollector(Collector):
    """Asks database and disk at every scrape; what does not answer is left out, `twin_database_up` says why."""

    def collect(self) -> Iterator[Metric]:
        try:
            found = [metric for part in (_jobs, _messages, _metering, _size) for metric in part()]
            is_up = True
        except Error:
            found, is_up = [], False
        finally:
            # Scrapes come from ever new threads, each of which would keep connections of its own.
            connections.close_all()
        yield _gauge("twin_database_up", "1 when the database answers.", is_up)
        yield from found
        yield _gauge(
            "twin_disk_free_bytes",
            "Free space where the data directory lies.",
            shutil.disk_usage(settings.DATA_DIR).free,
        )
        made_at = last_backup()
        if made_at is not None:
            yield _gauge(
                "twin_backup_age_seconds", "Since the last `twin backup` of this data directory.", _age(made_at)
            )


def _jobs() -> Iterator[Metric]:
    jobs = jobs_state()
    yield _gauge("twin_jobs_waiting", "Jobs that could be done now.", jobs.waiting)
    yield _gauge("twin_jobs_oldest_seconds", "How long the oldest of them has waited.", _age(jobs.oldest_since))
    yield _gauge("twin_jobs_failed_lately", "Jobs that failed within 24 hours.", jobs.failed_lately)
    if jobs.worker_seen_at is not None:
        yield _gauge("twin_worker_seen_seconds", "Since a process of jobs was last alive.", _age(jobs.worker_seen_at))


def _messages() -> Iterator[Metric]:
    waiting = GaugeMetricFamily("twin_messages_waiting", "Mails and SMS on their way out.", labels=["channel"])
    oldest = GaugeMetricFamily("twin_messages_oldest_seconds", "How long the oldest has waited.", labels=["channel"])
    failed = GaugeMetricFamily("twin_messages_failed_lately", "Given up within 24 hours.", labels=["channel"])
    for channel in CHANNELS:
        state = messages_state(channel)
        waiting.add_metric([channel], state.waiting)
        oldest.add_metric([channel], _age(state.oldest_since))
        failed.add_metric([channel], state.failed_lately)
    return iter((waiting, oldest, failed))


def _metering() -> Iterator[Metric]:
    state = metering_state()
    batches = CounterMetricFamily("twin_usage_batches", "Batches of usage stored.")
    batches.add_metric([], state.batches)
    yield batches
    yield _gauge("twin_unfolded_journal_rows", "Totals of batches not yet in the books.", state.unfolded)
    yield _gauge("twin_unfolded_oldest_seconds", "How long the oldest of them has waited.", _age(state.unfolded_since))
    yield _gauge("twin_usage_unrated", "Edges of events that lack a price, counted up to 100,000.", state.unrated)
    yield _gauge("twin_usage_conflicts", "Conflicting repeats recorded, counted up to 100,000.", state.conflicts)


def _size() -> Iterator[Metric]:
    with connections["default"].cursor() as cursor:
        cursor.execute("select pg_database_size(current_database())")
        yield _gauge("twin_database_bytes", "Size of the database on its disk.", cursor.fetchone()[0])


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _age(since: datetime | None) -> float:
    return max(0.0, (clock.now() - since).total_seconds()) if since is not None else 0.0


def registry(folder: str) -> CollectorRegistry:
    """What the web workers have counted into the folder, and the state of the installation."""
    made = CollectorRegistry()
    collect: Callable[..., object] = MultiProcessCollector  # the library leaves it untyped
    collect(made, path=folder)
    made.register(InstallationCollector())
    return made
