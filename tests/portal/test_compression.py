"""Pages travel compressed; answers to machines do not."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from django.test import Client

from tests.portal.usage import OCTOBER
from tests.world import World

ASKED = {"accept-encoding": "gzip"}


def test_a_page_is_compressed_for_who_asks(signed_in: Callable[[str], Client]) -> None:
    rhea = signed_in("rhea")
    path = f"/reports/reseller-companies?{OCTOBER}"
    packed = rhea.get(path, headers=ASKED)
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert b"Reseller and companies" in gzip.decompress(packed.content)
    assert "Content-Encoding" not in rhea.get(path)


def test_tables_are_compressed_while_they_stream(signed_in: Callable[[str], Client]) -> None:
    answer = signed_in("rhea").get(f"/reports/reseller-companies/file?{OCTOBER}&format=csv", headers=ASKED)
    assert answer["Content-Encoding"] == "gzip"
    packed = b"".join(answer.streaming_content)  # type: ignore[attr-defined]  # streamed
    assert gzip.decompress(packed).startswith(b"Id,Name")


def test_answers_to_machines_are_not(client: Client, small_world: World) -> None:
    path = f"/api/v1/reports/reseller-companies?{OCTOBER}"
    answer = client.get(path, headers={**ASKED, **small_world.rhea.bearer})
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer
