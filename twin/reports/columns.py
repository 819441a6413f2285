"""The columns of each section: titles of the pages, and the source document's sentences as help.

Titles and help are marked for translation where they stand; `gettext(column.title)` shows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from django.utils.translation import gettext_noop

from twin.reports.rules.layout import PRICES
from twin.reports.types import Row, Side, Totals, UsageSection

Kind = Literal["id", "name", "count", "seconds", "money"]


@dataclass(frozen=True)
class Column:
    """One column. `sort` is the key of `ReportQuery.sort` that orders by it."""

    code: str
    title: str
    help: str
    kind: Kind
    sort: str
    meters: tuple[str, ...] = ()

    def figures(self, row: Row | Totals | UsageSection, side: Side) -> int:
        """The figure of a row or of the totals: a number, seconds, or nano-units of money."""
        if self.code.startswith("after."):
            after = None if isinstance(row, UsageSection) else row.after
            return 0 if after is None else int(getattr(after, self.code.removeprefix("after.")))
        if self.kind == "count":
            return sum(row.meters[meter].count for meter in self.meters)
        if self.kind == "seconds":
            return sum(row.meters[meter].quantity for meter in self.meters)
        if self.code in PRICES:
            return sum(getattr(row.meters[meter], side) for meter in self.meters)
        if self.kind == "money":
            amount: int = getattr(row, self.code)
            return amount
        if isinstance(row, Row) and self.kind == "id":
            return row.company_id
        raise TypeError(f"Column {self.code} has no figure.")


# Of files, and only where there is something: what a closed statement of the month has not seen.
AFTER_STATEMENT: Final = (
    Column("after.came", "After statement: events", "events that came later", "count", "company_id"),
    Column("after.changed", "After statement: changed charges", "charges changed later", "count", "company_id"),
    Column("after.sell", "After statement: price to reseller", "what both changed", "money", "company_id"),
)


@dataclass(frozen=True)
class SectionColumns:
    """One section as people know it."""

    code: str
    title: str
    help: str
    columns: tuple[Column, ...]


def _id(sentence: str) -> Column:
    return Column("company_id", gettext_noop("Id"), sentence, "id", "company_id")


def _name(sentence: str) -> Column:
    return Column("company_name", gettext_noop("Name"), sentence, "name", "company_name")


def _count(meter: str, title: str, sentence: str) -> Column:
    return Column(f"{meter}.count", title, sentence, "count", f"{meter}.count", (meter,))


def _seconds(meter: str, title: str, sentence: str) -> Column:
    return Column(f"{meter}.quantity", title, sentence, "seconds", f"{meter}.quantity", (meter,))


def _price(code: str, title: str, sentence: str) -> Column:
    return Column(code, title, sentence, "money", code, PRICES[code])


_TOTALS = (
    Column(
        "total_buy",
        gettext_noop("Total price to Twin"),
        gettext_noop("total amount charged for using Twin services"),
        "money",
        "total_buy",
    ),
    Column(
        "total_sell",
        gettext_noop("Total price to reseller"),
        gettext_noop("total amount earned by the reseller"),
        "money",
        "total_sell",
    ),
    Column(
        "margin",
        gettext_noop("Margin"),
        gettext_noop("what is left to the reseller: the total price to reseller less the total price to Twin"),
        "money",
        "margin",
    ),
)

_MESSAGING = SectionColumns(
    "messaging",
    gettext_noop("Text messaging service"),
    gettext_noop(
        "this section contains detailed information about sent messages for all dependent companies of the reseller"
    ),
    (
        _id(gettext_noop("ID of the dependent company")),
        _name(gettext_noop("name of the dependent company")),
        _count(
            "sms.delivered",
            gettext_noop("Delivered SMS"),
            gettext_noop("total number of SMS that were delivered to clients"),
        ),
        _price(
            "price_sms",
            gettext_noop("Price SMS"),
            gettext_noop("price for sending an SMS"),
        ),
        _count(
            "viber.sent",
            gettext_noop("Sent Viber"),
            gettext_noop("total number of messages sent to clients in Viber"),
        ),
        _count(
            "viber.delivered",
            gettext_noop("Delivered Viber"),
            gettext_noop("total number of messages that were delivered to clients in Viber"),
        ),
        _price(
            "price_viber",
            gettext_noop("Price Viber"),
            gettext_noop("price for sending a message in Viber"),
        ),
        _count(
            "whatsapp.sent",
            gettext_noop("Sent Whatsapp"),
            gettext_noop("total number of messages that were sent to clients in Whatsapp"),
        ),
        _count(
            "whatsapp.delivered",
            gettext_noop("Delivered Whatsapp"),
            gettext_noop("total number of messages that were delivered to clients in Whatsapp"),
        ),
        _price(
            "price_whatsapp",
            gettext_noop("Price Whatsapp"),
            gettext_noop("price for sending a message in Whatsapp"),
        ),
        _count(
            "email.sent",
            gettext_noop("Sent Email"),
            gettext_noop("total number of messages that were sent to clients by email"),
        ),
        _count(
            "email.delivered",
            gettext_noop("Delivered Email"),
            gettext_noop("total number of messages that were delivered to clients by email"),
        ),
        _price(
            "price_email",
            gettext_noop("Price Email"),
            gettext_noop("price for sending a message by email"),
        ),
        _count(
            "push.sent",
            gettext_noop("Sent Push"),
            gettext_noop("total number of push messages that were sent to clients"),
        ),
        _count(
            "push.delivered",
            gettext_noop("Delivered Push"),
            gettext_noop("total number of push messages that were delivered to clients"),
        ),
        _price(
            "price_push",
            gettext_noop("Price Push"),
            gettext_noop("price for sending a push message"),
        ),
        *_TOTALS,
    ),
)

_CHAT = SectionColumns(
    "chat",
    gettext_noop("Chat service"),
    gettext_noop(
        "this section contains detailed information about all messages that were sent between bots and operators "
        "for all dependent companies of the reseller"
    ),
    (
        _id(gettext_noop("ID of the dependent company")),
        _name(gettext_noop("name of the dependent company")),
        _count(
            "chat.operator_message",
            gettext_noop("Operator messages"),
            gettext_noop("total number of messages that were sent by operators to clients"),
        ),
        _price(
            "price_operator",
            gettext_noop("Operator messages price"),
            gettext_noop("price for messages that were sent by operators to clients"),
        ),
        _count(
            "chat.bot_message",
            gettext_noop("Bot messages (with first)"),
            gettext_noop("total number of messages that were sent by bots"),
        ),
        _price(
            "price_bot",
            gettext_noop("Bot message price"),
            gettext_noop("price for messages that were sent by bots to clients"),
        ),
        _count(
            "chat.user_message",
            gettext_noop("User messages"),
            gettext_noop("total number of messages that were sent by clients"),
        ),
        _price(
            "price_user",
            gettext_noop("Price of user messages"),
            gettext_noop("total price for messages that were sent by clients"),
        ),
        _count(
            "chat.alice_operator_message",
            gettext_noop("Operator messages Alice"),
            gettext_noop("total number of messages that were sent in chats using with the voice assistant Alice"),
        ),
        _count(
            "chat.alice_bot_message",
            gettext_noop("Bot messages Alice"),
            gettext_noop("total number of messages that were sent as notifications with the voice assistant Alice"),
        ),
        _count(
            "chat.alice_user_message",
            gettext_noop("User messages Alice"),
            gettext_noop("total number of messages that were sent with the voice assistant Alice"),
        ),
        _price(
            "price_alice",
            gettext_noop("Price Alice's messages"),
            gettext_noop("price for all messages that were sent with the voice assistant Alice"),
        ),
        *_TOTALS,
    ),
)

_LEGACY = SectionColumns(
    "telephony_legacy",
    gettext_noop("Telephony service (legacy)"),
    gettext_noop(
        "this section contains detailed information about the number, duration and cost of outgoing calls "
        "for all dependent companies of the reseller"
    ),
    (
        _id(gettext_noop("identifier of the dependent company")),
        _name(gettext_noop("the name of the associated company")),
        _count(
            "call.outgoing",
            gettext_noop("Calls"),
            gettext_noop("total number of outgoing calls"),
        ),
        _seconds(
            "call.outgoing",
            gettext_noop("Total duration (seconds)"),
            gettext_noop("total duration of outgoing calls (in seconds)"),
        ),
        *_TOTALS,
    ),
)

# The source document describes the legacy section and says that the new one is for incoming calls.
_NEW = SectionColumns(
    "telephony_new",
    gettext_noop("Telephony service (new)"),
    gettext_noop(
        "this section contains detailed information about the number, duration and cost of incoming calls "
        "for all dependent companies of the reseller"
    ),
    (
        _id(gettext_noop("identifier of the dependent company")),
        _name(gettext_noop("the name of the associated company")),
        _count(
            "call.incoming",
            gettext_noop("Calls"),
            gettext_noop("total number of incoming calls"),
        ),
        _seconds(
            "call.incoming",
            gettext_noop("Total duration (seconds)"),
            gettext_noop("total duration of incoming calls (in seconds)"),
        ),
        *_TOTALS,
    ),
)

_BOT = SectionColumns(
    "bot",
    gettext_noop("Bot service"),
    gettext_noop(
        "this section contains detailed information about all messages sent by bots using Twin API without "
        "integration with chats. The information is provided for all dependent companies of the reseller"
    ),
    (
        _id(gettext_noop("ID of the dependent company")),
        _name(gettext_noop("name of the dependent company")),
        _count(
            "bot.message",
            gettext_noop("Billable messages"),
            gettext_noop("total number of paid messages"),
        ),
        *_TOTALS,
    ),
)

SECTIONS: Final = {section.code: section for section in (_MESSAGING, _CHAT, _LEGACY, _NEW, _BOT)}
COLUMNS: Final = {code: section.columns for code, section in SECTIONS.items()}
