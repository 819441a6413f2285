"""What a company and a key may be called and be; refusals name the field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, cast

from twin.companies.errors import CompanyInvalid, KeyInvalid
from twin.companies.types import PERMISSIONS, CompanyKind, CompanyState
from twin.kernel.errors import FieldError, Invalid
from twin.kernel.period import parse_zone
from twin.kernel.text import clean_text

# ISO 4217, currencies in use with a minor unit that can be paid.
_CODES: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP"
    " CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF"
    " IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD"
    " MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB"
    " RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD"
    " UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG"
)
CURRENCIES: Final = frozenset(_CODES.split())


def invalid(message: str, *loc: str) -> CompanyInvalid:
    return CompanyInvalid(message, [FieldError(loc, message)])


def checked_name(name: str) -> str:
    return _at("name", lambda: clean_text(name, field="name", longest=200))


def checked_external_id(external_id: str | None) -> str | None:
    if external_id is None:
        return None
    return _at("external_id", lambda: clean_text(external_id, field="external_id", longest=64))


def checked_zone(name: str) -> str:
    return _at("time_zone", lambda: str(parse_zone(name)))


def checked_currency(currency: str) -> str:
    if currency not in CURRENCIES:
        raise invalid(f"{currency[:16]!r} is not a currency code of ISO 4217 such as EUR.", "currency")
    return currency


def checked_child_kind(kind: str) -> CompanyKind:
    if kind not in ("company", "reseller"):
        raise invalid("kind must be company or reseller.", "kind")
    return cast(CompanyKind, kind)


def checked_state(state: str, reason: str | None) -> tuple[CompanyState, str]:
    """The state and its reason; blocked and closed need one, active forgets it."""
    if state not in ("active", "blocked", "closed"):
        raise invalid("state must be active, blocked or closed.", "state")
    if reason is not None:
        reason = _at("reason", lambda: clean_text(cast(str, reason), field="reason", longest=500))
    if state == "active":
        return "active", ""
    if reason is None:
        raise invalid(f"A company is {state} for a reason: send `reason` too.", "reason")
    return cast(CompanyState, state), reason


def checked_key(name: str, scopes: Sequence[str]) -> tuple[str, list[str]]:
    """Name and permissions of a key, each permission once and in the usual order."""
    unknown = sorted(set(scopes) - set(PERMISSIONS))
    if unknown or not scopes:
        message = f"{unknown[0]!r} is no scope" if unknown else "A key needs at least one scope"
        message += f"; there are {', '.join(PERMISSIONS)}."
        raise KeyInvalid(message, [FieldError(("scopes",), message)])
    cleaned = _at("name", lambda: clean_text(name, field="name", longest=100))
    return cleaned, [scope for scope in PERMISSIONS if scope in scopes]


def _at(field: str, check: Callable[[], str]) -> str:
    """Let the check's refusal carry the field it stands in."""
    try:
        return check()
    except Invalid as refusal:
        raise invalid(str(refusal), field) from None
