"""The order in which names are listed: by their letters; marks above them count only where nothing else differs.

Ours and not the server's: PostgreSQL may come without ICU, and lists of the database and of the report agree.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from twin.companies.rules.tree import folded

# All marks that are put on letters but the one that makes й, a letter of its own in every dictionary.
_MARKS: Final = "\u0300-\u0305\u0307-\u036f"
# Letters that keep that mark, and letters that have no parts and still stand beside another one.
_BESIDE: Final = ("ăğĕĭŏŭøłđðħŧæœı", "ageiouolddhtaoi")
_MARKED: Final = "à-ſḁ-ỹё"
_TABLE: Final = str.maketrans(*_BESIDE)


def place_of(name: str) -> tuple[str, str]:
    """What a name is ordered by."""
    small = folded(name)
    if not re.search(f"[{_MARKED}]", small):
        return small, small
    bare = re.sub(f"[{_MARKS}]", "", unicodedata.normalize("NFD", small))
    return unicodedata.normalize("NFC", bare).translate(_TABLE), small


def ordered_by(column: str) -> str:
    """The same in SQL, of a column that holds folded names; ties are broken by the column itself.

    Most names have no marks: theirs are not taken apart.
    """
    bare = f"normalize(regexp_replace(normalize({column}, NFD), '[{_MARKS}]', '', 'g'), NFC)"
    letters, bases = _BESIDE
    return f"case when {column} ~ '[{_MARKED}]' then translate({bare}, '{letters}', '{bases}') else {column} end"
