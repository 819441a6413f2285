"""Which way out this installation has, from its settings."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from twin.kernel import demonstration
from twin.kernel.adapters.kannel import KannelGateway
from twin.kernel.adapters.outbox import Outbox
from twin.kernel.adapters.smtp import SmtpServer
from twin.kernel.ports.mail import MailPort
from twin.kernel.ports.sms import SmsPort


def mail_port() -> MailPort | None:
    """The SMTP server, else in the demonstration the outbox, else none."""
    if settings.SMTP_URL:
        return _smtp(settings.SMTP_URL, settings.URL)
    return Outbox() if demonstration.is_open() else None


def sms_port() -> SmsPort | None:
    """The SMS gateway, else in the demonstration the outbox, else none."""
    if settings.SMS_URL:
        return _kannel(settings.SMS_URL)
    return Outbox() if demonstration.is_open() else None


def check_settings() -> None:
    """Raises `GatewayUnusable` for an address that cannot be used; connects to nobody."""
    if settings.SMTP_URL:
        _smtp(settings.SMTP_URL, settings.URL)
    if settings.SMS_URL:
        _kannel(settings.SMS_URL)


def missing() -> list[str]:
    """The settings without which mails or SMS stay here."""
    ways = {"TWIN_SMTP_URL": mail_port(), "TWIN_SMS_URL": sms_port()}
    return [setting for setting, way in ways.items() if way is None]


@lru_cache(maxsize=4)
def _smtp(url: str, installation: str) -> SmtpServer:
    return SmtpServer(url, installation)


@lru_cache(maxsize=4)
def _kannel(url: str) -> KannelGateway:
    return KannelGateway(url)
