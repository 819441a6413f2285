"""`/metrics` is a process of its own, tells figures and nobody's name, and is not at the public address."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from tests.flows.installation import Client, Installation, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]


def test_what_the_server_did_is_told_at_its_own_port(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data")
    port = free_port()
    installation.environment["TWIN_METRICS_PORT"] = str(port)
    try:
        installation.serve()
        key = installation.key(installation.init())
        with Client(installation.port, key) as client:
            assert client.get("/metrics").status == 404
            assert client.get("/login?next=/ann@example.org").status == 200
            assert client.send_events(b'[{"id": "ann@example.org"}]').json["accepted"] == 0
        text = scraped(port)
        assert 'twin_usage_events_total{outcome="rejected"} 1.0' in text
        assert 'django_http_responses_total_by_status_total{status="404"} 1.0' in text
        assert "twin_database_up 1.0" in text
        assert "twin_unfolded_journal_rows 0.0" in text
        assert "example" not in text
        installation.stop()
    finally:
        installation.destroy()


def scraped(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        return str(answer.read().decode())
