from __future__ import annotations

import pytest

from twin.kernel.masking import mask_email, mask_people, mask_phone, mask_text


@pytest.mark.parametrize("around", ["{}", "code {}.", "code:{}", "({})", "Код {}, до 12:30", "'{}'", "={}&", "{}\n"])
def test_a_code_is_masked_wherever_it_stands(around: str) -> None:
    assert "918273" not in mask_text(around.format("918273"))


@pytest.mark.parametrize(
    "number", ["+491701234567", "+49 170 1234567", "+49 (170) 123-45-67", "+1-202-555-0143", "491701234567"]
)
def test_a_phone_is_masked_however_it_is_written(number: str) -> None:
    masked = mask_text(f"to {number}, refused")
    assert "1234567" not in masked
    assert "555" not in masked
    assert "123-45" not in masked


@pytest.mark.parametrize("email", ["ann.acre@example.com", "Ann+x@sub.example.co.uk", "иван@пример.рф", "o'neil@x.org"])
def test_an_email_keeps_its_first_letter_and_domain(email: str) -> None:
    assert mask_text(f"<{email}>: no") == f"<{email[0]}…@{email.partition('@')[2]}>: no"


def test_credentials_and_tokens_of_addresses_go() -> None:
    masked = mask_people("smtp://user:p%40ss@mail.example.com and /recovery/1f-c3kq9z8x7w6v5u4t3s2r1q failed")
    assert masked == "smtp://…@mail.example.com and /recovery/… failed"
    kept = "/static/vendor/bootstrap.min.0123456789abcdef.css and File /srv/twin/kernel/sending_of_2026_messages.py"
    assert mask_people(kept) == kept


def test_what_helps_stays() -> None:
    assert mask_text("550 5.7.1 at 2026-11-22T10:00:00Z, port 2525, batch 12345") == (
        "550 5.7.1 at 2026-11-22T10:00:00Z, port 2525, batch 12345"
    )


def test_short_names_do_not_break() -> None:
    assert (mask_email("@"), mask_email(""), mask_phone("+")) == ("…@", "…@", "+…+")
