from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from babel.messages.pofile import read_po

from tests.portal.messages_found import ROOT, Key, texts_in_sources

CATALOGUE = ROOT / "locale" / "ru" / "LC_MESSAGES" / "django.po"


def _translated() -> Iterator[tuple[Key, Any]]:
    with CATALOGUE.open("rb") as source:
        for message in read_po(source, locale="ru", abort_invalid=True):
            if message.id:
                single, plural = message.id if isinstance(message.id, tuple) else (message.id, None)
                yield (message.context, str(single), plural), message


def test_every_text_of_the_pages_has_its_russian() -> None:
    done = {
        key
        for key, message in _translated()
        if not message.fuzzy and all(message.string if isinstance(message.string, tuple) else [message.string])
    }
    assert sorted(texts_in_sources() - done, key=str) == []


def test_no_russian_text_outlives_its_english_one() -> None:
    assert sorted({key for key, _ in _translated()} - texts_in_sources(), key=str) == []


def test_russian_has_its_three_plurals_and_every_placeholder() -> None:
    for key, message in _translated():
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert len(strings) == (3 if key[2] else 1), key
        for string in strings:
            wanted = {part.split(")")[0] for part in key[1].split("%(")[1:]}
            assert {part.split(")")[0] for part in string.split("%(")[1:]} == wanted, key


@pytest.mark.parametrize(
    ("english", "russian"),
    [
        ("There are expenses", "Имеются расходы"),
        ("Text messaging service", "Сервис текстовых сообщений"),
        ("Total price to Twin", "Итого к оплате Twin"),
        ("Total price to reseller", "Итого реселлеру"),
        ("Personal Account", "Личный кабинет"),
        ("Enter", "Войти"),
        ("Remember me", "Запомнить меня"),
    ],
)
def test_agreed_words_are_used(english: str, russian: str) -> None:
    words = {key[1]: message.string for key, message in _translated() if key[2] is None}
    assert words[english] == russian
