"""Services and their meters: stable, public codes in the order of the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Meter:
    """What is counted; `unit` is what one of its quantity means."""

    id: int
    code: str
    service: str
    unit: str


SERVICES: Final = ("messaging", "chat", "telephony_legacy", "telephony_new", "bot")

# The numbers stand in every stored event: append, never renumber.
METERS: Final = (
    Meter(1, "sms.sent", "messaging", "part"),
    Meter(2, "sms.delivered", "messaging", "part"),
    Meter(3, "viber.sent", "messaging", "message"),
    Meter(4, "viber.delivered", "messaging", "message"),
    Meter(5, "whatsapp.sent", "messaging", "message"),
    Meter(6, "whatsapp.delivered", "messaging", "message"),
    Meter(7, "email.sent", "messaging", "message"),
    Meter(8, "email.delivered", "messaging", "message"),
    Meter(9, "push.sent", "messaging", "message"),
    Meter(10, "push.delivered", "messaging", "message"),
    Meter(11, "chat.operator_message", "chat", "message"),
    Meter(12, "chat.bot_message", "chat", "message"),
    Meter(13, "chat.user_message", "chat", "message"),
    Meter(14, "chat.alice_operator_message", "chat", "message"),
    Meter(15, "chat.alice_bot_message", "chat", "message"),
    Meter(16, "chat.alice_user_message", "chat", "message"),
    Meter(17, "call.outgoing", "telephony_legacy", "second"),
    Meter(18, "call.incoming", "telephony_new", "second"),
    Meter(19, "bot.message", "bot", "message"),
)
METER_BY_CODE: Final = {meter.code: meter for meter in METERS}
METER_BY_ID: Final = {meter.id: meter for meter in METERS}
# A message is counted when it is sent and when it is delivered; a card charges one of the two.
CHANNELS: Final = {
    channel: (f"{channel}.sent", f"{channel}.delivered") for channel in ("sms", "viber", "whatsapp", "email", "push")
}
