"""A channel charges a message either when it is sent or when it is delivered, never both times."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal, get_args

from twin.pricing.meters import CHANNELS
from twin.pricing.types import NewRate

ChargedOn = Literal["sent", "delivered"]
MOMENTS: Final = get_args(ChargedOn)


def rates_of_channel(price: NewRate, channel: str, charged_on: ChargedOn) -> list[NewRate]:
    """The price on one of the channel's meters and "free" on the other; the meter of `price` does not count."""
    wanted = f"{channel}.{charged_on}"
    free = replace(price, unit_price_nano=0, per=1, minimum=0, increment=1, setup_fee_nano=0)
    return [replace(price if meter == wanted else free, meter=meter) for meter in CHANNELS[channel]]
