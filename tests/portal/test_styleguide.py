"""The page of components: in the demonstration only, every component in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client

pytestmark = pytest.mark.database
COTTON = Path(__file__).resolve().parent.parent.parent / "twin" / "portal" / "templates" / "cotton"
# Components of the kit; others belong to one page or to the frame.
KIT = ("button", "confirm", "empty", "field", "money", "note", "period", "problem", "skeleton", "status", "toast")


@pytest.fixture
def open_demonstration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.kernel.demonstration.is_open", lambda: True)


def test_it_is_not_there_outside_the_demonstration(client: Client) -> None:
    assert client.get("/styleguide").status_code == 404


@pytest.mark.usefixtures("open_demonstration")
def test_everything_stands_there_in_both_themes(client: Client) -> None:
    page = client.get("/styleguide").text
    light, dark = page.partition('data-bs-theme="dark"')[::2]
    for mark in ("swatch-accent", "told", "confirm-body", "skeleton", "money-unknown", "tag-danger", "field-error"):
        assert mark in light, mark
        assert mark in dark, mark
    # A time that occurs twice is a question of the period control.
    assert "happens twice" in page


@pytest.mark.usefixtures("open_demonstration")
def test_no_two_elements_share_an_id(client: Client) -> None:
    ids = re.findall(r'\bid="([^"]+)"', client.get("/styleguide").text)
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("name", KIT)
def test_every_component_of_the_kit_is_there(name: str) -> None:
    assert (COTTON / f"{name}.html").is_file()
    shown = (COTTON.parent / "portal" / "styleguide.html").read_text(encoding="utf-8")
    inside = (COTTON / "field.html").read_text(encoding="utf-8")
    assert f"<c-{name}" in shown + inside
