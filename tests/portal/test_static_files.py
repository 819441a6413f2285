"""Files of the pages: kept by browsers for ever under names that change with them, compressed once, never twice."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]  # the package brings no types
import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import Client, override_settings

STYLE, FONT = "vendor/uplot.css", "vendor/inter-latin.woff2"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The files as an installation builds them."""
    root = tmp_path_factory.mktemp("static")
    hashed = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}
    with override_settings(STATIC_ROOT=root, STORAGES=hashed):
        call_command("collectstatic", interactive=False, verbosity=0)
        yield root


def fetch(root: Path, name: str, **headers: str) -> Any:
    hashed = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}
    with override_settings(STATIC_ROOT=root, STORAGES=hashed):
        answer = Client().get(staticfiles_storage.url(name), headers=headers)
        return answer, b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]  # streamed


@pytest.mark.parametrize("name", [STYLE, FONT])
def test_a_file_named_by_its_content_is_kept_for_ever(built: Path, name: str) -> None:
    answer, _ = fetch(built, name)
    said = dict(part.strip().partition("=")[::2] for part in answer["Cache-Control"].split(","))
    assert set(said) == {"max-age", "public", "immutable"}
    assert int(said["max-age"]) >= 31_536_000
    assert answer["Content-Type"].partition(";")[0] == {STYLE: "text/css", FONT: "font/woff2"}[name]
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_text_is_sent_as_the_browser_takes_it(built: Path) -> None:
    plain_answer, plain = fetch(built, STYLE)
    assert "Content-Encoding" not in plain_answer
    for asked, coding, unpack in (("gzip, br", "br", brotli.decompress), ("gzip", "gzip", gzip.decompress)):
        answer, packed = fetch(built, STYLE, accept_encoding=asked)
        assert (answer["Content-Encoding"], answer["Vary"]) == (coding, "Accept-Encoding")
        assert unpack(packed) == plain
        assert len(packed) < len(plain) / 2


def test_fonts_are_compressed_already(built: Path) -> None:
    answer, _ = fetch(built, FONT, accept_encoding="gzip, br")
    assert "Content-Encoding" not in answer
    assert not list(built.glob("vendor/*.woff2.*"))


@pytest.mark.parametrize("asked", ["gzip, br", "gzip", "identity"])
def test_what_the_browser_has_is_not_sent_again(built: Path, asked: str) -> None:
    first, _ = fetch(built, STYLE, accept_encoding=asked)
    again, sent = fetch(built, STYLE, accept_encoding=asked, if_none_match=first["ETag"])
    assert (again.status_code, sent) == (304, b"")
    assert again["Cache-Control"] == first["Cache-Control"]
    later, sent = fetch(built, STYLE, accept_encoding=asked, if_modified_since=first["Last-Modified"])
    assert (later.status_code, sent) == (304, b"")
