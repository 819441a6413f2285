"""The process that typesets one PDF: data as JSON on standard input, the file on standard output.

A program of its own: what typesetting needs of memory goes with it. It knows nothing of Twin.
"""

from __future__ import annotations

import sys
from pathlib import Path

import fontpkg_inter
import typst


def main(template: str, moment: str, tagged: str) -> None:
    place = Path(template)
    fonts = Path(fontpkg_inter.__file__).parent / "files"
    is_tagged = tagged == "tagged"
    made = typst.compile(
        place,
        root=place.parent,
        font_paths=typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(fonts)]),
        sys_inputs={"data": sys.stdin.buffer.read().decode()},
        pdf_standards=["ua-1"] if is_tagged else [],
        pdf_tags=is_tagged,
        timestamp=int(moment),
    )
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main(*sys.argv[1:])
