"""Which meters stand in which section, and which of them make up a price column."""

from __future__ import annotations

from typing import Final

from twin.pricing.meters import METERS, SERVICES

SECTION_METERS: Final = {
    service: tuple(meter.code for meter in METERS if meter.service == service) for service in SERVICES
}
METER_IDS: Final = {meter.code: meter.id for meter in METERS}
MEASURES: Final = ("count", "quantity", "buy", "sell")

# The price columns. Together those of a section cover each of its meters exactly once,
# so on either side they add up to the total of that side.
PRICES: Final = {
    "price_sms": ("sms.sent", "sms.delivered"),
    "price_viber": ("viber.sent", "viber.delivered"),
    "price_whatsapp": ("whatsapp.sent", "whatsapp.delivered"),
    "price_email": ("email.sent", "email.delivered"),
    "price_push": ("push.sent", "push.delivered"),
    "price_operator": ("chat.operator_message",),
    "price_bot": ("chat.bot_message",),
    "price_user": ("chat.user_message",),
    "price_alice": (
        "chat.alice_operator_message",
        "chat.alice_bot_message",
        "chat.alice_user_message",
    ),
}
