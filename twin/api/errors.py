"""Refusals that exist only because the asker speaks HTTP."""

from __future__ import annotations

from twin.kernel.errors import TwinError


class KeyUnknown(TwinError):
    """No key came with the request, or none that is valid."""


class ContentTypeWrong(TwinError):
    """The body is of a media type this address does not read."""


class BodyUnreadable(TwinError):
    """The body is not JSON in UTF-8."""


class BodyTooLong(TwinError):
    """The body, or the list in it, is longer than is read."""


class TooBusy(TwinError):
    """More is on its way in than can be taken at once; nothing was taken."""


class NothingAcceptable(TwinError):
    """The answer exists in none of the media types asked for."""
