"""The channels of a section: which meters are looked at together."""

from __future__ import annotations

from typing import Final

CHANNELS: Final[dict[str, tuple[str, ...]]] = {
    "messaging": ("sms", "viber", "whatsapp", "email", "push"),
    "chat": ("operator", "bot", "user", "alice"),
}


def channels_of(section: str) -> tuple[str, ...]:
    """Codes in the order of the report; a section of one meter has none."""
    return CHANNELS.get(section, ())


def channel_of(column: str) -> str:
    """The channel a column belongs to: `chat.alice_bot_message.count`, `price_alice` → `alice`; empty for none."""
    stem = column.removeprefix("price_").removeprefix("chat.")
    for channel in (*CHANNELS["messaging"], *CHANNELS["chat"]):
        if stem == channel or stem.startswith((f"{channel}.", f"{channel}_")):
            return channel
    return ""
