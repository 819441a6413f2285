"""Nothing is served with passwords that could be read on their way."""

from __future__ import annotations

from typing import Any

import click
import pytest

from twin.cli.exposure import refuse_open_address, url_trouble


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://localhost:8000", "127.0.0.1"),
        ("http://127.0.0.1:8000", "::1"),
        ("https://twin.example.com", "127.0.0.1"),
        ("https://twin.example.com", "192.0.2.7"),
    ],
)
def test_a_safe_address_is_no_trouble(url: str, host: str) -> None:
    assert url_trouble(url, host) == ""


@pytest.mark.parametrize(
    ("url", "host", "said"),
    [
        ("http://twin.example.com", "127.0.0.1", "passwords would travel unencrypted"),
        ("http://10.0.0.5:8000", "10.0.0.5", "passwords would travel unencrypted"),
        ("twin.example.com", "127.0.0.1", "write https://NAME"),
        ("ftp://twin.example.com", "127.0.0.1", "write https://NAME"),
        ("http://localhost:8000", "192.0.2.7", "links in mails lead nobody here"),
    ],
)
def test_an_unsafe_address_is_said(url: str, host: str, said: str) -> None:
    assert said in url_trouble(url, host)


def test_plain_http_is_refused_unless_it_is_meant(settings: Any) -> None:
    settings.URL, settings.HOST = "http://twin.example.com", "127.0.0.1"
    with pytest.raises(click.ClickException, match="passwords would travel unencrypted"):
        refuse_open_address()
    settings.ALLOW_HTTP = True
    refuse_open_address()


def test_an_address_that_leads_nowhere_is_only_said(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.URL, settings.HOST = "http://localhost:8000", "192.0.2.7"
    refuse_open_address()
    assert "links in mails lead nobody here" in capsys.readouterr().err
