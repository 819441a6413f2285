"""What the list of invited companies shows."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from twin.companies.types import Attachment
from twin.portal.words import moment_words


@dataclass(frozen=True)
class AttachmentRow:
    """One invitation that nobody has accepted."""

    attachment: Attachment
    sent: str
    expires: str

    @property
    def may_act(self) -> bool:
        """A declined one is over."""
        return self.attachment.state != "declined"


def row_of(attachment: Attachment, zone: ZoneInfo) -> AttachmentRow:
    return AttachmentRow(
        attachment=attachment,
        sent=moment_words(attachment.sent_at.replace(microsecond=0), zone),
        expires=moment_words(attachment.expires_at.replace(microsecond=0), zone),
    )
