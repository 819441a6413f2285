from __future__ import annotations

from typing import Any

import pytest

from twin.kernel.sealing import SealBroken, seal, unseal


def test_what_is_sealed_opens_again() -> None:
    assert unseal(seal("Код 123456 🙂")) == "Код 123456 🙂"


def test_equal_texts_cannot_be_told_from_their_seals() -> None:
    assert seal("123456") != seal("123456")


def test_a_changed_seal_does_not_open() -> None:
    sealed = seal("123456")
    for wrong in (sealed[:-5] + "AAAA=", "", "123456", "Й"):
        with pytest.raises(SealBroken):
            unseal(wrong)


def test_another_secret_key_does_not_open_it(settings: Any) -> None:
    sealed = seal("123456")
    settings.SECRET_KEY = "another key of this installation"
    with pytest.raises(SealBroken, match="TWIN_SECRET_KEY"):
        unseal(sealed)
