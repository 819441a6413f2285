"""Mails about what happened to an account."""

from __future__ import annotations

import pytest
import time_machine
from django.utils import translation

from twin.accounts.models import User
from twin.accounts.notices import moment_words


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "22 Nov 2026, 14:05 (Europe/Moscow)"), ("ru", "22 ноября 2026, 14:05 (Europe/Moscow)")],
)
def test_a_notice_writes_moments_as_the_pages_do(language: str, words: str) -> None:
    person = User(time_zone="Europe/Moscow", language=language)
    with time_machine.travel("2026-11-22T11:05:00Z", tick=False), translation.override(language):
        assert moment_words(person) == words
