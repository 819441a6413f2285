"""How a seller bills, as it says itself."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.db import connection

from twin.billing.errors import BillingInvalid
from twin.billing.queries.settings import COLUMNS, settings_of
from twin.billing.types import Settings
from twin.companies.types import BILLING_WRITE, Scope
from twin.kernel.errors import FieldError
from twin.kernel.tenancy import scoped
from twin.kernel.typesetting import TypesettingFailed, typeset

MOST_LOGO_BYTES: Final = 200_000
LONGEST_TEXT: Final = 1_000
_SERIES: Final = re.compile(r"[A-Z0-9](?:[A-Z0-9/.-]{0,10}[A-Z0-9])?", re.ASCII)
_LONGEST_GRACE: Final = timedelta(days=28)
_MOST_MINOR: Final = 10**15
_TAX_KINDS: Final = ("rate", "exempt", "reverse_charge")
_POLICIES: Final = ("next_invoice", "credit_note", "write_off")
_LANGUAGES: Final = ("en", "ru")
_MOST_DOTS: Final = 4_000
_LOGO: Final = Path(__file__).parent.parent / "typst" / "logo.typ"
# Only pictures that cannot hold a program.
_PICTURES: Final = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))

_SAVE: Final = f"""
    insert into billing_settings (seller_id, {COLUMNS})
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    on conflict (seller_id) do update set ({COLUMNS}) = row({
    ", ".join(f"excluded.{name.strip()}" for name in COLUMNS.split(","))
})
"""  # noqa: S608 - constants only


@scoped
def save_settings(scope: Scope, *, settings: Settings) -> Settings:
    """Bill like this from now on; raises `BillingInvalid` naming every field that cannot be. The logo stays.

    What is issued keeps what it was issued with. Another series begins at 1.
    """
    scope.require(BILLING_WRITE)
    errors = [FieldError((field,), message) for field, message in _faults(settings)]
    if errors:
        raise BillingInvalid("These settings cannot be used.", errors)
    kept = settings_of(scope).logo_digest
    _save(scope, settings, kept)
    return settings_of(scope)


@scoped
def set_logo(scope: Scope, body: bytes | None) -> None:
    """The picture that new documents bear from now on: PNG or JPEG; None: none."""
    scope.require(BILLING_WRITE)
    digest = None
    if body is not None:
        media_type = _media_type(body)
        digest = hashlib.sha256(body).digest()
        with connection.cursor() as cursor:
            cursor.execute(
                "insert into billing_logo (seller_id, digest, media_type, body) values (%s, %s, %s, %s)"
                " on conflict do nothing",
                [scope.organisation_id, digest, media_type, body],
            )
    _save(scope, settings_of(scope), digest)


def _save(scope: Scope, settings: Settings, logo: bytes | None) -> None:
    values: list[Any] = [
        scope.organisation_id,
        settings.series,
        settings.credit_series,
        settings.top_up_series,
        settings.grace,
        settings.payment_days,
        settings.closes_automatically,
        settings.tax_kind,
        settings.tax_percent,
        settings.tax_text.strip(),
        settings.late_policy,
        settings.late_threshold_minor,
        settings.language,
        settings.footer.strip(),
        logo,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_SAVE, values)


def _faults(settings: Settings) -> list[tuple[str, str]]:
    """Field and message of everything that cannot be."""
    series = (settings.series, settings.credit_series, settings.top_up_series)
    named = ("series", "credit_series", "top_up_series")
    found = [
        (field, "1 to 12 of A–Z, 0–9, - / . ; letter or digit at both ends.")
        for field, text in zip(named, series, strict=True)
        if not _SERIES.fullmatch(text)
    ]
    if len(set(series)) < len(series):
        found.append(("credit_series", "Invoices, credit notes and top-ups need three different series."))
    limits = (
        ("grace", timedelta(0) <= settings.grace <= _LONGEST_GRACE, "From 0 to 28 days."),
        ("payment_days", 0 <= settings.payment_days <= 365, "From 0 to 365 days."),
        ("tax_kind", settings.tax_kind in _TAX_KINDS, f"One of {', '.join(_TAX_KINDS)}."),
        ("tax_percent", _is_percent(settings.tax_percent), "From 0 to 100, at most 4 decimals."),
        ("late_policy", settings.late_policy in _POLICIES, f"One of {', '.join(_POLICIES)}."),
        ("late_threshold", 0 <= (settings.late_threshold_minor or 0) <= _MOST_MINOR, "An amount from 0 on."),
        ("language", settings.language in _LANGUAGES, f"One of {', '.join(_LANGUAGES)}."),
        ("tax_text", _is_text(settings.tax_text), f"At most {LONGEST_TEXT} characters."),
        ("footer", _is_text(settings.footer), f"At most {LONGEST_TEXT} characters."),
    )
    return found + [(field, message) for field, is_fine, message in limits if not is_fine]


def _is_percent(value: Decimal) -> bool:
    return value.is_finite() and 0 <= value <= 100 and value == value.quantize(Decimal("0.0001"))


def _is_text(text: str) -> bool:
    return len(text) <= LONGEST_TEXT and "\x00" not in text


def _media_type(body: bytes) -> str:
    """What it is; refused unless it can really be set: a document that bears it must always be made."""
    if len(body) <= MOST_LOGO_BYTES:
        for head, media_type in _PICTURES:
            if body.startswith(head) and _can_be_set(body, media_type):
                return media_type
    message = (
        f"A whole picture in PNG or JPEG of at most {MOST_LOGO_BYTES // 1000} kB and {_MOST_DOTS} × {_MOST_DOTS} dots."
    )
    raise BillingInvalid(message, [FieldError(("logo",), message)])


def _can_be_set(body: bytes, media_type: str) -> bool:
    # Few bytes of PNG may unfold to any number of dots; its size stands at the beginning.
    if media_type == "image/png" and max(int.from_bytes(body[16:20]), int.from_bytes(body[20:24])) > _MOST_DOTS:
        return False
    try:
        typeset(
            _LOGO,
            {"format": media_type.removeprefix("image/").replace("jpeg", "jpg"), "bytes": list(body)},
            tagged=False,
        )
    except TypesettingFailed:
        return False
    return True
