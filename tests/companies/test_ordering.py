"""Names are listed as a dictionary has them, by the database and by the report alike."""

from __future__ import annotations

import pytest
from django.db import connection

from twin.companies.rules.ordering import ordered_by, place_of
from twin.companies.rules.tree import folded

NAMES = [
    *("Acme", "Bäckerei", "Backhaus", "Blumen", "Łódź Transport", "Londra", "Möbelhaus", "Musikschule", "Nguyễn"),
    *("Ørsted", "Oslo", "Österreich Post", "Otto", "Ştefan", "Zoo", "елка", "Ёлка 2", "жук", "Игра", "Йога", "Клад"),
]


def test_names_with_marks_stand_where_their_letters_belong() -> None:
    backwards = NAMES[::-1]
    assert sorted(backwards, key=place_of) == NAMES


def test_of_names_that_differ_in_marks_only_the_bare_one_comes_first() -> None:
    assert sorted(["Müller", "Muller"], key=place_of) == ["Muller", "Müller"]


@pytest.mark.database
@pytest.mark.usefixtures("db")
def test_the_database_has_the_same_order() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"select name from unnest(%s::text[], %s::text[]) as given(name, sought)"
            f" order by {ordered_by('sought')}, sought",
            [NAMES[::-1], [folded(name) for name in reversed(NAMES)]],
        )
        assert [row[0] for row in cursor.fetchall()] == NAMES
