"""The few third-party files the pages use, served from where the lock file put them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage, Storage

MODULES = Path(__file__).resolve().parent.parent.parent / "frontend" / "node_modules"

# What the browser asks for → where the package keeps it.
FILES: dict[str, str] = {
    "vendor/bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
    # Named inside the style sheet, so hashing the style sheet needs it.
    "vendor/bootstrap.min.css.map": "bootstrap/dist/css/bootstrap.min.css.map",
    "vendor/uplot.js": "uplot/dist/uPlot.iife.min.js",
    "vendor/uplot.css": "uplot/dist/uPlot.min.css",
    "vendor/inter-latin.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "vendor/inter-latin-ext.woff2": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
    "vendor/inter-cyrillic.woff2": "@fontsource-variable/inter/files/inter-cyrillic-wght-normal.woff2",
    "vendor/inter-cyrillic-ext.woff2": "@fontsource-variable/inter/files/inter-cyrillic-ext-wght-normal.woff2",
}


class ModulesStorage(FileSystemStorage):
    """Reads the listed files under the names the browser knows; nothing else of the packages is visible."""

    def path(self, name: str) -> str:
        return str(MODULES / FILES[name.replace("\\", "/")])


class FrontendFinder(BaseFinder):
    """Offers the files of `FILES` to collectstatic and to the development server."""

    # Django hands the app names of its own finders; these files belong to no app.
    def __init__(self, *_args: Any, **_options: Any) -> None:
        self.storage = ModulesStorage(location=str(MODULES))

    def check(self, **_options: Any) -> list[CheckMessage]:
        missing = [source for source in FILES.values() if not (MODULES / source).is_file()]
        if not missing:
            return []
        return [Error(f"{missing[0]} is not installed; run `make setup`.", id="portal.E001")]

    def find(self, path: str, find_all: bool = False, **_options: Any) -> Any:
        source = FILES.get(path)
        found = [str(MODULES / source)] if source and (MODULES / source).is_file() else []
        if find_all:
            return found
        return found[0] if found else None

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[tuple[str, Storage]]:
        del ignore_patterns  # the list above is complete as it is
        return [(name, self.storage) for name in FILES]
