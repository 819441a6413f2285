"""How a seller bills."""

from __future__ import annotations

from typing import Any, Final, cast

from django.db import connection

from twin.billing.types import LatePolicy, Settings, TaxKind
from twin.companies.types import Scope
from twin.kernel.tenancy import scoped

COLUMNS: Final = (
    "series, credit_series, top_up_series, grace, payment_days, closes_automatically, tax_kind, tax_percent,"
    " tax_text, late_policy, late_threshold_minor, language, footer, logo_digest"
)


@scoped
def settings_of(scope: Scope) -> Settings:
    """The settings of the asking organisation as a seller."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"select {COLUMNS} from billing_settings where seller_id = %s",  # noqa: S608 - constants only
            [scope.organisation_id],
        )
        row = cursor.fetchone()
    return _settings(row) if row else Settings()


@scoped
def logo_of(scope: Scope) -> tuple[str, bytes] | None:
    """Media type and body of the logo that new documents of the organisation bear."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select l.media_type, l.body from billing_settings s join billing_logo l"
            " on l.seller_id = s.seller_id and l.digest = s.logo_digest where s.seller_id = %s",
            [scope.organisation_id],
        )
        row = cursor.fetchone()
    return (row[0], bytes(row[1])) if row else None


def _settings(row: tuple[Any, ...]) -> Settings:
    return Settings(
        series=row[0],
        credit_series=row[1],
        top_up_series=row[2],
        grace=row[3],
        payment_days=row[4],
        closes_automatically=row[5],
        tax_kind=cast(TaxKind, row[6]),
        tax_percent=row[7],
        tax_text=row[8],
        late_policy=cast(LatePolicy, row[9]),
        late_threshold_minor=row[10],
        language=row[11],
        footer=row[12],
        logo_digest=None if row[13] is None else bytes(row[13]),
    )
