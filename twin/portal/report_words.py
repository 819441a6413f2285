"""Words and figures that all pages of the reports share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from twin.kernel.money import amount_text
from twin.portal.rules.figures import count_text, money_text

TAB_TITLES: Final[dict[str, Promise]] = {
    "messaging": gettext_lazy("Text messaging"),
    "chat": gettext_lazy("Chat"),
    "telephony_legacy": gettext_lazy("Telephony (legacy)"),
    "telephony_new": gettext_lazy("Telephony (new)"),
    "bot": gettext_lazy("Bot"),
}
CHANNEL_TITLES: Final[dict[str, str | Promise]] = {
    "sms": "SMS",
    "viber": "Viber",
    "whatsapp": "Whatsapp",
    "email": "Email",
    "push": "Push",
    "operator": gettext_lazy("Operator"),
    "bot": gettext_lazy("Bot"),
    "user": gettext_lazy("User"),
    "alice": gettext_lazy("Alice"),
}


class Figure(NamedTuple):
    """An amount; `text` rounded, `exact` to the last digit."""

    text: str
    exact: str
    loss: bool = False


def active_language() -> str:
    """The language of which the formats of figures are known."""
    return "ru" if get_language() == "ru" else "en"


def figure_of(nano: int) -> Figure:
    return Figure(money_text(nano, active_language()), amount_text(nano), nano < 0)


def attributes_words(attributes: Mapping[str, str]) -> str:
    """`country DE, network 26201`; what decides nothing is called by what it is: any."""
    return ", ".join(f"{name} {value}" for name, value in sorted(attributes.items())) or _("any")


def quantity_words(quantity: int, unit: str) -> str:
    """`2 parts`, `61 seconds`; `unit` is the meter's."""
    if unit == "part":
        words = ngettext("%(n)s part", "%(n)s parts", quantity)
    elif unit == "second":
        words = ngettext("%(n)s second", "%(n)s seconds", quantity)
    else:
        words = ngettext("%(n)s message", "%(n)s messages", quantity)
    return words % {"n": count_text(quantity, active_language())}
