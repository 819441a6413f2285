"""Which money settles which document: in the order given, never more than is there, never more than is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """Money that is there, or an amount that is open; `minor` is positive."""

    id: int
    minor: int


@dataclass(frozen=True, slots=True)
class Share:
    """So much of the money `source` settles `target`; negative: it does so no more."""

    source: int
    target: int
    minor: int


def distribute(money: Sequence[Part], wanted: Sequence[Part]) -> list[Share]:
    """The first money settles what comes first; ends when one of the two is used up."""
    shares: list[Share] = []
    pots = [[part.id, part.minor] for part in money if part.minor > 0]
    for target in wanted:
        left = target.minor
        while left > 0 and pots:
            taken = min(left, pots[0][1])
            shares.append(Share(pots[0][0], target.id, taken))
            left -= taken
            pots[0][1] -= taken
            if not pots[0][1]:
                pots.pop(0)
    return shares


def take_back(shares: Sequence[Share], minor: int) -> list[Share]:
    """The shares that free so much, the last first; never more than was shared out."""
    freed: list[Share] = []
    for share in reversed(shares):
        if minor <= 0:
            break
        taken = min(minor, share.minor)
        freed.append(Share(share.source, share.target, -taken))
        minor -= taken
    return freed
