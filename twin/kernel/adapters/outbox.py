"""The way out of the demonstration: messages stay here, to be read on the page of the outbox."""

from __future__ import annotations

from twin.kernel.ports.mail import Mail
from twin.kernel.ports.sms import ShortMessage


class Outbox:
    """Takes everything and sends nothing."""

    keeps_text = True

    def send(self, _message: Mail | ShortMessage, /) -> str:
        return "outbox"
