"""Compile the message catalogues; needs no gettext on the machine."""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent


def compile_catalogue(source: Path) -> None:
    """Write the .mo beside its .po; entries marked fuzzy are guesses and stay out."""
    with source.open("rb") as file:
        catalogue = read_po(file, locale=source.parent.parent.name, abort_invalid=True)
    growing = source.with_suffix(".growing")
    with growing.open("wb") as file:
        write_mo(file, catalogue)
    growing.rename(source.with_suffix(".mo"))


def main() -> int:
    for source in sorted((ROOT / "twin").rglob("LC_MESSAGES/*.po")):
        compile_catalogue(source)
    return 0


if __name__ == "__main__":
    sys.exit(main())
