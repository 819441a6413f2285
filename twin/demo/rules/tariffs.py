"""What the demonstration world pays: the wholesale list and what each seller makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from twin.demo.rules.cast import AUSTRIA, BALTIC, NORTH, RHEA
from twin.demo.types import Price
from twin.kernel.money import to_nano
from twin.pricing.types import NewRate

FIRST_DAY: Final = 120
_SMS: Final = {
    "DE": "0.0620",
    "AT": "0.0580",
    "PL": "0.0290",
    "GB": "0.0350",
    "FR": "0.0480",
    "LV": "0.0410",
    "LT": "0.0390",
    "EE": "0.0440",
    "RU": "0.0310",
    "KZ": "0.0720",
}
_CALLS: Final = {
    "DE": "0.0180",
    "AT": "0.0210",
    "PL": "0.0160",
    "GB": "0.0170",
    "FR": "0.0190",
    "LV": "0.0320",
    "LT": "0.0280",
    "EE": "0.0300",
    "RU": "0.0240",
    "KZ": "0.0650",
}
_ANYWHERE_SMS, _ANYWHERE_CALL = "0.0900", "0.1200"


def _by_country(meter: str, amounts: Mapping[str, str], form: Price) -> list[Price]:
    return [
        replace(form, meter=meter, amount=amount, selector={"country": country}) for country, amount in amounts.items()
    ]


# SMS and Viber are charged on delivery, the other channels on sending.
_MESSAGES: Final = (
    Price("sms.sent", "0"),
    *_by_country("sms.delivered", _SMS, Price("", "")),
    Price("sms.delivered", _ANYWHERE_SMS),
    Price("viber.sent", "0"),
    Price("viber.delivered", "0.0180"),
    Price("whatsapp.sent", "0.0420"),
    Price("whatsapp.sent", "0.0850", {"category": "marketing"}),
    Price("whatsapp.sent", "0.0340", {"category": "utility"}),
    Price("whatsapp.delivered", "0"),
    Price("email.sent", "0.40", per=1000),
    Price("email.delivered", "0"),
    Price("push.sent", "0.12", per=1000),
    Price("push.delivered", "0"),
)
_DIALOGS: Final = (
    Price("chat.operator_message", "0.0040"),
    Price("chat.bot_message", "0.0020"),
    Price("chat.user_message", "0"),
    Price("chat.alice_operator_message", "0.0060"),
    Price("chat.alice_bot_message", "0.0030"),
    Price("chat.alice_user_message", "0.0010"),
    Price("bot.message", "0.0035"),
)
_PER_SECOND: Final = Price("", "", per=60)
_CALL_PRICES: Final = (
    *_by_country("call.outgoing", _CALLS, _PER_SECOND),
    replace(_PER_SECOND, meter="call.outgoing", amount=_ANYWHERE_CALL),
    replace(_PER_SECOND, meter="call.incoming", amount="0.0080"),
)
_DEARER_GERMANY: Final = Price("sms.delivered", "0.0645", {"country": "DE"}, days_ago=45)

WHOLESALE: Final = (*_MESSAGES, *_DIALOGS, *_CALL_PRICES, _DEARER_GERMANY)


def marked_up(prices: Iterable[Price], percent: int) -> tuple[Price, ...]:
    """The same list, dearer by that much, to four decimals."""
    factor = Decimal(100 + percent).scaleb(-2)
    return tuple(replace(price, amount=_rounded(Decimal(price.amount) * factor)) for price in prices)


def _rounded(amount: Decimal) -> str:
    return str(amount.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP))


def _by_the_minute(prices: Iterable[Price], setup_fee: str) -> tuple[Price, ...]:
    """Outgoing calls with a fee and a first full minute; everything else as it is."""
    return tuple(
        replace(price, minimum=60, increment=1, setup_fee=setup_fee) if price.meter == "call.outgoing" else price
        for price in prices
    )


def _only_known_countries(prices: Iterable[Price]) -> tuple[Price, ...]:
    """Without the SMS price for any other country: such messages stay without a price."""
    return tuple(price for price in prices if price.meter != "sms.delivered" or price.selector)


RHEA_STANDARD: Final = (
    *_by_the_minute(marked_up(WHOLESALE, 28), "0.02"),
    Price("chat.operator_message", "0.0060", days_ago=20),
)
RHEA_LARGE: Final = marked_up(WHOLESALE, 14)
RHEA_PARTNER: Final = marked_up(WHOLESALE, 9)
AUSTRIA_STANDARD: Final = _by_the_minute(marked_up(WHOLESALE, 38), "0.01")
# Viber is sold under its cost to win customers; the report shows the loss.
BALTIC_STANDARD: Final = (
    *marked_up(WHOLESALE, 33),
    Price("viber.delivered", "0.0150"),
    Price("call.incoming", "0.0120", per=60, minimum=30, increment=6, days_ago=60),
)
NORTH_STANDARD: Final = _only_known_countries(marked_up(WHOLESALE, 45))
LIST_PRICES: Final = marked_up(WHOLESALE, 60)

DEFAULT_CARDS: Final[Mapping[str, tuple[str, tuple[Price, ...]]]] = {
    "": ("List prices", LIST_PRICES),
    RHEA: ("Standard", RHEA_STANDARD),
    AUSTRIA: ("Standard Österreich", AUSTRIA_STANDARD),
    BALTIC: ("Standard", BALTIC_STANDARD),
    NORTH: ("Базовый", NORTH_STANDARD),
}
WHOLESALE_CARD: Final = "Wholesale"
# Seller, name, prices, buyers.
SPECIAL_CARDS: Final[tuple[tuple[str, str, tuple[Price, ...], tuple[str, ...]], ...]] = (
    ("", WHOLESALE_CARD, WHOLESALE, (RHEA, BALTIC, NORTH)),
    (RHEA, "Partners", RHEA_PARTNER, (AUSTRIA,)),
    (RHEA, "Large customers", RHEA_LARGE, ("Nordlicht Apotheken", "Kaufhaus Brandt")),
)


def rates(prices: Iterable[Price], present: datetime) -> list[NewRate]:
    """The prices as rates, their beginnings counted back from the world's present."""
    return [
        NewRate(
            meter=price.meter,
            selector=price.selector,
            unit_price_nano=to_nano(price.amount),
            per=price.per,
            minimum=price.minimum,
            increment=price.increment,
            setup_fee_nano=to_nano(price.setup_fee),
            effective_from=present - timedelta(days=price.days_ago),
        )
        for price in prices
    ]
