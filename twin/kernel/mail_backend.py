"""Whatever sends a mail through Django queues it like every other."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from twin.kernel.delivery import send_mail

PURPOSE = "X-Twin-Purpose"


class QueuedMail(BaseEmailBackend):
    """One dispatch per recipient; the header `X-Twin-Purpose` names the purpose and does not leave."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            for recipient in message.recipients():
                send_mail(
                    to=recipient,
                    subject=str(message.subject),
                    text=str(message.body),
                    html=_html_of(message),
                    purpose=message.extra_headers.get(PURPOSE, "notice"),
                )
        return len(email_messages)


def _html_of(message: EmailMessage) -> str:
    if not isinstance(message, EmailMultiAlternatives):
        return ""
    return next((str(content) for content, kind in message.alternatives if kind == "text/html"), "")
