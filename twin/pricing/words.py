"""What services and meters are called, in the active language."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

SERVICE_TITLES: Final[dict[str, Promise]] = {
    "messaging": gettext_lazy("Text messaging service"),
    "chat": gettext_lazy("Chat service"),
    "telephony_legacy": gettext_lazy("Telephony service (legacy)"),
    "telephony_new": gettext_lazy("Telephony service (new)"),
    "bot": gettext_lazy("Bot service"),
}
METER_TITLES: Final[dict[str, Promise]] = {
    "sms.sent": gettext_lazy("Sent SMS"),
    "sms.delivered": gettext_lazy("Delivered SMS"),
    "viber.sent": gettext_lazy("Sent Viber"),
    "viber.delivered": gettext_lazy("Delivered Viber"),
    "whatsapp.sent": gettext_lazy("Sent Whatsapp"),
    "whatsapp.delivered": gettext_lazy("Delivered Whatsapp"),
    "email.sent": gettext_lazy("Sent Email"),
    "email.delivered": gettext_lazy("Delivered Email"),
    "push.sent": gettext_lazy("Sent Push"),
    "push.delivered": gettext_lazy("Delivered Push"),
    "chat.operator_message": gettext_lazy("Operator messages"),
    "chat.bot_message": gettext_lazy("Bot messages (with first)"),
    "chat.user_message": gettext_lazy("User messages"),
    "chat.alice_operator_message": gettext_lazy("Operator messages Alice"),
    "chat.alice_bot_message": gettext_lazy("Bot messages Alice"),
    "chat.alice_user_message": gettext_lazy("User messages Alice"),
    "call.outgoing": gettext_lazy("Outgoing calls"),
    "call.incoming": gettext_lazy("Incoming calls"),
    "bot.message": gettext_lazy("Billable messages"),
}
