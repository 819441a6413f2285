from __future__ import annotations

import json
from pathlib import Path

from django.contrib.staticfiles import finders

from twin.portal.assets import FILES, MODULES, FrontendFinder


def test_only_the_listed_files_of_the_packages_are_served() -> None:
    finder = FrontendFinder()
    assert [name for name, _ in finder.list(None)] == list(FILES)
    assert finder.find("bootstrap/dist/css/bootstrap.css") is None
    assert finder.find("vendor/../../package.json") is None
    assert finders.find("vendor/bootstrap.min.css") == str(MODULES / FILES["vendor/bootstrap.min.css"])


def test_the_lock_file_holds_checksums_and_no_addresses() -> None:
    lock = json.loads((MODULES.parent / "package-lock.json").read_text(encoding="utf-8"))
    packages = [entry for name, entry in lock["packages"].items() if name]
    assert packages
    assert all("integrity" in entry and "resolved" not in entry for entry in packages)


def test_no_page_carries_script_or_style_inside() -> None:
    templates = Path(__file__).resolve().parent.parent.parent / "twin" / "portal" / "templates"
    for path in templates.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert " style=" not in text, path
        assert "<style" not in text, path
        assert " on" + "click=" not in text, path
        assert text.count("<script") == text.count("<script src="), path
