"""What companies refuse, each by its own name."""

from __future__ import annotations

from datetime import datetime

from twin.kernel.errors import Clash, Forbidden, Invalid, NotFound, TwinError


class CompanyNotFound(NotFound):
    """The company does not exist or lies outside the scope."""


class NotInitialised(TwinError):
    """There is no platform company yet."""


class PlatformExists(Clash):
    """The installation already has its platform company."""


class PermissionMissing(Forbidden):
    """The key or the role lacks the permission."""


class CompanyInactive(Forbidden):
    """The company is blocked or closed; its keys and people have no access."""


class NotYours(Forbidden):
    """Only an organisation above the company may do this."""


class MembershipLoop(Clash):
    """The company would come to lie beneath itself."""


class MembershipTooEarly(Clash):
    """The instant is not later than the start of the last membership.

    `earliest` would be, usage permitting; None where a move is planned that the asker may not know.
    """

    def __init__(self, message: str, earliest: datetime | None = None) -> None:
        super().__init__(message)
        self.earliest = earliest


class CompanyInvalid(Invalid):
    """The description of a company cannot be used."""


class KeyInvalid(Invalid):
    """The description of an API key cannot be used."""
