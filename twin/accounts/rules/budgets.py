"""How many messages may go out before somebody has to wait: per target, per address, per prefix, per day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Final, Literal

Counted = Literal["target", "address", "network", "user", "prefix", "all"]

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

# A prefix is switched off for as long as, within a day, this many SMS went out and too few codes came back.
WATCHED_SENDS: Final = 20
LOWEST_PER_CENT: Final = 20


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` messages within `span`, counted by one thing they share."""

    by: Counted
    most: int
    span: timedelta


SMS_LIMITS: Final = (
    Limit("target", 1, timedelta(seconds=30)),
    Limit("target", 5, DAY),
    Limit("user", 10, DAY),
    Limit("address", 10, HOUR),
    Limit("address", 30, DAY),
    Limit("network", 30, HOUR),
    Limit("network", 100, DAY),
    Limit("prefix", 30, HOUR),
    Limit("prefix", 150, DAY),
)
MAIL_LIMITS: Final = (
    Limit("target", 1, timedelta(seconds=30)),
    Limit("target", 6, HOUR),
    Limit("target", 15, DAY),
    Limit("user", 30, DAY),
    Limit("address", 30, HOUR),
    Limit("address", 100, DAY),
    Limit("network", 100, HOUR),
    Limit("network", 400, DAY),
)


def network_of(address: str) -> str:
    """The neighbourhood an address is counted with: /24 of IPv4, /48 of IPv6."""
    found = ip_address(address)
    return str(ip_network((found, 24 if found.version == 4 else 48), strict=False))


def is_wasted(*, sends: int, answers: int) -> bool:
    """Whether so few codes of a prefix come back that somebody is likely to earn on the sending."""
    return sends >= WATCHED_SENDS and 100 * answers < LOWEST_PER_CENT * sends
