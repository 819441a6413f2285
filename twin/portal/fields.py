"""Form fields that registration, invitations and the security page share: phone, time zone, code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from babel import Locale
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from twin.accounts.errors import PhoneReason, PhoneUnusable
from twin.accounts.rules.phones import Country, checked_phone, phone_countries, shown_phone, split_phone
from twin.kernel.period import offered_zones, zone_called

_PHONE_SENTENCES: Final[dict[PhoneReason, Promise]] = {
    "unreadable": _("This is not a phone number. Choose the country and type the number, for example %(example)s."),
    "country": _("We cannot send SMS to numbers of this country. Use a number of one of the countries listed."),
    "not_mobile": _("Codes go to mobile numbers only, and this is of another kind. Use a mobile number."),
}


@cache
def _countries(codes: tuple[str, ...]) -> dict[str, Country]:
    return {country.code: country for country in phone_countries(codes)}


def countries() -> dict[str, Country]:
    """The countries SMS go to, by their code."""
    return _countries(tuple(settings.SMS_COUNTRIES))


class PhoneWidget(forms.Widget):
    """The country and the number beside each other; a full number with `+` may be typed as well."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:  # noqa: ARG002 - Django's signature
        country, number = value if isinstance(value, list | tuple) else split_phone(value or "")
        attrs = self.build_attrs(self.attrs, attrs)
        names = Locale.parse(get_language() or "en").territories
        offered = [(each, names.get(code, code)) for code, each in sorted(countries().items())]
        context = {"name": name, "country": country, "number": number, "countries": offered, "attrs": attrs}
        return mark_safe(render_to_string("portal/widgets/phone.html", context))  # noqa: S308 - a template of ours, escaped there

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[str]:  # noqa: ARG002 - Django's signature
        return [str(data.get(f"{name}_country", "")), str(data.get(name, ""))]

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:  # noqa: ARG002 - Django's signature
        return name not in data


class PhoneField(forms.Field):
    """Gives the number in E.164, only such as can be confirmed by SMS."""

    widget = PhoneWidget

    def clean(self, value: Any) -> str:
        country, number = value or ("", "")
        if not number.strip():
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return ""
        try:
            return checked_phone(number, countries=countries(), region=country if country in countries() else None)
        except PhoneUnusable as error:
            known = countries().get(country)
            example = known.example if known else "+49 1512 3456789"
            raise ValidationError(_PHONE_SENTENCES[error.reason] % {"example": example}, code=error.reason) from None


class TimeZoneWidget(forms.TextInput):
    """One text field with the zones to choose from; a script fills in the browser's own."""

    template = "portal/widgets/zone.html"

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:  # noqa: ARG002 - Django's signature
        attrs = self.build_attrs(self.attrs, attrs)
        context = {"name": name, "value": value or "", "zones": offered_zones(), "attrs": attrs}
        return mark_safe(render_to_string(self.template, context))  # noqa: S308 - a template of ours, escaped there


class TimeZoneField(forms.CharField):
    """Gives the name of a zone that exists; the name of its city alone is understood too."""

    widget = TimeZoneWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=64, **options)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        zone = zone_called(text)
        if zone is None and text:
            raise ValidationError(_("There is no such time zone. Type a city and choose from the list."), code="zone")
        return zone or ""


class CodeInput(forms.TextInput):
    """Empty again after a wrong code."""

    def format_value(self, value: Any) -> None:  # noqa: ARG002 - Django's signature
        return None


class CodeField(forms.CharField):
    """Six digits out of a mail or an SMS; pasting works, and phones offer the code of the SMS by themselves."""

    def __init__(self, **options: Any) -> None:
        widget = CodeInput(
            attrs={
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "class": "code-input",
                "maxlength": "20",
                "spellcheck": "false",
                "autofocus": True,
            }
        )
        super().__init__(widget=widget, **options)


def phone_words(e164: str) -> str:
    """The number as people write it."""
    return shown_phone(e164)


def region_of(accepted: str, offered: Sequence[str]) -> str:
    """The first country a browser names in `Accept-Language` that is offered; empty when none."""
    for part in accepted.split(","):
        _language, _dash, region = part.partition(";")[0].strip().partition("-")
        if region.upper() in offered:
            return region.upper()
    return ""
