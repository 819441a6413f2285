"""The two texts people agree to when they register; old versions stay readable under their own addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from twin.accounts.types import Consents
from twin.kernel import clock
from twin.kernel.addresses import address_of

LegalKind = Literal["terms", "personal-data"]


@dataclass(frozen=True, slots=True)
class LegalText:
    """One document: its versions, the newest first. A version's template never changes any more."""

    kind: LegalKind
    title: Promise
    versions: tuple[str, ...]

    @property
    def version(self) -> str:
        return self.versions[0]


TEXTS: Final[dict[str, LegalText]] = {
    "terms": LegalText("terms", _("Terms and conditions"), ("2026-11-22",)),
    "personal-data": LegalText("personal-data", _("Personal data processing policy"), ("2026-11-22",)),
}


def template_of(text: LegalText, version: str, language: str) -> str:
    return f"legal/{text.kind}-{version}.{language}.html"


def consents_given(request: HttpRequest) -> Consents:
    """That whoever sends this form agrees to both texts as they are today."""
    return Consents(
        terms_version=TEXTS["terms"].version,
        personal_data_version=TEXTS["personal-data"].version,
        given_at=clock.now(),
        address=address_of(request),
    )
